import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { hasCode, openLog } from 'eventsrc';
import type { EventLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { defaultLimits } from '../../src/ground/limits.ts';
import { requireSqlite } from '../../src/sqlite/connection.ts';
import { runLength } from '../../src/sqlite/event-index.ts';
import { untilIndexed } from '../support/indexed.ts';
import { temporaryFolder } from '../support/temporary.ts';

const infinite = { eventsPerAppend: Infinity, eventsPerStream: Infinity };
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function newFile(): Promise<string> {
  return join(await temporaryFolder(), 'store.db');
}

function numbered(count: number, from = 0): { type: string; data: number }[] {
  return Array.from({ length: count }, (_, index) => ({ type: 'A', data: from + index }));
}

describe('libraries', () => {
  test.each(['3.51.3', '3.51.4', '3.52.0', '3.53', '4.0.0'])('SQLite %s is taken', (version) => {
    requireSqlite(version);
  });

  test.each(['3.51.2', '3.51', '3.50.9', '3.9.9', '2.99.99', 'unknown'])('SQLite %s is refused', (version) => {
    expect(() => requireSqlite(version)).toThrow(expect.objectContaining({ code: 'sqlite_too_old' }));
  });
});

test('names that SQLite takes for something else are refused', () => {
  for (const file of ['', ':memory:', 'a\0b', undefined as unknown as string]) {
    expect(() => sqlite(file)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
  }
});

test('options of other types are refused', () => {
  for (const options of [{ lockTimeoutMs: '5' }, { lockTimeoutMs: NaN }, { lockTimeoutMs: -1 }, { create: 'no' }]) {
    expect(() => sqlite('store.db', options as object)).toThrow(expect.objectContaining({ code: 'option_invalid' }));
  }
});

test('a file name with every odd character is a file name', async () => {
  const file = join(await temporaryFolder(), 'a b?mode=memory&c#d%20é 🎉.db');
  {
    await using log = await openLog({ store: sqlite(file) });
    await log.append([{ stream: 'order-1', events: numbered(1) }]);
  }
  await using log = await openLog({ store: sqlite(file) });
  expect((await log.head()).position).toBe(1);
});

test('the event loop goes on while a commit waits for another program’s lock', async () => {
  const file = await newFile();
  await using log = await openLog({ store: sqlite(file) });
  const other = new DatabaseSync(file);
  other.exec('begin immediate');
  let settled = false;
  const append = log.append([{ stream: 'order-1', events: numbered(1) }]).finally(() => (settled = true));
  for (let count = 0; count < 1_000; count++) await turn();
  expect(settled).toBe(false);
  // Reading waits for nobody.
  expect((await log.head()).position).toBe(0);
  other.exec('commit');
  expect((await append).kind).toBe('appended');
  other.close();
});

test('a lock that is never released ends in a clear error, and the store goes on after it', async () => {
  const file = await newFile();
  await using log = await openLog({ store: sqlite(file, { lockTimeoutMs: 50 }) });
  const other = new DatabaseSync(file);
  other.exec('begin immediate');
  const append = () => log.append([{ stream: 'order-1', events: numbered(1) }]);
  await expect(append()).rejects.toMatchObject({
    code: 'store_locked',
    remedy: expect.stringContaining('transaction'),
  });
  other.close();
  expect((await append()).kind).toBe('appended');
});

test('a stream takes 100,000 events and not one more, and is read in order both ways', async () => {
  await using log = await openLog({
    store: sqlite(await newFile()),
    limits: { eventsPerAppend: Infinity },
    onWarning: () => {},
  });
  for (let from = 0; from < 100_000; from += 10_000)
    await log.append([{ stream: 'order-1', events: numbered(10_000, from) }]);
  const more = log.append([{ stream: 'order-1', events: numbered(1) }]);
  await expect(more).rejects.toMatchObject({
    code: 'limit_exceeded',
    details: { limit: 'eventsPerStream', value: 100_001 },
  });
  for (const backwards of [false, true]) {
    let expected = backwards ? 99_999 : 0;
    for await (const page of log.read({ stream: 'order-1', backwards, pageSize: 4_096 })) {
      for (const { data, version } of page) {
        if (data !== expected || version !== expected + 1)
          throw new Error(`${data} at version ${version}, not ${expected}`);
        expected += backwards ? -1 : 1;
      }
    }
    expect(expected).toBe(backwards ? -1 : 100_000);
  }
});

test('pages are cut by their bytes as well, without an event being missed', async () => {
  await using log = await openLog({ store: sqlite(await newFile()), limits: { ...infinite, eventBytes: Infinity } });
  const events = Array.from({ length: 30 }, (_, n) => ({
    type: 'A',
    data: String(n % 10).repeat(200_000),
    tags: ['x'],
  }));
  await log.append([{ stream: 'order-1', events }]);
  await log.append([{ stream: 'order-2', events: numbered(1) }]);
  for (const query of [{}, { stream: 'order-1' }, { backwards: true }, { match: [{ tags: ['x'] }] }]) {
    let count = 0;
    for await (const page of log.read({ ...query, pageSize: 1_000 })) count += page.length;
    expect(count).toBe('stream' in query || 'match' in query ? 30 : 31);
  }
});

test('a file that is removed or replaced while it is open is not written any more', async () => {
  const file = await newFile();
  await using log = await openLog({ store: sqlite(file) });
  const append = () => log.append([{ stream: 'order-1', events: numbered(1) }]);
  await append();
  await rename(file, `${file}.moved`);
  await expect(append()).rejects.toMatchObject({ code: 'store_failed', details: { outcome: 'not_written' } });
  await writeFile(file, '');
  await expect(append()).rejects.toMatchObject({ code: 'store_failed', message: expect.stringContaining('replaced') });
  await rm(file);
  await rename(`${file}.moved`, file);
  expect((await append()).kind).toBe('appended');
});

describe('the index', () => {
  async function fill(log: EventLog, count: number): Promise<string[]> {
    const result = await log.append([{ stream: 'order-1', events: numbered(count) }]);
    return result.kind === 'appended' ? result.events.filter((_, index) => index % 997 === 0).map(({ id }) => id) : [];
  }

  test('is built in the background, in complete runs, and finds what is in them and what is behind them', async () => {
    const file = await newFile();
    await using log = await openLog({ store: sqlite(file), limits: infinite });
    const ids = await fill(log, 2 * runLength + 100);
    // Before, during and after its building.
    for (const id of ids.slice(0, 5)) expect((await log.find(id))?.id).toBe(id);
    await untilIndexed(file, 2);
    for (const [index, id] of ids.entries()) expect((await log.find(id))?.position).toBe(index * 997 + 1);
    expect(await log.find('ab'.repeat(32))).toBeUndefined();
    await expect(log.find('abc')).rejects.toMatchObject({ code: 'name_invalid' });
  });

  test('goes on where another process stopped', async () => {
    const file = await newFile();
    const first = await openLog({ store: sqlite(file), limits: infinite });
    const ids = await fill(first, runLength + 1);
    await first.close();
    await using second = await openLog({ store: sqlite(file), limits: infinite });
    ids.push(...(await fill(second, runLength)));
    await untilIndexed(file, 2);
    for (const id of ids) expect((await second.find(id))?.id).toBe(id);
  });
});

test('of more receipts than are looked at together each is found by another opening', async () => {
  const backend = sqlite(await newFile());
  const options = { clock: { now: () => 1_000 }, limits: defaultLimits };
  const [commandDigest, outcome] = [new Uint8Array(32), new Uint8Array(8)];
  const receipts = Array.from({ length: 25_000 }, (_, n) => {
    return { key: `key-${n}`, commandDigest, outcome, expiresAt: n % 7 === 0 ? 500 : null, recordedAt: 400 };
  });
  {
    await using store = await backend.openEvents(options);
    await store.import([], receipts);
    // Ids that are gone leave gaps.
    expect(await store.releaseReceipts({ expiredAt: 600 }, 100_000)).toBe(Math.ceil(25_000 / 7));
  }
  await using store = await backend.openEvents(options);
  for (const n of [1, 9_999, 10_000, 11_665, 20_001, 24_999])
    expect((await store.receipt(`key-${n}`))?.key, `key-${n}`).toBe(n % 7 === 0 ? undefined : `key-${n}`);
});

test('receipts are found again after 5,000 others, and by another opening', async () => {
  const file = await newFile();
  await using log = await openLog({ store: sqlite(file), limits: infinite });
  const receipt = (n: number) => ({
    key: `key-${n}`,
    commandDigest: new Uint8Array(32),
    outcome: new Uint8Array(8),
    expiresAt: null,
  });
  const results = await Promise.all(
    Array.from({ length: 5_000 }, (_, n) =>
      log.append([{ stream: `order-${n % 50}`, events: numbered(1, n) }], { receipt: receipt(n) }),
    ),
  );
  expect(results.every(({ kind }) => kind === 'appended')).toBe(true);
  await using other = await openLog({ store: sqlite(file), limits: infinite });
  for (const n of [0, 1, 2_500, 4_999]) {
    expect((await other.append([{ stream: 'order-1', events: numbered(1) }], { receipt: receipt(n) })).kind).toBe(
      'duplicate',
    );
  }
});

test('nothing that fails in one store shows in another', async () => {
  await using good = await openLog({ store: sqlite(await newFile()) });
  const missing = openLog({ store: sqlite(join(await temporaryFolder(), 'missing', 'store.db')) });
  await missing.catch((error: unknown) => expect(hasCode(error, 'store_unavailable')).toBe(true));
  expect((await good.append([{ stream: 'order-1', events: numbered(1) }])).kind).toBe('appended');
});

test('the write-ahead log stays short under constant load, also while a reader pauses in the middle', async () => {
  const file = await newFile();
  await using log = await openLog({ store: sqlite(file), limits: infinite });
  const events = Array.from({ length: 1_000 }, () => ({ type: 'A', data: 'x'.repeat(1_000) }));
  await log.append([{ stream: 'order-1', events }]);
  const reader = log.read({ pageSize: 10 });
  await reader.next();
  for (let round = 0; round < 100; round++) await log.append([{ stream: 'order-1', events }]);
  const { size } = await stat(`${file}-wal`);
  // More than a hundred megabytes were written.
  expect(size).toBeLessThan(40_000_000);
  expect((await reader.next()).value).toHaveLength(10);
});

test('nothing that is long holds the event loop: other things get their turn in between', async () => {
  await using log = await openLog({
    store: sqlite(join(await temporaryFolder(), 'long.db')),
    limits: { streams: Infinity, eventsPerAppend: Infinity, eventBytes: Infinity },
  });
  const streams = Array.from({ length: 3_000 }, (_, index) => `order-${index}`);
  await log.append(streams.map((stream) => ({ stream, events: [{ type: 'A', data: 1 }] })));
  const large = Array.from({ length: 12 }, () => ({ type: 'Large', data: 'x'.repeat(400_000) }));
  await log.append([{ stream: 'large-1', events: large }]);
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 0);
  const turnsDuring = async (work: () => Promise<unknown>): Promise<number> => {
    await new Promise((resolve) => setImmediate(resolve));
    const before = turns;
    await work();
    return turns - before;
  };
  try {
    expect(await turnsDuring(() => log.streams({ limit: 100_000 }))).toBeGreaterThan(3);
    expect(await turnsDuring(() => log.heads(streams))).toBeGreaterThan(3);
    const pages: number[] = [];
    for await (const page of log.read({ match: [{ types: ['Large'] }], pageSize: 4_096 })) pages.push(page.length);
    expect(pages).toEqual([3, 3, 3, 3]);
  } finally {
    clearInterval(counting);
  }
});
