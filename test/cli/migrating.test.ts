/** `eventsrc migrate --to`: a store written anew through a function. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { openLog } from 'eventsrc';
import type { MigrationRecord, MigrationResult } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { canMount, withDisk } from '../support/disk.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { cli, done, failing, printed, startCli } from './cli-process.ts';

const events = 6_000;
let folder = '';
let source = '';
/** Of few events, for what has nothing to do with their number. */
let small = '';
let expected = '';

/** Every third event is left out; of every fifth there are two. */
const migration = `export default (event: { readonly data: { readonly index: number } }) => {
  const { index } = event.data;
  if (index % 3 === 1) return null;
  return index % 5 === 0 ? ['keep', { type: 'Marked', data: { index } }] : 'keep';
};
`;

const exported = (store: string) => done(['export', '--store', store]);
const migrate = (to: string, ...more: readonly string[]) => [
  ...['migrate', '--store', source, '--to', to, '--using', join(folder, 'migration.ts')],
  ...more,
];

async function write(name: string, count: number): Promise<string> {
  await using log = await openLog({ store: sqlite(join(folder, name)) });
  for (let start = 0; start < count; start += 500) {
    const length = Math.min(500, count);
    const written = Array.from({ length }, (_, index) => ({ type: 'A', data: { index: start + index } }));
    await log.append([{ stream: `order-${start % 1_500}`, events: written }]);
  }
  return `sqlite:${join(folder, name)}`;
}

beforeAll(async () => {
  folder = await temporaryFolder();
  source = `sqlite:${join(folder, 'source.db')}`;
  writeFileSync(join(folder, 'migration.ts'), migration);
  await write('source.db', events);
  small = await write('small.db', 15);
  await done(migrate(`sqlite:${join(folder, 'expected.db')}`));
  expected = await exported(`sqlite:${join(folder, 'expected.db')}`);
});

const newFile = async () => join(await temporaryFolder(), 'new.db');

test('writes what the function gives, and records where each event went', async () => {
  const file = await newFile();
  const before = await exported(source);
  const record = `${file}.ndjson.zst`;
  const [result] = await printed<MigrationResult>(migrate(`sqlite:${file}`, '--record', record));
  expect(result).toMatchObject({ events, leftOut: 2_000, written: 4_800, skipped: 0 });
  expect(await exported(`sqlite:${file}`)).toBe(expected);
  expect(await exported(source)).toBe(before);
  const lines = zstdDecompressSync(readFileSync(record)).toString().trimEnd().split('\n');
  expect(lines).toHaveLength(events - (result?.kept ?? 0));
  const idAt = (text: string, position: number) =>
    (JSON.parse(text.split('\n')[position - 1] ?? '') as { id: string }).id;
  for (const line of [lines[0], lines[700], lines.at(-1)]) {
    const entry = JSON.parse(line ?? '') as MigrationRecord;
    expect(idAt(before, entry.old.position)).toBe(entry.old.id);
    for (const { position, id } of entry.new) expect(idAt(expected, position)).toBe(id);
  }
  expect(await cli(migrate(`sqlite:${file}`))).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(
      /^✔ Migrated and compared: of 6,000 events \d+ kept their ids, 2,000 were left out; 4,800 events \(4,800 were there already\), 0 receipts, into sqlite:/,
    ),
  });
});

test('can be tried out, in memory', async () => {
  expect(await printed(migrate('memory:', '--store', small))).toMatchObject([{ events: 15, written: 12 }]);
});

describe('postgres', () => {
  const newSchema = postgresSchemas();

  test('a file becomes a schema on a server, and a schema a file', async () => {
    const { url, schema } = newSchema();
    const server = `${url}?schema=${schema}`;
    await done(migrate(server));
    expect(await exported(server)).toBe(expected);
    const keep = join(await temporaryFolder(), 'keep.mjs');
    writeFileSync(keep, `export default () => 'keep';`);
    const back = await newFile();
    const args = ['migrate', '--store', server, '--to', `sqlite:${back}`, '--using', keep];
    expect(await printed(args)).toMatchObject([{ events: 4_800, kept: 4_800 }]);
    expect(await exported(`sqlite:${back}`)).toBe(expected);
    expect(await failing(['migrate', '--store', server, '--to', server, '--using', keep])).toMatchObject({ code: 2 });
    // And what it does without a target, it does still.
    expect(await done(['migrate', '--store', server])).toContain('is up to date; it holds 4,800 events');
  });
});

test('killed in the middle and begun again, it ends with the same bytes, and the same record', async () => {
  const file = await newFile();
  const args = migrate(`sqlite:${file}`, '--record', `${file}.ndjson`);
  // It is there once the store has been made, and then events come.
  await using log = await openLog({ store: sqlite(file) });
  const { process: child, ended } = startCli(args);
  await log.appended(0);
  child.kill('SIGKILL');
  await ended;
  const { position } = await log.head();
  expect(existsSync(`${file}.ndjson`)).toBe(false);
  expect(await printed(args)).toMatchObject([{ skipped: position, written: 4_800 - position }]);
  expect(await exported(`sqlite:${file}`)).toBe(expected);
  const whole = `${file}.whole.ndjson`;
  await done(migrate('memory:', '--record', whole));
  expect(readFileSync(`${file}.ndjson`, 'utf8')).toBe(readFileSync(whole, 'utf8'));
});

test('what was killed may have left a part of the record', async () => {
  const cwd = await temporaryFolder();
  writeFileSync(join(cwd, 'ids.ndjson.partial'), '{"old"');
  await done(migrate('memory:', '--record', 'ids.ndjson', '--store', small), { cwd });
  expect(readdirSync(cwd)).toEqual(['ids.ndjson']);
  expect(readFileSync(join(cwd, 'ids.ndjson'), 'utf8')).toMatch(/^\{"old":\{.*\}\n$/s);
});

describe('what cannot be meant is refused', () => {
  const inFolder = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test('a target that is the source, by whatever name', async () => {
    symlinkSync(join(folder, 'small.db'), join(folder, 'link.db'));
    for (const to of [small, `sqlite:${join(folder, 'link.db')}`])
      expect(await failing(migrate(to, '--store', small))).toMatchObject({
        code: 2,
        error: expect.stringContaining('--store and --to are the same store'),
      });
  });

  test('a target that holds anything else', async () => {
    const file = await newFile();
    await using mine = await openLog({ store: sqlite(file) });
    await mine.append([{ stream: 'order-1', events: [{ type: 'Mine', data: {} }] }]);
    expect((await failing(migrate(`sqlite:${file}`, '--store', small))).error).toContain(
      'The target is not what comes of the source',
    );
    expect((await mine.head()).position).toBe(1);
  });

  test.each([
    ['no function', [], 2],
    ['a file without a function', ['--using', 'empty.mjs'], 1],
    ['what is for a schema', ['--using', 'keep.mjs', '--grant', 'app'], 2],
    ['a record that is there', ['--using', 'keep.mjs', '--record', 'keep.mjs'], 1],
    ['a record in no folder', ['--using', 'keep.mjs', '--record', 'none/ids.ndjson'], 1],
  ])('%s: one line and a remedy, and no target is made', async (_, args, code) => {
    inFolder('empty.mjs', 'export const a = 1;');
    inFolder('keep.mjs', `export default () => 'keep';`);
    const to = ['migrate', '--store', small, '--to', 'sqlite:made.db', ...args];
    expect(await failing(to, { cwd: folder })).toMatchObject({ code });
    expect(existsSync(join(folder, 'made.db'))).toBe(false);
  });

  test('what is for another store, where none is named', async () => {
    for (const args of [['--using', 'a.ts'], ['--saga-steps']])
      expect(await failing(['migrate', '--store', small, ...args])).toMatchObject({
        code: 2,
        error: expect.stringContaining(args[0] ?? ''),
      });
    expect(await failing(['migrate', '--store', small])).toMatchObject({
      code: 2,
      error: expect.stringContaining('is migrated when it is opened'),
    });
  });

  test.each([
    ['throws', `() => { throw new Error('broken'); }`, 'the function failed: broken'],
    ['changes its mind', `() => ({ type: 'A', data: Math.random() })`, 'The target is not what comes of the source'],
  ])('a function that %s', async (_, text, reason) => {
    const using = inFolder('bad.mjs', `export default ${text};`);
    const { error } = await failing(['migrate', '--store', small, '--to', 'memory:', '--using', using]);
    expect(error).toContain(reason);
  });

  test('what the config’s aggregates do not take, with position and path', async () => {
    const cwd = await temporaryFolder();
    // Where the schema library resolves.
    mkdirSync(join(cwd, 'node_modules'));
    symlinkSync(join(import.meta.dirname, '../../node_modules/zod'), join(cwd, 'node_modules/zod'));
    symlinkSync(join(import.meta.dirname, '../..'), join(cwd, 'node_modules/eventsrc'));
    writeFileSync(
      join(cwd, 'eventsrc.config.ts'),
      `import { defineAggregate, defineConfig, versions } from 'eventsrc';
import { z } from 'zod';
const order = defineAggregate({
  name: 'order',
  events: { A: versions(z.object({ index: z.int() })).next(z.object({ no: z.int() }), { up: ({ index }) => ({ no: index }) }) },
  initialState: 0, evolve: { A: (count) => count + 1 }, commands: {},
});
 export default defineConfig({ store: '${small}', aggregates: [order] });`,
    );
    writeFileSync(
      join(cwd, 'bad.mjs'),
      `export default (event) => (event.position === 7 ? { ...event, data: { no: 'seven' }, schemaVersion: 2 } : 'keep');`,
    );
    const { error } = await failing(['migrate', '--to', 'memory:', '--using', 'bad.mjs'], { cwd });
    expect(error).toMatch(/^error: The A at position 7 \(version 7 of order-0\) could not be migrated: .*data\.no: /);
    writeFileSync(join(cwd, 'newest.mjs'), `export default (event, { newest }) => newest();`);
    expect(await printed(['migrate', '--to', 'sqlite:new.db', '--using', 'newest.mjs'], { cwd })).toMatchObject([
      { events: 15, kept: 0, written: 15 },
    ]);
    const [first] = await printed(['read', '--store', 'sqlite:new.db', '--limit', '1'], { cwd });
    expect(first).toMatchObject({ data: { no: 0 }, schemaVersion: 2 });
  });
});

describe('a bad disk', () => {
  test.skipIf(!canMount)('that is full is an error; with room again, it goes on where it was', async () => {
    await withDisk('400k', async (disk) => {
      const to = `sqlite:${join(disk, 'new.db')}`;
      expect((await failing(migrate(to))).error).toContain('is full');
      execFileSync('mount', ['-o', 'remount,size=16m', disk]);
      await done(migrate(to));
      expect(await exported(to)).toBe(expected);
    });
  });

  test.skipIf(!canMount)('that is full behind the record is an error, and leaves no part of it', async () => {
    await withDisk('200k', async (disk) => {
      const { error } = await failing(migrate('memory:', '--record', join(disk, 'ids.ndjson')));
      expect(error).toContain('the disk is full');
      expect(readdirSync(disk)).toEqual([]);
    });
  });

  test('a target that cannot be one is an error', async () => {
    const cwd = await temporaryFolder();
    mkdirSync(join(cwd, 'folder'));
    writeFileSync(join(cwd, 'text.db'), 'This is no database, but it is long enough to be one, perhaps.'.repeat(20));
    for (const to of ['sqlite:none/new.db', 'sqlite:text.db'])
      expect(await failing(migrate(to, '--store', small), { cwd })).toMatchObject({ code: 1 });
    expect(
      await failing(
        ['migrate', '--store', 'sqlite:none.db', '--to', 'sqlite:new.db', '--using', join(folder, 'migration.ts')],
        { cwd },
      ),
    ).toMatchObject({ code: 1 });
    expect(readdirSync(cwd).sort()).toEqual(['folder', 'text.db']);
  });
});
