import { join } from 'node:path';
import { hasCode, memory, openEngine } from '../../src/index.ts';
import type { Backend, Engine, EngineOptions } from '../../src/index.ts';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { account } from '../command/account.ts';
import { runProgram } from '../support/child.ts';
import { shared } from '../support/gated-store.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { postgresStores } from '../support/postgres-schemas.ts';

const folder = await temporaryFolder();
const { open, deposit, withdraw, touch, close } = account.commands;
const opened: Engine[] = [];
let fileCount = 0;

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(store: Backend, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({ store, aggregates: [account], limits: { streams: Infinity }, ...options });
  opened.push(engine);
  return engine;
}

const newStore = postgresStores();

describe.each<[string, () => Backend]>([
  ['memory', () => shared(memory())],
  ['sqlite', () => sqlite(join(folder, `execute-${++fileCount}.db`))],
  ['postgres', newStore],
])('on %s', (_, place) => {
  test('an accepted command returns its events, as they were recorded', async () => {
    const engine = await engineOn(place());
    const receipt = await engine.execute(open('1', { owner: 'Ada' }));
    expect(receipt).toMatchObject({ kind: 'accepted', version: 1, position: 1, duplicate: false });
    const events = receipt.kind === 'accepted' ? receipt.events : [];
    const history = [];
    for await (const page of engine.history(account, '1')) history.push(...page);
    expect(JSON.stringify(events)).toBe(JSON.stringify(history));
    expect(history).toMatchObject([{ type: 'AccountOpened', data: { owner: 'Ada' }, stream: 'account-1', version: 1 }]);
  });

  test('a rejected or an invalid one writes nothing', async () => {
    const engine = await engineOn(place());
    expect(await engine.execute(withdraw('1', { amount: 5 }))).toEqual({
      kind: 'rejected',
      code: 'insufficient_funds',
      details: { balance: 0 },
      duplicate: false,
    });
    const invalid = await engine.execute(withdraw('1', { amount: -5 }));
    expect(invalid).toMatchObject({ kind: 'invalid', issues: [{ path: ['amount'] }] });
    expect(await engine.log.head()).toMatchObject({ position: 0 });
  });

  test('one that has nothing to change is accepted, where the stream stands', async () => {
    const engine = await engineOn(place());
    expect(await engine.execute(touch('1', {}))).toMatchObject({ events: [], version: 0, position: 0 });
    await engine.execute(deposit('other', { amount: 1 }));
    await engine.execute(deposit('1', { amount: 1 }));
    await engine.execute(deposit('other', { amount: 1 }));
    expect(await engine.execute(touch('1', {}))).toMatchObject({ events: [], version: 1, position: 2 });
    expect(await engine.log.head()).toMatchObject({ position: 3 });
  });

  test('commands of one stream are done in the order of their calls', async () => {
    const engine = await engineOn(place());
    const receipts = await Promise.all([
      engine.execute(withdraw('1', { amount: 1 })),
      engine.execute(deposit('1', { amount: 10 })),
      engine.execute(withdraw('1', { amount: 7 })),
      engine.execute(withdraw('1', { amount: 7 })),
      engine.execute(touch('1', {})),
      engine.execute(deposit('1', { amount: 4 })),
      engine.execute(withdraw('1', { amount: 7 })),
    ]);
    expect(receipts.map(({ kind }) => kind)).toEqual([
      'rejected',
      'accepted',
      'accepted',
      'rejected',
      'accepted',
      'accepted',
      'accepted',
    ]);
    expect(receipts[3]).toMatchObject({ details: { balance: 3 } });
    expect(receipts[4]).toMatchObject({ version: 2, position: 2, events: [] });
    expect(await engine.load(account, '1')).toMatchObject({ state: { balance: 0 }, version: 4 });
  });

  test('ten thousand at once on one stream, and on ten thousand', async () => {
    // However slow the machine is: they are to be right, not quick.
    const engine = await engineOn(place(), { commandTimeoutMs: Infinity });
    const many = Array.from({ length: 10_000 }, (_unused, index) => index);
    const one = await Promise.all(many.map(() => engine.execute(deposit('one', { amount: 1 }))));
    expect(one.every(({ kind }) => kind === 'accepted')).toBe(true);
    expect(one.map((receipt) => receipt.kind === 'accepted' && receipt.version)).toEqual(many.map((n) => n + 1));
    expect((await engine.load(account, 'one')).state.balance).toBe(10_000);
    const all = await Promise.all(many.map((n) => engine.execute(deposit(`n${n}`, { amount: 1 }))));
    expect(all.every((receipt) => receipt.kind === 'accepted' && receipt.version === 1)).toBe(true);
    expect(await engine.log.head()).toMatchObject({ position: 20_000, streamCount: 10_001 });
  });

  test('what another engine appends between any two commands is never overlooked', async () => {
    const store = place();
    const [ours, theirs] = [await engineOn(store), await engineOn(store)];
    let balance = 0;
    for (let round = 0; round < 20; round++) {
      expect(await theirs.execute(deposit('1', { amount: 5 }))).toMatchObject({ kind: 'accepted' });
      balance += 5;
      // Accepted, rejected, unchanged and loaded: none of them on the state of before.
      expect(await ours.execute(withdraw('1', { amount: balance + 1 }))).toMatchObject({ details: { balance } });
      expect(await theirs.execute(deposit('1', { amount: 1 }))).toMatchObject({ kind: 'accepted' });
      balance += 1;
      expect(await ours.execute(touch('1', {}))).toMatchObject({ kind: 'accepted', version: round * 3 + 2 });
      expect(await ours.execute(withdraw('1', { amount: balance }))).toMatchObject({ kind: 'accepted' });
      balance = 0;
      expect(await theirs.load(account, '1')).toMatchObject({ state: { balance } });
    }
  });

  test('another’s event at the version that ours was to have is not taken for ours', async () => {
    const engine = await engineOn(place());
    await engine.execute(deposit('1', { amount: 10 }));
    await engine.log.append([{ stream: 'account-1', events: [{ type: 'MoneyWithdrawn', data: { amount: 10 } }] }]);
    // Decided together upon version 1: the second upon a version 2 that the first was to make.
    const both = await Promise.all([1, 2].map(() => engine.execute(withdraw('1', { amount: 5 }))));
    expect(both).toMatchObject([{ details: { balance: 0 } }, { details: { balance: 0 } }]);
  });

  test('engines that race for one stream never lose an update', async () => {
    const store = place();
    const engines = [await engineOn(store), await engineOn(store), await engineOn(store)];
    await engines[0]?.execute(deposit('1', { amount: 100 }));
    const receipts = await Promise.all(
      Array.from({ length: 150 }, (_unused, index) =>
        (engines[index % 3] as Engine).execute(withdraw('1', { amount: 1 })),
      ),
    );
    const count = (kind: string) => receipts.filter((receipt) => receipt.kind === kind).length;
    expect([count('accepted'), count('rejected')]).toEqual([100, 50]);
    expect(await engines[1]?.load(account, '1')).toMatchObject({ state: { balance: 0 }, version: 101 });
  });

  test('an explicit expected version is met or answered with a conflict, never retried', async () => {
    const store = place();
    const [ours, theirs] = [await engineOn(store), await engineOn(store)];
    const conflict = { kind: 'conflict', stream: 'account-1' };
    expect(await ours.execute(deposit('1', { amount: 1 }), { expectedVersion: 1 })).toEqual({ ...conflict, actual: 0 });
    expect(await ours.execute(deposit('1', { amount: 1 }), { expectedVersion: 'no_stream' })).toMatchObject({
      version: 1,
    });
    expect(await ours.execute(deposit('1', { amount: 1 }), { expectedVersion: 'no_stream' })).toEqual({
      ...conflict,
      actual: 1,
    });
    expect(await theirs.execute(deposit('1', { amount: 1 }))).toMatchObject({ version: 2 });
    // In our cache it is still version 1.
    expect(await ours.execute(deposit('1', { amount: 1 }), { expectedVersion: 1 })).toEqual({ ...conflict, actual: 2 });
    expect(await ours.execute(deposit('1', { amount: 1 }), { expectedVersion: 2 })).toMatchObject({ version: 3 });
    expect(await ours.execute(touch('1', {}), { expectedVersion: 2 })).toEqual({ ...conflict, actual: 3 });
    const race = await Promise.all(
      [ours, theirs, ours].map((engine) => engine.execute(deposit('1', { amount: 1 }), { expectedVersion: 3 })),
    );
    expect(race.map(({ kind }) => kind).toSorted()).toEqual(['accepted', 'conflict', 'conflict']);
    await expect(ours.execute(deposit('1', { amount: 1 }), { expectedVersion: -1 })).rejects.toMatchObject({
      code: 'request_invalid',
    });
  });

  test('a deleted stream takes a command only where re-creation is meant', async () => {
    const engine = await engineOn(place());
    await engine.execute(deposit('1', { amount: 8 }));
    expect(await engine.execute(close('1', {}))).toMatchObject({ version: 2, events: [{ kind: 'deleted' }] });
    expect(await engine.load(account, '1')).toEqual({
      state: { open: false, balance: 0 },
      version: 2,
      position: 2,
      deleted: true,
    });
    const refused = { kind: 'rejected', code: 'stream_deleted', details: { stream: 'account-1', version: 2 } };
    expect(await engine.execute(deposit('1', { amount: 1 }))).toMatchObject(refused);
    expect(await engine.execute(touch('1', {}))).toMatchObject({ kind: 'accepted', version: 2 });
    const again = await engine.execute(deposit('1', { amount: 1 }), { expectedVersion: 'deleted' });
    expect(again).toMatchObject({ kind: 'accepted', version: 3 });
    expect(await engine.load(account, '1')).toMatchObject({ state: { open: false, balance: 1 }, deleted: false });
    expect(await engine.load(account, '1', { at: { version: 1 } })).toMatchObject({ state: { balance: 8 } });
  });

  test('several commands are one append, each decided upon those before it', async () => {
    const engine = await engineOn(place());
    const receipt = await engine.executeAll([
      open('1', { owner: 'Ada' }),
      deposit('1', { amount: 10 }),
      deposit('2', { amount: 1 }),
      withdraw('1', { amount: 4 }),
      touch('3', {}),
    ]);
    expect(receipt).toMatchObject({ kind: 'accepted', position: 4, duplicate: false });
    const events = receipt.kind === 'accepted' ? receipt.events : [];
    expect(events.map(({ position }) => position)).toEqual([1, 2, 3, 4]);
    expect(await engine.load(account, '1')).toMatchObject({ state: { open: true, balance: 6 }, version: 3 });
    const refused = await engine.executeAll([
      deposit('1', { amount: 1 }),
      withdraw('2', { amount: 5 }),
      deposit('2', { amount: 1 }),
    ]);
    expect(refused).toEqual({
      kind: 'rejected',
      code: 'insufficient_funds',
      details: { balance: 1 },
      index: 1,
      duplicate: false,
    });
    expect(await engine.executeAll([touch('1', {}), deposit('1', { amount: 0 })])).toMatchObject({
      kind: 'invalid',
      index: 1,
    });
    expect(await engine.log.head()).toMatchObject({ position: 4 });
    await expect(engine.executeAll([])).rejects.toMatchObject({ code: 'request_invalid' });
  });

  test('events of several commands stand in the order in which they were decided, whatever their streams', async () => {
    const engine = await engineOn(place());
    const commands = ['a', 'b', 'a', 'c', 'b', 'a'].map((id, index) => deposit(id, { amount: index + 1 }));
    const receipt = await engine.executeAll(commands);
    const amounts = (events: readonly { readonly data: unknown }[]) =>
      events.map(({ data }) => (data as { amount: number }).amount);
    expect(receipt.kind === 'accepted' && amounts(receipt.events)).toEqual([1, 2, 3, 4, 5, 6]);
    for await (const page of engine.log.read()) expect(amounts(page)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await engine.load(account, 'a')).toMatchObject({ state: { balance: 10 }, version: 3 });
  });

  test('a limit that one append of several would pass is met by as many as fit', async () => {
    const engine = await openEngine({ store: place(), aggregates: [account], limits: { eventsPerStream: 3 } });
    opened.push(engine);
    const settled = await Promise.allSettled([1, 2, 3, 4, 5].map(() => engine.execute(deposit('1', { amount: 1 }))));
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(settled[4]).toMatchObject({ reason: { code: 'limit_exceeded' } });
    expect(await engine.load(account, '1')).toMatchObject({ version: 3 });
  });

  test('transfers between accounts, raced, keep the sum', async () => {
    const store = place();
    const engines = [await engineOn(store), await engineOn(store)];
    const ids = ['a', 'b', 'c'];
    for (const id of ids) await engines[0]?.execute(deposit(id, { amount: 20 }));
    const receipts = await Promise.all(
      Array.from({ length: 60 }, (_unused, index) => {
        const [from, to] = index % 3 === 0 ? ['b', 'c'] : index % 3 === 1 ? ['a', 'b'] : ['a', 'c'];
        return (engines[index % 2] as Engine).executeAll([
          withdraw(from as string, { amount: 15 }),
          deposit(to as string, { amount: 15 }),
        ]);
      }),
    );
    expect(new Set(receipts.map(({ kind }) => kind))).toEqual(new Set(['accepted', 'rejected']));
    const states = await Promise.all(ids.map((id) => (engines[1] as Engine).load(account, id)));
    expect(states.map(({ state }) => state.balance).reduce((a, b) => a + b)).toBe(60);
    expect(states.every(({ state }) => state.balance >= 0)).toBe(true);
  });

  test('a state is loaded as of a version, a position, or a time', async () => {
    const engine = await engineOn(place());
    const times: number[] = [];
    for (const amount of [1, 10, 100]) {
      const receipt = await engine.execute(deposit('1', { amount }));
      times.push(receipt.kind === 'accepted' ? (receipt.events[0]?.recordedAt ?? 0) : 0);
      await engine.execute(deposit('other', { amount: 1 }));
    }
    const at = async (moment: Parameters<typeof engine.load>[2]) => {
      const { state, version, position } = await engine.load(account, '1', moment);
      return { ...(state as { balance: number }), version, position };
    };
    expect(await at({})).toMatchObject({ balance: 111, version: 3, position: 5 });
    expect(await at({ at: { version: 2 } })).toMatchObject({ balance: 11, version: 2, position: 3 });
    expect(await at({ at: { position: 4 } })).toMatchObject({ balance: 11, version: 2, position: 3 });
    expect(await at({ at: { position: 0 } })).toMatchObject({ balance: 0, version: 0, position: 0 });
    expect(await at({ at: { time: new Date((times[0] as number) - 1) } })).toMatchObject({ balance: 0, version: 0 });
    expect(await at({ at: { time: times[2] as number } })).toMatchObject({ balance: 111 });
    await expect(at({ at: { time: new Date('when?') } })).rejects.toMatchObject({ code: 'option_invalid' });
    await expect(engine.load(account, '')).rejects.toMatchObject({ code: 'name_invalid' });
  });

  test('closing waits for what was accepted, and refuses the rest', async () => {
    const engine = await engineOn(place());
    const running = Array.from({ length: 300 }, () => engine.execute(deposit('1', { amount: 1 })));
    const closing = engine.close();
    await expect(engine.execute(deposit('1', { amount: 1 }))).rejects.toMatchObject({ code: 'engine_closed' });
    await expect(engine.load(account, '1')).rejects.toMatchObject({ code: 'engine_closed' });
    const receipts = await Promise.all(running);
    await closing;
    expect(receipts.every(({ kind }) => kind === 'accepted')).toBe(true);
  });
});

test('processes that race for one stream, many commands at once, never lose an update or overdraw', async () => {
  const file = join(folder, 'raced.db');
  const engine = await engineOn(sqlite(file));
  await engine.execute(deposit('shared', { amount: 700 }));
  const printed = await Promise.all([1, 2, 3, 4].map(() => runProgram('account-racer', [file, '250'])));
  const kinds = printed.map(([line = '']) => JSON.parse(line) as Record<string, number>);
  const total = (kind: string) => kinds.reduce((sum, count) => sum + (count[kind] ?? 0), 0);
  expect({ accepted: total('accepted'), rejected: total('rejected') }).toEqual({ accepted: 700, rejected: 300 });
  expect(await engine.load(account, 'shared')).toMatchObject({ state: { balance: 0 }, version: 701 });
});

test('an unknown command names those that are known', async () => {
  const engine = await engineOn(memory());
  const unknown = { aggregate: 'account', id: '1', command: 'opn', input: {} };
  await expect(engine.execute(unknown)).rejects.toMatchObject({
    code: 'command_unknown',
    details: { command: 'account.opn', known: ['open', 'deposit', 'withdraw', 'touch', 'close'] },
  });
  await expect(engine.execute({ decision: 'nobody', input: {} })).rejects.toSatisfy((error) =>
    hasCode(error, 'command_unknown'),
  );
  for (const nothing of [undefined, null, 'deposit', 7])
    await expect(engine.execute(nothing as never)).rejects.toMatchObject({ code: 'request_invalid' });
  await expect(engine.execute(deposit('with\0zero', { amount: 1 }))).rejects.toMatchObject({ code: 'name_invalid' });
});

test('two definitions of one name, and settings that cannot be meant, are refused', async () => {
  const store = memory();
  await expect(openEngine({ store, aggregates: [account, account] })).rejects.toMatchObject({
    code: 'definition_invalid',
  });
  await expect(openEngine({ store, aggregates: [{} as never] })).rejects.toMatchObject({ code: 'option_invalid' });
  await expect(openEngine({ store, commandTimeoutMs: 0 })).rejects.toMatchObject({ code: 'option_invalid' });
  await expect(openEngine({ store, conflictRetries: -1 })).rejects.toMatchObject({ code: 'option_invalid' });
  await expect(openEngine({ store, idempotencyWindowMs: Number.NaN })).rejects.toMatchObject({
    code: 'option_invalid',
  });
});
