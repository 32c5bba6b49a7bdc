import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { TestClock } from '../../src/testing/test-clock.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { cli, done, failing, printed, startCli } from './cli-process.ts';

interface Printed {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly type: string;
  readonly id: string;
  readonly data: unknown;
}

let folder = '';
let file = '';
const here = () => ({ cwd: folder, env: { EVENTSRC_STORE: 'sqlite:shop.db' } });

beforeAll(async () => {
  folder = await temporaryFolder();
  file = join(folder, 'shop.db');
  const clock = new TestClock(Date.UTC(2026, 0, 1));
  await using log = await openLog({ store: sqlite(file), clock });
  for (let index = 0; index < 12; index++) {
    const type = index % 2 === 0 ? 'Placed' : 'Paid';
    const event = { type, data: { index }, tags: [`customer:${index % 3}`], metadata: { actor: 'Ada' } };
    await log.append([{ stream: `order-${index % 4}`, events: [event] }]);
    clock.advance(60_000);
  }
  await log.append([{ stream: 'cart-\u202e1', events: [{ type: 'Odd', data: 'tab\there \u009b2J' }] }]);
  await log.append([{ stream: 'order-3', events: [{ type: '$deleted' }] }]);
});

const positions = async (...args: readonly string[]) =>
  (await printed<Printed>(['read', ...args], here())).map(({ position }) => position);

describe('read', () => {
  test('prints every event, whole, as JSON', async () => {
    const events = await printed<Printed>(['read'], here());
    expect(events.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    expect(events[4]).toMatchObject({
      stream: 'order-0',
      version: 2,
      type: 'Placed',
      kind: 'updated',
      data: { index: 4 },
      metadata: { actor: 'Ada' },
      tags: ['customer:1'],
      recordedAt: Date.UTC(2026, 0, 1, 0, 4),
    });
    expect(events[4]?.id).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each([
    [
      ['--stream', 'order-1'],
      [2, 6, 10],
    ],
    [
      ['--type', 'Paid', '--tag', 'customer:1'],
      [2, 8],
    ],
    [
      ['--type', 'Paid', '--type', 'Odd', '--after', '9'],
      [10, 12, 13],
    ],
    [['--tag', 'customer:0', '--tag', 'customer:1'], []],
    [
      ['--after', '3', '--upto', '5'],
      [4, 5],
    ],
    [
      ['--since', '2026-01-01T00:03:00Z', '--until', '2026-01-01T00:05:00Z'],
      [4, 5, 6],
    ],
    [
      ['--backwards', '--limit', '3'],
      [14, 13, 12],
    ],
    [
      ['--stream', 'order-0', '--backwards'],
      [9, 5, 1],
    ],
    [['--since', '90s'], []],
    [
      ['--until', '2026-01-01', '--limit', '2'],
      [1, 2],
    ],
    [
      ['--since', '2026-01-01T00:11', '--until', '2026-01-01'],
      [12, 13, 14],
    ],
    [['--limit', '0'], []],
  ] as const)('%j selects %j', async (args, expected) => {
    expect(await positions(...args)).toEqual(expected);
  });

  test('prints columns, separated by tabs, where it is piped; nothing in them has power over a terminal', async () => {
    const lines = (await done(['read', '--after', '11'], here())).split('\n');
    expect(lines[0]).toBe('position\ttime\tstream\tversion\ttype\tdata');
    expect(lines[1]).toBe('12\t2026-01-01T00:11:00.000Z\torder-3\t3\tPaid\t{"index":11}');
    expect(lines[2]).toMatch(/^13\t.+\tcart-\\u202e1\t1\tOdd\t"tab\\there \\u009b2J"$/);
    expect(lines).toHaveLength(5);
  });

  test('stops in silence when nobody reads on', async () => {
    const running = startCli(['read', '--json'], here());
    running.process.stdout?.destroy();
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('follows what others append, until Ctrl-C', async () => {
    const { process: child, ended } = startCli(
      ['read', '--follow', '--json', '--type', 'New', '--after', '14'],
      here(),
    );
    await using log = await openLog({ store: sqlite(file) });
    let seen = '';
    const next = () =>
      new Promise((resolve) => child.stdout?.once('data', (chunk) => resolve((seen += String(chunk)))));
    for (const index of [1, 2]) {
      const line = next();
      await log.append([
        {
          stream: 'cart-2',
          events: [
            { type: 'New', data: { index } },
            { type: 'Other', data: 0 },
          ],
        },
      ]);
      await line;
    }
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Printed);
    expect(events.map(({ data }) => data)).toEqual([{ index: 1 }, { index: 2 }]);
  });

  test('has no end to begin from with --follow', async () => {
    expect(await failing(['read', '--follow', '--backwards'], here())).toMatchObject({ code: 2 });
  });
});

describe('streams', () => {
  test('lists them in order, with what became of them', async () => {
    expect(await printed(['streams', 'order-'], here())).toEqual(
      [3, 3, 3, 4].map((version, index) => {
        return { stream: `order-${index}`, version, deleted: index === 3, hotCount: version };
      }),
    );
    expect((await done(['streams', '--limit', '1'], here())).split('\n')).toHaveLength(3);
  });
});

describe('history', () => {
  test('prints what happened to one instance', async () => {
    const lines = (await done(['history', 'order-3'], here())).trim().split('\n');
    expect(lines[0]).toBe('version\ttime\tkind\ttype\tactor\tid\tdata');
    expect(lines.slice(1).map((line) => line.split('\t').filter((_, column) => [0, 2, 3, 4].includes(column)))).toEqual(
      [
        ['1', 'created', 'Paid', 'Ada'],
        ['2', 'updated', 'Paid', 'Ada'],
        ['3', 'updated', 'Paid', 'Ada'],
        ['4', 'deleted', '$deleted', ''],
      ],
    );
  });

  test('says so where there is none, and where the name cannot be one', async () => {
    expect((await failing(['history', 'order-77'], here())).error).toContain('order-77 does not exist');
    expect(await failing(['history', 'nonsense'], here())).toMatchObject({ code: 2 });
  });
});

describe('stats', () => {
  test('counts events, streams, bytes and types', async () => {
    const [stats] = await printed<Record<string, unknown>>(['stats', '--types'], here());
    expect(stats).toMatchObject({
      deletedStreams: 1,
      limitsNear: [],
      rates: {
        minute: expect.any(Number),
        hour: expect.any(Number),
        day: expect.any(Number),
        '30 days': expect.any(Number),
      },
      types: expect.arrayContaining([
        { type: 'Placed', events: 6, bytes: expect.any(Number) },
        { type: '$deleted', events: 1, bytes: 4 },
      ]),
    });
    expect(stats?.['bytes']).toBeGreaterThan(10_000);
  });

  test('names the limits that are near', async () => {
    const config = await temporaryFolder();
    await writeFile(
      join(config, 'eventsrc.config.mjs'),
      'export default { limits: { eventsPerStream: 5, streams: 4 } };',
    );
    const [stats] = await printed<{ limitsNear: readonly object[] }>(['stats', '--store', `sqlite:${file}`], {
      cwd: config,
    });
    expect(stats?.limitsNear).toContainEqual(expect.objectContaining({ limit: 'streams', max: 4 }));
    expect(stats?.limitsNear).toContainEqual({ limit: 'eventsPerStream', subject: 'order-3', value: 4, max: 5 });
  });
});

test.each([
  ['a store that does not exist', ['--store', 'sqlite:none.db'], 1, 'none.db cannot be opened: it does not exist'],
  ['a folder that does not exist', ['--store', 'sqlite:none/none.db'], 1, 'cannot be opened'],
  ['a wrong URL', ['--store', 'mysql://x'], 2, 'not the URL of a store'],
  ['no file', ['--store', 'sqlite:'], 2, 'names no file'],
  ['a wrong option', ['--stroe', 'x'], 2, "unknown option '--stroe'"],
  ['an argument too many', ['surprise'], 2, 'too many arguments'],
  ['a number that is none', ['--limit', '-1'], 2, "argument '-1' is invalid"],
  ['a time that is none', ['--since', 'yesterday'], 2, "argument 'yesterday' is invalid"],
  ['a day that no month has', ['--until', '2026-02-30'], 2, "argument '2026-02-30' is invalid"],
  ['a config that does not exist', ['--config', 'none.ts', '--store', ''], 2, 'none.ts does not exist'],
])('%s is one line and a remedy', async (_, args, code, message) => {
  const failure = await failing(['read', ...args], { cwd: folder });
  expect(failure.code).toBe(code);
  expect(failure.error).toContain(message);
});

test('without a store it says how to name one; a store is never made by looking for it', async () => {
  const empty = await temporaryFolder();
  expect((await failing(['streams'], { cwd: empty })).remedy).toContain('--store sqlite:FILE');
  const { stderr, code } = await cli(['streams', '--store', 'sqlite:new.db', '--json'], { cwd: empty });
  expect({ code, error: JSON.parse(stderr) as unknown }).toMatchObject({
    code: 1,
    error: { error: { code: 'store_unavailable' } },
  });
  expect(readdirSync(empty)).toEqual([]);
});

test('a stack is shown to who asks for it', async () => {
  const { stderr } = await startCli(['read', '--store', 'sqlite:none.db', '--debug'], { cwd: folder }).ended;
  expect(stderr).toMatch(/^error: .+\n {2}.+\nEngineError: store_unavailable[^]+\n {4}at /);
});
