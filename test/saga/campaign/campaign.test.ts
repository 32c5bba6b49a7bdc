/** Random sagas, in an unreliable world, worked on by workers that die: each ends, and leaves behind what one of its outcomes allows. */
import { memory } from 'eventsrc';
import { describe, expect, test } from 'vitest';
import { shared } from '../../support/gated-store.ts';
import { backendAt, bothPlaces } from '../../support/place.ts';
import { postgresSchemas } from '../../support/postgres-schemas.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { campaign } from './campaign.ts';

const isSoak = process.env.SOAK !== undefined;
/** Of the first campaign: a failed one is repeated by the seed that it names. */
const given = process.env.SEED;
const rounds = { memory: 30, sqlite: 4, postgres: 3 };
const places = bothPlaces(await temporaryFolder(), postgresSchemas());

/** What is to happen in so many campaigns, or they do not try what they are to try. */
const happens = [
  ...['completed', 'compensated', 'stuck', 'lost', 'unknown', 'abandoned', 'cancel', 'retry', 'skip', 'resolve'],
  ...['timer', 'timer_cancelled', 'received', 'signal', 'event', 'child'],
];

describe.each([['memory', undefined] as const, ...places])('on %s', (kind, newPlace) => {
  const count = given === undefined ? rounds[kind] * (isSoak ? 100 : 1) : 1;

  test(`${count} campaigns of five sagas and four workers that do not live to the end`, async () => {
    const first = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
    const tally = new Map<string, number>();
    for (let seed = first; seed < first + count; seed++) {
      const place = newPlace?.();
      const onlyMemory = shared(memory());
      const open = () => (place === undefined ? onlyMemory : backendAt(place));
      const report = await campaign({ seed, open, instances: 5, lives: 4 }).catch((error: unknown) => {
        throw new Error(`SEED=${seed}`, { cause: error });
      });
      expect(report.faults, `SEED=${seed}`).toEqual([]);
      for (const [word, times] of report.tally) tally.set(word, (tally.get(word) ?? 0) + times);
    }
    if (kind === 'memory' && given === undefined) expect([...tally.keys()]).toEqual(expect.arrayContaining(happens));
  });
});
