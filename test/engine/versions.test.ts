/** Events of several versions in whole engines, and processes with neighbouring versions on one store; on every backend. */
import { join } from 'node:path';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  complete,
  defineAggregate,
  defineDecision,
  defineProjection,
  defineReactor,
  defineSaga,
  memory,
  openEngine,
  pinned,
  versions,
} from '../../src/index.ts';
import type { Backend, Engine, EngineOptions } from '../../src/index.ts';
import { shared } from '../support/gated-store.ts';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = await temporaryFolder();
let files = 0;
const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function open(store: Backend, options: Partial<EngineOptions>): Promise<Engine> {
  const hooks = { consumer: () => {}, saga: () => {} };
  const engine = await openEngine({ store, hooks, leaseMs: 400, limits: { streams: Infinity }, ...options });
  opened.push(engine);
  return engine;
}

const amount1 = z.object({ amount: z.number() });
const amount2 = z.object({ cents: z.number().int() });
const amount = versions(amount1).next(amount2, {
  up: ({ amount: euros }) => ({ cents: Math.round(euros * 100) }),
  down: ({ cents }) => ({ amount: cents / 100 }),
});

/** The account of the first deployment. */
const oldAccount = defineAggregate({
  name: 'account',
  events: { Deposited: amount1, Adjusted: z.object({ by: z.number(), note: z.string() }) },
  initialState: 0,
  evolve: { Deposited: (sum, event) => sum + event.data.amount, Adjusted: (sum, event) => sum + event.data.by },
  commands: {
    deposit: { input: amount1, decide: (_, input) => [{ type: 'Deposited', data: input }] },
    adjust: {
      input: z.object({ by: z.number(), note: z.string() }),
      decide: (_, input) => [{ type: 'Adjusted', data: input }],
    },
  },
});

/** And of the next one, which counts in cents, and has two events instead of one. */
const account = defineAggregate({
  name: 'account',
  events: { Deposited: amount, Corrected: z.object({ cents: z.number() }), Noted: z.object({ note: z.string() }) },
  retired: {
    Adjusted: {
      schema: z.object({ by: z.number(), note: z.string() }),
      as: ({ by, note }) => [
        { type: 'Corrected', data: { cents: Math.round(by * 100) } },
        { type: 'Noted', data: { note } },
      ],
    },
  },
  snapshotEvery: 2,
  initialState: { cents: 0, notes: [] as readonly string[] },
  evolve: {
    Deposited: (state, event) => ({ ...state, cents: state.cents + event.data.cents }),
    Corrected: (state, event) => ({ ...state, cents: state.cents + event.data.cents }),
    Noted: (state, event) => ({ ...state, notes: [...state.notes, event.data.note] }),
  },
  commands: {
    deposit: { input: amount2, decide: (_, input) => [{ type: 'Deposited', data: input }] },
    note: { input: z.object({ note: z.string() }), decide: (_, input) => [{ type: 'Noted', data: input }] },
  },
});

const balances = defineProjection({
  name: 'balances',
  from: [account],
  key: (event) => event.aggregateId,
  initial: { cents: 0, notes: 0 },
  on: {
    Deposited: (document, event) => ({ ...document, cents: document.cents + event.data.cents }),
    Corrected: (document, event) => ({ ...document, cents: document.cents + event.data.cents }),
    Noted: (document) => ({ ...document, notes: document.notes + 1 }),
  },
});

const oldBalances = defineProjection({
  name: 'balances',
  from: [oldAccount],
  key: (event) => event.aggregateId,
  initial: { cents: 0, notes: 0 },
  on: {
    Deposited: (document, event) => ({ ...document, cents: document.cents + Math.round(event.data.amount * 100) }),
    Adjusted: (document, event) => ({
      cents: document.cents + Math.round(event.data.by * 100),
      notes: document.notes + 1,
    }),
  },
});

/** What the first deployment left: 1 + 2.5 - 0.5 in account 1, with a note. */
async function history(store: Backend): Promise<void> {
  const engine = await open(store, { aggregates: [oldAccount] });
  await engine.execute(oldAccount.commands.deposit('1', { amount: 1 }));
  await engine.execute(oldAccount.commands.deposit('1', { amount: 2.5 }));
  await engine.execute(oldAccount.commands.adjust('1', { by: -0.5, note: 'fee' }));
  await engine.close();
}

const backends: [string, () => Backend][] = [
  ['memory', () => shared(memory())],
  ['sqlite', () => sqlite(join(folder, `${++files}.db`))],
  ['postgres', postgresStores()],
];

describe.each(backends)('on %s', (_backend, newStore) => {
  test('what older code appended is folded, projected, replayed and listed as the newest versions', async () => {
    const store = newStore();
    await history(store);
    const engine = await open(store, { aggregates: [account], projections: [balances] });
    await engine.execute(account.commands.deposit('1', { cents: 5 }));
    expect(await engine.load(account, '1')).toMatchObject({ state: { cents: 305, notes: ['fee'] }, version: 4 });
    expect(await engine.load(account, '1', { at: { position: 3 } })).toMatchObject({
      state: { cents: 300, notes: ['fee'] },
      version: 3,
    });
    await engine.settled();
    expect(await engine.view(balances).get('1')).toEqual({ cents: 305, notes: 1 });
    const seen: unknown[] = [];
    for await (const page of engine.history(account, '1'))
      for (const { type, schemaVersion, version } of page) seen.push([version, type, schemaVersion]);
    expect(seen).toEqual([
      [1, 'Deposited', 2],
      [2, 'Deposited', 2],
      [3, 'Corrected', 1],
      [3, 'Noted', 1],
      [4, 'Deposited', 2],
    ]);
    const frames = [];
    for await (const { state } of engine.replay({ aggregate: account, id: '1' })) frames.push(state);
    expect(frames.at(-1)).toEqual({ cents: 305, notes: ['fee'] });
  });

  test('a snapshot is of the state after all events that one stored event is read as', async () => {
    const store = newStore();
    await history(store);
    const engine = await open(store, { aggregates: [account] });
    await engine.execute(account.commands.note('1', { note: 'n' }));
    await engine.snapshots.take(account, '1');
    await engine.close();
    const next = await open(store, { aggregates: [account] });
    expect(await next.load(account, '1')).toEqual(await next.load(account, '1', { mode: 'full' }));
    expect((await next.load(account, '1')).state).toEqual({ cents: 300, notes: ['fee', 'n'] });
  });

  test('nor is one kept of the state between them, however the stream grows', async () => {
    const store = newStore();
    const old = await open(store, { aggregates: [oldAccount] });
    await old.execute(oldAccount.commands.deposit('1', { amount: 1 }));
    await old.execute(oldAccount.commands.adjust('1', { by: 1, note: 'second' }));
    await old.close();
    const engine = await open(store, { aggregates: [account] });
    await engine.load(account, '1');
    await engine.close();
    const next = await open(store, { aggregates: [account] });
    expect(await next.snapshots.list(account, '1')).toMatchObject([{ version: 2, usable: true }]);
    expect((await next.load(account, '1')).state).toEqual({ cents: 200, notes: ['second'] });
    expect((await next.snapshots.verify()).faults).toEqual([]);
  });

  test('a decision is made upon them, also upon those of retired types', async () => {
    const store = newStore();
    const old = await open(store, { aggregates: [oldAccount] });
    await old.log.append([
      { stream: 'account-1', events: [{ type: 'Adjusted', data: { by: 1, note: 'x' }, tags: ['t'] }] },
    ]);
    const correct = defineDecision({
      name: 'correct',
      events: account.events,
      input: z.object({}),
      query: () => [{ types: ['Corrected'], tags: ['t'] }],
      initialState: 0,
      evolve: {
        Deposited: 'ignore',
        Corrected: (sum, event) => sum + event.data.cents,
        // Not asked for: an event that another is read as does not come by its side.
        Noted: (sum) => sum + 1_000,
      },
      decide: (sum) => [{ stream: 'account-2', type: 'Corrected', data: { cents: sum }, tags: ['t'] }],
    });
    const engine = await open(store, { aggregates: [account], decisions: [correct] });
    await engine.execute(correct({}));
    await engine.execute(correct({}));
    expect((await engine.load(account, '2')).state.cents).toBe(300);
  });

  test('a consumer that is pinned to an older version gets newer events cast down', async () => {
    const store = newStore();
    await history(store);
    const sums = defineProjection({
      name: 'sums',
      from: [pinned(account, { Deposited: 1 })],
      key: () => 'all',
      initial: { amounts: [] as readonly number[] },
      on: {
        Deposited: ({ amounts }, event) => ({ amounts: [...amounts, event.data.amount] }),
        Corrected: 'ignore',
        Noted: 'ignore',
      },
    });
    const engine = await open(store, { aggregates: [account], projections: [sums] });
    await engine.execute(account.commands.deposit('1', { cents: 5 }));
    await engine.settled();
    expect(await engine.view(sums).get('all')).toEqual({ amounts: [1, 2.5, 0.05] });
    for (const select of [{ streams: ['account-1'] }, { types: ['Deposited'] } as const]) {
      const replay = engine.replay({ projection: sums, key: 'all' }, { mode: 'selective', select });
      expect((await replay.run()).document).toEqual({ amounts: [1, 2.5, 0.05] });
    }
    const other = await engine.past.whatIf({ projection: sums, key: 'all' }, { without: [{ position: 1 }] });
    expect([other.actual, other.hypothetical]).toEqual([{ amounts: [1, 2.5, 0.05] }, { amounts: [2.5, 0.05] }]);
  });

  test('sagas and reactors take in each of several events that one is read as', async () => {
    const store = newStore();
    const reacted: string[] = [];
    const both = defineSaga({
      name: 'both',
      events: { Corrected: account.events.Corrected, Noted: account.events.Noted },
      startsOn: ['Corrected'],
      startAt: 'first_event',
      id: (event) => event.aggregateId,
      initialState: [] as readonly string[],
      evolve: (seen, event) => [...seen, event.type],
      next: (seen) => (seen.includes('Noted') ? [complete(seen)] : []),
    });
    const listener = defineReactor({
      name: 'listener',
      from: [account],
      startAt: 'first_event',
      on: {
        Deposited: 'ignore',
        Corrected: (_, { idempotencyKey }) => void reacted.push(idempotencyKey),
        Noted: (_, { idempotencyKey }) => void reacted.push(idempotencyKey),
      },
    });
    await history(store);
    const engine = await open(store, { aggregates: [account], sagas: [both], reactors: [listener] });
    await engine.settled();
    expect(new Set(reacted).size).toBe(2);
    expect((await engine.saga(both, '1').state()).state).toContain('Noted');
  });

  test('newer events stop older code, whether it loads or projects; newer code goes on by itself', async () => {
    const store = newStore();
    const old = await open(store, { aggregates: [oldAccount], projections: [oldBalances] });
    await old.execute(oldAccount.commands.deposit('1', { amount: 1 }));
    await old.settled();
    const writer = await open(store, { aggregates: [account], projections: [balances], run: 'none' });
    await writer.execute(account.commands.deposit('1', { cents: 5 }));
    await expect(old.load(oldAccount, '1')).rejects.toMatchObject({
      code: 'event_newer',
      details: { stream: 'account-1', version: 2, type: 'Deposited', schemaVersion: 2, known: 1 },
    });
    await expect(old.execute(oldAccount.commands.deposit('1', { amount: 1 }))).rejects.toMatchObject({
      code: 'event_newer',
    });
    // Instances that no newer code has touched go on.
    expect((await old.execute(oldAccount.commands.deposit('2', { amount: 3 }))).kind).toBe('accepted');
    await expect(old.settled()).rejects.toMatchObject({ code: 'consumer_faulted' });
    const [status] = await old.consumers.status();
    expect(status?.slots[0]?.fault).toMatchObject({ type: 'Deposited', attempts: 1, isUnknown: true });
    const next = await open(store, { aggregates: [account], projections: [balances] });
    await next.settled();
    expect(await next.view(balances).get('1')).toEqual({ cents: 105, notes: 0 });
    expect(await next.view(balances).get('2')).toEqual({ cents: 300, notes: 0 });
  });

  test('an older worker steps aside as soon as newer code works on its projection, before it meets what it does not know', async () => {
    const store = newStore();
    const told: string[] = [];
    const old = await open(store, {
      aggregates: [oldAccount],
      projections: [oldBalances],
      hooks: { consumer: ({ kind }) => void told.push(kind) },
    });
    await old.execute(oldAccount.commands.deposit('1', { amount: 1 }));
    await old.settled();
    // With the same types: it is the version alone that is newer.
    const inCents = defineAggregate({
      name: 'account',
      events: { ...oldAccount.events, Deposited: amount },
      initialState: 0,
      evolve: { Deposited: (sum, event) => sum + event.data.cents, Adjusted: (sum) => sum },
      commands: { deposit: { input: amount2, decide: (_, input) => [{ type: 'Deposited', data: input }] } },
    });
    const balancesInCents = defineProjection({
      name: 'balances',
      from: [inCents],
      key: (event) => event.aggregateId,
      initial: { cents: 0, notes: 0 },
      on: {
        Deposited: (document, event) => ({ ...document, cents: document.cents + event.data.cents }),
        Adjusted: (document) => document,
      },
    });
    const next = await open(store, { aggregates: [inCents], projections: [balancesInCents] });
    await next.execute(inCents.commands.deposit('1', { cents: 5 }));
    await next.settled();
    expect(await next.view(balancesInCents).get('1')).toEqual({ cents: 105, notes: 0 });
    expect(told).not.toContain('faulted');
  });

  test('decisions and sagas of older code do not pass newer events by', async () => {
    const store = newStore();
    const writer = await open(store, { aggregates: [account] });
    await writer.execute(account.commands.deposit('1', { cents: 5 }));
    const sum = defineDecision({
      name: 'sum',
      events: oldAccount.events,
      input: z.object({}),
      query: () => [{ types: ['Deposited'] }],
      initialState: 0,
      evolve: { Deposited: (total, event) => total + event.data.amount, Adjusted: 'ignore' },
      decide: () => [],
    });
    const thanks = defineSaga({
      name: 'thanks',
      events: { Deposited: oldAccount.events.Deposited },
      startsOn: ['Deposited'],
      startAt: 'first_event',
      id: (event) => event.aggregateId,
      initialState: 0,
      evolve: (state) => state,
      next: () => [complete()],
    });
    const old = await open(store, { aggregates: [oldAccount], decisions: [sum], sagas: [thanks] });
    await expect(old.execute(sum({}))).rejects.toMatchObject({ code: 'event_newer', details: { known: 1 } });
    await expect(old.settled()).rejects.toMatchObject({ code: 'consumer_faulted', details: { position: 1 } });
  });

  test('an event of a type that no source declares is not passed by in silence', async () => {
    const store = newStore();
    const engine = await open(store, { aggregates: [account], projections: [balances] });
    await engine.log.append([{ stream: 'account-1', events: [{ type: 'Gifted', data: { cents: 1 } }] }]);
    await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted' });
    const [status] = await engine.consumers.status();
    expect(status?.slots[0]?.fault).toMatchObject({ position: 1, type: 'Gifted', isUnknown: true });
    await engine.consumers.skip('balances', 1, { reason: 'a gift' });
    await engine.settled();
    // Of other aggregates it need know nothing.
    await engine.log.append([{ stream: 'gift-1', events: [{ type: 'Gifted', data: { cents: 1 } }] }]);
    await engine.settled();
  });

  test('nor where it lies among so many others that an index leads from one event of interest to the next', async () => {
    const store = newStore();
    const engine = await open(store, { aggregates: [account] });
    const noise = Array.from({ length: 1_000 }, () => ({ type: 'Hummed', data: null }));
    for (const stream of ['hive-1', 'hive-2', 'hive-3']) await engine.log.append([{ stream, events: noise }]);
    await engine.log.append([{ stream: 'account-1', events: [{ type: 'Gifted', data: { cents: 1 } }] }]);
    for (const stream of ['hive-4', 'hive-5', 'hive-6']) await engine.log.append([{ stream, events: noise }]);
    const projecting = await open(store, { aggregates: [account], projections: [balances] });
    await expect(projecting.settled()).rejects.toMatchObject({
      code: 'consumer_faulted',
      details: { position: 3_001 },
    });
  });

  test('what is unknown can be put aside, or taken as it is', async () => {
    const store = newStore();
    const parking = defineProjection({
      name: 'parking',
      from: [oldAccount],
      onUnknown: 'park',
      key: (event) => event.aggregateId,
      initial: { amount: 0 },
      on: { Deposited: (document, event) => ({ amount: document.amount + event.data.amount }), Adjusted: 'ignore' },
    });
    const raw = defineProjection({
      name: 'raw',
      from: [oldAccount],
      onUnknown: 'raw',
      key: (event) => event.aggregateId,
      initial: { seen: [] as readonly unknown[] },
      on: {
        Deposited: ({ seen }, event) => ({ seen: [...seen, event.data] }),
        Adjusted: 'ignore',
        $unknown: ({ seen }, event) => ({ seen: [...seen, event.type] }),
      },
    });
    const writer = await open(store, { aggregates: [account], run: 'none' });
    await writer.execute(account.commands.deposit('1', { cents: 5 }));
    await writer.execute(account.commands.note('1', { note: 'n' }));
    await writer.close();
    const engine = await open(store, { aggregates: [oldAccount], projections: [parking, raw] });
    await engine.execute(oldAccount.commands.deposit('2', { amount: 3 }));
    await engine.settled();
    expect(await engine.view(raw).get('1')).toEqual({ seen: [{ cents: 5 }, 'Noted'] });
    expect(await engine.view(parking).get('2')).toEqual({ amount: 3 });
    const parked: string[] = [];
    for await (const { type } of engine.consumers.parked('parking')) parked.push(type);
    expect(parked).toEqual(['Deposited', 'Noted']);
  });

  test('a reaction that meets another event that it does not know fails as any other does, and is not tried again without end', async () => {
    const store = newStore();
    const newer = await open(store, { aggregates: [account], run: 'none' });
    await newer.execute(account.commands.deposit('1', { cents: 5 }));
    let attempts = 0;
    const bell = defineAggregate({
      name: 'bell',
      events: { Rung: z.null() },
      initialState: 0,
      evolve: { Rung: (count) => count + 1 },
      commands: { ring: { input: z.null(), decide: () => [{ type: 'Rung', data: null }] } },
    });
    const reminder = defineReactor({
      name: 'reminder',
      from: [bell],
      startAt: 'first_event',
      attempts: 2,
      on: {
        Rung: async () => {
          attempts += 1;
          // Where it never ends, the test does all the same.
          if (attempts < 20) await engine.execute(oldAccount.commands.deposit('1', { amount: 1 }));
        },
      },
    });
    const engine = await open(store, { aggregates: [oldAccount, bell], reactors: [reminder] });
    await engine.execute(bell.commands.ring('1', null));
    await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted' });
    expect(attempts).toBe(2);
    const [status] = await engine.consumers.status();
    expect(status?.slots[0]?.fault).toMatchObject({ type: 'Rung', attempts: 2 });
    expect(status?.slots[0]?.fault?.isUnknown).toBeUndefined();
  });

  test('an event that cannot be cast makes a projection stand still there, and a load say why', async () => {
    const store = newStore();
    await history(store);
    const broken = defineAggregate({
      name: 'account',
      events: {
        Deposited: versions(amount1).next(amount2, {
          up: ({ amount: euros }) => {
            if (euros > 2) throw new Error('too much');
            return { cents: euros * 100 };
          },
        }),
        Adjusted: z.object({ by: z.number(), note: z.string() }),
      },
      initialState: 0,
      evolve: { Deposited: (sum, event) => sum + event.data.cents, Adjusted: (sum) => sum },
      commands: {},
    });
    const sums = defineProjection({
      name: 'sums',
      from: [broken],
      key: () => 'all',
      initial: { cents: 0 },
      on: { Deposited: ({ cents }, event) => ({ cents: cents + event.data.cents }), Adjusted: 'ignore' },
    });
    const engine = await open(store, { aggregates: [broken], projections: [sums] });
    await expect(engine.load(broken, '1')).rejects.toMatchObject({
      code: 'cast_failed',
      details: { stream: 'account-1', version: 2, position: 2, schemaVersion: 1 },
    });
    await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted', details: { position: 2 } });
  });
});
