/** Several processes share the slots of one projection, and are killed and stopped at random. */
import { openEngine } from 'eventsrc';
import { describe, expect, test, vi } from 'vitest';
import { slotOf } from '../../src/projection/consumer.ts';
import { startProgram } from '../support/child.ts';
import { backendAt, bothPlaces, placeArguments, withState } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { seededRandom } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineShelves, foldedLog, randomAppends, shownView, torn } from './shelves.ts';

const rounds = process.env.SOAK === undefined ? 4 : 300;
const leaseMs = 400;
const spread = defineShelves({ name: 'spread', slots: 8 });
const names = ['one', 'two', 'three', 'four'];

describe.each(bothPlaces(await temporaryFolder(), postgresSchemas()))('on %s', (kind, newPlace) => {
  test(`four workers on eight slots, one of them killed or stopped ${rounds} times`, async () => {
    const place = newPlace();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    await using engine = await openEngine({ store: backendAt(place), projections: [spread], run: 'none' });
    const append = randomAppends(engine.log, seed, { shelves: 40 });
    const begin = (name: string) =>
      startProgram('shelf-worker', [...placeArguments(place), String(leaseMs), '1', name, 'spread']);
    const workers = names.map(begin);
    await append(200);
    await workers[0]?.nextLine();

    const interrupt = async (round: number) => {
      const index = Math.floor(random() * names.length);
      const worker = workers[index] ?? begin('five');
      await engine
        .view(spread)
        .fresh({ atLeast: Math.ceil((0.2 + 0.8 * random()) * (await engine.log.head()).position) });
      if (round % 2 === 0) {
        worker.process.kill('SIGKILL');
        await engine.settled({ timeoutMs: 15_000 });
        workers[index] = begin(names[index] ?? '');
        return;
      }
      worker.process.kill('SIGSTOP');
      // On SQLite it may have stopped in the middle of a transaction: then the others wait until it goes on.
      const settled = engine.settled({ timeoutMs: 15_000 });
      if (kind === 'sqlite') await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 3 * leaseMs))]);
      else await settled;
      const before = await shownView(engine, spread);
      worker.process.kill('SIGCONT');
      await settled;
      if (kind !== 'sqlite') expect(await shownView(engine, spread)).toEqual(before);
    };
    for (let round = 0; round < rounds; round++) {
      await append(200);
      await interrupt(round);
    }

    const slotsOf = async () => {
      await append(60);
      await engine.settled();
      const { documents } = await engine.view(spread).findPage({ limit: 1_000 });
      const newest = documents.filter(({ document }) => (document.positions.at(-1) ?? 0) > before);
      const bySlot = new Map(newest.map(({ key, document: { by } }) => [slotOf(key, 8), by]));
      before = (await engine.log.head()).position;
      return Map.groupBy(bySlot.values(), (by) => by);
    };
    let before = (await engine.log.head()).position;
    // Each has two of the eight.
    await vi.waitUntil(
      async () => {
        const held = await slotsOf();
        return held.size === names.length && [...held.values()].every(({ length }) => length <= 2);
      },
      { timeout: 20_000 },
    );
    expect(await shownView(engine, spread), `seed ${seed}`).toEqual(await foldedLog(engine.log, spread));
    for (const worker of workers) worker.process.kill('SIGTERM');
    for (const worker of workers) expect(await worker.finished).toMatchObject({ code: 0, stderr: '' });
    expect(await withState(backendAt(place), (state) => torn(engine.log, state, spread))).toEqual([]);
  });
});
