/** `eventsrc schema check --log`: what is stored, by older code and by others. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLog } from 'eventsrc';
import type { LogCheck } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { sqlite } from 'eventsrc/sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { cli, done, failing, printed, startCli } from './cli-process.ts';
import { appendByOldCode, appendByOthers, pen, schemaProject, soundEvents } from './schema-project.ts';

const typed = ['schema', 'check', '--log'];

/** What is wrong with them: at positions 4 to 6. */
const unsound = [
  ['2', 'Placed', { customer: 'nobody', items: [pen] }],
  ['2', 'Placed', { customer: '', items: [{ name: 'ink', price: 2 }] }],
  ['2', 'Renamed', { to: '' }],
] as const;

/** In short: position, kind, path. */
const expected = [
  '4 order-2@1 Placed/1 uncastable data',
  '5 order-2@2 Placed/1 invalid data.customer',
  '6 order-2@3 Renamed/1 invalid data.text',
  '7 hall-1@1 Opened/1 undeclared data',
  '8 order-9@1 Placed/3 newer data',
  '9 order-9@2 Vanished/1 undeclared data',
  '10 order-9@3 Noted/1 invalid data.text',
];

function short({ failures }: LogCheck): readonly string[] {
  return failures.map(
    ({ position, stream, version, type, schemaVersion, kind, issues }) =>
      `${position} ${stream}@${version} ${type}/${schemaVersion} ${kind} ${issues[0]?.path}`,
  );
}

async function checked(cwd: string, ...args: readonly string[]): Promise<LogCheck> {
  const { code, stdout, stderr } = await cli([...typed, ...args, '--json'], { cwd });
  expect(code).toBe(1);
  expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({ error: { code: 'events_unreadable' } });
  return JSON.parse(stdout) as LogCheck;
}

describe('a log with every kind of failure', () => {
  let cwd = '';

  beforeAll(async () => {
    cwd = await schemaProject();
    appendByOldCode(cwd, [...soundEvents, ...unsound]);
    await appendByOthers(sqlite(join(cwd, 'events.db')));
  });

  test('is told event by event, with the path within the data', async () => {
    const { code, error, remedy, stdout } = await failing(typed, { cwd });
    expect({ code, error, remedy }).toEqual({
      code: 1,
      error:
        'error: 7 of 10 events cannot be read as they should: 2 of types that are not declared, 1 of newer versions, 1 not to be cast, 3 not as their schema says',
      remedy: expect.stringContaining('Declare what is missing'),
    });
    expect(stdout.trimEnd().split('\n')).toEqual([
      'position\tstream\tversion\ttype\tschema\tfailure\tpath\twhy',
      '4\torder-2\t1\tPlaced\t1\tuncastable\tdata\tnobody placed it',
      expect.stringMatching(/^5\torder-2\t2\tPlaced\t1\tinvalid\tdata\.customer\tToo small/),
      expect.stringMatching(/^6\torder-2\t3\tRenamed\t1\tinvalid\tdata\.text\tInvalid input.*, read as Noted$/),
      '7\thall-1\t1\tOpened\t1\tundeclared\tdata\tits type is not declared',
      '8\torder-9\t1\tPlaced\t3\tnewer\tdata\tits version is newer than 2, the newest that is declared',
      '9\torder-9\t2\tVanished\t1\tundeclared\tdata\tits type is not declared',
      expect.stringMatching(/^10\torder-9\t3\tNoted\t1\tinvalid\tdata\.text\tInvalid input/),
    ]);
  });

  test('is one object for programs', async () => {
    const check = await checked(cwd);
    expect(short(check)).toEqual(expected);
    const { failures, ...counts } = check;
    expect(counts).toEqual({
      ...{ events: 10, own: 1, failed: 7, undeclared: 2, newer: 1, uncastable: 1, invalid: 3, unvalidated: [] },
    });
    expect(failures[2]).toMatchObject({ readAs: { type: 'Noted', index: 1 } });
  });

  test('is looked at in part where that was asked for', async () => {
    expect(short(await checked(cwd, '--stream', 'order-2'))).toEqual(expected.slice(0, 3));
    expect(short(await checked(cwd, '--after', '5', '--upto', '8'))).toEqual(expected.slice(2, 5));
    expect(short(await checked(cwd, '--type', 'Noted'))).toEqual(expected.slice(6));
    expect(await done([...typed, '--upto', '3'], { cwd })).toBe(
      '✔ Checked 3 events: each can be read, and is what the newest schema of its type says\n',
    );
  });

  test('is not shown to its end where that was asked for, and is counted all the same', async () => {
    const { code, stdout, stderr } = await cli([...typed, '--limit', '2'], { cwd });
    expect(code).toBe(1);
    expect(stdout.trimEnd().split('\n')).toHaveLength(3);
    expect(stderr).toMatch(/^these are the first 2: --limit shows more\nerror: 7 of 10 events/);
  });

  test('is in order for the code that wrote it, as far as that did', async () => {
    expect(await printed([...typed, '--config', 'old.mjs', '--upto', '7'], { cwd })).toMatchObject([
      { events: 7, failed: 0 },
    ]);
  });

  test.each([
    [['--log', '--stream', 'nothing'], '"nothing" is not a valid stream name'],
    [['--log', '--threads', '0'], '--threads 0: nobody would do it'],
    [['--log', '--compatibility', 'FULL'], '--compatibility is about what is registered'],
    [['--limit', '3'], '--limit is about the log'],
  ] as const)('%j is not understood', async (args, message) => {
    expect(await failing(['schema', 'check', ...args], { cwd })).toMatchObject({
      code: 2,
      error: expect.stringContaining(message),
    });
  });
});

describe('on several threads', () => {
  let cwd = '';
  const count = 2_400;

  beforeAll(async () => {
    cwd = await schemaProject();
    await using log = await openLog({ store: sqlite(join(cwd, 'events.db')) });
    for (let at = 0; at < count; at += 600) {
      const texts = Array.from({ length: 600 }, (_, index) => ((at + index) % 7 === 0 ? at + index : 'fine'));
      await log.append([{ stream: `order-${at}`, events: texts.map((text) => ({ type: 'Noted', data: { text } })) }]);
    }
    writeFileSync(
      join(cwd, 'slow.mjs'),
      `
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { defineAggregate } from 'eventsrc';
const validate = async (value) => {
  writeFileSync('begun', '');
  return HANGS ? new Promise(() => {}) : new Promise((resolve) => setTimeout(resolve, 1_000, { value }));
};
const HANGS = process.env.HANGS === '1';
const Noted = { '~standard': { version: 1, vendor: 'own', validate } };
const order = defineAggregate({ name: 'order', events: { Noted }, initialState: 0, evolve: { Noted: (n) => n }, commands: {} });
export ${'default'} { store: 'sqlite:events.db', aggregates: [order] };
`,
    );
  });

  test('the same is found, in the same order, as on one', async () => {
    const one = await checked(cwd, '--threads', '1', '--limit', '1000');
    expect(one.failures.map(({ position }) => position)).toEqual(
      Array.from({ length: Math.ceil(count / 7) }, (_, index) => index * 7 + 1),
    );
    expect(await checked(cwd, '--threads', '3', '--limit', '1000')).toEqual(one);
    const some = await checked(cwd, '--threads', '3', '--limit', '90', '--after', '10');
    expect(some).toMatchObject({ events: count - 10, failed: one.failed - 2 });
    expect(some.failures).toEqual(one.failures.slice(2, 92));
  });

  test.each(['1', '3'])('Ctrl-C ends it, on %s', async (threads) => {
    rmSync(join(cwd, 'begun'), { force: true });
    const { process: child, ended } = startCli([...typed, '--threads', threads, '--config', 'slow.mjs'], { cwd });
    await expect.poll(() => existsSync(join(cwd, 'begun')), { timeout: 20_000 }).toBe(true);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stdout: '', stderr: 'interrupted\n' });
  });

  test.each(['1', '3'])('a schema that never answers is said, on %s', async (threads) => {
    const options = { cwd, env: { HANGS: '1' } };
    expect(await failing([...typed, '--threads', threads, '--config', 'slow.mjs'], options)).toMatchObject({
      code: 1,
      error: expect.stringContaining('waits for something that never happens'),
    });
  });

  test('what a thread fails at is said as if there were none', async () => {
    const text = `
import { isMainThread } from 'node:worker_threads';
import config from './eventsrc.config.mjs';
if (!isMainThread) throw new Error('only once');
console.log('loaded');
export ${'default'} config;
`;
    writeFileSync(join(cwd, 'once.mjs'), text);
    expect(await failing([...typed, '--threads', '2', '--config', 'once.mjs'], { cwd })).toMatchObject({
      code: 1,
      error: expect.stringMatching(/once\.mjs cannot be loaded: only once$/),
      stdout: 'loaded\n',
    });
  });
});

describe('on PostgreSQL', () => {
  const newSchema = postgresSchemas();

  test('the same is found, on one thread and on several', async () => {
    const cwd = await schemaProject();
    const { url, schema } = newSchema();
    const store = `${url}${url.includes('?') ? '&' : '?'}schema=${schema}`;
    appendByOldCode(cwd, [...soundEvents, ...unsound], store);
    await appendByOthers(postgres(store));
    await appendFine(store, 1_200);
    for (const threads of ['1', '2']) {
      const check = await checked(cwd, '--store', store, '--threads', threads);
      expect(short(check)).toEqual(expected);
      expect(check).toMatchObject({ events: 1_210, own: 1 });
    }
  });
});

async function appendFine(store: string, count: number): Promise<void> {
  await using log = await openLog({ store: postgres(store) });
  for (let at = 0; at < count; at += 600) {
    const events = Array.from({ length: 600 }, () => ({ type: 'Noted', data: { text: 'fine' } }));
    await log.append([{ stream: `order-f${at}`, events }]);
  }
}
