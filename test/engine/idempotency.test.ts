import { join } from 'node:path';
import { z } from 'zod';
import { defineAggregate, defineDecision, memory, openEngine, reject } from '../../src/index.ts';
import type { Backend, CommandReceipt, Engine } from '../../src/index.ts';
import { sqlite } from 'eventsrc/sqlite';
import { TestClock } from 'eventsrc/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { account } from '../command/account.ts';
import { shared } from '../support/gated-store.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { postgresStores } from '../support/postgres-schemas.ts';

const folder = await temporaryFolder();
const { open, deposit, withdraw, touch } = account.commands;
let fileCount = 0;

const ticket = defineAggregate({
  name: 'ticket',
  events: { Issued: z.object({}) },
  initialState: 0,
  evolve: { Issued: (count) => count + 1 },
  commands: {
    issue: { input: z.any(), idempotencyWindowMs: 1_000, decide: () => [{ type: 'Issued', data: {} }] },
    issueForEver: { input: z.any(), idempotencyWindowMs: Infinity, decide: () => [{ type: 'Issued', data: {} }] },
  },
});

const claim = defineDecision({
  name: 'claim',
  events: { Claimed: z.object({ name: z.string() }) },
  input: z.object({ name: z.string() }),
  query: ({ name }) => [{ tags: [`name:${name}`] }],
  initialState: false,
  evolve: { Claimed: () => true },
  decide: (taken, { name }) =>
    taken ? reject('taken') : [{ stream: `claim-${name}`, type: 'Claimed', data: { name }, tags: [`name:${name}`] }],
});

async function engineOn(store: Backend, clock = new TestClock()): Promise<Engine> {
  const engine = await openEngine({ store, clock, aggregates: [account, ticket], decisions: [claim] });
  onTestFinished(() => engine.close());
  return engine;
}

const newStore = postgresStores();

describe.each<[string, () => Backend]>([
  ['memory', () => shared(memory())],
  ['sqlite', () => sqlite(join(folder, `idempotency-${++fileCount}.db`))],
  ['postgres', newStore],
])('on %s', (_, place) => {
  test('a repeated command returns the kept receipt, events and all, whatever has happened since', async () => {
    const store = place();
    const engine = await engineOn(store);
    const first = await engine.execute(deposit('1', { amount: 10 }), { idempotencyKey: 'd' });
    const refused = await engine.execute(withdraw('1', { amount: 90 }), { idempotencyKey: 'w' });
    const unchanged = await engine.execute(touch('1', {}), { idempotencyKey: 't' });
    await engine.execute(deposit('1', { amount: 100 }));
    const again = async (other: Engine) => [
      await other.execute(deposit('1', { amount: 10 }), { idempotencyKey: 'd' }),
      await other.execute(withdraw('1', { amount: 90 }), { idempotencyKey: 'w' }),
      await other.execute(touch('1', {}), { idempotencyKey: 't' }),
    ];
    const expected = [first, refused, unchanged].map((receipt) => ({ ...receipt, duplicate: true }));
    expect(JSON.parse(JSON.stringify(await again(engine)))).toEqual(JSON.parse(JSON.stringify(expected)));
    // Also on another node, or after a restart.
    expect(JSON.parse(JSON.stringify(await again(await engineOn(store))))).toEqual(
      JSON.parse(JSON.stringify(expected)),
    );
    expect(await engine.load(account, '1')).toMatchObject({ state: { balance: 110 }, version: 2 });
  });

  test('repeated commands are one, of several and of decisions too', async () => {
    const engine = await engineOn(place());
    const both = [open('1', { owner: 'Ada' }), deposit('1', { amount: 5 }), claim({ name: 'x' })];
    const first = await engine.executeAll(both, { idempotencyKey: 'k' });
    const second = await engine.executeAll(both, { idempotencyKey: 'k' });
    expect(first).toMatchObject({ kind: 'accepted', position: 3, duplicate: false });
    expect(JSON.stringify(second)).toBe(JSON.stringify({ ...first, duplicate: true }));
    const refused = await engine.executeAll([deposit('1', { amount: 1 }), claim({ name: 'x' })], {
      idempotencyKey: 'l',
    });
    expect(refused).toEqual({ kind: 'rejected', code: 'taken', index: 1, duplicate: false });
    expect(
      await engine.executeAll([deposit('1', { amount: 1 }), claim({ name: 'x' })], { idempotencyKey: 'l' }),
    ).toEqual({ ...refused, duplicate: true });
    expect(await engine.log.head()).toMatchObject({ position: 3 });
  });

  test('the same key with another input, command, stream or kind is an error', async () => {
    const engine = await engineOn(place());
    await engine.execute(deposit('1', { amount: 10 }), { idempotencyKey: 'k' });
    for (const other of [
      deposit('1', { amount: 11 }),
      deposit('2', { amount: 10 }),
      withdraw('1', { amount: 10 }),
      claim({ name: 'k' }),
    ]) {
      await expect(engine.execute(other, { idempotencyKey: 'k' })).rejects.toMatchObject({
        code: 'idempotency_key_reused',
        details: { key: 'k' },
      });
    }
    expect(await engine.log.head()).toMatchObject({ position: 1 });
  });

  test('the order of keys in an input, and keys that are undefined, make no difference', async () => {
    const engine = await engineOn(place());
    const issue = (input: unknown) => engine.execute(ticket.commands.issue('1', input), { idempotencyKey: 'k' });
    await issue({ a: { x: 1, y: [1, { p: 1, q: 2 }] }, b: 2, c: undefined });
    expect(await issue({ b: 2, a: { y: [1, { q: 2, p: 1 }], x: 1 } })).toMatchObject({ duplicate: true });
    await expect(issue({ b: 2, a: { y: [{ q: 2, p: 1 }, 1], x: 1 } })).rejects.toMatchObject({
      code: 'idempotency_key_reused',
    });
    await expect(issue({ at: new Date(0) })).rejects.toMatchObject({ code: 'data_unfaithful' });
    await expect(
      engine.execute(ticket.commands.issue('1', {}), { idempotencyKey: 'x'.repeat(257) }),
    ).rejects.toMatchObject({ code: 'name_invalid' });
  });

  test('a double submit, on one node or on several, is done once', async () => {
    const store = place();
    const engines = [await engineOn(store), await engineOn(store), await engineOn(store)];
    for (let round = 0; round < 15; round++) {
      const submit = (engine: Engine) =>
        engine.execute(deposit('1', { amount: 1 }), { idempotencyKey: `round-${round}` });
      const receipts = await Promise.all([...engines, ...engines].map(submit));
      expect(receipts.every(({ kind }) => kind === 'accepted')).toBe(true);
      expect(receipts.filter((receipt) => receipt.kind === 'accepted' && !receipt.duplicate)).toHaveLength(1);
      expect(new Set(receipts.map((receipt) => receipt.kind === 'accepted' && receipt.version))).toEqual(
        new Set([round + 1]),
      );
    }
    expect(await engines[0]?.load(account, '1')).toMatchObject({ state: { balance: 15 }, version: 15 });
  });

  test('also where its first success makes the second look like a conflict or a refusal', async () => {
    const store = place();
    const engines = [await engineOn(store), await engineOn(store)];
    for (let round = 0; round < 10; round++) {
      const expecting = await Promise.all(
        [...engines, ...engines].map((engine) =>
          engine.execute(deposit('1', { amount: 1 }), { idempotencyKey: `v${round}`, expectedVersion: round }),
        ),
      );
      expect(expecting.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted', 'accepted']);
      const opening = await Promise.all(
        [...engines, ...engines].map((engine) =>
          engine.execute(open(`o${round}`, { owner: 'Ada' }), { idempotencyKey: `o${round}` }),
        ),
      );
      expect(opening.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted', 'accepted']);
    }
  });

  test('a key is free again when its window has passed: the command’s own, or the engine’s', async () => {
    const clock = new TestClock();
    const engine = await engineOn(place(), clock);
    const send = (name: 'issue' | 'issueForEver') =>
      engine.execute(ticket.commands[name]('1', {}), { idempotencyKey: name });
    const pay = () => engine.execute(deposit('1', { amount: 1 }), { idempotencyKey: 'pay' });
    const isDuplicate = async (sent: Promise<CommandReceipt<unknown>>) => {
      const receipt = await sent;
      return receipt.kind === 'accepted' && receipt.duplicate;
    };
    await Promise.all([send('issue'), send('issueForEver'), pay()]);
    clock.advance(999);
    expect(await isDuplicate(send('issue'))).toBe(true);
    clock.advance(1);
    expect(await isDuplicate(send('issue'))).toBe(false);
    clock.advance(298_999);
    expect(await isDuplicate(pay())).toBe(true);
    clock.advance(1);
    expect(await isDuplicate(pay())).toBe(false);
    clock.advance(10 ** 10);
    expect(await isDuplicate(send('issueForEver'))).toBe(true);
  });

  test('conflicts, failures and invalid input leave the key free', async () => {
    const engine = await engineOn(place());
    const key = { idempotencyKey: 'k' };
    expect(await engine.execute(deposit('1', { amount: -1 }), key)).toMatchObject({ kind: 'invalid' });
    expect(await engine.execute(deposit('1', { amount: 1 }), { ...key, expectedVersion: 4 })).toMatchObject({
      kind: 'conflict',
    });
    await expect(engine.execute(deposit('1', { amount: 1 }), { ...key, timeoutMs: -1 })).rejects.toMatchObject({
      code: 'option_invalid',
    });
    expect(await engine.execute(deposit('1', { amount: 2 }), key)).toMatchObject({ duplicate: false });
  });

  test('expired receipts are removed in the background, and live ones are not', async () => {
    const clock = new TestClock();
    const engine = await engineOn(place(), clock);
    const many = Array.from({ length: 2_500 }, (_unused, index) => `old-${index}`);
    await Promise.all(
      many.map((key) => engine.execute(ticket.commands.issue('1', {}), { idempotencyKey: key, timeoutMs: Infinity })),
    );
    clock.advance(20_000);
    await engine.execute(deposit('1', { amount: 1 }), { idempotencyKey: 'live' });
    // The sweep runs beside the command; the store does one thing after another.
    await expect.poll(() => engine.log.releaseReceipts({ expiredAt: clock.now() }, 1)).toBe(0);
    expect(await engine.log.receipt('live')).toBeDefined();
    clock.advance(-20_000 + 1);
    expect(await engine.log.receipt('old-0')).toBeUndefined();
  });
});

describe('a command that was done before is answered with its receipt, also where it could not be done now', () => {
  const folds = { broken: false };
  const fragile = defineAggregate({
    name: 'fragile',
    events: { Cracked: z.object({}) },
    initialState: 0,
    evolve: {
      Cracked: (cracks) => {
        if (folds.broken) throw new Error('the fold is broken');
        return cracks + 1;
      },
    },
    commands: {
      crack: {
        input: z.object({}),
        decide: (cracks) => {
          if (cracks > 0) throw new Error('it has a crack');
          return [{ type: 'Cracked', data: {} }];
        },
      },
    },
  });
  const options = { idempotencyKey: 'k' };

  test('because the stream has gone on', async () => {
    const engine = await engineOn(memory());
    const send = () => engine.execute(deposit('1', { amount: 1 }), { ...options, expectedVersion: 0 });
    expect(await send()).toMatchObject({ kind: 'accepted', version: 1, duplicate: false });
    expect(await send()).toMatchObject({ kind: 'accepted', version: 1, duplicate: true });
  });

  test('because its decide throws, or its events can no longer be folded', async () => {
    const store = shared(memory());
    const openOne = async () => {
      const engine = await openEngine({ store, aggregates: [fragile] });
      onTestFinished(() => engine.close());
      return engine;
    };
    const first = await openOne();
    expect(await first.execute(fragile.commands.crack('1', {}), options)).toMatchObject({ duplicate: false });
    expect(await first.execute(fragile.commands.crack('1', {}), options)).toMatchObject({
      version: 1,
      duplicate: true,
    });
    // One that has read the state just now, and one that can't.
    const other = await openOne();
    expect(await other.execute(fragile.commands.crack('1', {}), options)).toMatchObject({
      version: 1,
      duplicate: true,
    });
    folds.broken = true;
    const second = await openOne();
    const again = await second.execute(fragile.commands.crack('1', {}), options);
    expect(again).toMatchObject({ kind: 'accepted', version: 1, duplicate: true });
    const others = second.execute(fragile.commands.crack('1', {}), { idempotencyKey: 'other' });
    await expect(others).rejects.toMatchObject({ code: 'evolve_failed' });
  });
});
