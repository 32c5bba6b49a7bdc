/** What a read with a bound returns really fulfils it, and a refusal says how things stand: writers, pauses and bounds are random. */
import { memory, openEngine } from 'eventsrc';
import type { Bound, Engine, SafeRead, StateCommit } from 'eventsrc';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startProgram } from '../support/child.ts';
import { shared } from '../support/gated-store.ts';
import { guarded } from '../support/guarded-state.ts';
import { backendAt, bothPlaces, placeArguments } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { seededRandom } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineTrail, randomAppends } from './shelves.ts';
import type { Shelf } from './shelves.ts';

const isSoak = process.env.SOAK !== undefined;
const trail = defineTrail({ slots: 3 });

interface Past {
  readonly position: number;
  readonly recordedAt: number;
  readonly keys: readonly string[];
}

/** What of a log concerns the view. */
async function pastOf(engine: Engine): Promise<readonly Past[]> {
  const past: Past[] = [];
  for await (const page of engine.log.read())
    for (const { stream, type, data, position, recordedAt } of page) {
      const { shelves = [], shelf } = data as { shelves?: readonly string[]; shelf?: string };
      const keys = shelf === undefined ? shelves : [shelf];
      if (stream.startsWith('crate-') && type !== 'Noted') past.push({ position, recordedAt, keys });
    }
  return past;
}

interface Made {
  readonly key: string;
  readonly bound: Bound;
  readonly begunAt: number;
  readonly read: SafeRead<Shelf | undefined>;
  /** Of the store, before and after. */
  readonly heads: readonly [number, number];
}

async function readOnce(
  engine: Engine,
  key: string,
  bound: Bound,
  timeoutMs: number,
  now: () => number,
): Promise<Made> {
  const { position: before } = await engine.log.head();
  const begunAt = now();
  const read = await engine.view(trail).safeGet(key, { ...bound, timeoutMs });
  const { position: after } = await engine.log.head();
  return { key, bound, begunAt, read, heads: [before, after] };
}

function check({ key, bound, begunAt, read, heads }: Made, past: readonly Past[], hint: string): void {
  const { atLeast = 0, maxLagMs = Infinity } = bound;
  if (read.kind === 'fresh') {
    const shown = new Set(read.value?.positions);
    const wanted = past.filter(
      ({ position, recordedAt, keys }) =>
        keys.includes(key) && (position <= atLeast || (position <= heads[0] && recordedAt < begunAt - maxLagMs)),
    );
    expect(
      wanted.filter(({ position }) => !shown.has(position)),
      hint,
    ).toEqual([]);
    // What does not exist is in no view.
    expect(atLeast, hint).toBeLessThanOrEqual(heads[1]);
    return;
  }
  const { stale } = read;
  expect(stale, hint).toMatchObject({ view: 'trail', ...bound });
  expect(stale.head, hint).toBeGreaterThanOrEqual(heads[0]);
  expect(stale.head, hint).toBeLessThanOrEqual(heads[1]);
  const waiting = past.filter(({ position }) => position > stale.position && position <= stale.head);
  const isFarBehind = atLeast > stale.head || waiting.some(({ position }) => position <= atLeast);
  const isLate = stale.lagMs > maxLagMs;
  expect(isFarBehind || isLate || stale.isBuilding, hint).toBe(true);
  expect(stale.lagMs > 0, hint).toBe(waiting.length > 0);
}

function randomBound(random: () => number, head: number): Bound {
  const atLeast = Math.floor(random() * (head + 3));
  const maxLagMs = [0, 40, 1_000][Math.floor(random() * 3)] ?? 0;
  const die = random();
  return die < 0.6 ? { atLeast } : die < 0.85 ? { maxLagMs } : { atLeast, maxLagMs };
}

test('with runners that stop at every commit for as long as it pleases', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const random = seededRandom(seed);
      let time = 1_000_000;
      const pauses = new Map<string, PromiseWithResolvers<void>>();
      const slots = ['trail@1.1#0', 'trail@1.1#1', 'trail@1.1#2'];
      const pause = (slot: string) => void (pauses.has(slot) || pauses.set(slot, Promise.withResolvers()));
      const goOn = (slot: string) => {
        pauses.get(slot)?.resolve();
        pauses.delete(slot);
      };
      const backend = guarded(shared(memory()), async (call, name, args) => {
        const { checkpoints = [] } = name === 'commit' ? (args[0] as StateCommit) : {};
        for (const one of checkpoints) await pauses.get(one.name)?.promise;
        return call();
      });
      const clock = { now: () => time };
      const engine = await openEngine({ store: backend, projections: [trail], clock, leaseMs: 60_000 });
      const append = randomAppends(engine.log, seed, { shelves: 6 });
      const reads: Promise<Made>[] = [];
      for (let step = 0; step < 60; step++) {
        time += Math.floor(random() * 30);
        const die = random();
        const slot = slots[Math.floor(random() * 3)] ?? '';
        if (die < 0.3) await append(1 + Math.floor(random() * 4));
        else if (die < 0.45) pause(slot);
        else if (die < 0.6) goOn(slot);
        else {
          const { position: head } = await engine.log.head();
          const key = `shelf ${Math.floor(random() * 6)}`;
          reads.push(readOnce(engine, key, randomBound(random, head), Math.floor(random() * 8), clock.now));
        }
        if (random() < 0.5) await new Promise((resolve) => setImmediate(resolve));
      }
      const made = await Promise.all(reads);
      for (const slot of slots) goOn(slot);
      const past = await pastOf(engine);
      for (const one of made) check(one, past, JSON.stringify(one));
      await engine.close();
    }),
    { numRuns: isSoak ? 2_000 : 25 },
  );
});

test.each(bothPlaces(await temporaryFolder(), postgresSchemas()))(
  'on %s, with a worker in another process that is stopped and goes on',
  async (_, newPlace) => {
    const place = newPlace();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    await using engine = await openEngine({ store: backendAt(place), projections: [trail], run: 'none' });
    const worker = startProgram('shelf-worker', [...placeArguments(place), '60000', '1', '', 'trail']);
    await worker.nextLine();
    const append = randomAppends(engine.log, seed, { shelves: 4 });
    const reads: Promise<Made>[] = [];
    let isStopped = false;
    for (let step = 0; step < (isSoak ? 5_000 : 80); step++) {
      await append(1 + Math.floor(random() * 3));
      // A file could be locked by whom it stops.
      if (place[0] === 'postgres' && random() < 0.2) {
        worker.process.kill(isStopped ? 'SIGCONT' : 'SIGSTOP');
        isStopped = !isStopped;
      }
      const { position: head } = await engine.log.head();
      const key = `shelf ${Math.floor(random() * 4)}`;
      reads.push(readOnce(engine, key, randomBound(random, head), Math.floor(random() * 60), Date.now));
      if (random() < 0.3) await reads.at(-1);
    }
    const made = await Promise.all(reads);
    worker.process.kill('SIGKILL');
    const past = await pastOf(engine);
    for (const one of made) check(one, past, `seed ${seed}, ${JSON.stringify(one)}`);
    const kinds = new Set(made.map(({ read }) => read.kind));
    expect(kinds).toEqual(new Set(['fresh', 'stale']));
  },
);
