/** Moments of a rebuild that come seldom by themselves, brought about. */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { defineProjection, memory, openEngine } from 'eventsrc';
import type { Engine, EngineOptions, StateCommit } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, expect, test } from 'vitest';
import { shared } from '../support/gated-store.ts';
import { guarded } from '../support/guarded-state.ts';
import { withState } from '../support/place.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { crate, defineTrail } from './shelves.ts';

const folder = await temporaryFolder();
const opened: Engine[] = [];
const held: PromiseWithResolvers<void>[] = [];

/** Something that waits until the test lets it go on, at the latest at its end. */
function hold(): PromiseWithResolvers<void> {
  const wait = Promise.withResolvers<void>();
  held.push(wait);
  return wait;
}

afterEach(async () => {
  for (const { resolve } of held.splice(0)) resolve();
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
  const backend = shared(memory());
  const engine = await engineOn({ store: backend, projections: [sums] });
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
  await engine.consumers.drop(sums, 1);
  await engine.close();
  // Nor is the first one made again.
  factor = 1;
  await engineOn({ store: backend, projections: [sums] });
  expect(await withState(backend, (state) => state.collections('view/'))).toEqual(['view/sums@1.3']);
});

test('whoever has read the old view does not go back in the new one', async () => {
  const trail = defineTrail();
  const isHeld = Promise.withResolvers<void>();
  const mayGoOn = hold();
  let isHolding = false;
  const backend = guarded(shared(memory()), async (call, name, args) => {
    const { puts = [], checkpoints = [] } = name === 'commit' ? (args[0] as StateCommit) : {};
    const isSwitch = puts.some(({ value }) => (value as { active?: number }).active === 2);
    if (isSwitch && !isHolding) {
      isHolding = true;
      // The old one comes further meanwhile.
      const position = await store(engine);
      await engine.view(trail).fresh({ atLeast: position });
      expect((await engine.view(trail).get('a'))?.positions).toEqual([1, 2]);
      isHeld.resolve();
    }
    if (isHolding && checkpoints.some((one) => one.name === 'trail@1.2#0')) await mayGoOn.promise;
    return call();
  });
  const engine = await engineOn({ store: backend, projections: [trail] });
  await store(engine);
  await engine.settled();
  // No new event is folded into the new one from the moment at which it is to serve.
  isHolding = false;
  const rebuilding = engine.consumers.rebuild(trail);
  await isHeld.promise;
  await rebuilding;
  expect((await engine.view(trail).get('a'))?.positions).toEqual([1, 2]);
  mayGoOn.resolve();
  const position = await store(engine);
  expect((await engine.view(trail).get('a', { atLeast: position }))?.positions).toEqual([1, 2, 3]);
  const [status] = await engine.consumers.status();
  expect(status).toMatchObject({ generation: 2 });
});

test('whoever waits for the old view when another one takes over gets the new one', async () => {
  const trail = defineTrail();
  let isSwitching = false;
  let reading: Promise<unknown> = Promise.resolve();
  const backend = guarded(shared(memory()), async (call, name, args) => {
    const { puts = [], checkpoints = [] } = name === 'commit' ? (args[0] as StateCommit) : {};
    if (puts.some(({ value }) => (value as { active?: number }).active === 2)) {
      isSwitching = true;
      const atLeast = await store(engine);
      reading = engine.view(trail).get('a', { atLeast, timeoutMs: 3_000 });
    }
    // The old one gets no further, as if its worker had heard of the switch at once.
    if (isSwitching && checkpoints.some((one) => one.name === 'trail@1.1#0')) throw new Error('too late');
    return call();
  });
  const hooks = { consumer: () => {} };
  const engine: Engine = await engineOn({ store: backend, projections: [trail], hooks });
  await store(engine);
  await engine.settled();
  await engine.consumers.rebuild(trail);
  expect(await reading).toMatchObject({ positions: [1, 2] });
  await engine.settled();
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
  const [isLooking, hasHeard, goOn] = [hold(), hold(), hold()];
  let stage: 'working' | 'faulted' | 'asked' = 'working';
  const slow = guarded(backend, async (call, name, args) => {
    const [, keys = []] = name === 'get' ? (args as [string, string[]]) : [];
    const answer = await call();
    if (keys.includes('sums@1') && stage === 'asked') hasHeard.resolve();
    if (keys.includes('sums@1.1#0') && stage === 'faulted') {
      isLooking.resolve();
      await goOn.promise;
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
  await isLooking.promise;
  isBroken = false;
  stage = 'asked';
  const retrying = operator.consumers.retry('sums', { signal: AbortSignal.timeout(5_000) });
  await hasHeard.promise;
  await setImmediate();
  goOn.resolve();
  await retrying;
  await operator.settled();
  expect(await operator.view(sums).get('a')).toEqual({ sum: 7 });
});

test('events that follow each other without a pause delay neither a view nor its rebuild', async () => {
  const file = join(folder, 'pressed.db');
  const trail = defineTrail();
  let isPressed = true;
  // Whenever documents are committed, there is a further event already.
  const backend = guarded(sqlite(file), async (call, name, args) => {
    const { puts = [] } = name === 'commit' ? (args[0] as StateCommit) : {};
    if (isPressed && puts.some(({ collection }) => collection.startsWith('view/'))) await store(writer);
    return call();
  });
  const writer: Engine = await engineOn({ store: sqlite(file) });
  await store(writer);
  const engine = await engineOn({ store: backend, projections: [trail] });
  expect((await engine.view(trail).get('a', { timeoutMs: 3_000 }))?.positions).toContain(1);
  const result = await engine.consumers.rebuild(trail, { diff: true, signal: AbortSignal.timeout(20_000) });
  isPressed = false;
  expect(result).toMatchObject({ switched: true, compared: 1, differing: 0, differences: [] });
  await engine.settled();
  expect((await engine.view(trail).get('a'))?.positions).toHaveLength((await engine.log.head()).position);
});

test('two views are compared that never stand at the same place', async () => {
  const file = join(folder, 'apart.db');
  const trail = defineTrail();
  let isApart = true;
  const backend = guarded(sqlite(file), async (call, name, args) => {
    const { puts = [] } = name === 'commit' ? (args[0] as StateCommit) : {};
    const isNew = puts.some(({ collection }) => collection === 'view/trail@1.2');
    if (puts.some(({ value }) => (value as { active?: number }).active === 2)) isApart = false;
    // Whenever the new one moves, the old one is further already.
    if (isNew && isApart) {
      const atLeast = await store(engine);
      // In vain where the new one has just taken over.
      await engine.view(trail).safeGet('a', { atLeast, timeoutMs: 300 });
    }
    return call();
  });
  const engine: Engine = await engineOn({ store: backend, projections: [trail] });
  await store(engine);
  await engine.settled();
  const alike = await engine.consumers.rebuild(trail, { diff: true, signal: AbortSignal.timeout(20_000) });
  expect(alike).toMatchObject({ switched: true, compared: 1, differing: 0 });
  await engine.settled();
});
