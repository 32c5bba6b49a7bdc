import { defineAggregate, memory, openEngine } from '../../src/index.ts';
import type { Backend, CommandMetadata, Engine, EngineHooks } from '../../src/index.ts';
import { TestClock, testIds } from 'eventsrc/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { account } from '../command/account.ts';

const { deposit, withdraw } = account.commands;
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function open(hooks?: EngineHooks, store: Backend = memory()): Promise<Engine> {
  const options = { store, clock: new TestClock(), newId: testIds('id'), aggregates: [account] };
  const engine = await openEngine({ ...options, ...(hooks !== undefined && { hooks }) });
  onTestFinished(() => engine.close());
  return engine;
}

async function metadataOf(executed: ReturnType<Engine['execute']>): Promise<unknown> {
  const receipt = await executed;
  return receipt.kind === 'accepted' ? receipt.events[0]?.metadata : receipt;
}

test('events carry the command’s id, as correlation too where nothing else is given', async () => {
  const engine = await open();
  expect(await metadataOf(engine.execute(deposit('1', { amount: 1 })))).toEqual({
    commandId: 'id-1',
    correlationId: 'id-1',
  });
});

test.each([
  ['options that are null', null],
  ['an option that nobody looks at', { idempotencykey: 'k' }],
  ['a signal that is none', { signal: {} }],
  ['a cause that is null', { causedBy: null }],
  ['a cause that is an id', { causedBy: 'id-1' }],
  ['a cause without metadata', { causedBy: { id: 'id-1', metadata: null } }],
])('%s is refused, and nothing is done', async (_, options) => {
  const engine = await open({ execute: () => {} });
  await expect(engine.execute(deposit('1', { amount: 1 }), options as never)).rejects.toMatchObject({
    code: 'option_invalid',
  });
  expect((await engine.log.head()).position).toBe(0);
});

test.each([
  ['options that are null', null],
  ['a moment that is a number', { at: 3 }],
  ['a moment of another kind', { at: { versions: 3 } }],
  ['a signal that is none', { signal: 'now' }],
])('a state is not loaded with %s', async (_, options) => {
  const engine = await open();
  await expect(engine.load(account, '1', options as never)).rejects.toMatchObject({ code: 'option_invalid' });
});

test('events carry what is known of where the command came from', async () => {
  const engine = await open();
  const metadata = {
    actor: 'ada',
    correlationId: 'request-7',
    causationId: 'message-3',
    commandId: 'c-9',
    traceparent,
    tenant: { id: 4 },
    absent: undefined,
  };
  const { absent: _, ...carried } = metadata;
  expect(await metadataOf(engine.execute(deposit('1', { amount: 1 }), { metadata }))).toEqual(carried);
});

test('a command that an event caused carries its correlation on', async () => {
  const engine = await open();
  const first = await engine.execute(deposit('1', { amount: 1 }), { metadata: { correlationId: 'request-7' } });
  const causedBy = first.kind === 'accepted' ? first.events[0] : undefined;
  expect(await metadataOf(engine.execute(deposit('2', { amount: 1 }), { causedBy }))).toEqual({
    commandId: 'id-2',
    correlationId: 'request-7',
    causationId: causedBy?.id,
  });
});

test.each([
  { actor: 7 },
  { correlationId: null },
  { traceparent: 'garbage' },
  { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` },
  { traceparent: traceparent.toUpperCase() },
])('metadata that cannot be meant is refused: %j', async (metadata) => {
  const engine = await open();
  await expect(
    engine.execute(deposit('1', { amount: 1 }), { metadata: metadata as CommandMetadata }),
  ).rejects.toMatchObject({
    code: 'option_invalid',
    details: { option: `metadata.${Object.keys(metadata)[0]}` },
  });
});

test.each(['ada', null, ['ada']])('metadata that is no object is refused: %j', async (metadata) => {
  const engine = await open();
  await expect(
    engine.execute(deposit('1', { amount: 1 }), { metadata: metadata as unknown as CommandMetadata }),
  ).rejects.toMatchObject({ code: 'option_invalid', details: { option: 'metadata' } });
});

test('decide sees the time, ids and the metadata, and may add to an event’s own', async () => {
  const note = defineAggregate({
    name: 'note',
    events: { Noted: account.events.AccountOpened },
    initialState: 0,
    evolve: { Noted: (count) => count + 1 },
    commands: {
      write: {
        input: account.events.AccountOpened,
        decide: (_state, { owner }, { now, newId, metadata }) => [
          { type: 'Noted', data: { owner: `${owner} ${now} ${newId()} ${metadata.actor}` }, metadata: { part: 1 } },
        ],
      },
    },
  });
  const clock = new TestClock(1_000);
  await using engine = await openEngine({ store: memory(), clock, newId: testIds(), aggregates: [note] });
  const receipt = await engine.execute(note.commands.write('1', { owner: 'x' }), { metadata: { actor: 'ada' } });
  expect(receipt).toMatchObject({
    events: [{ data: { owner: 'x 1000 id-2 ada' }, metadata: { actor: 'ada', commandId: 'id-1', part: 1 } }],
  });
});

test('hooks see commands and appends begin and end', async () => {
  const seen: string[] = [];
  const engine = await open({
    execute: ({ commands, idempotencyKey, traceparent: trace }) => {
      seen.push(`execute ${commands.length} ${idempotencyKey} ${trace?.slice(0, 5)}`);
      return (settled) => void seen.push(`executed ${settled.kind === 'returned' ? settled.result.kind : 'threw'}`);
    },
    append: ({ writes }) => {
      seen.push(`append ${writes.length}`);
      return (settled) => void seen.push(`appended ${settled.kind === 'returned' ? settled.result.kind : 'threw'}`);
    },
  });
  await engine.execute(deposit('1', { amount: 1 }), { idempotencyKey: 'k', metadata: { traceparent } });
  expect(seen.splice(0)).toEqual(['execute 1 k 00-0a', 'append 1', 'appended appended', 'executed accepted']);
  await engine.execute(withdraw('1', { amount: 7 }));
  expect(seen.splice(0)).toEqual(['execute 1 undefined undefined', 'executed rejected']);
  await engine.execute({ aggregate: 'x', id: '1', command: 'y', input: {} }).catch(() => {});
  expect(seen.splice(0)).toEqual(['execute 1 undefined undefined', 'executed threw']);
});

test('a hook that throws harms nobody', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const engine = await open({
    execute: () => {
      throw new Error('broken telemetry');
    },
    append: () => () => {
      throw new Error('broken telemetry');
    },
  });
  expect(await engine.execute(deposit('1', { amount: 1 }))).toMatchObject({ kind: 'accepted' });
  expect(warn).toHaveBeenCalledTimes(2);
});
