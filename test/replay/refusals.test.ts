/** What cannot be meant is refused when it is asked for, with a word on what could be. */
import { describe, expect, test } from 'vitest';
import { memory, openEngine } from '../../src/index.ts';
import type { Engine } from '../../src/index.ts';
import { account } from '../command/account.ts';
import { balances } from '../projection/balances.ts';

const engine = await openEngine({ store: memory(), aggregates: [account] });
const { open, deposit } = account.commands;
await engine.execute(open('1', { owner: 'Ada' }));
await engine.execute(deposit('1', { amount: 5 }));
await engine.execute(open('2', { owner: 'Eve' }));
const one = { aggregate: account, id: '1' } as const;
const rows = { projection: balances } as const;
/** As from a program without types. */
const given = <Value>(value: unknown): Value => value as Value;

type Replay = Engine['replay'];
type Subject = Parameters<Replay>[0];
type Options = Parameters<Replay>[1];

test.each<[string, unknown, unknown, string]>([
  ['an unknown subject', { agregate: account }, {}, 'aggregate, id, projection, key, fold, query'],
  ['two subjects', { aggregate: account, projection: balances }, {}, 'beside aggregate'],
  ['an id of a projection', { projection: balances, id: '1' }, {}, 'beside projection'],
  ['an id of nothing', { id: '1' }, {}, 'an aggregate beside it'],
  ['a key of nothing', { key: '1' }, {}, 'a projection beside it'],
  ['no aggregate', { aggregate: balances }, {}, 'an aggregate that was defined'],
  ['no projection', { projection: account }, {}, 'a projection that was defined'],
  ['no fold', { fold: { initial: 0, evolve: () => 0 } }, {}, 'fold.initial is 0, expected a function'],
  ['half a fold', { fold: { initial: () => 0 } }, {}, 'fold.evolve'],
  ['a query that goes backwards', { query: { backwards: true } }, {}, 'backwards of query'],
  ['an unknown mode', {}, { mode: 'fast' }, 'full, from_snapshot, selective, time_travel'],
  ['an unknown option', {}, { sped: 1 }, 'sped of a replay in mode full'],
  ['a moment in a full replay', {}, { at: { position: 1 } }, 'at of a replay in mode full'],
  [
    'a selection in time travel',
    {},
    { mode: 'time_travel', at: { position: 1 }, select: {} },
    'select of a replay in mode time_travel',
  ],
  ['time travel to nowhere', {}, { mode: 'time_travel' }, 'a moment'],
  ['a selection of nothing', {}, { mode: 'selective' }, 'what is selected'],
  ['a selection by what there is not', {}, { mode: 'selective', select: { type: ['A'] } }, 'type of select'],
  ['a selection by no function', {}, { mode: 'selective', select: { where: true } }, 'a function'],
  ['a snapshot of a projection', rows, { mode: 'from_snapshot' }, 'one instance'],
  [
    'a version of many',
    { aggregate: account },
    { mode: 'time_travel', at: { version: 1 } },
    'only one instance has versions',
  ],
  [
    'a version of a document',
    { ...rows, key: '1' },
    { mode: 'time_travel', at: { version: 1 } },
    'only one instance has versions',
  ],
  ['two moments', one, { mode: 'time_travel', at: { version: 1, position: 1 } }, 'one of { version }'],
  ['half a version', one, { mode: 'time_travel', at: { version: 0.5 } }, 'at.version is 0.5'],
  ['no time', one, { mode: 'time_travel', at: { time: new Date('no') } }, 'a Date, or milliseconds'],
  ['a negative gap', {}, { maxGapMs: -1 }, 'a number of ms'],
  ['a time that is no function', {}, { timeOf: 1 }, 'a function that gives an event its time'],
  ['no timer', {}, { timer: { now: Date.now } }, '{ now, wait }'],
  ['no signal', {}, { signal: 1 }, 'an AbortSignal'],
])('a replay of %s', (_, subject, options, said) => {
  const refused = { code: 'option_invalid', message: expect.stringContaining(said) };
  expect(() => engine.replay(given<Subject>(subject), given<Options>(options))).toThrow(
    expect.objectContaining(refused),
  );
});

test('an id and a key are checked as ever', () => {
  expect(() => engine.replay({ aggregate: account, id: '' })).toThrow(
    expect.objectContaining({ code: 'name_invalid' }),
  );
  expect(() => engine.replay({ projection: balances, key: '' })).toThrow(
    expect.objectContaining({ code: 'name_invalid' }),
  );
});

describe('a replay', () => {
  test('is gone through once', async () => {
    const replay = engine.replay(one);
    await replay.run();
    await expect(replay.run()).rejects.toMatchObject({ code: 'request_invalid' });
    expect(() => replay[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'request_invalid' }));
  });

  test('at a pace is not run at once, nor is one that was paused or moved', async () => {
    await expect(engine.replay(one, { speed: 2 }).run()).rejects.toMatchObject({ code: 'option_invalid' });
    const paused = engine.replay(one);
    paused.pause();
    await expect(paused.run()).rejects.toMatchObject({ code: 'request_invalid' });
    const moved = engine.replay(one);
    moved.seek({ version: 1 });
    await expect(moved.run()).rejects.toMatchObject({ code: 'request_invalid' });
    const running = engine.replay(one);
    const result = running.run();
    expect(() => running.pause()).toThrow(expect.objectContaining({ code: 'request_invalid' }));
    expect((await result).version).toBe(2);
  });

  test('of an engine that is closed does not begin', async () => {
    const closed = await openEngine({ store: memory() });
    await closed.close();
    expect(() => closed.replay()).toThrow(expect.objectContaining({ code: 'engine_closed' }));
    await expect(closed.past.view(balances, { position: 1 })).rejects.toMatchObject({ code: 'engine_closed' });
  });

  test('of a fold that throws says at which event', async () => {
    const evolve = (count: number, { position }: { readonly position: number }) => {
      if (position === 2) throw new Error('no more');
      return count + 1;
    };
    await expect(engine.replay({ fold: { initial: () => 0, evolve } }).run()).rejects.toMatchObject({
      code: 'fold_failed',
      message: expect.stringContaining('the MoneyDeposited of account-1 at position 2: no more'),
    });
  });

  test('freezes what it shows, but for the state of a fold of ones own', async () => {
    for await (const { state } of engine.replay(one)) expect(Object.isFrozen(state)).toBe(true);
    for await (const { document } of engine.replay({ ...rows, key: '1' })) expect(Object.isFrozen(document)).toBe(true);
    const fold = { initial: () => ({ count: 0 }), evolve: (state: { count: number }) => ((state.count += 1), state) };
    expect((await engine.replay({ fold, query: { stream: 'account-1' } }).run()).state).toEqual({ count: 2 });
    await using careless = await openEngine({ store: engine.log, freezeStates: false });
    for await (const { state } of careless.replay(one))
      expect(Object.isFrozen(state)).toBe(state.balance === 0 && !state.open);
  });
});

describe('comparing', () => {
  test('diff needs two moments in order', async () => {
    const wrong = { code: 'option_invalid' };
    await expect(engine.past.diff(one, given({}))).rejects.toMatchObject(wrong);
    await expect(engine.past.diff(one, { from: { version: 2 }, to: { version: 1 } })).rejects.toMatchObject(wrong);
    await expect(engine.past.diff(given<typeof one>(rows), { from: { position: 1 } })).rejects.toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining('{ projection, key }'),
    });
    expect(() => engine.past.history(account, '1', given({ at: 1 }))).toThrow(expect.objectContaining(wrong));
  });

  test.each(['a.', 'a b', 5])('why needs a path, not %s', async (field) => {
    const wrong = { code: 'option_invalid', message: expect.stringContaining('items[3].price') };
    await expect(engine.past.why(one, given(field))).rejects.toMatchObject(wrong);
  });

  test.each<[string, unknown, string]>([
    ['a version that there is not', { without: [{ version: 3 }] }, 'none with {"version":3}'],
    ['an id that there is not', { without: [{ id: '0'.repeat(64) }] }, 'none with {"id"'],
    ['an event of another stream', { without: [{ position: 3 }] }, 'none with {"position":3}'],
    ['two names of an event', { without: [{ version: 1, position: 1 }] }, 'one of { version }'],
    ['one name alone', { without: { version: 1 } }, 'a list of'],
    [
      'a stream beside an instance',
      { add: [{ type: 'MoneyDeposited', data: { amount: 1 }, stream: 'x-1' }] },
      'stream of an event to add',
    ],
    ['another aggregate', { aggregate: { ...account, name: 'other' } }, 'another definition of account'],
    ['a projection instead of an aggregate', { projection: balances }, 'projection of the options of what-if'],
  ])('what-if refuses %s', async (_, options, said) => {
    await expect(engine.past.whatIf(one, given<object>(options))).rejects.toMatchObject({
      code: 'option_invalid',
      message: expect.stringContaining(said),
    });
  });

  test('what-if takes an event that is named twice as left out once', async () => {
    const [first] = (await engine.history(account, '1').next()).value ?? [];
    const id = first?.id ?? '';
    const without = [{ version: 1 }, { position: 1 }, { id }];
    const { hypothetical, events } = await engine.past.whatIf(one, { without });
    expect({ hypothetical, events }).toEqual({
      hypothetical: { open: false, balance: 5 },
      events: { actual: 2, hypothetical: 1 },
    });
  });

  test('what-if checks what is added as an append does', async () => {
    const { past } = engine;
    await expect(past.whatIf(one, { add: [{ type: 'MoneyDeposited', data: { amount: -1 } }] })).rejects.toMatchObject({
      code: 'event_invalid',
    });
    await expect(past.whatIf(one, given<object>({ add: [{ type: 'Lost', data: {} }] }))).rejects.toMatchObject({
      code: 'event_type_unknown',
    });
    await expect(
      past.whatIf(rows, { add: [{ stream: 'order-1', type: 'MoneyDeposited', data: { amount: 1 } }] }),
    ).rejects.toMatchObject({ code: 'option_invalid', message: expect.stringContaining('from: account') });
  });

  test('a changed fold that throws is reported with the event', async () => {
    const other: typeof account = {
      ...account,
      evolve: (state, event) => {
        if (event.type === 'MoneyDeposited') throw new Error('not yet');
        return account.evolve(state, event);
      },
    };
    await expect(engine.past.whatIf(one, { aggregate: other })).rejects.toMatchObject({
      code: 'evolve_failed',
      details: { stream: 'account-1', version: 2, type: 'MoneyDeposited', reason: 'not yet' },
    });
  });
});
