import { join } from 'node:path';
import { copyLog, memory, openLog } from 'eventsrc';
import type { Backend, EventLog, Recorded, Receipt } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { describe, expect, test } from 'vitest';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const receipt = (key: string, expiresAt: number | null = null) => ({
  key,
  commandDigest: new Uint8Array(32),
  outcome: new TextEncoder().encode(key),
  expiresAt,
});

/** Events in three streams, one of them deleted and begun again, with a receipt each. */
async function fill(log: EventLog, from: number, count: number): Promise<void> {
  for (let index = from; index < from + count; index++) {
    const type = index % 10 === 4 ? '$deleted' : 'A';
    const isDeleted = (await log.heads([`order-${index % 3}`]))[0]?.deleted === true;
    const write = {
      stream: `order-${index % 3}`,
      expected: isDeleted ? 'deleted' : 'any',
      events: [{ type, data: { index }, metadata: { actor: 'Ada' }, tags: [`t${index % 7}`] }],
    } as const;
    await log.append([write], { receipt: receipt(`key ${index}`) });
  }
}

async function contents(log: EventLog): Promise<{ events: readonly unknown[]; receipts: readonly unknown[] }> {
  const events: Recorded[] = [];
  for await (const page of log.readRecorded()) events.push(...page);
  const receipts: Receipt[] = [];
  for await (const page of log.receipts()) receipts.push(...page);
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  return {
    events: events.map(({ id, position, data, metadata, tags }) => [hex(id), position, hex(data), hex(metadata), tags]),
    receipts: receipts.map(({ key, outcome, recordedAt, position }) => [key, hex(outcome), recordedAt, position]),
  };
}

const newPostgres = postgresStores();
const stores: Readonly<Record<string, () => Promise<Backend>>> = {
  memory: async () => memory(),
  sqlite: async () => sqlite(join(await temporaryFolder(), 'store.db')),
  postgres: async () => newPostgres(),
};

describe.each([
  'memory to sqlite',
  'sqlite to memory',
  'sqlite to sqlite',
  'sqlite to postgres',
  'postgres to sqlite',
  'postgres to postgres',
])('%s', (ways) => {
  const open = async (kind = '') => openLog({ store: await (stores[kind] as () => Promise<Backend>)() });
  const both = async () => {
    const [from, to] = ways.split(' to ');
    return [await open(from), await open(to)] as const;
  };

  test('everything is as it was: positions, versions, ids, bytes and receipts', async () => {
    const [from, to] = await both();
    await fill(from, 0, 300);
    expect(await copyLog(from, to)).toEqual({ events: 300, skipped: 0, receipts: 300 });
    expect(await contents(to)).toEqual(await contents(from));
    const again = await to.append([{ stream: 'order-1', events: [{ type: 'A', data: {} }] }], {
      receipt: receipt('key 7'),
    });
    expect(again).toMatchObject({ kind: 'duplicate', receipt: { position: 8 } });
    await Promise.all([from.close(), to.close()]);
  });

  test('goes on where it was interrupted, and where the source has grown', async () => {
    const [from, to] = await both();
    await fill(from, 0, 50);
    await fill(from, 50, 10);
    const controller = new AbortController();
    const interrupted = copyLog(from, to, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(interrupted).rejects.toThrow('enough');
    expect(await copyLog(from, to)).toMatchObject({ events: 0, skipped: 60, receipts: 60 });
    await fill(from, 60, 10);
    expect(await copyLog(from, to)).toEqual({ events: 10, skipped: 60, receipts: 70 });
    expect(await contents(to)).toEqual(await contents(from));
    await Promise.all([from.close(), to.close()]);
  });

  test('refuses a target that holds anything else', async () => {
    const [from, to] = await both();
    await fill(from, 0, 5);
    await to.append([{ stream: 'order-1', events: [{ type: 'Other', data: {} }] }]);
    await expect(copyLog(from, to)).rejects.toMatchObject({ code: 'copy_refused' });
    await fill(to, 0, 5);
    await expect(copyLog(from, to)).rejects.toMatchObject({ code: 'copy_refused' });
    expect((await to.head()).position).toBe(6);
    await Promise.all([from.close(), to.close()]);
  });
});

test('what is appended to the source meanwhile is left out, and so is its receipt', async () => {
  await using from = await openLog({ store: memory() });
  await using to = await openLog({ store: memory() });
  await fill(from, 0, 5);
  const copied = copyLog(from, to);
  await fill(from, 5, 1);
  expect(await copied).toEqual({ events: 5, skipped: 0, receipts: 5 });
  expect(await to.receipt('key 5')).toBeUndefined();
});

test('a target that somebody else writes to meanwhile is noticed', async () => {
  // Ahead, so that what is copied is never older than what the others write.
  const ahead = Date.now() + 60_000;
  await using from = await openLog({ store: memory(), clock: { now: () => ahead } });
  await using to = await openLog({ store: memory() });
  // More than one transaction.
  for (let stream = 0; stream < 10; stream++) {
    const events = Array.from({ length: 700 }, () => ({ type: 'A', data: {} }));
    await from.append([{ stream: `order-${stream}`, events }]);
  }
  const strange = [{ stream: 'order-99', events: [{ type: 'A', data: {} }] }];
  let isFirst = true;
  const copied = copyLog(from, to, {
    onProgress: () => {
      if (isFirst) void to.append(strange);
      isFirst = false;
    },
  });
  await expect(copied).rejects.toMatchObject({ code: 'copy_refused' });
});

test('a target with receipts of its own is no empty one', async () => {
  await using from = await openLog({ store: memory() });
  await using to = await openLog({ store: memory() });
  await fill(from, 0, 3);
  await to.append([], { receipt: receipt('mine') });
  await expect(copyLog(from, to)).rejects.toMatchObject({ code: 'copy_refused' });
  expect((await to.head()).position).toBe(0);
});

test('a receipt that the target has otherwise is noticed', async () => {
  await using from = await openLog({ store: memory() });
  await using to = await openLog({ store: memory() });
  await fill(from, 0, 3);
  for await (const receipts of from.receipts())
    await to.import(
      [],
      receipts.slice(1, 2).map((one) => ({ ...one, outcome: new Uint8Array(1) })),
    );
  await expect(copyLog(from, to)).rejects.toMatchObject({ code: 'copy_refused' });
});
