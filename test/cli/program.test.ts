import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { succeeds } from '../support/disk.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { cli, done, failing, printed } from './cli-process.ts';

const names = ['init', 'demo', 'streams', 'read', 'tail', 'history', 'state', 'stats', 'append', 'execute'];
const views = ['query', 'projections', 'rebuild', 'parked'];
const members = ['retry', 'skip', 'unpark', 'adopt', 'drop', 'drop-version'].map((name) => `projections ${name}`);
const sagas = ['sagas', 'saga'];
const acts = ['show', 'retry', 'skip', 'resolve', 'cancel', 'signal'].map((name) => `saga ${name}`);
const further = ['export', 'import', 'copy', 'backup', 'restore', 'doctor', 'bench'];
const commands = [...names, ...views, ...sagas, ...further];

describe('help', () => {
  test('lists every command', async () => {
    const text = await done(['--help']);
    for (const name of commands) expect(text).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(await done(['--version'])).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test.each([...commands, ...members, ...acts])('of %s has examples that are understood', async (name) => {
    const text = await done([...name.split(' '), '--help']);
    if (!name.includes(' ')) expect(await done(['help', name])).toBe(text);
    const [, examples = ''] = text.split('\nExamples:\n');
    const typed = examples
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ {3,}/, 1)[0] ?? '');
    expect(typed.length).toBeGreaterThan(0);
    for (const line of typed) {
      expect(line).toMatch(new RegExp(`^eventsrc ${name}( |$)`));
      // As a shell takes it apart, up to what leads elsewhere; --help is the last thing that can be said.
      const words =
        line
          .replace(/ [<|] .*$/, '')
          .match(/'[^']*'|\S+/g)
          ?.map((word) => word.replace(/^'|'$/g, '')) ?? [];
      await done([...words.slice(1), '--help']);
      for (const option of words.filter((word) => word.startsWith('--'))) expect(text).toContain(option);
    }
  });

  test('is what follows no command at all, as a failure', async () => {
    const { code, stdout, stderr } = await cli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: eventsrc');
  });

  test('ends in silence when nobody reads it', () => {
    const bin = join(import.meta.dirname, '../../dist/cli/bin.js');
    const shell = (tail: string) =>
      spawnSync('sh', ['-c', `"$0" "$1" --help ${tail}`, process.execPath, bin], { encoding: 'utf8' });
    expect(shell('| true')).toMatchObject({ status: 0, stderr: '' });
    if (!existsSync('/dev/full')) return;
    expect(shell('> /dev/full')).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error: .*full/) });
  });

  test('options that all have may stand before the command', async () => {
    const cwd = await temporaryFolder();
    await done(['--store', 'sqlite:a.db', 'append', 'thing-1', 'A'], { cwd });
    const typed = ['--json', '--store', 'sqlite:none.db', 'streams', '--store', 'sqlite:a.db'];
    expect(JSON.parse(await done(typed, { cwd }))).toMatchObject({ stream: 'thing-1' });
  });

  test('is offered for what is not understood', async () => {
    expect(await failing(['raed'])).toMatchObject({ code: 2, remedy: '  Add --help to see what can be said.' });
    expect((await failing(['history'])).error).toContain("missing required argument 'stream'");
    const { code, stderr } = await cli(['read', '--limt', '3', '--json']);
    expect({ code, error: JSON.parse(stderr) as unknown }).toMatchObject({
      code: 2,
      error: { error: { code: 'usage' } },
    });
  });
});

describe('completion', () => {
  test('knows commands and options', async () => {
    const complete = async (...words: readonly string[]) => (await cli(['complete', '--', ...words])).stdout;
    expect(await complete('re')).toMatch(/^read\t[^]*^restore\t/m);
    expect(await complete('read', '--fo')).toContain('--follow');
  });

  test.each(['bash', 'zsh', 'fish'])('is a script that %s can read', async (shell) => {
    const script = await done(['complete', shell]);
    expect(script).toContain('eventsrc');
    if (succeeds(shell, '--version')) execFileSync(shell, ['-n'], { input: script });
  });
});

describe('demo', () => {
  test('tells its story, and leaves nothing behind', async () => {
    const folder = await temporaryFolder();
    const text = await done(['demo'], { cwd: folder, env: { TMPDIR: folder } });
    expect(text).toContain('✓ Cleo tries again: OrderShipped version 3 (the kept receipt');
    expect(text, 'plain where it is not read by a terminal').not.toContain('\x1b');
    expect(readdirSync(folder)).toEqual([]);
  });

  test('leaves its store where it was asked to, to look around in', async () => {
    const cwd = await temporaryFolder();
    expect(await printed(['demo', 'shop.db'], { cwd })).toEqual([{ place: join(cwd, 'shop.db') }]);
    expect(await done(['streams', '--store', 'sqlite:shop.db'], { cwd })).toContain('order-1001\t3');
    expect((await failing(['demo', 'shop.db'], { cwd })).error).toContain('shop.db exists');
  });
});

describe('bench', () => {
  test('measures a row, for people and for programs', async () => {
    const folder = await temporaryFolder();
    const typed = ['bench', '--quick', '--only', 'append.serial', '--dir', folder];
    expect(await done(typed)).toMatch(/^append\.serial: [^]*eventsrc +[\d,]+ events\/s/m);
    expect(await printed(typed)).toMatchObject([{ rows: [{ id: 'append.serial', unit: 'events/s' }] }]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('says which rows there are', async () => {
    const { code, stderr } = await cli(['bench', '--only', 'append.parallel']);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^error: --only: .*append\.serial/) });
  });
});

describe('init', () => {
  test('writes into a folder that there may not be yet, and tells what comes next', async () => {
    const cwd = await temporaryFolder();
    const text = await done(['init', 'My App'], { cwd });
    expect(readdirSync(join(cwd, 'My App')).sort()).toEqual([
      ...['account.test.ts', 'account.ts', 'balances.test.ts', 'balances.ts', 'eventsrc.config.ts'],
      ...['package.json', 'tsconfig.json'],
    ]);
    expect(text).toContain('npm install');
    expect(JSON.parse(readFileSync(join(cwd, 'My App/package.json'), 'utf8'))).toMatchObject({
      name: 'my-app',
      type: 'module',
    });
  });

  test('overwrites nothing', async () => {
    const cwd = await temporaryFolder();
    await done(['init'], { cwd });
    expect((await failing(['init'], { cwd })).error).toContain('exists');
    const other = await temporaryFolder();
    execFileSync('sh', ['-c', 'echo mine > package.json; echo mine > tsconfig.json'], { cwd: other });
    expect(await printed(['init'], { cwd: other })).toMatchObject([
      { files: ['eventsrc.config.ts', 'account.ts', 'account.test.ts', 'balances.ts', 'balances.test.ts'] },
    ]);
    expect(readFileSync(join(other, 'package.json'), 'utf8')).toBe('mine\n');
    expect(existsSync(join(other, 'account.ts'))).toBe(true);
  });
});

const canScript = succeeds('script', '--version');

test.skipIf(!canScript)('a terminal gets colours and columns, cut to its width, unless they are unwanted', async () => {
  const cwd = await temporaryFolder();
  await done(['append', 'order-1', 'Placed', `{"text":"${'long '.repeat(50)}"}`, '--store', 'sqlite:a.db'], { cwd });
  const bin = join(import.meta.dirname, '../../dist/cli/bin.js');
  const onTerminal = (prefix: string, columns = 90) => {
    const line = `stty cols ${columns}; ${prefix} '${process.execPath}' '${bin}' read --store sqlite:a.db`;
    return execFileSync('script', ['-qc', line, '/dev/null'], {
      cwd,
      encoding: 'utf8',
      // Nothing of the environment that Node's own detection of colours looks at, such as CI.
      env: { PATH: process.env.PATH, TERM: 'xterm-256color' },
    });
  };
  const lines = onTerminal('').trim().split(/\r?\n/);
  expect(lines[0]).toContain('\x1b[2mposition');
  expect(lines[1]).toContain('\x1b[1mPlaced\x1b[22m');
  const visible = (lines[1] ?? '').replaceAll(/\x1b\[\d+m/g, '');
  expect(visible).toMatch(/ {2}{"text":"long .*…$/);
  expect(visible.length).toBe(90);
  expect(onTerminal('NO_COLOR=1')).not.toContain('\x1b[');
  for (const line of onTerminal('NO_COLOR=1', 30).trim().split(/\r?\n/)) expect(line.length).toBeLessThanOrEqual(30);
});
