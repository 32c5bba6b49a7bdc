/** Sixteen in four processes want the same: one gets it, whatever isolation their transactions have by default. */
import { describe, expect, test } from 'vitest';
import { openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { startProgram } from '../support/child.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';

/** A thousand in all. */
const rounds = process.env['SOAK'] === undefined ? 334 : 10_000;
const newSchema = postgresSchemas();

describe.each(['read committed', 'repeatable read', 'serializable'])('by default %s', (isolation) => {
  test(`of 16 racers one wins, in each of ${rounds} rounds`, async () => {
    const { url, schema } = newSchema();
    await using log = await openLog({ store: postgres(url, { schema }) });
    const racers = ['a', 'b', 'c', 'd'].map((name) => startProgram('postgres-racer', [url, schema, isolation, name]));
    await Promise.all(racers.map((racer) => racer.nextLine()));
    const winners: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const done = Promise.all(racers.map((racer) => racer.nextLine()));
      for (const { process } of racers) process.stdin?.write(`${round}\n`);
      await done;
      winners.push(racers.reduce((sum, { lines }) => sum + Number(lines.at(-1)), 0));
    }
    for (const { process } of racers) process.kill();
    expect(winners).toEqual(Array.from({ length: rounds }, () => 1));
    expect((await log.head()).position).toBe(rounds);
  });
});
