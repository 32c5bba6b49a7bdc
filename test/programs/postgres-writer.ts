/**
 * Eight writers append COUNT events each to URL and SCHEMA, each event named once, some in appends that are refused. Two
 * more run transactions by hand, which they leave open for a while, mostly short but up to STALL ms, and then roll back or commit.
 */
import { setTimeout } from 'node:timers/promises';
import { openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import pg from 'pg';
import { AppendCall } from '../../src/postgres/append-call.ts';
import { draft, write } from '../../src/testing/drafts.ts';

const [url = '', schema = '', name = '', count = '0', stallMs = '0'] = process.argv.slice(2);
await using log = await openLog({
  store: postgres(url, { schema, timeoutMs: 60_000 }),
  limits: { eventsPerStream: Infinity },
});

async function append(writer: number): Promise<void> {
  for (let done = 0; done < Number(count);) {
    const size = Math.min(Number(count) - done, 1 + Math.floor(Math.random() * 3));
    const events = Array.from({ length: size }, (_, index) => ({
      type: 'Happened',
      data: { name: `${name}-${writer}-${done + index}` },
    }));
    const isRefused = Math.random() < 0.2;
    const expected = isRefused ? 9_999_999 : 'any';
    const result = await log.append([{ stream: `writer-${name}-${writer}`, expected, events }]);
    if (result.kind === (isRefused ? 'appended' : 'version_conflict')) throw new Error(result.kind);
    if (!isRefused) done += size;
  }
}

/** Nobody should write so: the lock is held as long as the transaction is open. */
async function appendByHand(): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  for (let done = 0; done < Math.max(2, Number(count) / 1_000); done++) {
    const event = draft('ByHand', { data: { name: 'by hand' } });
    const { sql } = new AppendCall(schema, [write(`hand-${name}`, 'any', [event])], 0, Infinity);
    await client.query(sql.slice(0, sql.lastIndexOf(';')));
    await setTimeout(Math.random() ** 6 * Number(stallMs));
    await client.query(Math.random() < 0.5 ? 'rollback' : 'commit');
    await setTimeout(Math.random() * 100);
  }
  await client.end();
}

await Promise.all([...Array.from({ length: 8 }, (_, writer) => append(writer)), appendByHand(), appendByHand()]);
