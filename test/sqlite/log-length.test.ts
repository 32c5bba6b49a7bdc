/** The write-ahead log neither grows without bound nor becomes too long to be opened. */
import { copyFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { expect, test } from 'vitest';
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
