/** Bits flipped on the very pages of one index, in files small enough to be checked when opened and in larger ones. */
import { copyFile, open, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EngineError, openLog } from 'eventsrc';
import type { EventLog, EventQuery, ReadQuery } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';

const flips = process.env.SOAK === undefined ? 40 : 2_000;
const streams = Array.from({ length: 40 }, (_, n) => `order-${n}`);
const queries: readonly EventQuery[] = [[{ tags: ['all'] }], [{ types: ['A'] }], [{ types: ['B'], tags: ['odd'] }]];
const streamQueries: readonly ReadQuery[] = [
  { pageSize: 2 },
  { pageSize: 2, backwards: true },
  { backwards: true, limit: 1 },
  { after: 41 },
  { after: 15, until: 85, backwards: true },
  { afterVersion: 1, untilVersion: 2 },
];
const checkedBytes = 16 * 1024 * 1024;

async function makeStore(file: string, ballastBytes: number): Promise<void> {
  await using log = await openLog({ store: sqlite(file), limits: { eventBytes: Infinity } });
  for (let round = 0; round < 3; round++) {
    for (const [n, stream] of streams.entries()) {
      const type = n % 3 === 0 ? 'A' : 'B';
      await log.append([
        { stream, events: [{ type, data: { round, n }, tags: n % 2 === 0 ? ['all'] : ['all', 'odd'] }] },
      ]);
    }
  }
  if (ballastBytes > 0)
    await log.append([{ stream: 'ballast-1', events: [{ type: 'Ballast', data: 'x'.repeat(ballastBytes) }] }]);
}

async function readHeads(log: EventLog): Promise<readonly string[]> {
  return (await log.heads(streams)).map((head) => JSON.stringify(head));
}

/** One way of reading at a time: each must notice by itself what is missing. */
function readingStreams(query: ReadQuery): (log: EventLog) => Promise<readonly string[]> {
  return async (log) => {
    const lines: string[] = [];
    for (const stream of streams) {
      for await (const page of log.read({ stream, ...query }))
        lines.push(...page.map((event) => JSON.stringify(event)));
    }
    return lines;
  };
}

async function readQueries(log: EventLog): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const match of queries) {
    for await (const page of log.read({ match })) lines.push(...page.map((event) => JSON.stringify(event)));
  }
  return lines;
}

async function attempt<Result>(file: string, read: (log: EventLog) => Promise<Result>): Promise<Result | EngineError> {
  try {
    await using log = await openLog({ store: sqlite(file) });
    return await read(log);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

/** Where the pages of a table or index lie in the file. */
function pagesOf(file: string, name: string): readonly { readonly start: number; readonly size: number }[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = db.prepare('select pgoffset as start, pgsize as size from dbstat where name = ?').all(name);
    return rows as unknown as { start: number; size: number }[];
  } finally {
    db.close();
  }
}

/** Flips a bit in place, and back again. */
async function withFlippedBit<Result>(
  file: string,
  at: number,
  bit: number,
  use: () => Promise<Result>,
): Promise<Result> {
  const flip = async () => {
    const handle = await open(file, 'r+');
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
    await handle.write(Buffer.of((buffer[0] as number) ^ (1 << bit)), 0, 1, at);
    await handle.close();
  };
  await flip();
  try {
    return await use();
  } finally {
    await flip();
  }
}

let small = '';
let large = '';

beforeAll(async () => {
  const folder = await temporaryFolder();
  small = join(folder, 'small.db');
  large = join(folder, 'large.db');
  await makeStore(small, 0);
  await makeStore(large, checkedBytes + 100_000);
});

test('one store is checked as a whole when opened, the other is not', async () => {
  expect((await stat(small)).size).toBeLessThan(checkedBytes);
  expect((await stat(large)).size).toBeGreaterThan(checkedBytes);
});

test.each<[size: string, index: string, how: string, read: (log: EventLog) => Promise<readonly string[]>]>([
  ['large', 'events_by_stream', 'as heads', readHeads],
  ...streamQueries.map(
    (query) =>
      ['large', 'events_by_stream', JSON.stringify(query), readingStreams(query)] as [
        string,
        string,
        string,
        typeof readHeads,
      ],
  ),
  ['large', 'sqlite_autoindex_streams_1', 'as heads', readHeads],
  ['large', 'sqlite_autoindex_streams_1', 'stream by stream', readingStreams({})],
  ['small', 'events_by_type', 'by queries', readQueries],
  ['small', 'event_tags', 'by queries', readQueries],
])('a %s store: what is read through a damaged %s (%s) is right, or an error', async (size, index, _, read) => {
  const file = size === 'small' ? small : large;
  const original = await attempt(file, read);
  expect(original).not.toBeInstanceOf(EngineError);
  const bits = pagesOf(file, index).flatMap(({ start, size: bytes }) =>
    // Entries lie at the end of a page; its middle is empty.
    Array.from({ length: flips }, () => ({
      at: start + bytes - 1 - Math.floor(Math.random() * 700),
      bit: Math.floor(Math.random() * 8),
    })),
  );
  let noticed = 0;
  for (const { at, bit } of bits) {
    await withFlippedBit(file, at, bit, async () => {
      const found = await attempt(file, read);
      if (found instanceof EngineError) noticed += 1;
      else expect(found, `bit ${bit} of byte ${at}`).toEqual(original);
    });
  }
  expect(noticed).toBeGreaterThan(bits.length / 10);
  expect(await attempt(file, read)).toEqual(original);
});

test('a large store that lost its end is refused when it is opened', async () => {
  const file = `${large}-cut`;
  await copyFile(large, file);
  await truncate(file, (await stat(file)).size - 4_096);
  expect(await attempt(file, (log) => log.head())).toMatchObject({ code: 'store_corrupt' });
});
