import { beforeAll, describe, expect, test } from 'vitest';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { succeeds } from '../support/disk.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { cli, done, failing, printed, startCli } from './cli-process.ts';
import { viewsProject, withAccounts } from './views-project.ts';

let cwd = '';
const ada = { key: '1', document: { owner: 'Ada', sum: 50, last: { amount: 50 } } };
const bob = { key: '2', document: { owner: 'Bob', sum: 20, last: { amount: 7 } } };

beforeAll(async () => {
  cwd = await viewsProject();
  await withAccounts(cwd);
  await done(['rebuild', 'sums'], { cwd });
});

const query = (...args: readonly string[]) => printed(['query', ...args], { cwd });

describe('query', () => {
  test('prints documents with their keys, as JSON where nobody looks at them', async () => {
    expect(await query('sums')).toEqual([ada, bob]);
    expect(await done(['query', 'sums'], { cwd })).toBe(`${JSON.stringify(ada)}\n${JSON.stringify(bob)}\n`);
  });

  test.each([
    [['--where', '{"owner": "Bob"}', '--count'], [{ count: 1 }]],
    [['--where', '{"sum": {"gte": 20, "lt": 50}}'], [bob]],
    [
      ['--order-by', 'sum'],
      [bob, ada],
    ],
    [
      ['--order-by', 'last.amount:desc,owner', '--limit', '2'],
      [ada, bob],
    ],
    [['--key', '2', '--at-least', '5'], [bob]],
    [['--count', '--max-lag', '1000'], [{ count: 2 }]],
  ] as const)('%j finds what it says', async (args, expected) => {
    const { code, stdout } = await cli(['query', 'sums', ...args, '--json'], { cwd });
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect({ code, found }).toEqual({ code: 0, found: expected });
  });

  test('reads its condition from standard input, too', async () => {
    expect(await printed(['query', 'sums', '--where', '-'], { cwd, input: '{"sum": 50}' })).toEqual([ada]);
  });

  test('says how the next page is asked for', async () => {
    const first = await cli(['query', 'sums', '--order-by', 'sum:desc', '--limit', '1', '--json'], { cwd });
    const { next } = JSON.parse(first.stderr) as { next: string };
    expect(first.stderr).toContain(`there are more: --after ${next}`);
    expect(await query('sums', '--order-by', 'sum:desc', '--limit', '1', '--after', next)).toEqual([bob]);
    expect(await failing(['query', 'sums', '--after', next], { cwd })).toMatchObject({
      code: 1,
      error: 'error: The cursor is none of this query.',
    });
  });

  test('says which indexes there would have to be', async () => {
    const { stderr } = await cli(['query', 'sums', '--where', '{"owner": "Bob"}', '--order-by', 'last.amount'], {
      cwd,
    });
    expect(stderr).toMatch(/^no index leads .+; indexes of sums would be for: last.amount, owner\n$/);
    const { stderr: json } = await cli(['query', 'sums', '--where', '{"owner": "Bob"}', '--json'], { cwd });
    expect(JSON.parse(json)).toMatchObject({ scanned: ['owner'] });
  });

  test('of a live view builds it here, for as long as it looks', async () => {
    expect(await query('present', '--key', '1')).toEqual([ada]);
  });

  test.each([
    [['nothing'], 2, 'The config has no projection nothing; known: sums, patient, present'],
    [['ledger'], 2, 'ledger is no projection but tables'],
    [['mails'], 2, 'mails is no projection but a reactor'],
    [['patient'], 1, 'Nobody has ever run patient (version 1) on this store'],
    [['sums', '--where', '{owner: 1}'], 2, 'The --where is no JSON'],
    [['sums', '--where', '{"sum": {"more": 1}}'], 2, 'where.sum.more: there is no such operator'],
    [['sums', '--where', '{"or": [{"sum": 1}, {"sum": {"gt": null}}]}'], 2, 'where.or[1].sum.gt: expected a number'],
    [['sums', '--where', '[]'], 2, 'where: expected an object'],
    [['sums', '--order-by', 'sum:down'], 2, `orderBy[0].sum: expected 'asc' or 'desc'`],
    [['sums', '--order-by', ''], 2, 'orderBy[0]'],
    [['sums', '--limit', '0'], 2, 'limit is 0, expected an integer from 1'],
    [['sums', '--limit', 'many'], 2, "argument 'many' is invalid"],
    [['sums', '--key', '7'], 1, 'There is no document with the key "7"'],
    [['sums', '--key', '1', '--where', '{}'], 2, '--key names one document'],
    [['sums', '--count', '--limit', '1'], 2, '--count and --limit do not go together'],
    [
      ['sums', '--at-least', '99', '--timeout', '50'],
      1,
      'The view sums is at position 5 of 5, 0 ms behind; demanded: position 99',
    ],
  ] as const)('%j is one line and a remedy', async (args, code, message) => {
    expect(await failing(['query', ...args], { cwd })).toMatchObject({ code, error: expect.stringContaining(message) });
  });

  test('needs a config', async () => {
    const folder = await temporaryFolder();
    for (const command of [
      ['query', 'sums'],
      ['projections'],
      ['parked'],
      ['rebuild', 'sums'],
      ['projections', 'retry', 'sums'],
    ])
      expect(await failing([...command, '--store', 'sqlite:a.db'], { cwd: folder })).toMatchObject({
        code: 2,
        error: 'error: There is no eventsrc.config.ts here',
      });
  });

  test('looks into a backup, too', async () => {
    await done(['backup', 'copy.db'], { cwd });
    expect(await query('sums', '--store', 'sqlite:copy.db')).toEqual([ada, bob]);
  });

  test.skipIf(!succeeds('script', '--version'))('is columns on a terminal', async () => {
    const bin = join(import.meta.dirname, '../../dist/cli/bin.js');
    const onTerminal = (...args: readonly string[]) =>
      execFileSync(
        'script',
        ['-qc', `NO_COLOR=1 '${process.execPath}' '${bin}' query sums ${args.join(' ')}`, '/dev/null'],
        {
          cwd,
          encoding: 'utf8',
          env: { PATH: process.env['PATH'], TERM: 'xterm-256color' },
        },
      )
        .trim()
        .split(/\s*\r?\n/);
    expect(onTerminal()).toEqual([
      'key  owner  sum  last',
      '1    Ada     50  {"amount":50}',
      '2    Bob     20  {"amount":7}',
    ]);
    expect(onTerminal('--count')).toEqual(['2']);
    expect(onTerminal('--key', '2')[1]).toMatch(/sum +20$/);
  });
});

describe('tail', () => {
  test('prints what comes from now on, and only what was asked for', async () => {
    const { process: child, ended } = startCli(['tail', '--type', 'Paid', '--tag', 'a', '--json'], { cwd });
    // From then on it listens.
    await new Promise((resolve) => child.stderr?.once('data', resolve));
    await using log = await openLog({ store: sqlite(join(cwd, 'events.db')) });
    let seen =
      child.stdout === null ? Promise.resolve() : new Promise((resolve) => child.stdout?.once('data', resolve));
    await log.append([
      {
        stream: 'other-1',
        events: [
          { type: 'Paid', data: 1, tags: ['a', 'b'] },
          { type: 'Paid', data: 2 },
          { type: 'Sent', data: 3, tags: ['a'] },
        ],
      },
    ]);
    await seen;
    seen = new Promise((resolve) => child.stdout?.once('data', resolve));
    await log.append([{ stream: 'other-2', events: [{ type: 'Paid', data: 4, tags: ['a'] }] }]);
    await seen;
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(JSON.parse(stderr)).toEqual({ note: expect.stringContaining('following from position 5'), after: 5 });
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { data: unknown }).data),
    ).toEqual([1, 4]);
  });

  test('begins behind a position, and ends with the last event that was asked for', async () => {
    const { code, stdout } = await cli(['tail', '--after', '1', '--stream', 'account-2', '--limit', '2'], { cwd });
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(['position', '2', '4', '']);
  });

  test('read --follow begins with the first event, or then', async () => {
    const { stdout } = await cli(['read', '--follow', '--limit', '1', '--json'], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ position: 1 });
    const since = await cli(['read', '--follow', '--since', '2020-01-01', '--after', '2', '--limit', '1', '--json'], {
      cwd,
    });
    expect(JSON.parse(since.stdout)).toMatchObject({ position: 3 });
  });
});
