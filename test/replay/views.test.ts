/** Views as they were, of projections that the engine runs or does not. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineProjection, defineReactor, defineTables, memory, openEngine } from '../../src/index.ts';
import type { AnyProjection, ReplayProgress } from '../../src/index.ts';
import { TestClock } from '../../src/testing/index.ts';
import { account } from '../command/account.ts';
import { balances } from '../projection/balances.ts';

const { open, deposit } = account.commands;

async function engineWithFour() {
  const clock = new TestClock(1_000);
  const engine = await openEngine({ store: memory(), aggregates: [account], projections: [balances], clock });
  for (const [command, ms] of [
    [open('1', { owner: 'Ada' }), 10],
    [deposit('1', { amount: 5 }), 10],
    [open('2', { owner: 'Bob' }), 10],
    [deposit('2', { amount: 7 }), 10],
  ] as const) {
    clock.advance(ms);
    await engine.execute(command);
  }
  return { engine, clock };
}

describe('a view as of now', () => {
  test('is the one that is kept, and what a replay gives', async () => {
    const { engine } = await engineWithFour();
    await engine.settled();
    const { position } = await engine.log.head();
    const view = await engine.past.view(balances, { position });
    const query = { where: { balance: { gt: 5 } }, orderBy: { owner: 'desc' } } as const;
    expect(await view.findMany()).toEqual(await engine.view(balances).findMany());
    expect(await view.findMany(query)).toEqual(await engine.view(balances).findMany(query));
    const { documents } = await engine.replay({ projection: balances }).run();
    expect([...documents.values()]).toEqual(await view.findMany());
    await engine.close();
  });

  test('needs nobody who runs the projection, and nothing that others keep of it', async () => {
    const { engine } = await engineWithFour();
    await using other = await openEngine({ store: engine.log });
    const owners = defineProjection({
      name: 'owners',
      from: [account],
      key: ({ aggregateId }) => aggregateId,
      initial: { owner: '' },
      on: {
        AccountOpened: (_row, { data }) => ({ owner: data.owner }),
        MoneyDeposited: 'ignore',
        MoneyWithdrawn: 'ignore',
      },
    });
    expect(await (await other.past.view(owners, { time: 1_010 })).findMany()).toEqual([{ owner: 'Ada' }]);
    const state = await engine.log.state();
    expect(await state?.collections('view/owners')).toEqual([]);
    await engine.close();
  });
});

describe('a bound', () => {
  test('holds up to the moment of the view, and behind it as long as nothing of interest has happened', async () => {
    const { engine } = await engineWithFour();
    const view = await engine.past.view(balances, { position: 4 });
    await engine.log.append([{ stream: 'other-1', events: [{ type: 'Other', data: {} }] }]);
    for (const atLeast of [1, 4, 5]) expect(await view.count({}, { atLeast })).toBe(2);
    expect(await view.count({}, { maxLagMs: 0 })).toBe(2);
    expect(await view.fresh()).toBe(4);
    await engine.execute(deposit('1', { amount: 1 }));
    expect(await view.count({}, { atLeast: 5 })).toBe(2);
    expect(await view.safeCount({}, { atLeast: 6 })).toMatchObject({ kind: 'stale' });
    await engine.close();
  });

  test('beyond it is stale at once, and says that the view is of the past', async () => {
    const { engine, clock } = await engineWithFour();
    const view = await engine.past.view(balances, { position: 2 });
    clock.advance(100);
    const stale = {
      code: 'stale',
      message: expect.stringContaining('as of position 2, and stays so; demanded: position 3'),
    };
    await expect(view.get('1', { atLeast: 3, timeoutMs: Infinity })).rejects.toMatchObject(stale);
    await expect(view.get('1', { atLeast: 99, timeoutMs: Infinity })).rejects.toMatchObject({ code: 'stale' });
    // The third event is as old as that.
    expect(await view.safeGet('1', { maxLagMs: 109 })).toMatchObject({
      kind: 'stale',
      stale: { lagMs: 110, head: 4, isPast: true },
    });
    expect(await view.safeGet('1', { maxLagMs: 110 })).toMatchObject({ kind: 'fresh' });
    await engine.close();
  });
});

describe('an event that cannot be folded', () => {
  const note = defineAggregate({
    name: 'note',
    events: { Noted: z.object({ text: z.string() }) },
    initialState: {},
    evolve: { Noted: (state) => state },
    commands: {},
  });
  const notes = defineProjection({
    name: 'notes',
    from: [note],
    key: ({ aggregateId, data }) => {
      if ((data as { text: string }).text === 'keyless') throw new Error('no key');
      return aggregateId;
    },
    initial: { texts: [] as readonly unknown[] },
    on: {
      Noted: ({ texts }, { data: { text } }) => {
        if (text === 'bad') throw new Error('cannot read this');
        return { texts: [...texts, text === 'odd' ? new Date(0) : text] };
      },
    },
  });

  async function engineWith(...texts: readonly string[]) {
    const engine = await openEngine({ store: memory() });
    const events = texts.map((text) => ({ type: 'Noted', data: { text } }));
    await engine.log.append([{ stream: 'note-1', events }]);
    return engine;
  }

  test.each([
    ['bad', 'cannot read this'],
    ['keyless', 'no key'],
    ['odd', 'Date'],
  ])('(%s) stops the making of the view, by name', async (text, reason) => {
    await using engine = await engineWith('one', 'two', text, 'three');
    const failed = engine.past.view(notes, { position: 9 });
    await expect(failed).rejects.toMatchObject({
      code: 'fold_failed',
      details: { fold: 'notes', position: 3, stream: 'note-1', type: 'Noted', reason: expect.stringContaining(reason) },
    });
    await expect(engine.past.view(notes, { position: 2 })).resolves.toMatchObject({ position: 2 });
  });

  test('is left out where that is asked for, and named', async () => {
    await using engine = await engineWith('one', 'bad', 'two', 'keyless', 'odd', 'three');
    const view = await engine.past.view(notes, { position: 9 }, { onFailure: 'leave_out' });
    expect(await view.get('1')).toEqual({ texts: ['one', 'two', 'three'] });
    expect(view.leftOut.count).toBe(3);
    expect(view.leftOut.events.map(({ position }) => position)).toEqual([2, 4, 5]);
    expect(view.leftOut.events[0]).toEqual({
      position: 2,
      stream: 'note-1',
      type: 'Noted',
      reason: 'cannot read this',
    });
  });

  test('ends a replay of the documents, by name too', async () => {
    await using engine = await engineWith('one', 'bad');
    const failed = { code: 'fold_failed', details: { fold: 'notes', position: 2 } };
    await expect(engine.replay({ projection: notes }).run()).rejects.toMatchObject(failed);
    const seen: string[] = [];
    const watch = async () => {
      for await (const { event } of engine.replay({ projection: notes, key: '1' })) seen.push(event.type);
    };
    await expect(watch()).rejects.toMatchObject(failed);
    expect(seen).toEqual(['Noted']);
  });
});

test('making it tells how far it is, and can be cancelled', async () => {
  const { engine } = await engineWithFour();
  const told: ReplayProgress[] = [];
  await engine.past.view(balances, { position: 3 }, { onProgress: (progress) => told.push(progress) });
  expect(told.at(-1)).toEqual({ events: 3, position: 3, recordedAt: 1_030, until: 3, fraction: 1 });
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(engine.past.view(balances, { position: 3 }, { signal })).rejects.toThrow('enough');
  await engine.close();
});

test('what tables and reactors have done has no past', async () => {
  const tables = defineTables({
    name: 'totals',
    from: [account],
    create: [],
    on: { AccountOpened: () => [], MoneyDeposited: 'ignore', MoneyWithdrawn: 'ignore' },
  });
  const reactor = defineReactor({
    name: 'mailer',
    from: [account],
    startAt: 'now',
    key: ({ aggregateId }) => aggregateId,
    on: { AccountOpened: async () => {}, MoneyDeposited: 'ignore', MoneyWithdrawn: 'ignore' },
  });
  await using engine = await openEngine({ store: memory() });
  for (const consumer of [tables, reactor]) {
    const projection = consumer as unknown as AnyProjection;
    const refused = { code: 'option_invalid', message: expect.stringContaining('cannot be folded again') };
    await expect(engine.past.view(projection, { position: 1 })).rejects.toMatchObject(refused);
    expect(() => engine.replay({ projection })).toThrow(expect.objectContaining(refused));
    await expect(engine.past.why({ projection, key: '1' }, 'x')).rejects.toMatchObject(refused);
  }
});
