import { getEventListeners } from 'node:events';
import { defineAggregate, defineDecision, memory, openEngine } from '../../src/index.ts';
import type { Backend, Engine, EngineOptions, StandardSchemaV1 } from '../../src/index.ts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { account } from '../command/account.ts';
import { Gate, gated } from '../support/gated-store.ts';

const { deposit, withdraw } = account.commands;
const one = () => deposit('1', { amount: 1 });

/** A schema that never says what it thinks. */
const silent: StandardSchemaV1<object, object> = {
  '~standard': { version: 1, vendor: 'test', validate: () => new Promise(() => {}) },
};

async function open(options: Partial<EngineOptions> = {}): Promise<{ engine: Engine; gate: Gate }> {
  const gate = new Gate();
  const engine = await openEngine({ store: gated(memory(), gate), aggregates: [account], ...options });
  onTestFinished(() => {
    gate.open();
    return engine.close();
  });
  return { engine, gate };
}

describe('a command that is cancelled', () => {
  test('before it began says that nothing was written', async () => {
    const { engine, gate } = await open();
    const signal = AbortSignal.abort(new Error('changed my mind'));
    await expect(engine.execute(one(), { signal })).rejects.toMatchObject({
      code: 'command_aborted',
      details: { outcome: 'not_written' },
      cause: { message: 'changed my mind' },
    });
    expect(gate.arrived).toBe(0);
  });

  test('shares its signal with others: it is listened to once', async () => {
    const { engine, gate } = await open();
    gate.shut();
    const { signal } = new AbortController();
    const running = ['1', '2', '3'].map((id) => engine.execute(deposit(id, { amount: 1 }), { signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    gate.open();
    await Promise.all(running);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('while it is being committed says that it may have been done; its key tells', async () => {
    const { engine, gate } = await open();
    gate.shut();
    const aborting = new AbortController();
    const running = engine.execute(one(), { signal: aborting.signal, idempotencyKey: 'k' });
    await gate.arrival;
    aborting.abort();
    await expect(running).rejects.toMatchObject({ code: 'command_aborted', details: { outcome: 'unknown' } });
    gate.open();
    expect(await engine.execute(one(), { idempotencyKey: 'k' })).toMatchObject({ kind: 'accepted', duplicate: true });
    expect(await engine.load(account, '1')).toMatchObject({ state: { balance: 1 } });
  });

  test('while it waits for another of its stream is never done', async () => {
    const { engine, gate } = await open();
    gate.shut();
    const aborting = new AbortController();
    const first = engine.execute(one());
    await gate.arrival;
    const second = engine.execute(one(), { signal: aborting.signal });
    const third = engine.execute(one());
    const both = engine.executeAll([one(), deposit('2', { amount: 1 })], { signal: aborting.signal });
    aborting.abort();
    const notWritten = { code: 'command_aborted', details: { outcome: 'not_written' } };
    await expect(second).rejects.toMatchObject(notWritten);
    await expect(both).rejects.toMatchObject(notWritten);
    gate.open();
    expect(await first).toMatchObject({ version: 1 });
    expect(await third).toMatchObject({ version: 2 });
    expect(await engine.load(account, '2')).toMatchObject({ version: 0 });
  });

  test('among others that were sent with it takes none of them along', async () => {
    const { engine, gate } = await open();
    gate.shut();
    const aborting = new AbortController();
    const running = [
      engine.execute(one()),
      engine.execute(one(), { signal: aborting.signal }),
      engine.execute(withdraw('1', { amount: 2 })),
      engine.execute(withdraw('1', { amount: 1 })),
    ];
    const settled = Promise.allSettled(running);
    await gate.arrival;
    aborting.abort();
    gate.open();
    // All were in one group, so what was aborted was done all the same, and the last had nothing left.
    expect(await settled).toMatchObject([
      { value: { kind: 'accepted', version: 1 } },
      { reason: { code: 'command_aborted', details: { outcome: 'unknown' } } },
      { value: { kind: 'accepted', version: 3 } },
      { value: { kind: 'rejected', details: { balance: 0 } } },
    ]);
  });
});

describe('a command that takes too long', () => {
  const slow = defineAggregate({
    name: 'slow',
    events: { Said: silent },
    initialState: 0,
    evolve: { Said: (count) => count + 1 },
    commands: {
      ask: { input: silent, decide: () => [] },
      say: {
        input: { '~standard': { ...silent['~standard'], validate: (value) => ({ value: value as object }) } },
        decide: () => [{ type: 'Said', data: {} }],
      },
    },
  });

  test.each([
    ['the schema of its input', () => slow.commands.ask('1', {})],
    ['the schema of an event', () => slow.commands.say('1', {})],
  ])('because %s never answers is not done', async (_, command) => {
    const { engine } = await open({ aggregates: [slow, account] });
    await expect(engine.execute(command(), { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'command_timeout',
      details: { timeoutMs: 20, outcome: 'not_written' },
      remedy: expect.stringContaining('timeoutMs'),
    });
    expect(await engine.log.head()).toMatchObject({ position: 0 });
    // And the stream is free for others.
    await expect(engine.execute(command(), { timeoutMs: 20 })).rejects.toMatchObject({ code: 'command_timeout' });
  });

  test('to commit may have been done', async () => {
    const { engine, gate } = await open({ commandTimeoutMs: 20 });
    gate.shut();
    await expect(engine.execute(one())).rejects.toMatchObject({
      code: 'command_timeout',
      details: { timeoutMs: 20, outcome: 'unknown' },
    });
  });

  test('is given five seconds, unless more is asked for', async () => {
    const { engine } = await open();
    expect(await engine.execute(one(), { timeoutMs: Infinity })).toMatchObject({ kind: 'accepted' });
    expect(await engine.execute(one(), { timeoutMs: 2 ** 40 })).toMatchObject({ kind: 'accepted' });
    for (const timeoutMs of [0, -1, Number.NaN, '5' as unknown as number]) {
      await expect(engine.execute(one(), { timeoutMs })).rejects.toMatchObject({ code: 'option_invalid' });
    }
  });
});

test('a command that is cancelled when its append is done, and others’ answers are looked for, is not said not to be', async () => {
  const aborting = new AbortController();
  const inner = memory();
  let asked = 0;
  const store: Backend = {
    name: 'asked',
    openEvents: async (options) => {
      const target = await inner.openEvents(options);
      return new Proxy(target, {
        get(_target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (name !== 'receipt') return typeof value === 'function' ? value.bind(target) : value;
          return async (key: string) => {
            // Before it is told of a conflict.
            if (++asked === 1) aborting.abort();
            return target.receipt(key);
          };
        },
      });
    },
  };
  await using engine = await openEngine({ store, aggregates: [account] });
  const [first, second, third] = await Promise.allSettled([
    engine.execute(one()),
    engine.execute(one(), { idempotencyKey: 'k', expectedVersion: 99 }),
    engine.execute(one(), { signal: aborting.signal }),
  ]);
  expect(first).toMatchObject({ value: { kind: 'accepted', version: 1 } });
  expect(second).toMatchObject({ value: { kind: 'conflict', actual: 1 } });
  expect(third).toMatchObject({ reason: { code: 'command_aborted', details: { outcome: 'unknown' } } });
  expect(await engine.load(account, '1')).toMatchObject({ version: 2 });
});

test('a command that is cancelled while one decided after it is being checked is not done', async () => {
  const checking = Promise.withResolvers<void>();
  const checked = Promise.withResolvers<void>();
  const any: StandardSchemaV1<object, object> = {
    '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as object }) },
  };
  const slowly: StandardSchemaV1<object, object> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        checking.resolve();
        await checked.promise;
        return { value: value as object };
      },
    },
  };
  const line = defineAggregate({
    name: 'line',
    events: { Quick: any, Slow: slowly },
    initialState: [] as readonly string[],
    evolve: { Quick: (said) => [...said, 'quick'], Slow: (said) => [...said, `slow after ${said.length}`] },
    commands: {
      quick: { input: any, decide: () => [{ type: 'Quick', data: {} }] },
      slow: { input: any, decide: () => [{ type: 'Slow', data: {} }] },
    },
  });
  const { engine } = await open({ aggregates: [line] });
  const aborting = new AbortController();
  const quick = engine.execute(line.commands.quick('1', {}), { signal: aborting.signal });
  const slow = engine.execute(line.commands.slow('1', {}));
  await checking.promise;
  aborting.abort();
  await expect(quick).rejects.toMatchObject({ code: 'command_aborted', details: { outcome: 'not_written' } });
  checked.resolve();
  expect(await slow).toMatchObject({ kind: 'accepted', version: 1 });
  expect((await engine.load(line, '1')).state).toEqual(['slow after 0']);
});

test('a decision that waits for another with the same boundary can be cancelled', async () => {
  const next = defineDecision({
    name: 'next',
    events: { Counted: account.events.MoneyDeposited },
    input: account.events.MoneyDeposited,
    query: () => [{ types: ['Counted'] }],
    initialState: 0,
    evolve: { Counted: (count) => count + 1 },
    decide: (count) => [{ stream: `count-${count}`, type: 'Counted', data: { amount: 1 } }],
  });
  const { engine, gate } = await open({ decisions: [next] });
  gate.shut();
  const first = engine.execute(next({ amount: 1 }));
  await gate.arrival;
  const second = engine.execute(next({ amount: 1 }), { timeoutMs: 10 });
  await expect(second).rejects.toMatchObject({ code: 'command_timeout', details: { outcome: 'not_written' } });
  gate.open();
  expect(await first).toMatchObject({ kind: 'accepted', position: 1 });
  expect(await engine.execute(next({ amount: 1 }))).toMatchObject({ kind: 'accepted', position: 2 });
});

test('no more commands wait than the limit allows', async () => {
  const { engine, gate } = await open({ limits: { pendingCommands: 2 } });
  gate.shut();
  const running = [engine.execute(one()), engine.execute(one())];
  await expect(engine.execute(one())).rejects.toMatchObject({
    code: 'command_queue_full',
    details: { pendingMax: 2 },
  });
  gate.open();
  await Promise.all(running);
  expect(await engine.execute(one())).toMatchObject({ version: 3 });
});
