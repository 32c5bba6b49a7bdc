/** The write-ahead log neither grows without bound nor becomes too long to be opened. */
import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { expect, test } from 'vitest';
import { packEvents } from '../../src/sqlite/packed-events.ts';
import { Writer } from '../../src/sqlite/writer.ts';
import { draft } from '../../src/testing/drafts.ts';
import { startProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';

const writers = 4;
const appendsEach = process.env.SOAK === undefined ? 4_000 : 100_000;

test(`while ${writers} processes write at the same time, the log stays short`, { timeout: 600_000 }, async () => {
  const file = join(await temporaryFolder(), 'store.db');
  const children = Array.from({ length: writers }, (_, name) => startProgram('appender', [file, String(name)]));
  let longest = 0;
  await Promise.all(
    children.map(async ({ lines, nextLine }) => {
      while (lines.length < appendsEach) {
        await nextLine();
        longest = Math.max(longest, (await stat(`${file}-wal`)).size);
      }
    }),
  );
  for (const { process } of children) process.kill('SIGKILL');
  await Promise.all(children.map(({ finished }) => finished));
  expect(longest).toBeLessThan(64_000_000);
});

test('a store whose log is longer than two gigabytes opens', { timeout: 600_000 }, async () => {
  const folder = await temporaryFolder();
  const [file, copy] = [join(folder, 'store.db'), join(folder, 'copy.db')];
  {
    await using log = await openLog({ store: sqlite(file) });
    await log.append([{ stream: 'order-1', events: [{ type: 'A', data: 1 }] }]);
    await copyFile(file, copy);
    await copyFile(`${file}-wal`, `${copy}-wal`);
  }
  // A hole, which takes no room on the disk.
  await truncate(`${copy}-wal`, 2 ** 31 + 4_096);
  await using log = await openLog({ store: sqlite(copy) });
  expect((await log.head()).position).toBe(1);
});

test('a long reading keeps the log as it is and harms nothing; once it has ended the log is emptied', async () => {
  const file = join(await temporaryFolder(), 'store.db');
  const writer = new Writer({ file, create: true, lockTimeoutMs: 1_000, eventsPerStreamMax: Infinity });
  const append = (count: number) => {
    const writes = [{ stream: 'order-1', expected: 'any', count }] as const;
    const events = packEvents(Array.from({ length: count }, () => draft('A', { data: 'x'.repeat(60_000) })));
    writer.append({ requests: [{ writes, checks: [], conditions: [], receipts: [] }], events, now: 1_000 });
    writer.checkpointIfDue();
  };
  const length = async () => (await stat(`${file}-wal`)).size;
  append(1);
  const other = new DatabaseSync(file);
  other.exec('begin; select * from head');
  // Twenty megabytes, then more than twice as much: two attempts.
  append(350);
  append(500);
  const kept = await length();
  expect(kept).toBeGreaterThan(40_000_000);
  other.close();
  append(1_000);
  expect(await length()).toBeLessThan(kept);
  writer.close();
});
