import { readClock } from '../ground/clock.ts';
import type { Clock } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import type { HostedConsumer } from '../projection/hosted.ts';
import type { AnyProjection } from '../projection/projection.ts';
import { ReadSide } from '../projection/read-side.ts';
import type { Run } from '../projection/read-side.ts';
import type { AnyReactor } from '../projection/reactor.ts';
import type { AnyTables } from '../projection/tables.ts';
import type { EventLog } from '../store/log.ts';
import { noticeTaker } from './hooks.ts';
import type { EngineHooks } from './hooks.ts';

/** What consumes events, and how it is run. */
export interface ConsumerSettings {
  readonly projections?: readonly AnyProjection[];
  /** What events do to SQL tables of your own. */
  readonly tables?: readonly AnyTables[];
  readonly reactors?: readonly AnyReactor[];
  /** Which of these are worked on in this process: all, none, or those named. Live projections are in any case. Default `'all'`. */
  readonly run?: Run;
  /** How long a worker that says nothing keeps its part to itself, in ms: as late is one taken over that was killed. Default 5,000. */
  readonly leaseMs?: number;
  /** After how long it is told that a consumer has not moved while events wait, in ms. Default 30,000. */
  readonly stallMs?: number;
}

export interface ConsumerParts extends ConsumerSettings {
  readonly hosted: readonly HostedConsumer[];
  readonly clock: Clock;
  readonly newId: () => string;
  readonly cached: number;
  readonly freezes: boolean;
  readonly hooks: EngineHooks | undefined;
}

const leaseMinMs = 200;
const leaseMaxMs = 3_600_000;

/** @throws {EngineError} `option_invalid`, `definition_changed`, `limit_exceeded`, `statement_failed` */
export async function openReadSide(log: EventLog, parts: ConsumerParts): Promise<ReadSide | undefined> {
  const { projections = [], tables = [], reactors = [], run = 'all', leaseMs = 5_000, stallMs = 30_000 } = parts;
  for (const [option, value, least, most] of [
    ['leaseMs', leaseMs, leaseMinMs, leaseMaxMs],
    ['stallMs', stallMs, 1, Infinity],
  ] as const)
    if (!(typeof value === 'number' && value >= least && value <= most))
      throw new EngineError('option_invalid', { option, value, expected: `a number of ms from ${least} to ${most}` });
  const isList = Array.isArray(run) && run.every((name) => typeof name === 'string');
  if (run !== 'all' && run !== 'none' && !isList)
    throw new EngineError('option_invalid', {
      option: 'run',
      value: run,
      expected: `'all', 'none' or a list of names`,
    });
  const consumers = [...projections, ...tables, ...reactors, ...parts.hosted];
  if (consumers.length === 0) return undefined;
  const [value, max] = [projections.length + tables.length, log.limits.projections];
  if (value > max) throw new EngineError('limit_exceeded', { limit: 'projections', value, max, subject: 'the engine' });
  const state = await log.state();
  if (state === undefined)
    throw new EngineError('option_invalid', {
      option: 'projections',
      value: consumers.map(({ name }) => name),
      expected: 'a store that keeps documents',
    });
  const { clock, newId, cached, freezes, hooks } = parts;
  return ReadSide.open(log, state, {
    consumers,
    run,
    stallMs,
    workers: { owner: newId(), leaseMs, cached, freezes },
    notice: noticeTaker(hooks),
    now: () => readClock(clock),
    random: Math.random,
  });
}
