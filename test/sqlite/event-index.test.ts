/** The index in runs: what it leads to is what was appended, whoever wrote and merged it, and however far that has come. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { zstdDecompressSync } from 'node:zlib';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/event/bytes.ts';
import { openForReading } from '../../src/sqlite/connection.ts';
import { EventIndex, runLength } from '../../src/sqlite/event-index.ts';
import { HeadRow } from '../../src/sqlite/head-row.ts';
import { IdIndex, IdReader } from '../../src/sqlite/id-index.ts';
import { checkRuns, kinds } from '../../src/sqlite/index-runs.ts';
import { NameReader } from '../../src/sqlite/name-reader.ts';
import { packEvents } from '../../src/sqlite/packed-events.ts';
import { take } from '../../src/sqlite/postings.ts';
import { Search } from '../../src/sqlite/search.ts';
import { StreamIndex } from '../../src/sqlite/stream-index.ts';
import { Writer } from '../../src/sqlite/writer.ts';
import { draft } from '../../src/testing/drafts.ts';
import { temporaryFolder } from '../support/temporary.ts';

const streams = 97;
const drafts = Array.from({ length: 60 }, (_, n) =>
  draft(`Type${n % 4}`, { data: n, tags: [`third:${n % 3}`, ...(n % 20 === 0 ? ['rare'] : [])] }),
);

function newWriter(file: string): Writer {
  return new Writer({ file, create: true, lockTimeoutMs: 5_000, eventsPerStreamMax: Infinity });
}

/** The event at position p is drafts[p % 60] of stream p % 97. @param position how many there are. */
function append(writer: Writer, count: number, position: number = writer.head.position): void {
  const positions = Array.from({ length: count }, (_, index) => position + 1 + index);
  const writes = positions.map((at) => ({ stream: `order-${at % streams}`, expected: 'any', count: 1 }) as const);
  const events = packEvents(positions.map((at) => drafts[at % drafts.length] as (typeof drafts)[number]));
  writer.append({ requests: [{ writes, checks: [], conditions: [], receipts: [] }], events, now: 1_000 });
}

function build(...writers: readonly Writer[]): void {
  while (writers.some((writer) => writer.isIndexDue))
    for (const writer of writers) expect(writer.buildIndex()).toBe(true);
}

/** Compares what the index says with what follows from the positions. */
function expectRight(file: string, last: number): void {
  const db = openForReading(file);
  const names = new NameReader(db, file);
  const index = new EventIndex(db, file);
  const streamIndex = new StreamIndex(db, file, names, index);
  const search = new Search(db, index);
  const ids = new IdReader(db, names);
  checkRuns(db, file);
  const every = Array.from({ length: last }, (_, at) => at + 1);
  index.look((head) => {
    expect(head.position).toBe(last);
    for (const stream of [0, 1, 40, 96]) {
      const name = `order-${stream}`;
      const id = streamIndex.id(name) as number;
      const expected = every.filter((at) => at % streams === stream);
      expect(take(index.postings(kinds.stream, id), 1, last, Infinity)).toEqual(expected);
      expect(take(index.postings(kinds.stream, id, true), -last, -1, Infinity).map((at) => -at)).toEqual(
        expected.toReversed(),
      );
      expect(streamIndex.state(name)).toEqual({ id, version: expected.length, deleted: false });
      for (const version of [1, 2, 3, Math.floor(expected.length / 2), expected.length - 1]) {
        const bounds = { after: 0, until: last, afterVersion: version - 1, untilVersion: version };
        expect(streamIndex.positions(name, id, bounds)).toEqual([expected[version - 2] ?? 0, expected[version - 1]]);
      }
    }
    const found = (query: Parameters<Search['positions']>[0], backwards: boolean) =>
      search.positions(query, { after: 100, until: last - 50, backwards, limit: 300 });
    const naive = (matches: (n: number) => boolean, backwards: boolean) => {
      const matching = every.filter((at) => at > 100 && at <= last - 50 && matches(at % drafts.length));
      return (backwards ? matching.toReversed() : matching).slice(0, 300);
    };
    for (const backwards of [false, true]) {
      expect(found([{ types: ['Type1'] }], backwards)).toEqual(naive((n) => n % 4 === 1, backwards));
      expect(found([{ tags: ['rare', 'third:2'] }], backwards)).toEqual(naive((n) => n === 20, backwards));
      expect(found([{ types: ['Type0', 'Type3'], tags: ['rare'] }, { tags: ['third:1'] }], backwards)).toEqual(
        naive((n) => n % 20 === 0 || n % 3 === 1, backwards),
      );
    }
    for (const at of [1, runLength, runLength + 1, last]) {
      for (const { id } of ids.ids(at - 1, at))
        expect(new IdIndex(new IdReader(db, names), index).find(id, head)).toBe(at);
    }
    expect(new IdIndex(new IdReader(db, names), index).find(new Uint8Array(32), head)).toBeUndefined();
  });
  db.close();
}

function runsOf(file: string): readonly { readonly first: number; readonly last: number }[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const written = db.prepare('select first, last from index_runs order by first').all();
    // Of what was merged nothing is left.
    expect(db.prepare('select distinct first, last from index_blocks order by first').all()).toEqual(written);
    return written as unknown as { first: number; last: number }[];
  } finally {
    db.close();
  }
}

const merged = { first: 1, last: 8 * runLength };

describe('the index in runs', () => {
  test('is no reason to believe what a writer remembers of streams that others have written since', async () => {
    const file = join(await temporaryFolder(), 'store.db');
    const [ours, theirs] = [newWriter(file), newWriter(file)];
    append(ours, streams);
    append(theirs, runLength, streams);
    // What they have appended is in a run before we look again, so we never see it event by event.
    build(theirs);
    const versions = Math.floor((runLength + streams - 1) / streams) + 1;
    const write = (expected: number) => {
      const writes = [{ stream: 'order-1', expected, count: 1 }];
      const group = { requests: [{ writes, checks: [], conditions: [], receipts: [] }], now: 1_000 };
      return ours.append({ ...group, events: packEvents([drafts[0] as (typeof drafts)[number]]) });
    };
    expect(write(1)).toMatchObject([{ kind: 'version_conflict', actual: versions }]);
    expect(write(versions)).toMatchObject([{ kind: 'appended', versions: [versions + 1] }]);
    for (const writer of [ours, theirs]) writer.close();
  });

  test.each([
    ['an event that is gone', 'delete from events where position = 30'],
    ['the last event gone', `delete from events where position = ${streams}`],
    ['an event that is another stream’s', 'update events set stream = 2 where position = 30'],
  ])('is not made of events that are damaged: %s', async (_, damage) => {
    const file = join(await temporaryFolder(), 'store.db');
    const writer = newWriter(file);
    append(writer, streams);
    writer.close();
    const db = new DatabaseSync(file);
    db.exec(damage);
    const index = new EventIndex(db, file);
    expect(() => index.look(() => 0)).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
    db.close();
  });

  test('misses no entry in silence where a block is gone', async () => {
    const file = join(await temporaryFolder(), 'store.db');
    const writer = newWriter(file);
    append(writer, runLength);
    build(writer);
    writer.close();
    const db = new DatabaseSync(file);
    const blocks = db.prepare('select rowid, * from index_blocks').all();
    expect(blocks.length).toBeGreaterThan(60);
    for (const { rowid, kind, key } of blocks as { rowid: number; kind: 0 | 1 | 2 | 3; key: number }[]) {
      db.exec(`begin; delete from index_blocks where rowid = ${rowid}`);
      const index = new EventIndex(db, file);
      index.refresh(new HeadRow(db, file).read());
      const lookUp = () => take(index.postings(kind, Math.max(key, 0)), 1, runLength, Infinity);
      expect(lookUp, `block ${rowid}`).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
      db.exec('rollback');
    }
    db.close();
  });

  test('leads to what was appended: from memory, from runs of their first length, and from merged ones', async () => {
    const file = join(await temporaryFolder(), 'store.db');
    const writer = newWriter(file);
    append(writer, runLength - 1);
    expectRight(file, runLength - 1);
    append(writer, 1);
    build(writer);
    append(writer, 500);
    expect(runsOf(file)).toEqual([{ first: 1, last: runLength }]);
    expectRight(file, runLength + 500);
    append(writer, 8 * runLength);
    expectRight(file, 9 * runLength + 500);
    build(writer);
    expect(runsOf(file)).toEqual([merged, { first: merged.last + 1, last: 9 * runLength }]);
    expectRight(file, 9 * runLength + 500);
    writer.close();
  });

  test('is the same when two write and merge it at once', async () => {
    const file = join(await temporaryFolder(), 'store.db');
    const writers = [newWriter(file), newWriter(file)] as const;
    for (let round = 0; round < 8; round++) {
      for (const [n, writer] of writers.entries()) append(writer, runLength / 2, (round + n / 2) * runLength);
      // Sometimes the one is in the middle of a run that the other begins.
      for (let step = 0; step < 10 * round; step++) writers[step % 2]?.buildIndex();
    }
    build(...writers);
    for (const [n, writer] of writers.entries()) append(writer, 10, 8 * runLength + n * 10);
    expect(runsOf(file)).toEqual([merged]);
    expectRight(file, 8 * runLength + 20);
    for (const writer of writers) writer.close();
  });

  test('is finished by another process, wherever the first one stopped', async () => {
    const file = join(await temporaryFolder(), 'store.db');
    let isDue = true;
    for (let opening = 0; isDue; opening++) {
      const writer = newWriter(file);
      if (opening === 0) append(writer, 8 * runLength + 100);
      // A little further every time: what was begun in memory is begun again.
      for (let step = 0; step < 40 + opening * 25; step++) writer.buildIndex();
      isDue = writer.isIndexDue;
      writer.close();
      expectRight(file, 8 * runLength + 100);
    }
    expect(runsOf(file)).toEqual([merged]);
    expectRight(file, 8 * runLength + 100);
  });

  test('is made anew where blocks of another cut were left', async () => {
    const file = join(await temporaryFolder(), 'store.db');
    const writer = newWriter(file);
    const other = new DatabaseSync(file);
    other.prepare('insert into index_blocks values (1, ?, 0, 40, 1000, ?)').run(runLength, new Uint8Array(60));
    append(writer, runLength);
    build(writer);
    expect(runsOf(file)).toEqual([{ first: 1, last: runLength }]);
    expectRight(file, runLength);
    other.close();
    writer.close();
  });
});

test('a file of format 1, which had other indexes, is brought up to date with all that it holds', async () => {
  const file = join(await temporaryFolder(), 'store.db');
  await writeFile(file, zstdDecompressSync(await readFile(join(import.meta.dirname, 'formats/1.db.zst'))));
  for (const opening of [1, 2]) {
    await using log = await openLog({ store: sqlite(file) });
    const ids: string[] = [];
    const collect = async (query: Parameters<typeof log.read>[0]) => {
      const found: unknown[] = [];
      for await (const page of log.read(query)) {
        for (const event of page) found.push((event.data as { n: number }).n);
        ids.push(...page.map(({ id }) => id));
      }
      return found;
    };
    const numbers = Array.from({ length: 60 }, (_, n) => n);
    expect(await collect({ until: 60 }), `opening ${opening}`).toEqual(numbers);
    expect(await collect({ match: [{ types: ['Type2'], tags: ['n:3'] }] })).toEqual([5, 26, 47]);
    expect(await collect({ stream: 'order-4', until: 60, backwards: true })).toEqual([50, 49, 48, 17, 16, 15]);
    expect((await log.find(ids[30] as string))?.position).toBe(31);
    expect(await log.receipt('key-55')).toBeUndefined();
    expect(toHex((await log.receipt('key-15'))?.commandDigest ?? new Uint8Array(0))).toBe('00'.repeat(32));
    const appended = await log.append([
      { stream: 'order-4', expected: 5 + opening, events: [{ type: 'Type9', data: { n: 99 } }] },
    ]);
    expect(appended.kind).toBe('appended');
  }
});
