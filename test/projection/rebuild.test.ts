/** Views are built anew while events come in without a pause: the old one serves meanwhile, and nothing is lost or seen twice. */
import { setImmediate } from 'node:timers/promises';
import { memory, openEngine } from 'eventsrc';
import type { Engine, EngineOptions } from 'eventsrc';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { startProgram } from '../support/child.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces, placeArguments } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineShelves, foldedLog, randomAppends, shownView } from './shelves.ts';
import type { Shelves } from './shelves.ts';

const rebuilds = process.env.SOAK === undefined ? 2 : 50;
const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(options: EngineOptions): Promise<Engine> {
  const engine = await openEngine({ leaseMs: 300, limits: { streams: Infinity }, ...options });
  opened.push(engine);
  return engine;
}

/** Does something again and again, until it is told to stop. */
function ceaselessly(action: () => Promise<void>): { stop(): Promise<number> } {
  const over = new AbortController();
  let times = 0;
  const going = (async () => {
    for (; !over.signal.aborted; times++) {
      await action();
      // On memory nothing else would get its turn.
      await setImmediate();
    }
  })();
  going.catch(() => undefined);
  return {
    stop: async () => {
      over.abort();
      await going;
      return times;
    },
  };
}

/** Reads all documents, and fails if one of them shows less than before. */
function watchfulReader(engine: Engine, projection: Shelves): () => Promise<void> {
  const seen = new Map<string, number>();
  return async () => {
    const { documents } = await engine.view(projection).findPage({ limit: 1_000 }, { timeoutMs: 0 });
    for (const { key, document } of documents) {
      const last = document.positions.at(-1) ?? 0;
      const before = seen.get(key) ?? 0;
      if (last < before) throw new Error(`${key} went back from ${before} to ${last}`);
      seen.set(key, last);
    }
  };
}

const places = bothPlaces(await temporaryFolder(), postgresSchemas());

describe.each([['memory', undefined] as const, ...places])('on %s', (_, newPlace) => {
  const newStore = () => (newPlace === undefined ? shared(memory()) : backendAt(newPlace()));

  test.each([1, 4])('with %i slots, while events come in and are read', async (slots) => {
    const projection = defineShelves({ slots });
    const engine = await engineOn({ store: newStore(), projections: [projection] });
    const append = randomAppends(engine.log, slots);
    await append(1_000);
    await engine.settled();
    const writing = ceaselessly(() => append(8));
    const reading = ceaselessly(watchfulReader(engine, projection));
    const readingOwn = ceaselessly(async () => {
      await append(1);
      const { position: atLeast } = await engine.log.head();
      await engine.view(projection).get('shelf 1', { atLeast });
    });
    for (let round = 0; round < rebuilds; round++) {
      const result = await engine.consumers.rebuild(projection, { diff: round % 2 === 0 });
      expect(result).toMatchObject({ generation: round + 2, switched: true, differing: 0 });
    }
    expect(await reading.stop()).toBeGreaterThan(0);
    expect(await readingOwn.stop()).toBeGreaterThan(0);
    expect(await writing.stop()).toBeGreaterThan(0);
    await engine.settled();
    const wanted = await foldedLog(engine.log, projection);
    expect(await shownView(engine, projection)).toEqual(wanted);
    await engine.consumers.rebuild(projection);
    await engine.settled();
    expect(await shownView(engine, projection)).toEqual(wanted);
  });
});

test.each(places)('on %s, with a worker that is killed half-way, and asked for again', async (_, newPlace) => {
  const place = newPlace();
  const projection = defineShelves();
  const engine = await engineOn({ store: backendAt(place), projections: [projection], run: 'none' });
  const append = randomAppends(engine.log, 5);
  await append(2_500);
  const begin = () => startProgram('shelf-worker', [...placeArguments(place), '300', '1', '', 'shelves']);
  const first = begin();
  await first.nextLine();
  await engine.settled();
  const reading = ceaselessly(watchfulReader(engine, projection));
  const asking = new AbortController();
  const asked = engine.consumers.rebuild(projection, { signal: asking.signal });
  asked.catch(() => undefined);
  const built = async () => (await engine.consumers.status())[0]?.building?.position ?? 0;
  await vi.waitUntil(async () => (await built()) > 0, { timeout: 10_000, interval: 1 });
  first.process.kill('SIGKILL');
  await first.finished;
  asking.abort(new Error('enough'));
  // If it was not quicker than the kill.
  const done = await asked.catch(() => undefined);
  await append(100);
  const second = begin();
  expect(await engine.consumers.rebuild(projection, { diff: true })).toMatchObject({
    generation: done === undefined ? 2 : 3,
    switched: true,
    differing: 0,
  });
  await engine.settled();
  await reading.stop();
  expect(await shownView(engine, projection)).toEqual(await foldedLog(engine.log, projection));
  second.process.kill('SIGKILL');
});
