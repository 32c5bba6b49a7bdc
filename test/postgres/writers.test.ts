/** Many writers in several processes, some of which stall or roll back: whoever follows sees everything, once, in order. */
import { expect, test } from 'vitest';
import { openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { runProgram, startProgram } from '../support/child.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';

const isSoak = process.env['SOAK'] !== undefined;
const count = isSoak ? 60_000 : 250;
const stallMs = 5_000;
const newSchema = postgresSchemas();

test(`32 writers of ${count} events each: two subscribers in other processes skip, repeat and reorder nothing`, async () => {
  const { url, schema } = newSchema();
  await using log = await openLog({ store: postgres(url, { schema, timeoutMs: 60_000 }) });
  const subscribers = [1, 2].map(() => startProgram('postgres-subscriber', [url, schema]));
  const names = ['a', 'b', 'c', 'd'];
  await Promise.all(names.map((name) => runProgram('postgres-writer', [url, schema, name, `${count}`, `${stallMs}`])));
  await log.append([{ stream: 'end-1', events: [{ type: 'Over', data: null }] }]);
  const [first, second] = await Promise.all(subscribers.map(async ({ finished }) => (await finished).lines));
  expect(second).toEqual(first);
  const seen = (first ?? []).map((line) => /^(\d+) (.*)$/.exec(line)?.slice(1) as [string, string]);
  expect(seen.map(([position]) => Number(position))).toEqual(seen.map((_, index) => index + 1));
  const wanted = names.flatMap((name) =>
    Array.from({ length: 8 }, (_, writer) =>
      Array.from({ length: count }, (__, event) => `${name}-${writer}-${event}`),
    ),
  );
  const byWriter = Map.groupBy(
    seen.map(([, name]) => name).filter((name) => name !== 'by hand'),
    (name) => name.slice(0, name.lastIndexOf('-')),
  );
  expect(wanted.map(([firstName = '']) => byWriter.get(firstName.slice(0, -2)))).toEqual(wanted);
});
