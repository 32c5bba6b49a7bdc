/** What else consumes events: live views, tables of the user's own, reactors; and what is told of all of them. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqlite } from 'eventsrc/sqlite';
import { postgres } from 'eventsrc/postgres';
import { TestClock } from 'eventsrc/testing';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { defineProjection, defineReactor, defineTables, memory, openEngine } from '../../src/index.ts';
import type { Backend, ConsumerNotice, Engine, EngineOptions } from '../../src/index.ts';
import { account } from '../command/account.ts';
import { shared } from '../support/gated-store.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { balances } from './balances.ts';

const folder = await temporaryFolder();
const { open, deposit } = account.commands;
const opened: Engine[] = [];
let fileCount = 0;
const newFile = () => join(folder, `modes-${++fileCount}.db`);

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(store: Backend, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({ store, aggregates: [account], limits: { streams: Infinity }, ...options });
  opened.push(engine);
  return engine;
}

test('a live view is in the memory of each process, from the first event on', async () => {
  const live = defineProjection({
    name: 'sums',
    mode: 'live',
    from: [account],
    key: ({ aggregateId }) => aggregateId,
    initial: { sum: 0 },
    on: {
      AccountOpened: 'ignore',
      MoneyDeposited: ({ sum }, { data }) => ({ sum: sum + data.amount }),
      MoneyWithdrawn: 'ignore',
    },
  });
  const store = shared(memory());
  const first = await engineOn(store);
  const receipt = await first.execute(deposit('1', { amount: 5 }));
  const second = await engineOn(store, { projections: [live], run: 'none' });
  expect(await second.view(live).get('1')).toEqual({ sum: 5 });
  await first.execute(deposit('1', { amount: 6 }));
  expect(receipt).toMatchObject({ position: 1 });
  expect(await second.view(live).get('1', { atLeast: 2 })).toEqual({ sum: 11 });
});

describe('tables of the user’s own', () => {
  const newSchema = postgresSchemas(18);
  const totals = (place: readonly [string, string]) =>
    defineTables({
      name: 'totals',
      from: [account],
      create: ['create table totals (id text primary key, total integer not null)'],
      on: {
        AccountOpened: ({ aggregateId }) => [
          { sql: `insert into totals values (${place[0]}, 0)`, params: [aggregateId] },
        ],
        MoneyDeposited: ({ aggregateId, data }) => [
          {
            sql: `update totals set total = total + ${place[0]} where id = ${place[1]}`,
            params: [data.amount, aggregateId],
          },
        ],
        MoneyWithdrawn: 'ignore',
      },
    });

  async function fill(store: Backend, place: readonly [string, string]): Promise<void> {
    for (const amount of [5, 6]) {
      const engine = await engineOn(store, { tables: [totals(place)] });
      await engine.execute(open('1', { owner: 'Ada' }));
      await engine.execute(deposit('1', { amount }));
      await engine.settled();
      await engine.close();
    }
  }

  test('on sqlite', async () => {
    const file = newFile();
    await fill(sqlite(file), ['?', '?']);
    using db = new DatabaseSync(file);
    expect(db.prepare('select * from totals').all()).toEqual([{ id: '1', total: 11 }]);
  });

  test('on postgres', async () => {
    const { url, schema } = newSchema();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await fill(postgres(url, { schema }), ['$1', '$2']);
    expect((await client.query('select * from totals')).rows).toEqual([{ id: '1', total: 11 }]);
    await client.end();
  });

  test('not in memory, which speaks no SQL', async () => {
    await expect(engineOn(memory(), { tables: [totals(['?', '?'])] })).rejects.toMatchObject({
      code: 'request_invalid',
    });
  });
});

describe('reactors', () => {
  const reactorOf = (
    seen: string[],
    extra: { startAt?: 'now' | 'first_event'; fails?: (amount: number) => boolean } = {},
  ) =>
    defineReactor({
      name: 'mailer',
      from: [account],
      startAt: extra.startAt ?? 'first_event',
      onFailure: 'park',
      attempts: 2,
      on: {
        AccountOpened: 'ignore',
        MoneyDeposited: async ({ data, position }, { idempotencyKey, attempt }) => {
          if (extra.fails?.(data.amount) === true) throw new Error(`attempt ${attempt}`);
          seen.push(`${position} ${data.amount} ${idempotencyKey.startsWith('mailer:')}`);
        },
        MoneyWithdrawn: 'ignore',
      },
    });

  test('react to every event, and go on where they were', async () => {
    const store = shared(memory());
    const seen: string[] = [];
    const first = await engineOn(store, { reactors: [reactorOf(seen)] });
    await first.execute(deposit('1', { amount: 5 }));
    await first.settled();
    await first.close();
    const second = await engineOn(store, { reactors: [reactorOf(seen)] });
    await second.execute(deposit('1', { amount: 6 }));
    await second.settled();
    expect(seen).toEqual(['1 5 true', '2 6 true']);
  });

  test('begin now, if they are to', async () => {
    const store = shared(memory());
    const seen: string[] = [];
    const first = await engineOn(store);
    await first.execute(deposit('1', { amount: 5 }));
    const second = await engineOn(store, { reactors: [reactorOf(seen, { startAt: 'now' })] });
    await second.execute(deposit('1', { amount: 6 }));
    await second.settled();
    expect(seen).toEqual(['2 6 true']);
  });

  test('put aside what fails, with what comes behind it; and do it in order later', async () => {
    let isDown = true;
    const seen: string[] = [];
    const notices: ConsumerNotice[] = [];
    const engine = await engineOn(memory(), {
      reactors: [reactorOf(seen, { fails: (amount) => isDown && amount === 5 })],
      hooks: { consumer: (notice) => notices.push(notice) },
    });
    for (const amount of [5, 6]) await engine.execute(deposit('1', { amount }));
    await engine.execute(deposit('2', { amount: 7 }));
    await engine.settled();
    expect(seen).toEqual(['3 7 true']);
    const parked = await Array.fromAsync(engine.consumers.parked('mailer'));
    expect(parked).toMatchObject([
      { key: 'account-1', position: 1, reason: 'attempt 2', attempts: 2, isBehind: false },
      { key: 'account-1', position: 2, isBehind: true },
    ]);
    expect(notices).toContainEqual(expect.objectContaining({ kind: 'parked', key: 'account-1' }));
    expect((await engine.consumers.status())[0]).toMatchObject({ state: 'running', parked: 2 });
    await engine.consumers.unpark('mailer');
    expect(await Array.fromAsync(engine.consumers.parked('mailer'))).toHaveLength(2);
    isDown = false;
    await engine.consumers.unpark('mailer', { key: 'account-1', actor: 'ops' });
    expect(seen).toEqual(['3 7 true', '1 5 true', '2 6 true']);
    expect(await Array.fromAsync(engine.consumers.parked('mailer'))).toEqual([]);
    await engine.execute(deposit('1', { amount: 8 }));
    await engine.settled();
    expect(seen.at(-1)).toBe('4 8 true');
  });
});

describe('what is told', () => {
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
  };

  test('lag, a promise that is broken and kept again, and a consumer that does not move', async () => {
    const clock = new TestClock();
    const store = shared(memory());
    const notices: ConsumerNotice[] = [];
    const shut = Promise.withResolvers<void>();
    const gated = defineReactor({
      name: 'gated',
      from: [account],
      startAt: 'first_event',
      sla: { maxLagMs: 1_000 },
      on: { AccountOpened: 'ignore', MoneyDeposited: () => shut.promise, MoneyWithdrawn: 'ignore' },
    });
    const engine = await engineOn(store, {
      clock,
      reactors: [gated],
      stallMs: 3_000,
      hooks: { consumer: (notice) => notices.push(notice) },
    });
    await engine.execute(deposit('1', { amount: 1 }));
    clock.advance(5_000);
    await until(() => notices.some(({ kind }) => kind === 'sla_broken'));
    await until(() => {
      clock.advance(100);
      return notices.some(({ kind }) => kind === 'stalled');
    });
    expect(notices).toContainEqual(expect.objectContaining({ kind: 'lag', consumer: 'gated', position: 0, events: 1 }));
    shut.resolve();
    await until(() => notices.some(({ kind }) => kind === 'sla_kept'));
    expect((await engine.consumers.status())[0]).toMatchObject({ sla: { isKept: true }, lag: { ms: 0, position: 1 } });
  });

  test('a query that had to scan, once', async () => {
    const notices: ConsumerNotice[] = [];
    const engine = await engineOn(memory(), {
      projections: [balances],
      hooks: { consumer: (notice) => notices.push(notice) },
    });
    const view = engine.view(balances);
    for (let time = 0; time < 2; time++) {
      await view.findMany({ where: { balance: { gt: 1 } } });
      await view.findMany({ where: { changes: { contains: 3 } } });
    }
    expect(notices.filter(({ kind }) => kind === 'scanned')).toMatchObject([
      { consumer: 'balances', paths: ['changes'] },
    ]);
  });

  test('more projections than the limit are refused', async () => {
    const many = Array.from({ length: 3 }, (_, index) => ({ ...balances, name: `p${index}` }));
    await expect(engineOn(memory(), { projections: many, limits: { projections: 2 } })).rejects.toMatchObject({
      code: 'limit_exceeded',
      details: { limit: 'projections', value: 3, max: 2 },
    });
  });
});

describe('a subscription with a checkpoint', () => {
  test('goes on behind the last batch that was dealt with', async () => {
    const store = shared(memory());
    const engine = await engineOn(store);
    for (let amount = 1; amount <= 5; amount++) await engine.execute(deposit('1', { amount }));
    const seen: number[] = [];
    const follow = async (from: Engine, count: number) => {
      for await (const { events } of from.subscribe({ checkpoint: 'audit', batchSize: 1 })) {
        seen.push(...events.map(({ position }) => position));
        if (seen.length >= count) break;
      }
    };
    await follow(engine, 2);
    await follow(await engineOn(store), 6);
    // What it broke off at had not been dealt with.
    expect(seen).toEqual([1, 2, 2, 3, 4, 5]);
  });

  test('is nobody else’s', async () => {
    const store = shared(memory());
    const engine = await engineOn(store);
    for (let amount = 1; amount <= 3; amount++) await engine.execute(deposit('1', { amount }));
    const [one, two] = [engine, engine].map((from) => from.subscribe({ checkpoint: 'audit', batchSize: 1 }));
    await one?.next();
    await two?.next();
    await one?.next();
    await expect(two?.next()).rejects.toMatchObject({ code: 'checkpoint_taken' });
  });
});
