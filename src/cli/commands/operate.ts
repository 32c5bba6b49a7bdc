/** What is asked of whoever works on a consumer; where no application runs, that is this process. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Consumers } from '../../engine/consumers.ts';
import type { ConsumerStatus } from '../../projection/status.ts';
import { count, countArgument } from '../arguments.ts';
import {
  actorOf,
  addActor,
  faultText,
  faultsOf,
  lookAt,
  requireConsumer,
  requireKept,
  requireRun,
  statusOfOne,
  workedOn,
} from '../consumers.ts';
import { action, defineCommand } from '../define.ts';
import { canWorkOn } from '../definitions.ts';
import { CliError, exitCodes, usageError } from '../failure.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly actor?: string;
  readonly timeout?: number;
}

/** What a command asks for, and how its end is recognised and told. */
interface Operation {
  /** @throws {EngineError} `consumer_refused` */
  readonly ask: (consumers: Consumers, signal: AbortSignal) => Promise<void>;
  /** Undefined where that is not known yet. */
  readonly outcome: (
    status: ConsumerStatus,
    before: ConsumerStatus,
    consumers: Consumers,
  ) => Outcome | undefined | Promise<Outcome>;
}

interface Outcome {
  readonly isGood: boolean;
  /** What became of it, in a word and in a sentence. */
  readonly kind: string;
  readonly sentence: string;
  /** What to do about it, where it is not good. */
  readonly remedy?: string;
}

const defaultTimeoutMs = 30_000;
/** Of timers. */
const timeoutMaxMs = 2 ** 31 - 1;
const pollMs = 100;

export const retry = action<[name: string], Options>(
  addWaiting(
    defineCommand({
      usage: 'retry <name>',
      summary: 'let one that stands still try again',
      does: 'Let a projection, tables, a reactor or a saga that stands still try that event again, once its cause is removed. Exits with 1 if it stands still again.',
      examples: [['projections retry balances', 'and see what becomes of it']],
    }),
  ),
  (session, options, name) =>
    operate(session, name, options, {
      ask: (consumers, signal) => consumers.retry(name, { actor: actorOf(options.actor), signal }),
      outcome: (status, before) => wentOn(status, before, `${name} went on behind ${standing(before)}`),
    }),
);

export const skip = action<[name: string, position: string], Options & { readonly reason: string }>(
  addWaiting(
    defineCommand({
      usage: 'skip <name> <position>',
      summary: 'let one that stands still go on behind that event',
      does: 'Let a projection, tables, a reactor or a saga go on behind the event at which it stands still, which it never takes in. Who did that, and why, is kept.',
      examples: [[`projections skip balances 17 --reason 'a test order'`, 'the position is in eventsrc projections']],
    }),
  ).requiredOption('--reason <text>', 'why, to be kept with it'),
  (session, options, name, text) => {
    const position = countArgument('position', text);
    const { reason } = options;
    if (reason.trim() === '') throw usageError('--reason says nothing', `Write why: --reason 'a test order'`);
    return operate(session, name, options, {
      ask: (consumers, signal) => consumers.skip(name, position, { reason, actor: actorOf(options.actor), signal }),
      outcome: () => ({
        isGood: true,
        kind: 'skipped',
        sentence: `Skipped position ${position} of ${name}: ${reason}`,
      }),
    });
  },
);

export const unpark = action<[name: string], Options & { readonly key?: string }>(
  addWaiting(
    defineCommand({
      usage: 'unpark <name>',
      summary: 'let events that were put aside be dealt with',
      does: 'Let a projection, tables, a reactor or a saga deal with the events that it has put aside, once the cause is removed. What still fails stays; then it exits with 1.',
      examples: [
        ['projections unpark balances', 'all that eventsrc parked lists'],
        ['projections unpark balances --key 7', 'those of one key'],
      ],
    }),
  ).option('--key <key>', 'those of this key alone'),
  (session, options, name) => {
    const { key } = options;
    let asked = 0;
    return operate(session, name, options, {
      ask: async (consumers, signal) => {
        asked = await countParked(consumers, name, key);
        if (asked === 0) throw nothingParked(name, key);
        await consumers.unpark(name, { actor: actorOf(options.actor), signal, ...(key !== undefined && { key }) });
      },
      outcome: async (_status, _before, consumers) => unparked(name, asked, await countParked(consumers, name, key)),
    });
  },
);

function addWaiting(command: Command): Command {
  return addActor(command).option(
    '--timeout <ms>',
    `how long to wait until it is done (default: ${defaultTimeoutMs})`,
    count,
  );
}

async function operate(
  session: Session,
  name: string,
  { timeout = defaultTimeoutMs }: Options,
  { ask, outcome }: Operation,
): Promise<number> {
  const consumer = await requireConsumer(session, name);
  requireKept(consumer);
  const before = await lookAt(session, consumer);
  requireRun(before);
  const canWork = canWorkOn(await session.config(), consumer);
  await using engine = await session.openEngine('write', workedOn(consumer, session.terminal, canWork));
  const timeIsUp = AbortSignal.timeout(Math.min(timeout, timeoutMaxMs));
  const signal = AbortSignal.any([session.signal, timeIsUp]);
  try {
    await ask(engine.consumers, signal);
    for (;;) {
      const status = await statusOfOne(engine, consumer);
      const found = await outcome(status, before, engine.consumers);
      if (found !== undefined) return await tell(session, status, found);
      await delay(pollMs, undefined, { signal });
    }
  } catch (error) {
    if (session.signal.aborted || !timeIsUp.aborted) throw error;
    const perhaps = canWork
      ? 'another process works on it, or it takes its time'
      : 'another process has to, since the config does not say how its activities are done';
    throw new CliError(
      `${name} has not done it within ${timeout} ms: ${perhaps}`,
      'It stays asked for: look again with eventsrc projections, or wait longer with --timeout.',
    );
  }
}

async function tell({ terminal }: Session, status: ConsumerStatus, outcome: Outcome): Promise<number> {
  const { name, state, lag, parked } = status;
  const { isGood, kind, sentence, remedy = '' } = outcome;
  const facts = { name, outcome: kind, state, position: lag.position, parked, faults: faultsOf(status) };
  if (isGood) await terminal.printDone(sentence, facts);
  else if (terminal.isJson) await terminal.printJson(facts);
  else terminal.fail({ code: kind, summary: sentence, remedy, exitCode: exitCodes.failed });
  return isGood ? exitCodes.done : exitCodes.failed;
}

function standing(status: ConsumerStatus): string {
  return faultsOf(status)
    .map(({ position }) => `position ${position}`)
    .join(' and ');
}

/** Once every slot that stood still has passed its event, or stands still again. */
function wentOn(status: ConsumerStatus, before: ConsumerStatus, sentence: string): Outcome | undefined {
  const { name } = status;
  const [fault] = faultsOf(status);
  if (fault !== undefined)
    return {
      isGood: false,
      kind: 'faulted',
      sentence: `${name} stands still again at ${faultText(fault)}`,
      remedy: `Correct it and repeat this, or: eventsrc projections skip ${name} ${fault.position} --reason …`,
    };
  const isPast = before.slots.every(
    ({ slot, fault: stood }) => stood === undefined || (status.slots[slot]?.position ?? 0) >= stood.position,
  );
  return isPast ? { isGood: true, kind: 'went_on', sentence } : undefined;
}

async function countParked(consumers: Consumers, name: string, key: string | undefined): Promise<number> {
  let found = 0;
  for await (const parked of consumers.parked(name)) if (key === undefined || parked.key === key) found += 1;
  return found;
}

function nothingParked(name: string, key: string | undefined): CliError {
  const what = key === undefined ? 'nothing' : `nothing of the key ${JSON.stringify(key)}`;
  return new CliError(`${name} has put ${what} aside`, `Look what there is: eventsrc parked ${name}`);
}

function unparked(name: string, asked: number, left: number): Outcome {
  const taken = Math.max(0, asked - left);
  const sentence = `${name} has dealt with ${taken} of ${asked} events that it had put aside`;
  if (left === 0) return { isGood: true, kind: 'unparked', sentence };
  return {
    isGood: false,
    kind: 'still_parked',
    sentence,
    remedy: `See why the others stay, and correct it: eventsrc parked ${name}`,
  };
}
