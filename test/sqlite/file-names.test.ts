/** Files with several names: SQLite finds a file's write-ahead log by the name under which it was opened. */
import { existsSync } from 'node:fs';
import { link, lstat, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openLog } from 'eventsrc';
import type { EventLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { expect, test } from 'vitest';
import { startProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';

const append = (log: EventLog) => log.append([{ stream: 'order-1', events: [{ type: 'A', data: 1 }] }]);

async function newStore(): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = await temporaryFolder();
  const file = join(folder, 'store.db');
  await using log = await openLog({ store: sqlite(file) });
  await append(log);
  return { folder, file };
}

test('a file with a second name by a hard link is refused under both, until one is removed', async () => {
  const { folder, file } = await newStore();
  const other = join(folder, 'other.db');
  await link(file, other);
  for (const name of [file, other]) {
    await expect(openLog({ store: sqlite(name) })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('hard link'),
    });
  }
  await rm(other);
  await using log = await openLog({ store: sqlite(file) });
  expect((await append(log)).kind).toBe('appended');
});

test('a file that gets a second name while it is open is not written until the name is gone', async () => {
  const { folder, file } = await newStore();
  await using log = await openLog({ store: sqlite(file) });
  await link(file, join(folder, 'other.db'));
  await expect(append(log)).rejects.toMatchObject({
    code: 'store_failed',
    details: { outcome: 'not_written', reason: expect.stringContaining('hard link') },
  });
  await rm(join(folder, 'other.db'));
  expect((await append(log)).kind).toBe('appended');
});

test('through a symbolic link what a killed process acknowledged is there, and a broken log is refused', async () => {
  const { folder, file } = await newStore();
  const linked = join(folder, 'linked.db');
  await symlink('store.db', linked);
  const child = startProgram('appender', [linked, 'run']);
  while (child.lines.length < 100) await child.nextLine();
  child.process.kill('SIGKILL');
  await child.finished;
  expect((await stat(`${file}-wal`)).size).toBeGreaterThan(0);
  expect(existsSync(`${linked}-wal`)).toBe(false);
  await writeFile(file, '');
  await expect(openLog({ store: sqlite(linked) })).rejects.toMatchObject({ code: 'store_corrupt' });
});

test('a store is made where a link leads that leads to nothing yet, and found there', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'data'));
  await symlink('data', join(folder, 'folder'));
  await symlink('folder/target.db', join(folder, 'first.db'));
  await symlink('first.db', join(folder, 'second.db'));
  {
    await using log = await openLog({ store: sqlite(join(folder, 'second.db')) });
    await append(log);
  }
  expect((await lstat(join(folder, 'data', 'target.db'))).isFile()).toBe(true);
  await using log = await openLog({ store: sqlite(join(folder, 'folder', 'target.db')) });
  expect((await log.head()).position).toBe(1);
});

test('names that lead to nothing that can be opened say so', async () => {
  const folder = await temporaryFolder();
  await symlink('loop.db', join(folder, 'loop.db'));
  await writeFile(join(folder, 'file'), '');
  for (const name of ['loop.db', 'file/store.db', `${'x'.repeat(300)}.db`, 'x'.repeat(253)]) {
    await expect(openLog({ store: sqlite(join(folder, name)) }), name).rejects.toMatchObject({
      code: 'store_unavailable',
    });
  }
});

test.each<[what: string, make: (file: string) => Promise<void> | void]>([
  ['an empty file', (file) => writeFile(file, '')],
  [
    'a database without tables',
    (file) => {
      const db = new DatabaseSync(file);
      db.exec('pragma journal_mode = wal');
      db.close();
    },
  ],
])('with `create: false` %s is no store, and stays as it is', async (_what, make) => {
  const file = join(await temporaryFolder(), 'store.db');
  await make(file);
  const { size } = await stat(file);
  await expect(openLog({ store: sqlite(file, { create: false }) })).rejects.toMatchObject({
    code: 'store_unavailable',
    details: { reason: 'it holds no store' },
  });
  expect((await stat(file)).size).toBe(size);
});
