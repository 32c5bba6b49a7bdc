import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openLog } from 'eventsrc';
import { backup, sqlite, verify } from 'eventsrc/sqlite';
import { expect, test } from 'vitest';
import { startProgram } from '../support/child.ts';
import { canMount, withDisk } from '../support/disk.ts';
import { runLength } from '../../src/sqlite/event-index.ts';
import { untilIndexed } from '../support/indexed.ts';
import { temporaryFolder } from '../support/temporary.ts';

async function filled(folder: string, count: number): Promise<string> {
  const file = join(folder, 'store.db');
  await using log = await openLog({ store: sqlite(file) });
  for (let done = 0; done < count; done += 500) {
    const events = Array.from({ length: 500 }, (_, index) => ({ type: 'A', data: { index }, tags: ['t'] }));
    const key = {
      key: `k${done / 500}`,
      commandDigest: new Uint8Array(32),
      outcome: new Uint8Array(1),
      expiresAt: null,
    };
    await log.append([{ stream: `order-${done}`, events }], { receipt: key });
  }
  return file;
}

async function ids(file: string): Promise<readonly string[]> {
  await using log = await openLog({ store: sqlite(file, { create: false }) });
  const found: string[] = [];
  for await (const page of log.read()) found.push(...page.map(({ id }) => id));
  return found;
}

test('a copy made while another process appends is what the store was at one moment', async () => {
  const folder = await temporaryFolder();
  const file = await filled(folder, 20_000);
  const appender = startProgram('appender', [file]);
  await appender.nextLine();
  const copies = [];
  for (const name of ['1.db', '2.db', '3.db']) {
    const before = appender.lines.length;
    const { position } = await backup(file, join(folder, name));
    expect(position).toBeGreaterThanOrEqual(20_000 + before);
    copies.push({ name, position });
  }
  appender.process.kill('SIGKILL');
  await appender.finished;
  const all = await ids(file);
  expect(all.length).toBeGreaterThan(20_003);
  for (const { name, position } of copies) expect(await ids(join(folder, name))).toEqual(all.slice(0, position));
  expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
});

test('restoring is copying back, and the copy goes on as a store of its own', async () => {
  const folder = await temporaryFolder();
  const file = await filled(folder, 1_000);
  const progress: string[] = [];
  const copy = join(folder, 'copy.db');
  await backup(file, copy, { onProgress: ({ phase, done, total }) => progress.push(`${phase} ${done === total}`) });
  expect(new Set(progress)).toEqual(new Set(['copying true', 'verifying false', 'verifying true']));
  // One file, which no log belongs to: bytes 18 and 19 of the header are 1.
  expect([...(await readFile(copy)).subarray(18, 20)]).toEqual([1, 1]);
  const restored = join(folder, 'restored.db');
  expect(await backup(copy, restored)).toMatchObject({ position: 1_000, streamCount: 2 });
  await using log = await openLog({ store: sqlite(restored) });
  expect(await log.append([{ stream: 'order-0', expected: 500, events: [{ type: 'B', data: 1 }] }])).toMatchObject({
    kind: 'appended',
    events: [{ position: 1_001 }],
  });
});

test('nothing is overwritten, nor begun beside a log that would be taken for its own', async () => {
  const folder = await temporaryFolder();
  const file = await filled(folder, 500);
  const target = join(folder, 'copy.db');
  for (const name of [target, `${target}-wal`, `${target}-journal`, `${target}-shm`, `${target}.partial`]) {
    writeFileSync(name, 'mine');
    await expect(backup(file, target)).rejects.toMatchObject({ code: 'file_exists', details: { file: name } });
    expect(await readFile(name, 'utf8')).toBe('mine');
    execFileSync('rm', [name]);
  }
  await expect(backup(file, file)).rejects.toMatchObject({ code: 'file_exists' });
  expect((await ids(file)).length).toBe(500);
});

test.each([
  ['nothing', undefined, 'store_unavailable'],
  ['an empty file', '', 'store_unavailable'],
  ['no database', 'x'.repeat(5_000), 'store_foreign'],
])('a source that is %s is refused, and no copy is left', async (_, content, code) => {
  const folder = await temporaryFolder();
  const source = join(folder, 'source.db');
  if (content !== undefined) writeFileSync(source, content);
  await expect(backup(source, join(folder, 'copy.db'))).rejects.toMatchObject({ code });
  expect(readdirSync(folder)).toEqual(content === undefined ? [] : ['source.db']);
});

test('a backup is looked into without a change of a byte, and not written to', async () => {
  const folder = await temporaryFolder();
  const file = await filled(folder, 1_000);
  const copy = join(folder, 'copy.db');
  await backup(file, copy);
  const before = await readFile(copy);
  await verify(copy);
  {
    await using log = await openLog({ store: sqlite(copy, { readOnly: true }) });
    expect(await log.head()).toMatchObject({ position: 1_000, streamCount: 2 });
    expect(await log.receipt('k1')).toMatchObject({ position: 1_000 });
    expect(await log.receipt('none')).toBeUndefined();
    const [event] =
      (await log.readRecorded({ match: [{ tags: ['t'] }], backwards: true, limit: 1 }).next()).value ?? [];
    expect(event?.position).toBe(1_000);
    const refused = { code: 'store_read_only' };
    await expect(log.append([{ stream: 'order-0', events: [{ type: 'A', data: 1 }] }])).rejects.toMatchObject(refused);
    await expect(log.import([])).rejects.toMatchObject(refused);
    await expect(log.releaseReceipts({ owner: 'o' }, 1)).rejects.toMatchObject(refused);
  }
  expect((await readFile(copy)).equals(before)).toBe(true);
  expect(readdirSync(folder)).toEqual(['copy.db', 'store.db']);
});

test('a store in use, one that is damaged, and what is none are not read like a backup', async () => {
  const folder = await temporaryFolder();
  const file = await filled(folder, 500);
  const opened = (path: string) => openLog({ store: sqlite(path, { readOnly: true }) });
  await expect(opened(file)).rejects.toMatchObject({ code: 'store_unavailable' });
  await expect(opened(join(folder, 'none.db'))).rejects.toMatchObject({ code: 'store_unavailable' });
  await backup(file, join(folder, 'copy.db'));
  const bytes = await readFile(join(folder, 'copy.db'));
  // A page in the middle.
  bytes.fill(0x55, 40_960, 45_056);
  await writeFile(join(folder, 'damaged.db'), bytes);
  await expect(opened(join(folder, 'damaged.db'))).rejects.toMatchObject({ code: 'store_corrupt' });
});

test('a damaged store becomes no backup: every event of the copy is looked at', async () => {
  const folder = await temporaryFolder();
  const file = await filled(folder, 1_000);
  const bytes = await readFile(file);
  const at = bytes.indexOf('{"index":321}');
  bytes.write('7', at + 9);
  await writeFile(file, bytes);
  await expect(verify(file)).rejects.toMatchObject({ code: 'store_corrupt' });
  await expect(backup(file, join(folder, 'copy.db'))).rejects.toMatchObject({
    code: 'store_corrupt',
    details: { file },
  });
  expect(readdirSync(folder)).toEqual(['store.db']);
});

test.each([
  ['a block that the index lacks', 'delete from index_blocks where kind = 2 and key > 0'],
  ['a block of the index that was altered', 'update index_blocks set bytes = substr(bytes, 2) where kind = 3'],
  ['a receipt that was altered', "update receipts set outcome = x'00'"],
])('%s is found in a large file, which is not looked at as a whole when it is opened', async (_, damage) => {
  const file = join(await temporaryFolder(), 'store.db');
  {
    await using log = await openLog({ store: sqlite(file), limits: { eventsPerAppend: runLength } });
    const events = Array.from({ length: runLength }, () => ({ type: 'A', data: 'x'.repeat(1_000), tags: ['t'] }));
    const receipt = { key: 'k', commandDigest: new Uint8Array(32), outcome: new Uint8Array(1_000), expiresAt: null };
    await log.append([{ stream: 'order-1', events }], { receipt });
    await untilIndexed(file, 1);
  }
  expect(await verify(file)).toMatchObject({ position: runLength });
  const db = new DatabaseSync(file);
  db.exec(damage);
  db.close();
  expect((await ids(file)).length).toBe(runLength);
  await expect(verify(file)).rejects.toMatchObject({ code: 'store_corrupt' });
});

test('a store left by a crash is copied with what is only in its log', async () => {
  const folder = await temporaryFolder();
  const file = join(folder, 'store.db');
  const appender = startProgram('appender', [file]);
  for (let count = 0; count < 20; count++) await appender.nextLine();
  appender.process.kill('SIGKILL');
  await appender.finished;
  expect(existsSync(`${file}-wal`)).toBe(true);
  const { position } = await backup(file, join(folder, 'copy.db'));
  expect(position).toBeGreaterThanOrEqual(20);
  expect(await ids(join(folder, 'copy.db'))).toEqual((await ids(file)).slice(0, position));
});

test.each(['copying', 'verifying'])('cancelled while %s it leaves nothing', async (phase) => {
  const folder = await temporaryFolder();
  const file = await filled(folder, 20_000);
  const controller = new AbortController();
  const work = backup(file, join(folder, 'copy.db'), {
    signal: controller.signal,
    onProgress: (progress) => {
      if (progress.phase === phase) controller.abort(new Error('enough'));
    },
  });
  await expect(work).rejects.toThrow('enough');
  expect(readdirSync(folder)).toEqual(['store.db']);
  await backup(file, join(folder, 'copy.db'));
});

test.skipIf(!canMount)('a full disk is an error with a remedy, and leaves nothing', async () => {
  const file = await filled(await temporaryFolder(), 20_000);
  await withDisk('1m', async (disk) => {
    await expect(backup(file, join(disk, 'copy.db'))).rejects.toMatchObject({ code: 'store_full' });
    expect(readdirSync(disk)).toEqual([]);
  });
});

test.skipIf(!canMount)('a backup on a disk that is read-only can be restored', async () => {
  const folder = await temporaryFolder();
  const file = await filled(folder, 500);
  await backup(file, join(folder, 'copy.db'));
  await withDisk('4m', async (disk) => {
    await copyFile(join(folder, 'copy.db'), join(disk, 'copy.db'));
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    expect(await backup(join(disk, 'copy.db'), join(folder, 'restored.db'))).toMatchObject({ position: 500 });
  });
});
