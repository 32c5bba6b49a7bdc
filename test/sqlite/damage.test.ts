import { copyFile, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { EngineError, openLog } from 'eventsrc';
import type { EventLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { seededRandom } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary.ts';

const flips = process.env.SOAK === '1' ? 20_000 : 150;

/** Everything that can be read of a store, through every index, as text. */
async function readEverything(log: EventLog): Promise<readonly string[]> {
  const lines: string[] = [];
  const collect = async (
    name: string,
    pages: AsyncIterable<readonly { id: string; data: unknown; tags: readonly string[] }[]>,
  ) => {
    for await (const page of pages) for (const event of page) lines.push(`${name} ${JSON.stringify(event)}`);
  };
  await collect('all', log.read());
  const streams = await log.streams({ limit: 1_000 });
  for (const { stream, version } of streams) {
    lines.push(`${stream} is at ${version}`);
    await collect(stream, log.read({ stream }));
  }
  return lines;
}

async function makeStore(file: string): Promise<readonly string[]> {
  await using log = await openLog({ store: sqlite(file) });
  for (let n = 0; n < 60; n++) {
    const events = Array.from({ length: 1 + (n % 4) }, (_, index) => ({
      type: `Type${index}`,
      data: { n, text: 'abcdefgh'.repeat(n === 7 ? 2_000 : n % 30) },
      tags: [`tag:${n % 7}`, `all`],
      metadata: { actor: `user-${n}` },
    }));
    await log.append([{ stream: `order-${n % 11}`, events }], {
      receipt: { key: `key-${n}`, commandDigest: new Uint8Array(32), outcome: new Uint8Array(40), expiresAt: null },
    });
  }
  return await readEverything(log);
}

let folder = '';
let whole = '';
let original: readonly string[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  whole = join(folder, 'whole.db');
  original = await makeStore(whole);
});

async function tryToRead(file: string): Promise<readonly string[] | EngineError> {
  try {
    await using log = await openLog({ store: sqlite(file) });
    return await readEverything(log);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

describe('a file that is not a store is refused and left as it is', () => {
  const foreign: Readonly<Record<string, (file: string) => Promise<void>>> = {
    'a text': (file) => writeFile(file, 'Dear diary, this is not a database.\n'.repeat(400)),
    'a short text': (file) => writeFile(file, 'x'),
    'random bytes': (file) =>
      writeFile(
        file,
        Uint8Array.from({ length: 9_000 }, seededRandom(1)).map((_, index) => (index * 89) % 251),
      ),
    'another program’s database': async (file) => {
      const db = new DatabaseSync(file);
      db.exec('create table notes (text); insert into notes values (1)');
      db.close();
    },
  };
  test.each(Object.entries(foreign))('%s', async (name, make) => {
    const file = join(folder, `${name}.db`);
    await make(file);
    const before = await readFile(file);
    const error = await tryToRead(file);
    expect(error).toMatchObject({ code: 'store_foreign', remedy: expect.stringContaining('another file') });
    expect((await readFile(file)).equals(before)).toBe(true);
  });

  test('a store of a newer version', async () => {
    const file = join(folder, 'newer.db');
    await copyFile(whole, file);
    const db = new DatabaseSync(file);
    db.exec('pragma user_version = 99');
    db.close();
    expect(await tryToRead(file)).toMatchObject({ code: 'store_newer', details: { found: 99 } });
  });
});

test('a truncated file is refused, wherever it was cut', async () => {
  const file = join(folder, 'truncated.db');
  const { size } = await stat(whole);
  for (const length of [size - 1, size - 4_096, Math.floor(size / 2), 3 * 4_096, 4_096, 4_095, 1_000, 100, 1]) {
    await copyFile(whole, file);
    await truncate(file, length);
    const read = await tryToRead(file);
    expect(read, `cut to ${length}`).toBeInstanceOf(EngineError);
    expect(['store_corrupt', 'store_foreign'], `cut to ${length}`).toContain((read as EngineError).code);
  }
});

test('a file whose last byte was cut off is refused, also where it was the zero that SQLite would fill in', async () => {
  const file = join(folder, 'zero.db');
  await copyFile(whole, file);
  const db = new DatabaseSync(file);
  // Pages that were freed and wiped.
  db.exec('pragma secure_delete = on; create table wiped as select zeroblob(40000); drop table wiped');
  db.close();
  const { size } = await stat(file);
  expect(await tryToRead(file)).toEqual(original);
  expect((await readFile(file)).at(-1)).toBe(0);
  await truncate(file, size - 1);
  expect(await tryToRead(file)).toMatchObject({ code: 'store_corrupt', message: expect.stringContaining('cut off') });
});

test('a file that was emptied while its log still holds something is refused', async () => {
  const file = join(folder, 'emptied.db');
  await writeFile(file, '');
  await writeFile(`${file}-wal`, 'something');
  expect(await tryToRead(file)).toMatchObject({ code: 'store_corrupt' });
});

test(
  `of ${flips} flipped bits none is served: what is read is what was written, or an error`,
  { timeout: 600_000 },
  async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    const next = seededRandom(seed);
    const file = join(folder, 'flipped.db');
    const bytes = await readFile(whole);
    const outcomes: Record<string, number> = {};
    for (let flip = 0; flip < flips; flip++) {
      const at = Math.floor(next() * bytes.length);
      const bit = 1 << Math.floor(next() * 8);
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ bit;
      await writeFile(file, damaged);
      const read = await tryToRead(file);
      const where = `seed ${seed}, flip ${flip}: bit ${bit} of byte ${at}`;
      if (read instanceof EngineError)
        expect(
          ['store_corrupt', 'store_foreign', 'store_newer', 'store_failed'],
          `${where}: ${read.message}`,
        ).toContain(read.code);
      else expect(read, where).toEqual(original);
      const outcome = read instanceof EngineError ? read.code : 'intact';
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    expect(outcomes.store_corrupt, JSON.stringify(outcomes)).toBeGreaterThan(flips / 10);
  },
);
