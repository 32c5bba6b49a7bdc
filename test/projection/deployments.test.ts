/** Two deployments side by side whose definitions have different versions: each reads its own view, and leaves the other's alone. */
import { memory, openEngine } from 'eventsrc';
import type { Engine } from 'eventsrc';
import { describe, expect, test } from 'vitest';
import { startProgram } from '../support/child.ts';
import type { Child } from '../support/child.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces, placeArguments, withState } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { seededRandom } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineShelves, foldedLog, randomAppends, shownView } from './shelves.ts';

const rounds = process.env.SOAK === undefined ? 8 : 300;
const places = bothPlaces(await temporaryFolder(), postgresSchemas());
const definitions = [1, 2].map((version) => defineShelves({ version, slots: 2 }));

describe.each([['memory', undefined] as const, ...places])('on %s', (_, newPlace) => {
  test('opened and closed again and again', async () => {
    const place = newPlace?.();
    const onlyMemory = shared(memory());
    const open = () => (place === undefined ? onlyMemory : backendAt(place));
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    const writer = await openEngine({ store: open() });
    const append = randomAppends(writer.log, seed);
    const running: (Engine | undefined)[] = [undefined, undefined];
    const checkpoints = new Map<string, number>();
    for (let round = 0; round < rounds; round++) {
      const index = round < 2 ? round : Math.floor(random() * 2);
      const [engine, projection] = [running[index], definitions[index]];
      if (projection === undefined) continue;
      if (engine === undefined)
        running[index] = await openEngine({ store: open(), projections: [projection], leaseMs: 300 });
      else {
        await engine.close();
        running[index] = undefined;
      }
      await append(40);
      const { position: atLeast } = await writer.log.head();
      for (const [other, one] of running.entries()) {
        const definition = definitions[other];
        if (one === undefined || definition === undefined) continue;
        await one.view(definition).fresh({ atLeast });
        expect(await shownView(one, definition), `seed ${seed}`).toEqual(await foldedLog(writer.log, definition));
        expect(await one.consumers.status()).toMatchObject([{ version: other + 1, generation: 1, retired: [] }]);
      }
      // Nobody begins anew.
      await withState(open(), async (state) => {
        for (const { name, position } of await state.checkpoints('shelves@')) {
          expect(position, name).toBeGreaterThanOrEqual(checkpoints.get(name) ?? 0);
          checkpoints.set(name, position);
        }
        expect(await state.collections('view/')).toEqual(
          ['view/shelves@1.1', 'view/shelves@2.1'].slice(0, round === 0 ? 1 : 2),
        );
      });
    }
    for (const engine of running) await engine?.close();
    await writer.close();
  });
});

test.each(places)('on %s, as processes that are killed', async (_, newPlace) => {
  const place = newPlace();
  const begin = (version: number) =>
    startProgram('shelf-worker', [...placeArguments(place), '300', String(version), '', 'shelves,spread']);
  const both = [1, 2].map((version) => ({
    version,
    projections: [defineShelves({ version }), defineShelves({ name: 'spread', version, slots: 8 })],
  }));
  const readers = await Promise.all(
    both.map(({ projections }) => openEngine({ store: backendAt(place), projections, run: 'none' })),
  );
  const [first] = readers;
  if (first === undefined) throw new Error('no reader');
  const append = randomAppends(first.log, 4);
  let workers: readonly Child[] = [];
  for (let round = 0; round < 2; round++) {
    workers = [begin(1), begin(2)];
    await Promise.all(workers.map((worker) => worker.nextLine()));
    await append(200);
    if (round === 1) break;
    const { position } = await first.log.head();
    await readers[round]?.view(defineShelves({ version: round + 1 })).fresh({ atLeast: position - 100 });
    for (const worker of workers) worker.process.kill('SIGKILL');
  }
  for (const [index, reader] of readers.entries()) {
    await reader.settled();
    for (const projection of both[index]?.projections ?? [])
      expect(await shownView(reader, projection)).toEqual(await foldedLog(reader.log, projection));
    await reader.close();
  }
  for (const worker of workers) worker.process.kill('SIGTERM');
  for (const worker of workers) expect(await worker.finished).toMatchObject({ code: 0, stderr: '' });
});
