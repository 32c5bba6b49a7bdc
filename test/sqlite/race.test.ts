import { join } from 'node:path';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { expect, test } from 'vitest';
import { runProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';

const racers = 8;
const rounds = process.env.SOAK === '1' ? 20_000 : 500;

interface Score {
  readonly won: { readonly version: number; readonly any: number; readonly condition: number };
  readonly lost: { readonly version: number; readonly condition: number };
}

test(
  `${racers} processes race ${rounds} rounds on one file: one winner each, and a ninth process sees it all in order`,
  { timeout: rounds * 2_000 },
  async () => {
    const file = join(await temporaryFolder(), 'store.db');
    // One winner by version and one by condition a round, and an `any` of each racer.
    const total = rounds * (1 + 1 + racers);
    const subscriber = runProgram('subscriber', [file, String(total)]);
    const racing = Array.from({ length: racers }, (_, name) => runProgram('racer', [file, `r${name}`, String(rounds)]));
    const scores = (await Promise.all(racing)).map(([line = '']) => JSON.parse(line) as Score);

    const sum = (count: (score: Score) => number) => scores.reduce((all, score) => all + count(score), 0);
    expect(sum(({ won }) => won.version)).toBe(rounds);
    expect(sum(({ won }) => won.condition)).toBe(rounds);
    expect(sum(({ won }) => won.any)).toBe(rounds * racers);
    expect(sum(({ lost }) => lost.version)).toBe(rounds * (racers - 1));
    expect(sum(({ lost }) => lost.condition)).toBe(rounds * (racers - 1));
    expect(await subscriber).toEqual([String(total)]);

    await using log = await openLog({ store: sqlite(file) });
    expect((await log.head()).position).toBe(total);
    expect((await log.heads(['race-version', 'race-any'])).map(({ version }) => version)).toEqual([
      rounds,
      rounds * racers,
    ]);
  },
);
