/** As the other campaigns, but the workers are processes, which are killed and stopped. */
import { describe, expect, test } from 'vitest';
import { backendAt, bothPlaces } from '../../support/place.ts';
import { postgresSchemas } from '../../support/postgres-schemas.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { campaign } from './campaign.ts';

const given = process.env.SEED;
const rounds = process.env.SOAK === undefined || given !== undefined ? 1 : 50;

describe.each(bothPlaces(await temporaryFolder(), postgresSchemas()))('on %s', (_, newPlace) => {
  test(`${rounds} campaigns of eight sagas and three workers that are killed`, async () => {
    const first = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
    for (let seed = first; seed < first + rounds; seed++) {
      const place = newPlace();
      const open = () => backendAt(place);
      const { faults } = await campaign({ seed, open, place, instances: 8, lives: 3 }).catch((error: unknown) => {
        throw new Error(`SEED=${seed}`, { cause: error });
      });
      expect(faults, `SEED=${seed}`).toEqual([]);
    }
  });
});
