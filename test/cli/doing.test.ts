import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';
import { cli, done, failing, printed, startCli } from './cli-process.ts';

const root = join(import.meta.dirname, '../..');

/** A project as `init` begins it, with the packages that it depends on. */
let cwd = '';

beforeEach(async () => {
  cwd = await temporaryFolder();
  mkdirSync(join(cwd, 'node_modules'));
  symlinkSync(root, join(cwd, 'node_modules/eventsrc'));
  symlinkSync(join(root, 'node_modules/zod'), join(cwd, 'node_modules/zod'));
  for (const file of ['eventsrc.config.ts', 'account.ts', 'balances.ts'])
    copyFileSync(join(root, 'template', file), join(cwd, file));
});

const execute = (...args: readonly string[]) => ['execute', ...args];

describe('execute', () => {
  test('does a command of the config, and shows what came of it', async () => {
    const [receipt] = await printed(execute('account.open', '1', '{"owner": "Ada"}', '--actor', 'teller'), { cwd });
    expect(receipt).toMatchObject({
      kind: 'accepted',
      version: 1,
      position: 1,
      duplicate: false,
      events: [{ type: 'AccountOpened', stream: 'account-1', data: { owner: 'Ada' }, metadata: { actor: 'teller' } }],
    });
    const text = await done(execute('account.deposit', '1', '-', '--metadata', '{"channel": "atm"}'), {
      cwd,
      input: '{"amount": 50}',
    });
    expect(text).toMatch(
      /^✔ accepted: version 2, position 2\nposition\t.+\n2\t.+\taccount-1\t2\tMoneyDeposited\t{"amount":50}\n$/,
    );
  });

  test('sent twice with one key, it is done once', async () => {
    await done(execute('account.open', '1', '{"owner": "Ada"}'), { cwd });
    const deposit = execute('account.deposit', '1', '{"amount": 5}', '--key', 'k');
    await done(deposit, { cwd });
    expect(await printed(deposit, { cwd })).toMatchObject([{ kind: 'accepted', version: 2, duplicate: true }]);
    const other = await failing(execute('account.deposit', '1', '{"amount": 6}', '--key', 'k'), { cwd });
    expect(other).toMatchObject({ code: 1, error: expect.stringContaining('was used for another command') });
  });

  test('what is not accepted says why, and exits with 1', async () => {
    await done(execute('account.open', '1', '{"owner": "Ada"}'), { cwd });
    const withdraw = (input: string, ...args: readonly string[]) => execute('account.withdraw', '1', input, ...args);
    expect(await failing(withdraw('{"amount": 5}'), { cwd })).toMatchObject({
      code: 1,
      error: 'error: rejected: insufficient_funds {"balance":0}',
    });
    expect(await failing(withdraw('{"amount": -5}'), { cwd })).toMatchObject({
      code: 1,
      error: expect.stringMatching(/^error: invalid input: amount: ./),
    });
    expect(await failing(withdraw('{"amount": 5}', '--expected', '7'), { cwd })).toMatchObject({
      code: 1,
      error: 'error: conflict: account-1 is at version 1',
    });
    const { code, stdout } = await cli([...withdraw('{"amount": 5}'), '--json'], { cwd });
    expect({ code, receipt: JSON.parse(stdout) as unknown }).toEqual({
      code: 1,
      receipt: { kind: 'rejected', code: 'insufficient_funds', details: { balance: 0 }, duplicate: false },
    });
  });

  test.each([
    [['account.close', '1'], 'has no command account.close; known: account.open, account.deposit, account.withdraw'],
    [['transfer', '{}'], 'has no command transfer'],
    [['account.open'], 'account.open needs an instance'],
    [['account.open.foo', '1'], 'has no command account.open.foo'],
    [['account.open', '1', '{owner}'], 'The input is no JSON'],
    [['account.open', '1', '{}', '--metadata', '[]'], 'Expected a JSON object'],
    [['account.open', '1', '{}', '--expected', 'soon'], 'Expected a version or one of'],
  ])('%j is not understood', async (args, message) => {
    expect(await failing(execute(...args), { cwd })).toMatchObject({
      code: 2,
      error: expect.stringContaining(message),
    });
  });

  test('waits for its input no longer than until Ctrl-C', async () => {
    const { process: child, ended } = startCli(execute('account.open', '1', '-', '--debug'), { cwd, holdsInput: true });
    // It listens for Ctrl-C as soon as it reads.
    while (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGINT');
      await delay(50);
    }
    expect((await ended).stdout).toBe('');
  });
});

test('execute folds inline views in its append, and works on nothing else', async () => {
  const views = `
    const on = { AccountOpened: (document, { data }) => data, MoneyDeposited: 'ignore', MoneyWithdrawn: 'ignore' };
    const view = { from: [account], key: ({ aggregateId }) => aggregateId, initial: { owner: '' }, on };
    const owners = defineProjection({ name: 'owners', mode: 'inline', ...view });
    const later = defineProjection({ name: 'later', ...view });`;
  const imports = `import { defineProjection } from 'eventsrc'; import { account } from './account.ts';`;
  const config = `export default { store: 'sqlite:events.db', aggregates: [account], projections: [owners, later] };`;
  await writeFile(join(cwd, 'inline.mjs'), `${imports}${views}\n${config}`);
  const named = ['--config', 'inline.mjs'];
  await done(execute('account.open', '1', '{"owner": "Ada"}', ...named), { cwd });
  expect(await printed(['query', 'owners', ...named], { cwd })).toEqual([{ key: '1', document: { owner: 'Ada' } }]);
  expect(await printed(['projections', ...named], { cwd })).toMatchObject([
    {
      name: 'owners',
      mode: 'inline',
      state: expect.stringMatching(/building|running/),
      lag: { position: 1, events: 0 },
    },
    { name: 'later', state: 'never_run' },
  ]);
});

describe('state', () => {
  beforeEach(async () => {
    await done(execute('account.open', '1', '{"owner": "Ada"}'), { cwd });
    await done(execute('account.deposit', '1', '{"amount": 50}'), { cwd });
  });

  test('prints what an instance is, and what it was', async () => {
    const state = { open: true, owner: 'Ada', balance: 50 };
    expect(await printed(['state', 'account-1'], { cwd })).toEqual([
      { stream: 'account-1', state, version: 2, position: 2, deleted: false },
    ]);
    expect(await done(['state', 'account-1', '--at-version', '1'], { cwd })).toMatch(/^state.balance\t0$/m);
    expect(await done(['state', 'account-1', '--at-position', '1'], { cwd })).toMatch(/^version\t1$/m);
    expect(await done(['state', 'account-1', '--at-version', '1'], { cwd })).toBe(
      await done(['state', 'account-1', '--at', 'v1'], { cwd }),
    );
    expect(await cli(['state', 'account-1', '--at-time', '2020-01-01'], { cwd })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^state.open\tfalse$/m),
      stderr: expect.stringMatching(
        /^account-1 did not exist yet at 2020-01-01 23:59:59: it begins with AccountOpened/,
      ),
    });
  });

  test.each([
    [['account-2'], 1, 'account-2 does not exist'],
    [['order-1'], 2, 'The config has no aggregate order; known: account'],
    [['account-1', '--at-version', '1', '--at-position', '1'], 2, 'more than one --at'],
  ] as const)('%j is one line and a remedy', async (args, code, message) => {
    expect(await failing(['state', ...args], { cwd })).toMatchObject({ code, error: expect.stringContaining(message) });
  });
});

test('a state may hold what JSON has no words for, and names that came from events', async () => {
  const folder = await temporaryFolder();
  const start = `({ none: undefined, big: 10n, seen: new Set(['a']), ['\\u001b[31m']: 1 })`;
  const events = `{ A: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } } }`;
  const snapshots = '{ version: 1, every: Infinity, kept: 1 }';
  const aggregate = `{ kind: 'aggregate', name: 'odd', events: ${events}, handlers: new Map(), evolve: (state) => state, start: () => ${start}, snapshots: ${snapshots} }`;
  await writeFile(
    join(folder, 'eventsrc.config.mjs'),
    `export default { store: 'sqlite:a.db', aggregates: [${aggregate}] };`,
  );
  await done(['append', 'odd-1', 'A'], { cwd: folder });
  const text = await done(['state', 'odd-1', '--at-position', '1'], { cwd: folder });
  expect(text).toContain('state.none\tundefined\nstate.big\t"10"\nstate.seen\t["a"]\nstate["\\u001b[31m"]\t1\n');
  await done(['state', 'odd-1', '--at-position', '1', '--json'], { cwd: folder });
});

describe('append', () => {
  test('appends what the schema takes, and says where it went', async () => {
    const event = ['AccountOpened', '{"owner": "Ada"}', '--tag', 'b', '--tag', 'a', '--metadata', '{"actor": "me"}'];
    const [appended] = await printed<{ id: string }>(['append', 'account-1', ...event], { cwd });
    expect(appended).toMatchObject({ stream: 'account-1', version: 1, position: 1 });
    expect(await printed(['read'], { cwd })).toMatchObject([
      { id: appended?.id, type: 'AccountOpened', tags: ['a', 'b'], metadata: { actor: 'me' } },
    ]);
    await done(['append', 'account-1', 'MoneyDeposited', '-'], { cwd, input: '{"amount": 5}' });
    expect(await done(['state', 'account-1'], { cwd })).toContain('state.balance\t5');
  });

  test('takes anything for what the config does not declare, or where there is none', async () => {
    await done(['append', 'thing-1', 'Anything', '[1, null]'], { cwd });
    await done(['append', 'thing-1', 'Nothing', '--store', 'sqlite:other.db'], { cwd: await temporaryFolder() });
  });

  test.each([
    [['account-1', 'MoneyDeposited', '{"amount": "5"}'], 1, 'MoneyDeposited does not match its schema: data.amount'],
    [['account-1', 'MoneyLost', '{}'], 1, 'No schema was declared for the event type "MoneyLost"'],
    [['account', 'MoneyDeposited', '{"amount": 5}'], 2, '"account" is not a valid stream name'],
    [['thing-1', 'A', '{'], 2, 'The data is no JSON'],
    [['thing-1', 'A', '{"n":12345678901234567890}'], 2, 'write it as a string'],
    [['thing-1', 'A', '1', '--store', ''], 2, 'not the URL of a store'],
    [['thing-1', '$saga'], 2, 'types that begin with $ are reserved'],
    [['thing-1', 'A', '1', '--expected', '3'], 1, 'thing-1 is at version 0, expected was 3'],
    [['thing-1', 'A', `"${'x'.repeat(70_000)}"`], 1, 'exceeds eventBytes = 65536'],
  ] as const)('%j is one line and a remedy', async (args, code, message) => {
    expect(await failing(['append', ...args], { cwd })).toMatchObject({
      code,
      error: expect.stringContaining(message),
    });
  });

  test('ends a stream, and begins it again where that is said', async () => {
    await done(['append', 'thing-1', 'A', '1'], { cwd });
    await done(['append', 'thing-1', '$deleted'], { cwd });
    const { error, remedy } = await failing(['append', 'thing-1', 'A', '2'], { cwd });
    expect(error).toContain('thing-1 was deleted at version 2');
    expect(remedy).toContain('--expected deleted');
    await done(['append', 'thing-1', 'A', '2', '--expected', 'deleted'], { cwd });
  });
});

describe('a config', () => {
  test('is TypeScript as it is, or named, and its store is relative to it', async () => {
    await done(execute('account.open', '1', '{"owner": "Ada"}'), { cwd });
    const elsewhere = await temporaryFolder();
    const named = ['--config', join(cwd, 'eventsrc.config.ts')];
    expect(await printed(['state', 'account-1', ...named], { cwd: elsewhere })).toHaveLength(1);
    expect(
      await printed(['read', ...named, '--store', `sqlite:${join(cwd, 'events.db')}`], { cwd: elsewhere }),
    ).toHaveLength(1);
  });

  test.each([
    ['throws', 'throw new Error("not today");', 'cannot be loaded: not today', 'Correct the file'],
    ['is no TypeScript', 'export default {', 'cannot be loaded', 'Correct the file'],
    ['throws null', 'throw null;', 'cannot be loaded: null', 'Correct the file'],
    ['fails later', 'Promise.reject(new Error("later")); export default { store: "sqlite:a.db" };', 'later', '--debug'],
    ['is a list', 'export default [];', 'exports no config', 'export default defineConfig'],
    ['names what is no store', 'export default { store: 5 };', 'store is 5, expected a URL', 'Correct the named'],
    ['has an unknown key', 'export default { stor: "sqlite:a.db" };', 'stor of the config', 'Correct the named'],
    [
      'lists null',
      'export default { store: "sqlite:a.db", aggregates: [null] };',
      'aggregates is',
      'Correct the named',
    ],
    ['exports nothing', 'export const config = {};', 'exports no config', 'export default defineConfig'],
    ['imports what is not there', 'import "./none.ts"; export default {};', 'cannot be loaded', 'with its ending'],
    ['has what is not only types', 'enum A { B } export default { a: A.B };', 'cannot be loaded', 'only strips types'],
    [
      'names no aggregates',
      'export default { store: "memory:", aggregates: [7] };',
      'aggregates is 7, expected',
      'Correct the named',
    ],
    ['names a wrong store', 'export default { store: "redis:" };', 'not the URL of a store', 'sqlite:FILE'],
    [
      'has a wrong limit',
      'export default { store: "sqlite:a.db", limits: { streams: 0 } };',
      'limits.streams is 0',
      'Correct the named',
    ],
  ])('that %s is one line and a remedy', async (_, text, message, remedy) => {
    await writeFile(join(cwd, 'eventsrc.config.ts'), text);
    const failure = await failing(['append', 'thing-1', 'A'], { cwd });
    expect(failure.error).toContain(message);
    expect(failure.remedy).toContain(remedy);
  });

  test.concurrent('that never comes to an end is given up, and Ctrl-C does not wait for it', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'eventsrc.config.mjs'), 'await new Promise(() => {}); export default {};');
    await writeFile(
      join(folder, 'map.mjs'),
      `setInterval(() => {}, 1_000); export default () => new Promise(() => {});`,
    );
    await writeFile(join(folder, 'never.mjs'), 'export default () => new Promise(() => {});');
    const args = ['import', '--map', 'map.mjs', '--store', 'sqlite:a.db', '--config', 'none.mjs'];
    await writeFile(join(folder, 'none.mjs'), 'export default {};');
    const { process: child, ended } = startCli(args, { cwd: folder, input: '{}\n' });
    const failure = await failing(['read', '--store', 'sqlite:a.db'], { cwd: folder });
    expect(failure.error).toContain('cannot be loaded: it took longer than 5000 ms');
    const { error } = await failing(args.with(2, 'never.mjs'), { cwd: folder, input: '{}\n' });
    expect(error).toContain('waits for something that never happens');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stderr: 'interrupted\n' });
  });

  test('that keeps something open does not keep the program from ending', async () => {
    await writeFile(
      join(cwd, 'eventsrc.config.ts'),
      'setInterval(() => {}, 1_000); export default { store: "sqlite:a.db" };',
    );
    await done(['append', 'thing-1', 'A'], { cwd });
  });

  test('is needed for what it declares, and missed by name', async () => {
    const empty = await temporaryFolder();
    const failure = await failing(['state', 'account-1', '--store', 'sqlite:a.db'], { cwd: empty });
    expect(failure.remedy).toContain('eventsrc init');
  });
});
