/** Bits flipped in the write-ahead log that a killed process left. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError, openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { beforeAll, expect, test } from 'vitest';
import { startProgram } from '../support/child.ts';
import { temporaryFolder } from '../support/temporary.ts';

const flips = process.env.SOAK === undefined ? 60 : 3_000;
const pageBytes = 4_096;

let folder = '';
let killed = '';
let acknowledged = 0;

/** How many events a copy of the killed store gives, with its log changed by `damage`. */
async function countAfter(name: string, damage: (log: Buffer) => Buffer): Promise<number | EngineError> {
  const file = join(folder, `${name}.db`);
  await copyFile(killed, file);
  await writeFile(`${file}-wal`, damage(await readFile(`${killed}-wal`)));
  try {
    await using log = await openLog({ store: sqlite(file), limits: { eventsPerStream: Infinity } });
    let count = 0;
    for await (const page of log.read()) count += page.length;
    return count;
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

beforeAll(async () => {
  folder = await temporaryFolder();
  killed = join(folder, 'killed.db');
  const child = startProgram('appender', [killed, 'run']);
  while (child.lines.length < 300) await child.nextLine();
  child.process.kill('SIGKILL');
  const { lines } = await child.finished;
  const positions = lines
    .filter((line) => line.endsWith(']]'))
    .flatMap((line) => JSON.parse(line) as [string, number, number][]);
  acknowledged = Math.max(...positions.map(([, , position]) => position));
});

test('left alone it gives everything that was acknowledged', async () => {
  expect(await countAfter('alone', (log) => log)).toBeGreaterThanOrEqual(acknowledged);
});

test('cut off in the last commit, as by a crash, it opens without that commit', async () => {
  const found = await countAfter('cut', (log) => log.subarray(0, log.length - pageBytes / 2));
  expect(found).toBeGreaterThan(0);
});

test(`with one of ${flips} bits flipped in front of other commits, nothing is missing silently`, async () => {
  let refused = 0;
  for (let flip = 0; flip < flips; flip++) {
    let where = '';
    const found = await countAfter('flipped', (log) => {
      // In the first half, so that commits follow; each tenth in the log's own header.
      const at = Math.floor(Math.random() * (flip % 10 === 0 ? 32 : log.length / 2));
      const bit = Math.floor(Math.random() * 8);
      where = `bit ${bit} of byte ${at}`;
      log[at] = (log[at] as number) ^ (1 << bit);
      return log;
    });
    if (found instanceof EngineError) {
      expect(found.code, where).toBe('store_corrupt');
      refused += 1;
    } else expect(found, where).toBeGreaterThanOrEqual(acknowledged);
  }
  expect(refused).toBeGreaterThan(flips / 2);
});
