/** Commands that look back: state --at, history, replay, diff, why, what-if, snapshots, query --at. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sqlite } from '../../src/sqlite/index.ts';
import { openLog } from '../../src/store/log.ts';
import type { EventLog } from '../../src/store/log.ts';
import { TestClock } from '../../src/testing/test-clock.ts';
import { cli, done, failing, printed, program } from './cli-process.ts';
import { emptyProject } from './views-project.ts';

// The word is put in, or this file would seem to export it.
const config = (fee: string, store = 'sqlite:events.db') => `
import { defineAggregate, defineConfig, defineProjection } from 'eventsrc';
import { account as real } from './account.ts';

const factor = Number(process.env.FACTOR ?? 1);

const account = defineAggregate({
  name: 'account',
  snapshotEvery: 2,
  events: real.events,
  initialState: { owner: { name: '' }, balance: 0 },
  evolve: {
    AccountOpened: (state, { data }) => ({ ...state, owner: { name: data.owner } }),
    // What the first few events are folded into must stay the same for one version.
    MoneyDeposited: (state, { data }) => ({ ...state, balance: state.balance + data.amount * (data.amount > 100 ? factor : 1) }),
    MoneyWithdrawn: (state, { data }) => ({ ...state, balance: state.balance - data.amount - ${fee} }),
  },
  commands: {},
});

const balances = defineProjection({
  name: 'balances',
  from: [account],
  key: (event) => event.aggregateId,
  initial: { owner: '', balance: 0 },
  on: {
    AccountOpened: (document, { data }) => ({ ...document, owner: data.owner }),
    MoneyDeposited: (document, { data }) => ({ ...document, balance: document.balance + data.amount }),
    MoneyWithdrawn: (document, { data }) => ({ ...document, balance: document.balance - data.amount - ${fee} }),
  },
});

export ${'default'} defineConfig({ store: '${store}', aggregates: [account], projections: [balances] });
`;

let cwd = '';
const start = Date.UTC(2026, 0, 1);
const hourMs = 3_600_000;

beforeAll(async () => {
  cwd = await emptyProject();
  writeFileSync(join(cwd, 'eventsrc.config.mjs'), config('0'));
  writeFileSync(join(cwd, 'fees.mjs'), config('1', 'sqlite:none.db'));
  writeFileSync(join(cwd, 'broken.mjs'), config('broken()'));
  const clock = new TestClock(start);
  await using log = await openLog({ store: sqlite(join(cwd, 'events.db')), clock });
  // One an hour, the first one at midnight: positions 1 to 7.
  const append = async (stream: string, type: string, data: unknown) => {
    await appendTo(log, stream, type, data);
    clock.advance(hourMs);
  };
  await append('account-1', 'AccountOpened', { owner: 'Ada' });
  await append('account-1', 'MoneyDeposited', { amount: 50 });
  await append('account-2', 'AccountOpened', { owner: 'Bob' });
  await append('account-1', 'MoneyWithdrawn', { amount: 20 });
  await append('account-1', 'MoneyDeposited', { amount: 5 });
  await append('account-2', '$deleted', null);
  await append('order-1', 'OrderPlaced', { total: 3 });
});

async function appendTo(log: EventLog, stream: string, type: string, data: unknown): Promise<void> {
  await log.append([{ stream, events: [{ type, data, metadata: { actor: 'teller' } }] }]);
}

describe('state', () => {
  test('as it was, laid out for programs with every field under its whole path', async () => {
    const asked = ['state', 'account-1', '--at', '2026-01-01T02:59'];
    expect(await printed(asked, { cwd })).toMatchObject([
      { version: 2, state: { owner: { name: 'Ada' }, balance: 50 } },
    ]);
    expect(await done(asked, { cwd })).toMatch(/^state\.owner\.name\tAda\nstate\.balance\t50$/m);
  });

  test('says that an instance is deleted, and what to do to see what it was', async () => {
    const { stdout, stderr } = await cli(['state', 'account-2'], { cwd });
    expect(stdout).toMatch(/^deleted\ttrue$/m);
    expect(stderr).toContain('eventsrc state account-2 --at v1');
  });

  test.each([
    [['state', 'account-9', '--at', 'v1'], 'account-9 does not exist'],
    [['diff', '--view', 'balances', '--key', '1', '--from', 'v1'], '--from v1: only one stream has versions'],
    [['what-if', 'account-1', '--without', 'v99'], 'there is none with {"version":99}'],
    [['query', 'balances', '--at', '@3', '--at-least', '4'], 'What was does not grow newer'],
  ])('%j is one line and a remedy', async (args, message) => {
    expect((await failing(args, { cwd })).error).toContain(message);
  });
});

describe('history', () => {
  interface Printed {
    readonly version: number;
    readonly id: string;
    readonly changes?: readonly object[];
  }
  const versions = async (...args: readonly string[]) =>
    (await printed<Printed>(['history', 'account-1', ...args], { cwd })).map(({ version }) => version);

  test('tells what each event changed', async () => {
    const events = await printed<Printed>(['history', 'account-1'], { cwd });
    expect(events.map(({ changes }) => changes)).toEqual([
      [{ path: 'owner.name', before: '', after: 'Ada' }],
      [{ path: 'balance', before: 0, after: 50 }],
      [{ path: 'balance', before: 50, after: 30 }],
      [{ path: 'balance', before: 30, after: 35 }],
    ]);
    expect(events[0]?.id).toMatch(/^[0-9a-f]{64}$/);
  });

  test('of a part, backwards, and of what the config does not know', async () => {
    expect(await versions('--backwards', '--limit', '2')).toEqual([4, 3]);
    const [event] = await printed<Printed>(['history', 'order-1'], { cwd });
    expect(event).toMatchObject({ type: 'OrderPlaced' });
    expect(event).not.toHaveProperty('changes');
  });

  test('shows events that the fold fails upon, too', async () => {
    const { stdout, stderr } = await cli(['history', 'account-1', '--config', 'broken.mjs'], { cwd });
    expect(stdout.trim().split('\n')).toHaveLength(5);
    expect(stderr).toContain('What events changed is not known from version 3 on');
  });
});

describe('replay', () => {
  interface Frame {
    readonly event: { readonly position: number };
    readonly state?: object;
    readonly documents?: readonly object[];
  }
  const replayed = (...args: readonly string[]) => printed<Frame>(['replay', ...args], { cwd });
  const positions = (frames: readonly Frame[]) => frames.map(({ event }) => event.position);

  test('goes through an instance, a view, and everything', async () => {
    const [instance, view, all] = await Promise.all([
      replayed('account-1'),
      replayed('--view', 'balances'),
      replayed('--mode', 'full'),
    ]);
    expect(positions(instance)).toEqual([1, 2, 4, 5]);
    expect(instance.at(-1)).toMatchObject({ state: { balance: 35 }, changes: [{ before: 30, after: 35 }] });
    expect(positions(view)).toEqual([1, 2, 3, 4, 5]);
    expect(view[3]?.documents).toEqual([{ key: '1', changes: [{ path: 'balance', before: 50, after: 30 }] }]);
    expect(positions(all)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('of a part: up to a moment, or what is selected', async () => {
    expect(positions(await replayed('--type', 'MoneyDeposited', '--stream', 'account-1', '--at', '@4'))).toEqual([2]);
  });

  test('without frames it is the result, and how fast it was', async () => {
    const [result] = await printed(['replay', 'account-1', '--quiet'], { cwd });
    expect(result).toMatchObject({ events: 4, position: 5, rate: expect.any(Number), state: { balance: 35 } });
    expect(await done(['replay', '--view', 'balances', '--quiet'], { cwd })).toMatch(
      /^2 documents\n✔ Folded 5 events up to position 5 in /,
    );
  });

  // util-linux has it, and runs a command in a terminal of its own.
  const hasScript = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux') === true;

  test.skipIf(!hasScript)('listens to keys on a terminal', async () => {
    const typed = `stty cols 130; '${process.execPath}' '${program}' replay account-1 --speed 1`;
    const child = spawn('script', ['-qec', typed, '/dev/null'], { cwd });
    let text = '';
    child.stdout.on('data', (chunk) => (text += String(chunk)));
    const shows = async (what: string) => {
      while (!text.includes(what)) await new Promise((resolve) => child.stdout.once('data', resolve));
    };
    const ended = new Promise((resolve) => child.once('close', resolve));
    try {
      await shows('q quit');
      // The next event is an hour away.
      await shows('25%');
      child.stdin.write(' ');
      await shows('paused');
      child.stdin.write('\u001b[C');
      await shows('balance');
      child.stdin.write('+');
      await shows('2x');
      child.stdin.write('q');
      expect(await ended).toBe(0);
      expect(text).toContain('quit after 2 events, at position 2 of 5');
    } finally {
      child.kill();
    }
  });
});

describe('diff', () => {
  test('of an instance and of a document, with the events that made the difference', async () => {
    const [instance] = await printed(['diff', 'account-1', '--from', 'v2', '--to', 'v4'], { cwd });
    expect(instance).toMatchObject({
      changes: [{ path: 'balance', before: 50, after: 35 }],
      events: [{ event: { version: 3 } }, { event: { version: 4 } }],
    });
    expect(await done(['diff', '--view', 'balances', '--key', '1', '--from', '@2'], { cwd })).toMatch(
      /^field\tbefore\tafter\nbalance\t50\t35\n\nposition\t.+\n4\taccount-1\t3\t.+\tbalance: 50 → 30\n5\t.+\n$/,
    );
    const same = await cli(['diff', 'account-1', '--from', 'v2', '--to', '@3'], { cwd });
    expect(same).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('is at position 3 what it was'),
    });
  });
});

describe('why', () => {
  test('names the event that last changed a field', async () => {
    expect(await done(['why', 'account-1', 'balance', '--at', 'v3'], { cwd })).toMatch(
      /^field\tbalance\nbefore\t50\nafter\t30\ntype\tMoneyWithdrawn\n[^]*^actor\tteller$/m,
    );
    expect(await printed(['why', '--view', 'balances', '--key', '2', 'owner'], { cwd })).toMatchObject([
      { after: 'Bob', event: { position: 3 } },
    ]);
  });
});

describe('what-if', () => {
  const whatIf = (...args: readonly string[]) => printed(['what-if', ...args], { cwd });

  test('leaves events out, adds some, folds by other code', async () => {
    const added = '{"type": "MoneyDeposited", "data": {"amount": 7}, "after": "v2"}';
    const [without, add, other] = await Promise.all([
      whatIf('account-1', '--without', 'v3', '--without', '@5'),
      whatIf('account-1', '--add', added, '--at', 'v3'),
      whatIf('account-1', '--with', 'fees.mjs'),
    ]);
    expect(without).toMatchObject([
      { changes: [{ path: 'balance', before: 35, after: 50 }], firstDifference: { kind: 'left_out' } },
    ]);
    expect(add).toMatchObject([
      { actual: { balance: 30 }, hypothetical: { balance: 37 }, events: { hypothetical: 4 } },
    ]);
    expect(other).toMatchObject([
      { changes: [{ before: 35, after: 34 }], firstDifference: { kind: 'happened', event: { version: 3 } } },
    ]);
  });

  test('folds that fail today are compared with those that will not, as far as they come', async () => {
    const args = ['what-if', 'account-1', '--config', 'broken.mjs', '--with', 'eventsrc.config.mjs'];
    const { stdout, stderr } = await cli(args, { cwd });
    expect(stdout).toMatch(/^field\tas it is\tas it would be\nbalance\t50\t35\n/);
    expect(stderr).toContain('broken is not defined');
  });

  test('of a view, and of one document; nothing is written', async () => {
    const before = digestOf('events.db');
    expect(await whatIf('--view', 'balances', '--without', '@3')).toMatchObject([
      { compared: 2, differing: 1, differences: [{ key: '2' }] },
    ]);
    const { stdout, stderr } = await cli(['what-if', '--view', 'balances', '--key', '1', '--with', 'fees.mjs'], {
      cwd,
    });
    expect(stdout).toMatch(/^field\tas it is\tas it would be\nbalance\t35\t34\n\nthey part at\tMoneyWithdrawn\n/);
    expect(stderr).toBe('Nothing was written.\n');
    expect(digestOf('events.db')).toBe(before);
  });
});

function digestOf(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(cwd, name)))
    .digest('hex');
}

describe('query --at', () => {
  test('asks a view as it was, though nobody has run it', async () => {
    const asked = ['query', 'balances', '--at', '2026-01-01T02:00', '--where', '{"owner": "Bob"}', '--count'];
    expect(await printed(asked, { cwd })).toEqual([{ count: 1 }]);
  });
});

describe('snapshots', () => {
  test('are taken, listed and verified; one that is not what events lead to is named and set aside', async () => {
    const verify = (...args: readonly string[]) => cli(['snapshots', 'verify', ...args], { cwd });
    expect((await cli(['snapshots'], { cwd })).stderr, 'all this looking').toBe('there are no snapshots\n');
    await done(['snapshots', 'take', 'account-1'], { cwd });
    expect(await done(['snapshots'], { cwd })).toMatch(
      /^stream\t.+\naccount-1\t4\t1\t1\t\d+\n\naggregate\t.+\naccount\t1\t1\t1\t\d+\n$/,
    );
    const file = sqlite(join(cwd, 'events.db'));
    {
      await using log = await openLog({ store: file });
      // Two streams with each type of event are the sample of what the code makes; this one is not in it.
      for (const [stream, amount] of [
        ['account-3', 5],
        ['account-4', 200],
      ] as const) {
        await appendTo(log, stream, 'AccountOpened', { owner: 'Eve' });
        await appendTo(log, stream, 'MoneyDeposited', { amount });
        await done(['snapshots', 'take', stream], { cwd });
      }
      const value = new TextEncoder().encode('{}');
      const state = await log.state();
      await state?.commit({ puts: [{ collection: 'snapshot/states', key: '4 account-1', value }] });
    }
    expect(await verify('account-1')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^account-1\t4\tdamaged\t\t\t$/m),
    });
    expect(await done(['snapshots', 'account-1'], { cwd })).toMatch(/\tset aside: damaged\n$/);
    expect(await cli(['snapshots', 'verify', 'account-4'], { cwd, env: { FACTOR: '2' } })).toMatchObject({
      code: 1,
      stdout:
        'stream\tversion\tfault\tfield\tkept\trefolded\naccount-4\t2\tnot what its events lead to\tbalance\t200\t400\n',
      stderr: expect.stringMatching(/1 of 1 snapshot of 1 stream cannot be believed[^]+raise snapshotVersion/),
    });
  });
});
