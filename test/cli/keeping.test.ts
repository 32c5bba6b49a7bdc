import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { startProgram } from '../support/child.ts';
import { runLength } from '../../src/sqlite/event-index.ts';
import { untilIndexed } from '../support/indexed.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { cli, done, failing, printed, startCli } from './cli-process.ts';

let source = '';

beforeAll(async () => {
  source = join(await temporaryFolder(), 'source.db');
  await using log = await openLog({ store: sqlite(source) });
  for (let index = 0; index < 20; index++) {
    const events = Array.from({ length: 400 }, () => ({ type: 'A', data: { index, text: 'x'.repeat(100) } }));
    const receipt = {
      key: `k${index}`,
      commandDigest: new Uint8Array(32),
      outcome: new Uint8Array(8),
      expiresAt: null,
    };
    await log.append([{ stream: `order-${index}`, events }], { receipt });
  }
});

const exported = (file: string) => done(['export', '--store', `sqlite:${file}`]);

describe('backup and restore', () => {
  test('bring everything back, from a store that is in use', async () => {
    const cwd = await temporaryFolder();
    const appender = startProgram('appender', [join(cwd, 'live.db')]);
    for (let count = 0; count < 30; count++) await appender.nextLine();
    const [copy] = await printed<{ events: number }>(['backup', 'copy.db', '--store', 'sqlite:live.db'], { cwd });
    appender.process.kill('SIGKILL');
    await appender.finished;
    expect(copy?.events).toBeGreaterThanOrEqual(30);
    expect(await done(['restore', 'copy.db', '--store', 'sqlite:restored.db'], { cwd })).toMatch(
      /^✔ Restored and verified: /,
    );
    const all = await exported(join(cwd, 'live.db'));
    const lines = (await exported(join(cwd, 'restored.db'))).split('\n');
    expect(lines).toHaveLength((copy?.events ?? 0) + 1);
    expect(all.startsWith(lines.join('\n'))).toBe(true);
  });

  test('keep receipts too', async () => {
    const cwd = await temporaryFolder();
    await done(['backup', 'copy.db', '--store', `sqlite:${source}`], { cwd });
    await done(['restore', 'copy.db', '--store', 'sqlite:restored.db'], { cwd });
    await using log = await openLog({ store: sqlite(join(cwd, 'restored.db')) });
    expect(await log.receipt('k7')).toMatchObject({ position: 3_200 });
  });

  test('leave a backup as it is, also where it is looked at', async () => {
    const cwd = await temporaryFolder();
    await done(['backup', 'copy.db', '--store', `sqlite:${source}`], { cwd });
    const before = readFileSync(join(cwd, 'copy.db'));
    for (const look of ['doctor', 'doctor --deep', 'streams', 'read', 'stats --types', 'export'])
      expect((await cli([...look.split(' '), '--store', 'sqlite:copy.db'], { cwd })).code, look).toBe(0);
    expect(readFileSync(join(cwd, 'copy.db')).equals(before)).toBe(true);
    expect(readdirSync(cwd)).toEqual(['copy.db']);
  });

  test('overwrite nothing', async () => {
    const cwd = await temporaryFolder();
    writeFileSync(join(cwd, 'mine.db'), 'mine');
    expect(await failing(['backup', 'mine.db', '--store', `sqlite:${source}`], { cwd })).toMatchObject({
      code: 1,
      error: expect.stringContaining('mine.db exists'),
    });
    await done(['backup', 'copy.db', '--store', `sqlite:${source}`], { cwd });
    expect((await failing(['restore', 'copy.db', '--store', 'sqlite:mine.db'], { cwd })).error).toContain(
      'mine.db exists',
    );
    expect((await failing(['restore', 'copy.db', '--store', 'sqlite:copy.db'], { cwd })).code).toBe(2);
    expect(readFileSync(join(cwd, 'mine.db'), 'utf8')).toBe('mine');
    expect(readdirSync(cwd)).toEqual(['copy.db', 'mine.db']);
  });

  test.each([
    ['nothing', undefined, /does not exist|cannot be opened/],
    ['no store', 'hello', /is not an eventsrc store/],
  ])('of %s is one line and a remedy', async (_, content, message) => {
    const cwd = await temporaryFolder();
    if (content !== undefined) writeFileSync(join(cwd, 'a.db'), content);
    expect((await failing(['restore', 'a.db', '--store', 'sqlite:b.db'], { cwd })).error).toMatch(message);
    expect((await failing(['backup', 'b.db', '--store', 'sqlite:a.db'], { cwd })).error).toMatch(message);
    expect(existsSync(join(cwd, 'b.db'))).toBe(false);
  });

  test('of a damaged store is refused, and leaves nothing', async () => {
    const cwd = await temporaryFolder();
    await done(['backup', 'copy.db', '--store', `sqlite:${source}`], { cwd });
    const bytes = readFileSync(join(cwd, 'copy.db'));
    // All of them: some are left over in pages, and mean nothing.
    const damaged = bytes.toString('latin1').replaceAll('{"index":7,', '{"index":8,');
    writeFileSync(join(cwd, 'damaged.db'), damaged, 'latin1');
    expect((await failing(['restore', 'damaged.db', '--store', 'sqlite:b.db'], { cwd })).error).toContain('is damaged');
    expect(readdirSync(cwd)).toEqual(['copy.db', 'damaged.db']);
  });

  test('have no file to work on in memory', async () => {
    expect(await failing(['backup', 'a.db', '--store', 'memory:'])).toMatchObject({ code: 2 });
  });
});

describe('copy', () => {
  const copy = (to: string) => ['copy', '--from', `sqlite:${source}`, '--to', `sqlite:${to}`];

  test('brings everything, and says so the second time', async () => {
    const to = join(await temporaryFolder(), 'copy.db');
    expect(await printed(copy(to))).toEqual([{ events: 8_000, skipped: 0, receipts: 20 }]);
    expect(await exported(to)).toBe(await exported(source));
    expect(await printed(copy(to))).toEqual([{ events: 0, skipped: 8_000, receipts: 20 }]);
  });

  test('goes on where it was interrupted', async () => {
    const to = join(await temporaryFolder(), 'copy.db');
    const { process: child, ended } = startCli(copy(to));
    await using log = await openLog({ store: sqlite(to) });
    await log.appended(0);
    child.kill('SIGKILL');
    await ended;
    const { position } = await log.head();
    expect(await printed(copy(to))).toEqual([{ events: 8_000 - position, skipped: position, receipts: 20 }]);
    expect(await exported(to)).toBe(await exported(source));
  });

  test('refuses a store that holds anything else, and itself', async () => {
    const to = join(await temporaryFolder(), 'copy.db');
    await done(['append', 'order-1', 'Mine', '--store', `sqlite:${to}`]);
    expect((await failing(copy(to))).error).toContain('The target is not what comes of the source');
    expect(await failing(copy(source))).toMatchObject({ code: 2 });
    expect(await failing(['copy', '--from', `sqlite:${source}`])).toMatchObject({ code: 2 });
    expect(await failing(['copy', '--from', 'sqlite:none.db', '--to', 'memory:'])).toMatchObject({ code: 1 });
  });
});

describe('doctor', () => {
  interface Finding {
    readonly check: string;
    readonly state: string;
    readonly found: string;
  }

  async function findings(...args: readonly string[]): Promise<{ code: number | null; found: Map<string, Finding> }> {
    const { code, stdout } = await cli(['doctor', '--json', ...args]);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Finding);
    return { code, found: new Map(lines.map((finding) => [finding.check, finding])) };
  }

  test('has nothing to say against a sound store', async () => {
    const { code, found } = await findings('--deep', '--store', `sqlite:${source}`);
    expect(code).toBe(0);
    expect([...found.keys()]).toEqual([
      ...['eventsrc', 'Node.js', 'SQLite', 'config', 'file', 'permissions', 'journal mode', 'disk', 'store', 'clock'],
      ...['limits', 'contents'],
    ]);
    expect([...found.values()].filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(found.get('contents')?.found).toBe('8,000 events, indexes and receipts verified');
  });

  test('finds what is damaged only if it looks at everything', async () => {
    const file = join(await temporaryFolder(), 'large.db');
    {
      await using log = await openLog({ store: sqlite(file), limits: { eventsPerAppend: Infinity } });
      const events = Array.from({ length: runLength }, (_, index) => ({
        type: 'A',
        data: { index, text: 'x'.repeat(1_000) },
      }));
      await log.append([{ stream: 'order-1', events }]);
      // The newest events are looked at by whoever looks up a stream; these are not among them any more.
      await untilIndexed(file, 1);
    }
    const bytes = readFileSync(file);
    bytes.write('y', bytes.indexOf('"index":2000') + 30);
    writeFileSync(file, bytes);
    expect((await findings('--store', `sqlite:${file}`)).code).toBe(0);
    const { code, found } = await findings('--deep', '--store', `sqlite:${file}`);
    expect({ code, state: found.get('contents')?.state }).toEqual({ code: 1, state: 'failed' });
  });

  test.each([
    ['nothing', () => {}, 'does not exist'],
    ['a folder', (file: string) => mkdirSync(file), 'is no file'],
    ['text', (file: string) => writeFileSync(file, 'hello'), 'is no database'],
    ['garbage', (file: string) => writeFileSync(file, createHash('sha512').update('x').digest()), 'no database'],
  ])('where there is %s says so, without a stack', async (_, make, message) => {
    const file = join(await temporaryFolder(), 'a.db');
    make(file);
    const { code, found } = await findings('--store', `sqlite:${file}`);
    expect(code).toBe(1);
    expect(found.get('file')).toMatchObject({ state: 'failed', found: expect.stringContaining(message) });
  });

  test('knows a backup from a store, and a clock that is behind', async () => {
    const cwd = await temporaryFolder();
    const store = ['--store', `sqlite:${join(cwd, 'a.db')}`];
    {
      const ahead = Date.now() + 3_600_000;
      await using log = await openLog({ store: sqlite(join(cwd, 'a.db')), clock: { now: () => ahead } });
      await log.append([{ stream: 'order-1', events: [{ type: 'A', data: 1 }] }]);
    }
    const { code, found } = await findings(...store);
    expect({ code, clock: found.get('clock')?.state }).toEqual({ code: 0, clock: 'warning' });
    await done(['backup', join(cwd, 'b.db'), ...store]);
    expect((await findings('--store', `sqlite:${join(cwd, 'b.db')}`)).found.get('journal mode')?.state).toBe('warning');
  });
});
