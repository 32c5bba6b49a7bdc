import { execFileSync, spawn } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { canMount, succeeds, withDisk } from '../support/disk.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { cli, done, failing, printed, startCli } from './cli-process.ts';

const count = 3_000;
let folder = '';
let source = '';
/** All of the source, as it is exported. */
let exported = '';

beforeAll(async () => {
  folder = await temporaryFolder();
  source = `sqlite:${join(folder, 'source.db')}`;
  await using log = await openLog({ store: sqlite(join(folder, 'source.db')) });
  for (let start = 0; start < count; start += 100) {
    const events = Array.from({ length: 100 }, (_, index) => ({
      type: index === 99 ? '$deleted' : 'Text "quoted"\u2028',
      data: { index: start + index, text: 'Grüße 🎉 \u0000', zero: index === 7 ? -0 : 0, n: [1.5, null, {}] },
      metadata: { actor: 'Ada', nested: { a: ['b'] } },
      tags: [`a,b:${index % 3}`, 'ü'],
    }));
    await log.append([{ stream: `order-${start % 700}`, expected: await expectation(start), events }]);
  }
  exported = await done(['export', '--store', source]);

  async function expectation(start: number): Promise<'deleted' | 'no_stream'> {
    const [head] = await log.heads([`order-${start % 700}`]);
    return head?.deleted === true ? 'deleted' : 'no_stream';
  }
});

async function newStore(): Promise<string> {
  return `sqlite:${join(await temporaryFolder(), 'target.db')}`;
}

describe('a round trip', () => {
  test.each([
    ['ndjson', (bytes: Buffer) => bytes],
    ['ndjson.gz', gunzipSync],
    ['ndjson.zst', zstdDecompressSync],
  ])('through a .%s file keeps every byte', async (ending, decompress) => {
    const target = await newStore();
    const file = join(await temporaryFolder(), `events.${ending}`);
    expect(await printed(['export', file, '--store', source])).toEqual([
      { file, events: count, bytes: readFileSync(file).length, upto: count },
    ]);
    expect(decompress(await readFile(file)).toString()).toBe(exported);
    expect(await printed(['import', file, '--store', target])).toEqual([{ imported: count, skipped: 0 }]);
    expect(await done(['export', '--store', target])).toBe(exported);
    expect(await printed(['read', '--store', target])).toEqual(await printed(['read', '--store', source]));
    expect(await done(['doctor', '--deep', '--store', target])).toContain(`contents\tok\t3,000 events`);
  });

  test('through a pipe keeps every byte, compressed or not', async () => {
    const target = await newStore();
    for (const input of [exported, gzipSync(exported), zstdCompressSync(exported)])
      await done(['import', '-', '--store', target], { input });
    expect(await done(['export', '-', '--store', target])).toBe(exported);
  });

  test('of a part, behind what was there, ends with the same bytes', async () => {
    const target = await newStore();
    const part = (...bounds: readonly string[]) => done(['export', '--store', source, ...bounds]);
    await done(['import', '--store', target], { input: await part('--upto', '1234') });
    const rest = await part('--after', '1234');
    expect((await failing(['import', '--store', await newStore()], { input: rest })).error).toMatch(
      /Line 1 of .+ missing/,
    );
    await done(['import', '--store', target], { input: rest });
    expect(await done(['export', '--store', target])).toBe(exported);
  });

  test('the lines are CloudEvents, of the source that was asked for', async () => {
    const [line] = await printed<Record<string, unknown>>([
      'export',
      '--store',
      source,
      '--upto',
      '1',
      '--source',
      '/shop',
    ]);
    expect(line).toMatchObject({
      specversion: '1.0',
      source: '/shop',
      subject: 'order-0',
      datacontenttype: 'application/json',
    });
  });

  test('an empty store is an empty file, and an empty file is nothing to import', async () => {
    const target = await newStore();
    await done(['append', 'order-1', 'A', '--store', target]);
    expect(await done(['export', '--store', target, '--after', '1'])).toBe('');
    expect(await printed(['import', '--store', target], { input: '' })).toEqual([{ imported: 0, skipped: 0 }]);
    expect(await printed(['import', '--store', target], { input: '\n \r\n\n' })).toEqual([{ imported: 0, skipped: 0 }]);
  });
});

describe('export', () => {
  test('overwrites nothing unless it is told to, and leaves nothing half written', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'a.ndjson'), 'mine');
    expect((await failing(['export', 'a.ndjson', '--store', source], { cwd })).error).toContain('a.ndjson exists');
    expect(await readFile(join(cwd, 'a.ndjson'), 'utf8')).toBe('mine');
    await done(['export', 'a.ndjson', '--store', source, '--force'], { cwd });
    expect(await readFile(join(cwd, 'a.ndjson'), 'utf8')).toBe(exported);
    expect(readdirSync(cwd)).toEqual(['a.ndjson']);
    expect((await failing(['export', 'none/a.ndjson', '--store', source], { cwd })).error).toContain('does not exist');
    expect((await failing(['export', '.', '--store', source], { cwd })).error).toContain('is a folder');
    expect((await failing(['export', '', '--store', source], { cwd })).error).toContain('is empty');
  });

  test('leaves a link a link, and what was left by a kill is no obstacle to --force', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'real.ndjson'), 'mine');
    symlinkSync('real.ndjson', join(cwd, 'link.ndjson'));
    await writeFile(join(cwd, 'real.ndjson.partial'), 'half');
    await failing(['export', 'link.ndjson', '--store', source], { cwd });
    await done(['export', 'link.ndjson', '--store', source, '--force'], { cwd });
    expect(lstatSync(join(cwd, 'link.ndjson')).isSymbolicLink()).toBe(true);
    expect(await readFile(join(cwd, 'real.ndjson'), 'utf8')).toBe(exported);
    expect(readdirSync(cwd).sort()).toEqual(['link.ndjson', 'real.ndjson']);
  });

  test.skipIf(!succeeds('mkfifo', '--version'))('writes into a pipe that has a name', async () => {
    const cwd = await temporaryFolder();
    execFileSync('mkfifo', [join(cwd, 'pipe')]);
    const reading = readFile(join(cwd, 'pipe'), 'utf8');
    await cli(['export', 'pipe', '--store', source], { cwd });
    expect(await reading).toBe(exported);
    expect(lstatSync(join(cwd, 'pipe')).isFIFO()).toBe(true);
  });

  test('ends in silence when nobody reads on', async () => {
    const shell = spawn('sh', ['-c', `"$0" "$1" export --store "$2" | head -n 1`, process.execPath, program(), source]);
    let text = '';
    for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((resolve) => shell.once('close', resolve));
    expect(text).toBe(`${exported.split('\n', 1)[0]}\n`);
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk behind standard output is an error', async () => {
    const shell = spawn('sh', ['-c', `"$0" "$1" export --store "$2" > /dev/full`, process.execPath, program(), source]);
    let text = '';
    shell.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const code = await new Promise((resolve) => shell.once('close', resolve));
    expect({ code, text }).toEqual({
      code: 1,
      text: expect.stringMatching(/^error: .*the disk is full\.\n {2}Free some space and repeat\.\n$/),
    });
  });

  test.skipIf(!canMount)('a full disk is an error, and leaves nothing', async () => {
    await withDisk('200k', async (disk) => {
      const { error, remedy } = await failing(['export', join(disk, 'a.ndjson'), '--store', source]);
      expect(error).toContain('the disk is full');
      expect(remedy).toContain('Free some space');
      expect(readdirSync(disk)).toEqual([]);
    });
  });

  test('Ctrl-C ends it cleanly', async () => {
    const cwd = await temporaryFolder();
    // A pipe that nobody reads from holds it up.
    const { process: child, ended } = startCli(['export', '--store', source], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.pause();
    await new Promise((resolve) => child.stdout?.once('readable', resolve));
    child.kill('SIGINT');
    child.stdout?.resume();
    expect(await ended).toMatchObject({ code: 130, stderr: 'interrupted\n' });
  });
});

describe('import', () => {
  const lines = () => exported.trimEnd().split('\n');
  const positionOf = async (store: string) =>
    (await printed<{ events: number }>(['stats', '--store', store]))[0]?.events;

  test.each([
    ['what is no JSON', '{"specversion":', /^error: Line 2345 of .+ is not JSON/],
    ['what is no UTF-8', '\u0000', /^error: Line 2345 of .+ is not UTF-8/],
    [
      'an event of another system',
      '{"specversion":"1.0","id":"1"}',
      /^error: Line 2345 of .+ is no event of an eventsrc export/,
    ],
    ['a list', '[1]', /^error: Line 2345 of .+ is no event/],
  ])(
    '%s, far into a file, is named by its line; what stands before it stays, and the corrected file is taken',
    async (_, bad, message) => {
      const store = await newStore();
      const file = join(await temporaryFolder(), 'broken.ndjson');
      const broken = Buffer.from([...lines().slice(0, 2_344), bad, ...lines().slice(2_345)].join('\n'));
      // A byte that never occurs in UTF-8.
      await writeFile(
        file,
        broken.map((byte) => (byte === 0 ? 0xff : byte)),
      );
      expect((await failing(['import', file, '--store', store])).error).toMatch(message);
      expect(await positionOf(store)).toBe(2_344);
      await writeFile(file, exported);
      expect(await printed(['import', file, '--store', store])).toEqual([{ imported: 656, skipped: 2_344 }]);
      expect(await done(['export', '--store', store])).toBe(exported);
    },
  );

  test.each([
    ['its data', '"index":1500', '"index":1501'],
    ['its actor', 'Ada', 'Eve'],
    ['its time', /"time":"..../, '"time":"1999'],
    ['its stream', 'order-', 'order-9'],
  ])('an event of which %s was altered is refused, and nothing after it is taken', async (_, from, to) => {
    const store = await newStore();
    const altered = lines().map((line, index) => (index === 1_500 ? line.replace(from, to) : line));
    expect(altered.join()).not.toBe(lines().join());
    const { error } = await failing(['import', '--store', store], { input: altered.join('\n') });
    expect(error).toMatch(/^error: Line 1501 of standard input: Version \d+ of .+ cannot be imported/);
    expect(await positionOf(store)).toBe(1_500);
  });

  test('an event that is missing is missed', async () => {
    const input = lines()
      .filter((_, index) => index !== 2_000)
      .join('\n');
    const { error } = await failing(['import', '--store', await newStore()], { input });
    expect(error).toMatch(/^error: Line 2001 of .+ version \d+ is missing/);
  });

  test.each(['gz', 'zst'])('a .%s file that was cut off is noticed', async (ending) => {
    const file = join(await temporaryFolder(), `events.ndjson.${ending}`);
    await done(['export', file, '--store', source]);
    await truncate(file, Math.floor(readFileSync(file).length * 0.8));
    const store = await newStore();
    const { error, remedy } = await failing(['import', file, '--store', store]);
    expect(error).toContain('is damaged or cut off');
    expect(remedy).toContain('import it again');
    await done(['import', '--store', store], { input: exported });
    expect(await done(['export', '--store', store])).toBe(exported);
  });

  test.each(['gz', 'zst'])('a damaged .%s file is noticed', async (ending) => {
    const file = join(await temporaryFolder(), `events.ndjson.${ending}`);
    await done(['export', file, '--store', source]);
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 0x40;
    writeFileSync(file, bytes);
    await failing(['import', file, '--store', await newStore()]);
  });

  test.each(['SIGKILL', 'SIGINT'] as const)(
    'ended by %s again and again, and begun again, it ends with the same bytes',
    async (signal) => {
      const many = await manyEvents(20_000);
      const file = join(await temporaryFolder(), 'target.db');
      const store = `sqlite:${file}`;
      const bytes = Buffer.from(many);
      await using log = await openLog({ store: sqlite(file) });
      for (const share of [0.3, 0.6, 0.9]) {
        const { process: child, ended } = startCli(['import', '--store', store], { holdsInput: true });
        child.stdin?.write(bytes.subarray(0, Math.floor(bytes.length * share)));
        // In the middle of a line, and of its work.
        await log.appended((await log.head()).position);
        child.kill(signal);
        expect((await ended).stderr).toBe(signal === 'SIGINT' ? 'interrupted\n' : '');
      }
      const { position } = await log.head();
      expect(position).toBeGreaterThan(0);
      const again = await printed(['import', '--store', store], { input: many });
      expect(again).toEqual([{ imported: 20_000 - position, skipped: position }]);
      expect(await done(['export', '--store', store])).toBe(many);
    },
  );

  test('a compressed pipe that comes byte by byte at first is recognised', async () => {
    const { process: child, ended } = startCli(['import', '--store', await newStore(), '--json'], { holdsInput: true });
    const bytes = gzipSync(exported);
    child.stdin?.write(bytes.subarray(0, 1));
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.stdin?.end(bytes.subarray(1));
    expect(await ended).toMatchObject({ code: 0, stdout: `{"imported":${count},"skipped":0}\n` });
  });

  test('into a store with another history it is refused, and changes nothing', async () => {
    const store = await newStore();
    await done(['append', 'order-0', 'Mine', '--store', store]);
    const before = await done(['export', '--store', store]);
    expect((await failing(['import', '--store', store], { input: exported })).error).toMatch(
      /Line 1 of .+ another event there/,
    );
    expect(await done(['export', '--store', store])).toBe(before);
  });

  test('a dry run checks every line and makes no store', async () => {
    const cwd = await temporaryFolder();
    expect(await printed(['import', '--store', 'sqlite:a.db', '--dry-run'], { cwd, input: exported })).toEqual([
      { imported: count, skipped: 0 },
    ]);
    const altered = lines().with(1_000, lines()[1_000]?.replace('Ada', 'Eve') ?? '');
    const { code, stderr } = await cli(['import', '--store', 'sqlite:a.db', '--dry-run'], {
      cwd,
      input: altered.join('\n'),
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: Line 1001 of /m);
    expect(stderr).not.toContain('imported,');
    expect(readdirSync(cwd)).toEqual([]);
  });

  test.each([
    ['a file that does not exist', ['none.ndjson'], 1],
    ['a folder', ['.'], 2],
    ['a map that does not exist', ['--map', 'none.ts'], 2],
  ] as const)('%s is one line and a remedy', async (_, args, code) => {
    const cwd = await temporaryFolder();
    expect((await failing(['import', ...args, '--store', 'sqlite:a.db'], { cwd })).code).toBe(code);
    expect(readdirSync(cwd)).toEqual([]);
  });

  test('a list of objects is told how to become lines', async () => {
    const { remedy } = await failing(['import', '--store', await newStore()], { input: '[\n{"a":1}\n]' });
    expect(remedy).toContain('jq -c');
  });

  test.skipIf(!canMount)('a full disk is an error; with room again, the import goes on where it was', async () => {
    await withDisk('600k', async (disk) => {
      const store = `sqlite:${join(disk, 'target.db')}`;
      const { error } = await failing(['import', '--store', store], { input: exported });
      expect(error).toContain('is full');
      execFileSync('mount', ['-o', 'remount,size=16m', disk]);
      await done(['import', '--store', store], { input: exported });
      expect(await done(['export', '--store', store])).toBe(exported);
    });
  });
});

async function manyEvents(total: number): Promise<string> {
  const file = join(await temporaryFolder(), 'many.db');
  await using log = await openLog({ store: sqlite(file) });
  for (let start = 0; start < total; start += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, index) => ({ type: 'A', data: { index } }));
    await log.append([{ stream: `order-${start}`, events }]);
  }
  return done(['export', '--store', `sqlite:${file}`]);
}

function program(): string {
  return join(import.meta.dirname, '../../dist/cli/bin.js');
}
