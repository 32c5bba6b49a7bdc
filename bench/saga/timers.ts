/** How exactly sagas that sleep wake up while very many others sleep on, and what those cost meanwhile. */
import { setTimeout } from 'node:timers/promises';
import { complete, defineSaga, openEngine, sleep } from 'eventsrc';
import type { Engine, SagaNotice } from 'eventsrc';
import { z } from 'zod';
import { backendAt } from '../contestants/eventsrc.ts';
import type { LargeResult } from '../large/measure-large.ts';
import type { InNewPlace } from '../measure-row.ts';
import type { LagResult } from '../read/lag.ts';
import { quantile, spreadOf } from '../statistics.ts';
import type { SagaId } from './saga-ids.ts';

export interface TimersPace {
  /** That sleep on. */
  readonly pending: number;
  /** That wake up, at a steady rate. */
  readonly woken: number;
  readonly idleSeconds: number;
  /** In which what is to wake up is put to sleep, before the first of it is due. */
  readonly leadMs: number;
}

/** Sagas that wake up in a second. */
const rate = 500;
const hourMs = 3_600_000;
const startedTogether = 256;

const sleeper = defineSaga({
  name: 'sleeper',
  input: z.object({ until: z.number() }),
  events: {},
  initialState: { until: 0 },
  evolve: (state, event) => (event.type === 'started' ? event.data : state),
  next: ({ until }, { isDone }) => (isDone('nap') ? [complete()] : [sleep('nap', { until })]),
});

export async function measureTimers(
  { pending, woken, idleSeconds, leadMs }: TimersPace,
  inNewPlace: InNewPlace,
): Promise<{ readonly timers: LagResult; readonly idle: LargeResult }> {
  const bare = await inNewPlace(async (place) => {
    await using engine = await openEngine({ store: backendAt(place), sagas: [sleeper] });
    await engine.settled();
    return await cpuShare(idleSeconds);
  });
  return inNewPlace(async (place) => {
    const endedAt = new Map<string, number>();
    const saga = (notice: SagaNotice) => {
      if (notice.kind === 'ended') endedAt.set(notice.instance, Date.now());
    };
    await using engine = await openEngine({
      store: backendAt(place),
      sagas: [sleeper],
      hooks: { saga },
      onWarning: () => {},
    });
    await engine.settled();
    await putToSleep(engine, 'pending', pending, (index) => Date.now() + hourMs + index);
    await engine.settled({ timeoutMs: Infinity });
    const share = await cpuShare(idleSeconds);
    const first = Date.now() + leadMs;
    const dueAt = (index: number) => first + (index * 1_000) / rate;
    await putToSleep(engine, 'woken', woken, dueAt);
    while (endedAt.size < woken) await setTimeout(20);
    const late = Array.from(
      { length: woken },
      (_, index) => (endedAt.get(`woken-${index}`) ?? Infinity) - dueAt(index),
    );
    return { timers: timersOf(late, pending), idle: idleOf(share, bare, pending) };
  });
}

async function putToSleep(
  engine: Engine,
  prefix: string,
  count: number,
  until: (index: number) => number,
): Promise<void> {
  let next = 0;
  const start = async () => {
    for (let index = next++; index < count; index = next++)
      await engine.start(sleeper, `${prefix}-${index}`, { until: Math.ceil(until(index)) });
  };
  await Promise.all(Array.from({ length: startedTogether }, start));
}

/** Of one core, in percent. */
async function cpuShare(seconds: number): Promise<number> {
  // What is left to do in the background is done first.
  await setTimeout(seconds * 1_000);
  const [before, begun] = [process.cpuUsage(), performance.now()];
  await setTimeout(seconds * 1_000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / ((performance.now() - begun) * 10);
}

function timersOf(lateMs: readonly number[], pending: number): LagResult {
  // A timer that rings in the millisecond in which it is due is not early.
  const late = lateMs.map((ms) => Math.max(0.01, ms)).sort((a, b) => a - b);
  const [p50, p99, max] = [quantile(late, 0.5), quantile(late, 0.99), quantile(late, 1)];
  return {
    id: 'saga.timers' satisfies SagaId,
    what: `how late a saga wakes up and has ended, ${rate} a second, ${pending.toLocaleString('en')} others asleep, p99`,
    unit: 'ms',
    value: p99,
    spread: spreadOf([p99]),
    p50,
    p99,
    max,
    reached: spreadOf([rate]),
    counted: 'sagas/s woken',
    against: [],
  };
}

function idleOf(share: number, bare: number, pending: number): LargeResult {
  return {
    id: 'saga.idle',
    what: `what an engine costs in which ${pending.toLocaleString('en')} sagas sleep and nothing is due`,
    unit: '% of a core',
    value: share,
    against: [{ name: 'eventsrc, with none', value: bare, ratio: share / bare }],
  };
}
