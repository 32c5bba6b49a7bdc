/** Workers are killed at any moment: what they have committed is whole, and whoever goes on folds every event once and in order. */
import { openEngine } from 'eventsrc';
import { describe, expect, test } from 'vitest';
import { startProgram } from '../support/child.ts';
import { backendAt, bothPlaces, placeArguments, withState } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { seededRandom } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineShelves, defineTrail, foldedLog, randomAppends, shownView, torn } from './shelves.ts';

const kills = process.env.SOAK === undefined ? 3 : 200;
const eventsPerKill = 400;
const leaseMs = '300';
const projections = [defineShelves(), defineShelves({ name: 'spread', slots: 8 }), defineTrail({ slots: 3 })] as const;

describe.each(bothPlaces(await temporaryFolder(), postgresSchemas()))('on %s', (_, newPlace) => {
  test(`a worker killed ${kills} times tears nothing, and folds everything once`, async () => {
    const place = newPlace();
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = seededRandom(seed);
    const args = [...placeArguments(place), leaseMs];
    await using engine = await openEngine({ store: backendAt(place), projections, run: 'none' });
    const append = randomAppends(engine.log, seed);
    for (let kill = 0; kill < kills; kill++) {
      await append(eventsPerKill);
      const worker = startProgram('shelf-worker', args);
      // In the midst of its work, on whichever projection that is; every third while it opens the store.
      if (kill % 3 !== 2) {
        while (!worker.lines.includes('ready')) await worker.nextLine();
        const goal = Math.ceil((kill + random()) * eventsPerKill);
        const projection = projections[Math.floor(random() * 3)] ?? projections[0];
        const reached = engine.view(projection).fresh({ atLeast: goal, timeoutMs: 20_000 });
        await reached.catch(() => undefined);
      } else await new Promise((resolve) => worker.process.once('spawn', resolve));
      worker.process.kill('SIGKILL');
      expect((await worker.finished).stderr).toBe('');
      for (const projection of projections) {
        const found = await withState(backendAt(place), (state) => torn(engine.log, state, projection));
        expect(found.slice(0, 3), `${projection.name}, seed ${seed}`).toEqual([]);
      }
    }
    const last = startProgram('shelf-worker', args);
    await Promise.race([engine.settled(), last.finished]);
    for (const projection of projections)
      expect(await shownView(engine, projection), `${projection.name}, seed ${seed}`).toEqual(
        await foldedLog(engine.log, projection),
      );
    last.process.kill('SIGTERM');
    expect(await last.finished).toMatchObject({ code: 0, stderr: '' });
  });
});
