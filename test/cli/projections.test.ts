import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { cli, done, failing, printed } from './cli-process.ts';
import { startApplication, viewsProject, withAccounts } from './views-project.ts';

interface Status {
  readonly name: string;
  readonly state: string;
  readonly slots: readonly { readonly skipped: readonly object[] }[];
}

let cwd = '';
const broken = { BROKEN: '13' };

beforeEach(async () => {
  cwd = await viewsProject();
  await withAccounts(cwd);
});

const projections = (...args: readonly string[]) => ['projections', ...args];

async function statusOf(name: string): Promise<Status | undefined> {
  return (await printed<Status>(projections(), { cwd })).find((status) => status.name === name);
}

describe('projections', () => {
  test('prints how each of them stands, also those that nobody has run', async () => {
    await done(['rebuild', 'sums'], { cwd });
    await done(['append', 'account-1', 'MoneyDeposited', '{"amount": 1}'], { cwd });
    const { code, stdout, stderr } = await cli(projections(), { cwd });
    expect(code).toBe(0);
    expect(stdout.replace(/\t\d+\tkept/, '\tN\tkept').split('\n')).toEqual([
      'name\tkind\tversion\tstate\tposition\tbehind\tlag ms\tsla\tparked\tgeneration',
      'sums\tprojection\t1\trunning\t5\t1\tN\tkept\t0\t1',
      'patient\tprojection\t1\tnever run\t\t\t\t\t\t',
      'present\tprojection\t1\tlive\t\t\t\t\t\t',
      'ledger\ttables\t1\tnever run\t\t\t\t\t\t',
      'mails\treactor\t1\tnever run\t\t\t\t\t\t',
      '',
    ]);
    expect(stderr.split('\n')).toEqual([
      'patient has never been run: open an engine that runs it, or build it now: eventsrc rebuild patient',
      'ledger has never been run: open an engine that runs it',
      'mails has never been run: open an engine that runs it',
      '',
    ]);
    expect(await printed(projections(), { cwd })).toMatchObject([
      {
        kind: 'projection',
        name: 'sums',
        version: 1,
        mode: 'async',
        state: 'running',
        generation: 1,
        lag: { position: 5, head: 6, events: 1, ms: expect.any(Number) },
        sla: { maxLagMs: 60_000, isKept: true },
        slots: [{ slot: 0, position: 5, skipped: [] }],
        parked: 0,
        retired: [],
      },
      { name: 'patient', state: 'never_run', generation: 0 },
      { kind: 'projection', name: 'present', version: 1, mode: 'live', state: 'live' },
      { name: 'ledger', state: 'never_run' },
      { name: 'mails', state: 'never_run' },
    ]);
    expect(existsSync(join(cwd, 'mails.txt'))).toBe(false);
  });

  test('says what stands still, and lets it try again', async () => {
    const stand = 'position 4 (MoneyDeposited, version 2 of account-2): unlucky; 3 attempts';
    const first = await failing(['rebuild', 'sums'], { cwd, env: broken });
    expect(first).toMatchObject({ code: 1, error: `error: sums stands still at ${stand}` });
    expect(first.remedy).toContain('eventsrc projections retry sums');
    const { stdout, stderr } = await cli(projections(), { cwd });
    expect(stdout).toMatch(/^sums\tprojection\t1\tfaulted\t3\t2\t/m);
    expect(stderr).toContain(`sums stands still at ${stand}. Correct it, then: eventsrc projections retry sums`);
    const query = await failing(['query', 'sums'], { cwd });
    expect(query.error).toContain('The view sums stands still at position 4 (unlucky): at position 3 of 5');

    expect(await failing(projections('retry', 'sums'), { cwd, env: broken })).toMatchObject({
      code: 1,
      error: `error: sums stands still again at ${stand}`,
    });
    const again = await cli(projections('retry', 'sums', '--json'), { cwd, env: broken });
    expect({ code: again.code, facts: JSON.parse(again.stdout) as unknown }).toMatchObject({
      code: 1,
      facts: { name: 'sums', outcome: 'faulted', faults: [{ position: 4, reason: 'unlucky', attempts: 3 }] },
    });
    expect(await done(projections('retry', 'sums'), { cwd })).toBe('✔ sums went on behind position 4\n');
    expect(await printed(['query', 'sums', '--key', '2', '--at-least', '4'], { cwd })).toMatchObject([
      { document: { sum: expect.any(Number) } },
    ]);
    expect(await failing(projections('retry', 'sums'), { cwd })).toMatchObject({
      code: 1,
      error: 'error: This cannot be done with sums: none of its slots stands still.',
    });
  });

  test('lets it go on behind an event, and keeps who did that, and why', async () => {
    await failing(['rebuild', 'sums'], { cwd, env: broken });
    const skip = (position: string, ...args: readonly string[]) => projections('skip', 'sums', position, ...args);
    expect((await failing(skip('4'), { cwd })).error).toContain("required option '--reason <text>'");
    expect(await failing(skip('4', '--reason', ' '), { cwd })).toMatchObject({ code: 2 });
    expect(await failing(skip('four', '--reason', 'x'), { cwd })).toMatchObject({
      code: 2,
      error: 'error: The position is no number: "four"',
    });
    expect((await failing(skip('5', '--reason', 'x'), { cwd })).error).toContain('stands still at position 5');
    expect(await printed(skip('4', '--reason', 'a test', '--actor', 'ops'), { cwd, env: broken })).toMatchObject([
      { name: 'sums', outcome: 'skipped', faults: [] },
    ]);
    await done(['append', 'account-1', 'MoneyDeposited', '{"amount": 13}'], { cwd });
    expect((await statusOf('sums'))?.slots[0]?.skipped).toMatchObject([
      { position: 4, reason: 'a test', actor: 'ops', at: expect.any(Number) },
    ]);
  });

  test('has those deal with what they have put aside that did', async () => {
    expect(await failing(projections('unpark', 'patient'), { cwd })).toMatchObject({
      code: 1,
      error: expect.stringContaining('Nobody has ever run patient'),
    });
    expect(await done(['parked'], { cwd })).toBe('');
    await done(['rebuild', 'patient'], { cwd, env: broken });
    expect((await cli(projections(), { cwd })).stderr).toContain(
      'patient has put events aside: eventsrc parked patient',
    );
    const parked = { consumer: 'patient', key: '2', stream: 'account-2', type: 'MoneyDeposited' };
    expect(await printed(['parked'], { cwd })).toMatchObject([
      { ...parked, position: 4, reason: 'unlucky', attempts: 1, isBehind: false, at: expect.any(Number) },
      { ...parked, position: 5, isBehind: true },
    ]);
    expect(await done(['parked', 'patient'], { cwd })).toMatch(
      /^consumer\tkey\tposition\tevent\tattempts\twhen\treason\npatient\t2\t4\tMoneyDeposited, version 2 of account-2\t1\t\d{4}-.+Z\tunlucky\n/,
    );
    expect(await failing(projections('unpark', 'patient', '--key', '1'), { cwd })).toMatchObject({
      code: 1,
      error: 'error: patient has put nothing of the key "1" aside',
    });
    expect(await failing(projections('unpark', 'patient'), { cwd, env: broken })).toMatchObject({
      code: 1,
      error: 'error: patient has dealt with 0 of 2 events that it had put aside',
    });
    expect(await done(projections('unpark', 'patient', '--key', '2'), { cwd })).toContain('dealt with 2 of 2 events');
    expect(await done(['parked', 'patient'], { cwd })).toBe('');
    expect(await printed(['query', 'patient', '--key', '2'], { cwd })).toMatchObject([{ document: { sum: 20 } }]);
    expect(await failing(projections('unpark', 'patient'), { cwd })).toMatchObject({
      error: 'error: patient has put nothing aside',
    });
  });

  test.each([
    [
      ['retry', 'nothing'],
      2,
      'The config has no projection, tables, reactor or saga nothing; known: sums, patient, present',
    ],
    [['retry', 'present'], 1, 'present is live'],
    [['retry', 'mails'], 1, 'Nobody has ever run mails (version 1) on this store'],
    [['adopt', 'ledger'], 2, 'ledger is no projection but tables'],
    [['adopt', 'patient'], 1, 'Nobody has ever run patient'],
    [['drop', 'patient', '1'], 1, 'Nobody has ever run patient'],
    [['drop', 'patient', 'old'], 2, 'The generation is no number: "old"'],
    [['drop-version', 'sums', '1'], 1, 'version 1 is not lower than 1'],
    [['mend', 'sums'], 2, 'too many arguments'],
    [['skip', 'sums', '--reason', 'x'], 2, "missing required argument 'position'"],
  ] as const)('%j is one line and a remedy', async (args, code, message) => {
    expect(await failing(projections(...args), { cwd })).toMatchObject({
      code,
      error: expect.stringContaining(message),
    });
  });

  test('of a config without any says how to name them', async () => {
    writeFileSync(join(cwd, 'bare.mjs'), `export default { store: 'sqlite:events.db' };`);
    expect(await failing(projections('--config', 'bare.mjs'), { cwd })).toMatchObject({
      code: 2,
      error: 'error: The config has no projections, tables, reactors or sagas',
      remedy: expect.stringContaining('projections: [balances]'),
    });
  });
});

describe('beside an application that runs', () => {
  test('it is the application that does it, and nothing is lost if it takes long', async () => {
    const application = startApplication(cwd, broken);
    try {
      await application.told('faulted sums');
      expect(await done(projections('skip', 'sums', '4', '--reason', 'a test'), { cwd, env: broken })).toBe(
        '✔ Skipped position 4 of sums: a test\n',
      );
      // It would have to be corrected there.
      await done(['append', 'account-2', 'MoneyDeposited', '{"amount": 13}'], { cwd });
      while ((await statusOf('sums'))?.state !== 'faulted');
      const retry = await failing(projections('retry', 'sums'), { cwd });
      expect(retry.error).toContain('sums stands still again at position 6');
      const query = await cli(['query', 'sums', '--key', '2'], { cwd });
      expect(query.stdout).toBe('{"key":"2","document":{"owner":"Bob","sum":7,"last":{"amount":7}}}\n');
      expect(query.stderr).toMatch(/^warning: sums stands still at position 6 .+: what came later is not in it\n$/);
      application.process.kill('SIGSTOP');
      expect(
        await failing(projections('skip', 'sums', '6', '--reason', 'x', '--timeout', '300'), { cwd }),
      ).toMatchObject({
        code: 1,
        error: 'error: sums has not done it within 300 ms: another process works on it, or it takes its time',
        remedy: expect.stringContaining('It stays asked for'),
      });
      application.process.kill('SIGCONT');
      while ((await statusOf('sums'))?.state !== 'running');
      expect((await statusOf('sums'))?.slots[0]?.skipped).toMatchObject([{ position: 4 }, { position: 6 }]);
    } finally {
      await application.stop();
    }
  });
});

test('names of projections are completed', async () => {
  const complete = async (...words: readonly string[]) => (await cli(['complete', '--', ...words], { cwd })).stdout;
  expect(await complete('query', 's')).toBe('sums\tprojection\n:4\n');
  expect(await complete('rebuild', '')).toBe('sums\tprojection\npatient\tprojection\npresent\tprojection\n:4\n');
  expect(await complete('diff', '--view', 's')).toBe('sums\tprojection\n:4\n');
  expect(await complete('projections', 're')).toMatch(/^retry\t/);
  expect(await complete('projections', 'retry', 'm')).toBe('mails\treactor\n:4\n');
  expect(await cli(['complete', '--', 'query', ''], { cwd: join(cwd, 'node_modules') })).toMatchObject({
    code: 0,
    stdout: ':4\n',
  });
});
