/**
 * The documents get out of reach at every single call that a worker makes, before or after it has taken effect: what is there is whole, and
 * whoever goes on folds every event once and in order.
 */
import { memory, openEngine } from 'eventsrc';
import type { Backend, Engine, EngineOptions } from 'eventsrc';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fuse, guarded } from '../support/guarded-state.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces, withState } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineShelves, defineTrail, foldedLog, randomAppends, shownView, torn } from './shelves.ts';

const isSoak = process.env.SOAK !== undefined;
const leaseMs = 200;
const projections = [defineShelves(), defineTrail({ slots: 3 })] as const;
const settings = { projections, leaseMs, hooks: { consumer: () => {} } } satisfies Partial<EngineOptions>;

/** Passes with every crash, so that nobody waits for the dead. */
function skippingClock(): { now(): number; skip(): void } {
  let skippedMs = 0;
  return { now: () => Date.now() + skippedMs, skip: () => void (skippedMs += 3 * leaseMs) };
}

/** Works until everything is done or the fuse has blown. */
async function work(store: Backend, fuse: Fuse, clock: { now(): number }, seed: number): Promise<void> {
  let engine: Engine | undefined;
  try {
    engine = await openEngine({ ...settings, store: guarded(store, (call) => fuse.pass(call)), clock });
    const append = randomAppends(engine.log, seed);
    const settled = engine.settled();
    settled.catch(() => undefined);
    await append(5);
    await Promise.race([Promise.all([settled, engine.settled()]), fuse.blown]);
  } catch (error) {
    if (!fuse.isBlown) throw error;
  }
  await engine?.close();
}

async function checkWhole(store: Backend, hint: string): Promise<void> {
  await using reader = await openEngine({ store });
  for (const projection of projections) {
    const found = await withState(store, (state) => torn(reader.log, state, projection));
    expect(found.slice(0, 3), `${projection.name}, ${hint}`).toEqual([]);
  }
}

/** The last one works to the end. @returns how many calls it took. */
async function checkComplete(store: Backend, clock: { now(): number }, hint: string): Promise<number> {
  const fuse = new Fuse(Infinity, false);
  await using engine = await openEngine({ ...settings, store: guarded(store, (call) => fuse.pass(call)), clock });
  await engine.settled();
  for (const projection of projections)
    expect(await shownView(engine, projection), `${projection.name}, ${hint}`).toEqual(
      await foldedLog(engine.log, projection),
    );
  return fuse.calls;
}

test('on memory: cut off at every call', async () => {
  let calls = 1;
  for (let last = 1; last <= calls; last++) {
    for (const isDone of [false, true]) {
      const hint = `call ${last}, ${isDone ? 'done' : 'not done'}`;
      const clock = skippingClock();
      const store = shared(memory());
      const fuse = new Fuse(last, isDone);
      await work(store, fuse, clock, 1);
      calls = Math.max(calls, fuse.calls + 1);
      clock.skip();
      await checkWhole(store, hint);
      await checkComplete(store, clock, hint);
      if (!fuse.isBlown) expect(fuse.calls).toBeGreaterThan(60);
    }
  }
});

const places = bothPlaces(await temporaryFolder(), postgresSchemas());

test.each([['memory', undefined] as const, ...places])('on %s: cut off again and again', async (_, newPlace) => {
  const crash = fc.record({ last: fc.integer({ min: 1, max: 120 }), isDone: fc.boolean() });
  const crashes = fc.array(crash, { minLength: 3, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(fc.nat(), crashes, async (seed, cuts) => {
      const place = newPlace?.();
      const onlyMemory = shared(memory());
      const open = () => (place === undefined ? onlyMemory : backendAt(place));
      const clock = skippingClock();
      for (const [round, { last, isDone }] of cuts.entries()) {
        await work(open(), new Fuse(last, isDone), clock, seed + round);
        clock.skip();
        await checkWhole(open(), `round ${round}`);
      }
      await checkComplete(open(), clock, 'at the end');
    }),
    { numRuns: (newPlace === undefined ? 12 : 2) * (isSoak ? 100 : 1), endOnFailure: true },
  );
});
