/** Moments of a rebuild that come seldom by themselves, brought about. */
import { setImmediate } from 'node:timers/promises';
import { defineProjection, memory, openEngine } from 'eventsrc';
import type { Engine, EngineOptions } from 'eventsrc';
import { afterEach, expect, test } from 'vitest';
import { shared } from '../support/gated-store.ts';
import { guarded } from '../support/guarded-state.ts';
import { crate, defineTrail } from './shelves.ts';

const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(options: EngineOptions): Promise<Engine> {
  const engine = await openEngine({ leaseMs: 300, ...options });
  opened.push(engine);
  return engine;
}

async function store(engine: Engine, amount = 1): Promise<number> {
  const data = { shelves: ['a'], amount };
  const result = await engine.log.append([{ stream: 'crate-1', events: [{ type: 'Stored', data }] }]);
  return result.kind === 'appended' ? (result.events.at(-1)?.position ?? 0) : 0;
}

/** Of each shelf the sum; what every event does besides is up to the test. */
function defineSums(fold: (sum: number, amount: number) => number) {
  return defineProjection({
    name: 'sums',
    from: [crate],
    key: (event) => (event.type === 'Stored' ? event.data.shelves : []),
    initial: { sum: 0 },
    on: {
      Stored: ({ sum }, { data }) => ({ sum: fold(sum, data.amount) }),
      Cleared: 'ignore',
      Noted: 'ignore',
    },
  });
}

test('what was built and dropped is not taken for built the next time', async () => {
  let factor = 1;
  const sums = defineSums((sum, amount) => sum + factor * amount);
  const engine = await engineOn({ store: memory(), projections: [sums] });
  await store(engine, 5);
  await engine.settled();
  factor = 2;
  const differing = await engine.consumers.rebuild(sums, { diff: true });
  expect(differing).toMatchObject({
    switched: false,
    compared: 1,
    differences: [{ key: 'a', before: { sum: 5 }, after: { sum: 10 } }],
  });
  await engine.consumers.drop(sums, differing.generation);
  await engine.consumers.rebuild(sums);
  expect(await engine.view(sums).get('a')).toEqual({ sum: 10 });
});

test('a worker that cannot look when it hears of a rebuild looks again', async () => {
  const trail = defineTrail();
  let isFailing = false;
  const backend = shared(memory());
  const frail = guarded(backend, async (call, name, args) => {
    if (isFailing && name === 'get' && (args[1] as string[]).includes('trail@1')) {
      isFailing = false;
      throw new Error('out of reach');
    }
    return call();
  });
  const worker = await engineOn({ store: frail, projections: [trail] });
  await store(worker);
  await worker.settled();
  const asking = await engineOn({ store: backend, projections: [trail], run: 'none' });
  isFailing = true;
  expect(await asking.consumers.rebuild(trail, { signal: AbortSignal.timeout(5_000) })).toMatchObject({
    switched: true,
  });
  expect(isFailing).toBe(false);
});

test('a rebuild that begins while a worker is being opened has that worker, too', async () => {
  const trail = defineTrail();
  const backend = shared(memory());
  const first = await engineOn({ store: backend, projections: [trail] });
  await store(first);
  await first.settled();
  await first.close();
  const asking = await engineOn({ store: backend, projections: [trail], run: 'none' });
  let rebuilding: Promise<unknown> = Promise.resolve();
  let isLooking = true;
  const opening = guarded(backend, async (call, name, args) => {
    const answer = await call();
    if (isLooking && name === 'get' && (args[1] as string[]).includes('trail@1')) {
      isLooking = false;
      const begun = Promise.withResolvers<void>();
      rebuilding = asking.consumers.rebuild(trail, {
        onProgress: () => begun.resolve(),
        signal: AbortSignal.timeout(5_000),
      });
      await begun.promise;
    }
    return answer;
  });
  await engineOn({ store: opening, projections: [trail] });
  expect(await rebuilding).toMatchObject({ switched: true });
});

test('what is asked of a worker while it looks what is asked is done, too', async () => {
  let isBroken = true;
  const sums = defineSums((sum, amount) => {
    if (isBroken) throw new Error('broken');
    return sum + amount;
  });
  const backend = shared(memory());
  const [isLooking, hasHeard, goOn] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  let stage: 'working' | 'faulted' | 'asked' = 'working';
  const slow = guarded(backend, async (call, name, args) => {
    const [, keys = []] = name === 'get' ? (args as [string, string[]]) : [];
    const answer = await call();
    if (keys.includes('sums@1') && stage === 'asked') hasHeard?.resolve();
    if (keys.includes('sums@1.1#0') && stage === 'faulted') {
      isLooking?.resolve();
      await goOn?.promise;
    }
    return answer;
  });
  const worker = await engineOn({
    store: slow,
    projections: [sums],
    hooks: { consumer: ({ kind }) => kind === 'faulted' && (stage = 'faulted') },
  });
  const operator = await engineOn({ store: backend, projections: [sums], run: 'none' });
  await store(worker, 7);
  await isLooking?.promise;
  isBroken = false;
  stage = 'asked';
  const retrying = operator.consumers.retry('sums', { signal: AbortSignal.timeout(5_000) });
  await hasHeard?.promise;
  await setImmediate();
  goOn?.resolve();
  await retrying;
  await operator.settled();
  expect(await operator.view(sums).get('a')).toEqual({ sum: 7 });
});
