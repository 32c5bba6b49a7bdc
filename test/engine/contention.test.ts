/** What goes to the store: how much at once, and how often in vain. */
import { z } from 'zod';
import { defineAggregate, defineDecision, memory, openEngine } from '../../src/index.ts';
import type { AppendRequest, Backend, CommitResult, Engine, EngineOptions } from '../../src/index.ts';
import { expect, onTestFinished, test } from 'vitest';
import { account } from '../command/account.ts';

const { deposit, withdraw } = account.commands;

interface Seen {
  readonly engine: Engine;
  readonly sizes: number[];
  readonly results: CommitResult['kind'][];
}

/** An engine, and the appends that it makes. */
async function open(options: Partial<EngineOptions> = {}): Promise<Seen> {
  const sizes: number[] = [];
  const results: CommitResult['kind'][] = [];
  const append = ({ writes }: AppendRequest) => {
    sizes.push(writes.reduce((sum, { events }) => sum + events.length, 0));
    return (settled: { kind: string; result?: CommitResult }) => {
      if (settled.result !== undefined) results.push(settled.result.kind);
    };
  };
  const engine = await openEngine({ store: memory(), aggregates: [account], hooks: { append }, ...options });
  onTestFinished(() => engine.close());
  return { engine, sizes, results };
}

test('commands that wait for one stream are appended together, no more than 256 of them', async () => {
  const { engine, sizes } = await open();
  await Promise.all(Array.from({ length: 1_000 }, () => engine.execute(deposit('1', { amount: 1 }))));
  expect(sizes).toEqual([256, 256, 256, 232]);
});

test('nor more events than one append may have', async () => {
  const many = defineAggregate({
    name: 'many',
    events: { Made: z.object({}) },
    initialState: 0,
    evolve: { Made: (count) => count + 1 },
    commands: {
      make: {
        input: z.object({}),
        decide: () => Array.from({ length: 30 }, () => ({ type: 'Made' as const, data: {} })),
      },
    },
  });
  const { engine, sizes } = await open({ aggregates: [many], limits: { eventsPerAppend: 100 } });
  await Promise.all(Array.from({ length: 10 }, () => engine.execute(many.commands.make('1', {}))));
  expect(sizes).toEqual([90, 90, 90, 30]);
});

test('nor anything behind a tombstone', async () => {
  const { engine, sizes } = await open();
  const receipts = await Promise.all([
    engine.execute(deposit('1', { amount: 1 })),
    engine.execute(account.commands.close('1', {})),
    engine.execute(deposit('1', { amount: 2 }), { expectedVersion: 'deleted' }),
    engine.execute(deposit('1', { amount: 4 })),
  ]);
  expect(receipts.map((receipt) => receipt.kind === 'accepted' && receipt.version)).toEqual([1, 2, 3, 4]);
  expect(sizes).toEqual([2, 2]);
  expect((await engine.load(account, '1')).state.balance).toBe(6);
});

test('a process does not conflict with itself, on streams', async () => {
  const { engine, results } = await open();
  await Promise.all(
    Array.from({ length: 200 }, (_, index) =>
      index % 3 === 0
        ? engine.executeAll([deposit('1', { amount: 1 }), deposit('2', { amount: 1 })])
        : engine.execute(deposit(String(1 + (index % 2)), { amount: 1 })),
    ),
  );
  expect(new Set(results)).toEqual(new Set(['appended']));
  expect((await engine.load(account, '1')).version + (await engine.load(account, '2')).version).toBe(267);
});

test('nor by decisions about the same tags, or without tags about the same types', async () => {
  const events = { Numbered: z.object({ number: z.int() }), Tagged: z.object({}) };
  const number = defineDecision({
    name: 'number',
    events,
    input: z.object({}),
    query: () => [{ types: ['Numbered'] }],
    initialState: 0,
    evolve: { Numbered: (_last, { data }) => data.number, Tagged: 'ignore' },
    decide: (last) => [{ stream: `number-${last + 1}`, type: 'Numbered', data: { number: last + 1 } }],
  });
  const tag = defineDecision({
    name: 'tag',
    events,
    input: z.object({ tags: z.array(z.string()) }),
    query: ({ tags }) => [{ tags }],
    initialState: 0,
    evolve: { Tagged: (count) => count + 1, Numbered: 'ignore' },
    decide: (count, { tags }) => [{ stream: `tag-${count}`, type: 'Tagged', data: {}, tags }],
  });
  const { engine, results } = await open({ decisions: [number, tag] });
  await Promise.all(
    Array.from({ length: 60 }, (_, index) =>
      engine.execute(index % 2 === 0 ? number({}) : tag({ tags: index % 4 === 1 ? ['a', 'b'] : ['b', 'a'] })),
    ),
  );
  expect(new Set(results)).toEqual(new Set(['appended']));
});

test('a command that loses every race is given up, and says where the stream stands', async () => {
  const inner = memory();
  let interferes = false;
  const store: Backend = {
    name: 'contended',
    openEvents: async (options) => {
      const target = await inner.openEvents(options);
      return new Proxy(target, {
        get(_target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (name !== 'append' || !interferes) return typeof value === 'function' ? value.bind(target) : value;
          return async (group: readonly AppendRequest[]) => {
            // Somebody else is always faster.
            await target.append(
              group.map(({ writes }) => ({
                writes: writes.map((write) => ({ ...write, expected: 'any' as const })),
                checks: [],
                conditions: [],
                receipts: [],
              })),
            );
            return target.append(group);
          };
        },
      });
    },
  };
  const { engine, results } = await open({ store, conflictRetries: 3 });
  await engine.execute(deposit('1', { amount: 1 }));
  interferes = true;
  expect(await engine.execute(deposit('1', { amount: 1 }))).toEqual({
    kind: 'conflict',
    stream: 'account-1',
    actual: 5,
  });
  expect(results).toEqual(['appended', ...Array.from({ length: 4 }, () => 'version_conflict')]);
  expect(await engine.execute(withdraw('1', { amount: 99 }))).toMatchObject({
    kind: 'rejected',
    details: { balance: 5 },
  });
});

test('a kept state belongs to the definition that folded it', async () => {
  const { engine } = await open();
  await engine.execute(deposit('1', { amount: 5 }));
  const counting = defineAggregate({
    name: 'account',
    events: account.events,
    initialState: 0,
    evolve: {
      AccountOpened: (count) => count + 1,
      MoneyDeposited: (count) => count + 1,
      MoneyWithdrawn: (count) => count + 1,
    },
    commands: {},
  });
  expect((await engine.load(counting, '1')).state).toBe(1);
  expect((await engine.load(account, '1')).state).toEqual({ open: false, balance: 5 });
});

test('what is over leaves no timer behind', async () => {
  const { engine } = await open();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const outer = new AbortController();
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      engine.execute(deposit(String(index), { amount: 1 }), { timeoutMs: 60_000, signal: outer.signal }),
    ),
  );
  expect(timers()).toBe(before);
});
