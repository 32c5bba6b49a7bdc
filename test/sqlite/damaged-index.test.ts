/** Bits flipped in the very blocks and pages of an index, in a file too large to be looked at as a whole when it is opened. */
import { readFileSync } from 'node:fs';
import { copyFile, open, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EngineError, openLog } from 'eventsrc';
import type { EventLog, EventQuery, ReadQuery } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { beforeAll, expect, test } from 'vitest';
import { runLength } from '../../src/sqlite/event-index.ts';
import { kinds } from '../../src/sqlite/index-runs.ts';
import { untilIndexed } from '../support/indexed.ts';
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

async function makeStore(file: string): Promise<void> {
  await using log = await openLog({ store: sqlite(file), limits: { eventBytes: Infinity, eventsPerAppend: Infinity } });
  for (let round = 0; round < 3; round++) {
    for (const [n, stream] of streams.entries()) {
      const type = n % 3 === 0 ? 'A' : 'B';
      await log.append([
        { stream, events: [{ type, data: { round, n }, tags: n % 2 === 0 ? ['all'] : ['all', 'odd'] }] },
      ]);
    }
  }
  // So much that what was appended before is in a run, and that the file is not looked at as a whole.
  const events = Array.from({ length: runLength }, () => ({ type: 'Ballast', data: null }));
  await log.append([{ stream: 'ballast-1', events }]);
  await log.append([{ stream: 'ballast-1', events: [{ type: 'Ballast', data: 'x'.repeat(checkedBytes) }] }]);
  await untilIndexed(file, 1);
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

interface Region {
  readonly start: number;
  readonly size: number;
}

/** Where the entries of a table or index lie: at the end of its pages, whose middle is empty. */
function pagesOf(file: string, name: string, bytes: number): readonly Region[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = db.prepare('select pgoffset as start, pgsize as size from dbstat where name = ?').all(name);
    return (rows as unknown as Region[]).map(({ start, size }) => ({ start: start + size - bytes, size: bytes }));
  } finally {
    db.close();
  }
}

/** Where the first block of a kind lies: streams, types and tags of our events are the first of their kinds. */
function blockOf(file: string, kind: number): readonly Region[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const row = db.prepare('select bytes from index_blocks where kind = ? order by key, position limit 1').get(kind);
    const bytes = row?.['bytes'] as Uint8Array;
    return [{ start: readFileSync(file).indexOf(bytes), size: bytes.length }];
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

let large = '';

beforeAll(async () => {
  large = join(await temporaryFolder(), 'large.db');
  await makeStore(large);
});

test('the store is so large that it is not looked at as a whole when it is opened', async () => {
  expect((await stat(large)).size).toBeGreaterThan(checkedBytes);
});

type Reading = (log: EventLog) => Promise<readonly string[]>;

const ways: readonly [what: string, where: () => readonly Region[], how: string, read: Reading][] = [
  ['block of streams', () => blockOf(large, kinds.stream), 'as heads', readHeads],
  ...streamQueries.map((query): (typeof ways)[number] => [
    'block of streams',
    () => blockOf(large, kinds.stream),
    JSON.stringify(query),
    readingStreams(query),
  ]),
  ['block of types', () => blockOf(large, kinds.type), 'by queries', readQueries],
  ['block of tags', () => blockOf(large, kinds.tag), 'by queries', readQueries],
  ['list of runs', () => pagesOf(large, 'index_runs', 12), 'as heads', readHeads],
  ['way to the blocks', () => pagesOf(large, 'index_blocks_by_entry', 3_600), 'as heads', readHeads],
  ['way to the blocks', () => pagesOf(large, 'index_blocks_by_entry', 3_600), 'by queries', readQueries],
  ['index of names', () => pagesOf(large, 'sqlite_autoindex_streams_1', 700), 'as heads', readHeads],
  ['index of names', () => pagesOf(large, 'sqlite_autoindex_streams_1', 700), 'stream by stream', readingStreams({})],
];

test.each(ways)('what is read through a damaged %s is right, or an error: %#', async (what, where, how, read) => {
  const file = large;
  const original = await attempt(file, read);
  expect(original, how).not.toBeInstanceOf(EngineError);
  const regions = where();
  const bits = Array.from({ length: flips }, () => {
    const { start, size } = regions[Math.floor(Math.random() * regions.length)] as Region;
    return { at: start + Math.floor(Math.random() * size), bit: Math.floor(Math.random() * 8) };
  });
  let noticed = 0;
  for (const { at, bit } of bits) {
    await withFlippedBit(file, at, bit, async () => {
      const found = await attempt(file, read);
      if (found instanceof EngineError) noticed += 1;
      else expect(found, `bit ${bit} of byte ${at}`).toEqual(original);
    });
  }
  // Of the way to many blocks only a small part is used.
  if (what !== 'way to the blocks') expect(noticed).toBeGreaterThan(bits.length / 10);
  expect(await attempt(file, read)).toEqual(original);
});

test('a large store that lost its end is refused when it is opened', async () => {
  const file = `${large}-cut`;
  await copyFile(large, file);
  await truncate(file, (await stat(file)).size - 4_096);
  expect(await attempt(file, (log) => log.head())).toMatchObject({ code: 'store_corrupt' });
});
