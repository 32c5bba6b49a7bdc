import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { cli, done, failing, printed, startCli } from './cli-process.ts';
import { viewsProject, withAccounts, withDeposits } from './views-project.ts';

interface Status {
  readonly generation: number;
  readonly building?: { readonly generation: number; readonly position: number; readonly isBuilt: boolean };
  readonly retired: readonly number[];
}

let cwd = '';

beforeEach(async () => {
  cwd = await viewsProject();
});

const rebuild = (...args: readonly string[]) => ['rebuild', 'sums', ...args];

async function status(): Promise<Status> {
  const [first] = await printed<Status>(['projections'], { cwd });
  if (first === undefined) throw new Error('there is no projection');
  return first;
}

test('a view is built for the first time, and then anew beside itself', async () => {
  await withAccounts(cwd);
  expect(await done(rebuild(), { cwd })).toBe('✔ Built sums: it serves, up to position 5\n');
  expect(await done(rebuild(), { cwd })).toBe(
    '✔ Rebuilt sums: generation 2 serves, up to position 5. Generation 1 stays until: eventsrc projections drop sums 1\n',
  );
  expect(await printed(rebuild('--diff'), { cwd })).toEqual([
    { generation: 3, switched: true, position: 5, compared: 2, differing: 0, differences: [] },
  ]);
  expect((await cli(['projections'], { cwd })).stdout).toMatch(/^sums\t.*\t3, 1 and 2 kept$/m);
  expect(await done(['projections', 'drop', 'sums', '1'], { cwd })).toBe(
    '✔ Removed generation 1 of sums; generation 3 serves\n',
  );
  expect(await failing(['projections', 'drop', 'sums', '3'], { cwd })).toMatchObject({
    code: 1,
    error: 'error: This cannot be done with sums: its generation 3 serves.',
  });
  expect(await failing(['projections', 'drop', 'sums', '9'], { cwd })).toMatchObject({ code: 1 });
  expect(await failing(['projections', 'adopt', 'sums'], { cwd })).toMatchObject({
    code: 1,
    error: 'error: This cannot be done with sums: no generation of it is being built.',
  });
});

test('where it differs, the old view serves until somebody decides', async () => {
  await withDeposits(cwd, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1_000]);
  await done(rebuild(), { cwd });
  const { code, stdout, stderr } = await cli(rebuild('--diff'), { cwd, env: { FACTOR: '2' } });
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'key\tfield\tbefore\tafter\n1\tsum\t1045\t2045\n' });
  expect(stderr.split('\n')).toEqual([
    'error: 1 of 1 documents of sums differ: generation 1 goes on serving',
    '  Let generation 2 serve: eventsrc projections adopt sums. Or remove it: eventsrc projections drop sums 2',
    '',
  ]);
  expect(await printed(['query', 'sums'], { cwd })).toMatchObject([{ document: { sum: 1_045 } }]);
  expect((await cli(['projections'], { cwd })).stderr).toContain(
    'generation 2 of sums is built, and waits for: eventsrc projections adopt sums, or drop sums 2',
  );
  const again = await cli(rebuild('--diff', '--json'), { cwd });
  expect({ code: again.code, result: JSON.parse(again.stdout) as unknown }).toMatchObject({
    code: 1,
    result: {
      generation: 2,
      switched: false,
      differing: 1,
      differences: [{ key: '1', before: { sum: 1_045 }, after: { sum: 2_045 } }],
    },
  });
  expect(await done(['projections', 'adopt', 'sums'], { cwd })).toBe(
    '✔ Generation 2 of sums serves; generation 1 stays until: eventsrc projections drop sums 1\n',
  );
  expect(await printed(['query', 'sums'], { cwd })).toMatchObject([{ document: { sum: 2_045 } }]);
});

test('one that cannot be built says where, and is begun again once it was dropped', async () => {
  await withDeposits(
    cwd,
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  await done(rebuild(), { cwd });
  const env = { BROKEN: '13' };
  expect(await failing(rebuild(), { cwd, env })).toMatchObject({
    code: 1,
    error:
      'error: Generation 2 of sums stands still at position 14 (MoneyDeposited, version 14 of account-1): unlucky; 3 attempts',
    remedy: expect.stringContaining('eventsrc projections drop sums 2'),
  });
  const { stderr } = await cli(['projections'], { cwd });
  expect(stderr).toContain('generation 2 of sums, which is being built, stands still at position 14');
  await done(['projections', 'drop', 'sums', '2'], { cwd });
  expect(await printed(rebuild('--diff'), { cwd })).toMatchObject([{ generation: 3, switched: true, differing: 0 }]);
});

test('goes on where it was when it is repeated after Ctrl-C', async () => {
  await withDeposits(
    cwd,
    Array.from({ length: 699 }, () => 1),
  );
  await done(rebuild(), { cwd });
  const { process: child, ended } = startCli(rebuild(), { cwd, env: { SLOW_MS: '20' } });
  let reached = 0;
  while (reached === 0 && child.exitCode === null) reached = (await status()).building?.position ?? 0;
  child.kill('SIGINT');
  const { code, stdout, stderr } = await ended;
  expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
  expect(stderr).toMatch(
    /^sums has come to position \d+ of 700\. To go on there: eventsrc rebuild sums\ninterrupted\n$/,
  );
  const left = await status();
  expect(left).toMatchObject({ generation: 1, building: { generation: 2, isBuilt: false } });
  expect(left.building?.position).toBeGreaterThanOrEqual(reached);
  expect((await cli(['projections'], { cwd })).stderr).toContain('to go on: eventsrc rebuild sums');
  expect(await printed(rebuild('--diff'), { cwd })).toMatchObject([{ generation: 2, switched: true, differing: 0 }]);
  expect(await status()).toMatchObject({ generation: 2, retired: [1] });
});

test('and so does the first one', async () => {
  await withDeposits(
    cwd,
    Array.from({ length: 699 }, () => 1),
  );
  const { process: child, ended } = startCli(rebuild(), { cwd, env: { SLOW_MS: '20' } });
  while (child.exitCode === null && (await status()).generation === 0) await delay(10);
  child.kill('SIGINT');
  expect((await ended).code).toBe(130);
  expect(await status()).toMatchObject({ state: 'building', generation: 1 });
  expect(await done(rebuild(), { cwd })).toBe('✔ Built sums: it serves, up to position 700\n');
  expect(await printed(['query', 'sums'], { cwd })).toMatchObject([{ document: { sum: 699 } }]);
});

test.each([
  [['nothing'], 2, 'The config has no projection nothing; known: sums, patient, present'],
  [['ledger'], 2, 'ledger is no projection but tables'],
  [['present'], 1, 'present is live'],
] as const)('%j is one line and a remedy', async (args, code, message) => {
  await withAccounts(cwd);
  expect(await failing(['rebuild', ...args], { cwd })).toMatchObject({ code, error: expect.stringContaining(message) });
});

test('a definition that was changed without its version is refused', async () => {
  await withAccounts(cwd);
  await done(rebuild(), { cwd });
  expect(await failing(rebuild(), { cwd, env: { BROKEN: '13' } })).toMatchObject({
    code: 1,
    error: expect.stringContaining('The definition of sums is another one than before, under the same version 1'),
  });
});

test('a store that was just restored is written into at once; the backup itself stays as it is while it is only looked at', async () => {
  await withAccounts(cwd);
  await done(['backup', 'copy.db'], { cwd });
  await done(['restore', 'copy.db', '--store', 'sqlite:restored.db'], { cwd });
  const bytes = readFileSync(join(cwd, 'copy.db'));
  expect(await done(['streams', '--store', 'sqlite:copy.db'], { cwd })).toContain('account-1');
  expect(readFileSync(join(cwd, 'copy.db')).equals(bytes)).toBe(true);
  expect(await done(rebuild('--store', 'sqlite:restored.db'), { cwd })).toBe(
    '✔ Built sums: it serves, up to position 5\n',
  );
  await done(['restore', 'copy.db', '--store', 'sqlite:again.db'], { cwd });
  expect(await done(['snapshots', 'take', 'account-1', '--store', 'sqlite:again.db'], { cwd })).toContain('✔ Kept');
});
