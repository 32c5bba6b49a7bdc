/** What is rolled back leaves no trace, neither in the file nor in the writer's memory. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { eventId } from '../../src/event/digests.ts';
import type { Recorded } from '../../src/event/event.ts';
import { defaultLimits } from '../../src/ground/limits.ts';
import { runLength } from '../../src/sqlite/event-index.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import { packEvents } from '../../src/sqlite/packed-events.ts';
import { Writer } from '../../src/sqlite/writer.ts';
import type { EventStore, ReceiptDraft } from '../../src/store/port.ts';
import { appendOne, appendTypes, draft, readNames, write } from '../../src/testing/drafts.ts';
import { temporaryFolder } from '../support/temporary.ts';

async function newFile(): Promise<string> {
  return join(await temporaryFolder(), 'store.db');
}

function open(file: string): Promise<EventStore> {
  return sqlite(file).openEvents({ clock: { now: () => 1_000 }, limits: defaultLimits });
}

function receipt(key: string, expiresAt: number | null = null): ReceiptDraft {
  return { key, commandDigest: new Uint8Array(32), outcome: new Uint8Array(8), expiresAt };
}

/** The column takes integers only, so SQLite refuses it. */
const wrong = write('order-1', 'any', [draft('A')], { receipts: [receipt('wrong', 1.5)] });

function recorded(stream: string, version: number): Recorded {
  const event = draft('A');
  const identity = { stream, version, recordedAt: 1_000, bodyDigest: event.bodyDigest };
  return { ...event, ...identity, position: 1, id: eventId(identity) };
}

test('a request that SQLite refuses fails its group, and the store goes on', async () => {
  await using store = await open(await newFile());
  const right = write('order-2', 'no_stream', [draft('B')]);
  await expect(store.append([right, wrong])).rejects.toMatchObject({
    code: 'store_failed',
    details: { outcome: 'not_written' },
  });
  expect((await appendOne(store, right)).kind).toBe('appended');
  expect(await readNames(store)).toEqual(['order-2@1']);
});

test('a receipt that was rolled back is not taken for another one that got its id', async () => {
  await using store = await open(await newFile());
  const first = write('order-1', 'any', [draft('A')], { receipts: [receipt('first')] });
  await expect(store.append([first, wrong])).rejects.toMatchObject({ code: 'store_failed' });
  await appendOne(store, write('order-1', 'any', [draft('A')], { receipts: [receipt('second')] }));
  expect((await appendOne(store, first)).kind).toBe('appended');
});

test('names that were rolled back are not taken for others that got their ids', async () => {
  await using store = await open(await newFile());
  // So many that the first stream is looked up again in the middle of the transaction.
  const streams = Array.from({ length: 110_000 }, (_, index) => recorded(`order-${index}`, 1));
  const refused = store.import([...streams, recorded('order-0', 2), recorded('order-0', 9)], []);
  await expect(refused).rejects.toMatchObject({ code: 'import_refused' });
  await appendTypes(store, 'other-0', 'B');
  // Makes the writer look up where the stream stands.
  await expect(store.import([recorded('order-0', 9)], [])).rejects.toMatchObject({ code: 'import_refused' });
  expect((await appendTypes(store, 'other-0', 'B')).kind).toBe('appended');
});

function newWriter(file: string): Writer {
  return new Writer({ file, create: true, lockTimeoutMs: 1_000, eventsPerStreamMax: Infinity });
}

function append(writer: Writer, stream: string, count: number): void {
  const requests = [
    { writes: [{ stream, expected: 'any', count }], checks: [], conditions: [], receipts: [] },
  ] as const;
  writer.append({ requests, events: packEvents(Array.from({ length: count }, () => draft('A'))), now: 1_000 });
}

test('damage that is met in the background stops the writing', async () => {
  const file = await newFile();
  const writer = newWriter(file);
  append(writer, 'order-1', runLength);
  const other = new DatabaseSync(file);
  other.exec('update streams set crc = crc + 1');
  other.close();
  // In the end it computes ids, for which it reads the stream's name.
  while (writer.isIndexDue && writer.buildIndex());
  expect(() => append(writer, 'order-2', 1)).toThrow(expect.objectContaining({ code: 'store_corrupt' }));
  writer.close();
});

test('a receipt that was changed on disk is not served', async () => {
  const file = await newFile();
  const request = write('order-1', 'any', [draft('A')], { receipts: [receipt('key')] });
  await using store = await open(file);
  await appendOne(store, request);
  expect((await appendOne(store, request)).kind).toBe('duplicate');
  const other = new DatabaseSync(file);
  other.exec("update receipts set outcome = x'01'");
  other.close();
  await expect(appendOne(store, request)).rejects.toMatchObject({ code: 'store_corrupt' });
  await expect(store.receipt('key')).rejects.toMatchObject({ code: 'store_corrupt' });
});
