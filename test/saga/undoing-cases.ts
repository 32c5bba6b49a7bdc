/** What is undone, in which order, by whom; commands that do not go through; instances that are stuck, and what is done about them. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  activity,
  command,
  complete,
  defineAggregate,
  defineSaga,
  fail,
  FinalError,
  reject,
  sleep,
  steps,
  waitFor,
} from '../../src/index.ts';
import type { Command, Effect, Progressed } from '../../src/index.ts';
import { fakeActivity } from '../../src/testing/index.ts';
import { shared } from '../support/gated-store.ts';
import { charge, fulfilment, order, refund, release, reserve } from './fulfilment.ts';
import { eventsOf, happens, hourMs, open, orderEvents, stepsOf } from './opened.ts';
import type { NewStore } from './opened.ts';

const act = activity({
  name: 'act',
  input: z.object({ n: z.number() }),
  output: z.object({ n: z.number() }),
  retry: { attempts: 1 },
});
const undo = activity({ name: 'undo', input: z.unknown(), output: z.unknown(), retry: { attempts: 1 } });

/** A saga that asks for what it is told here. */
function asking(
  next: (n: number, progress: Progressed) => readonly Effect[],
  evolve?: (n: number, type: string) => number,
) {
  return defineSaga({
    name: 'asking',
    events: { Set: z.number(), Bad: z.null() },
    input: z.null(),
    activities: { act, undo },
    initialState: 0,
    evolve: (state, event) => evolve?.(state, event.type) ?? (event.type === 'Set' ? event.data : state),
    next,
  });
}

function fakes() {
  const acted = fakeActivity(act).succeeds(({ n }) => ({ n }));
  const undone = fakeActivity(undo).succeeds(null);
  return { acted, undone, activities: [act.implement(acted), undo.implement(undone)] };
}

/** Whose commands misbehave. */
const moody = defineAggregate({
  name: 'moody',
  events: { Done: z.object({ n: z.number() }), Undone: z.object({}) },
  initialState: { isShut: false },
  evolve: { Done: (state) => state, Undone: (state) => state },
  commands: {
    work: { input: z.object({ n: z.number() }), decide: (_state, data) => [{ type: 'Done', data }] },
    refuse: { input: z.object({}), decide: () => reject('not_today', { until: 'monday' }) },
    crash: {
      input: z.object({}),
      decide: () => {
        throw new Error('cannot decide');
      },
    },
    lie: { input: z.object({}), decide: () => [{ type: 'Done', data: { n: 'many' as never } }] },
  },
});
const { work, refuse, crash, lie } = moody.commands;

function failedStep(engine: Parameters<typeof stepsOf>[0], stream: string, key: string) {
  return stepsOf(engine, stream).then((all) =>
    all.filter(({ on }) => on.kind === 'failed' && on.key === key).map(({ on }) => on),
  );
}

export function undoingCases(newStore: NewStore): void {
  describe('a saga that fails', () => {
    test('undoes what it did, the last first, each with what it came to, and its failed step where that may have happened', async () => {
      const charged = fakeActivity(charge).succeeds({ chargeId: 'c-1' });
      const reserved = fakeActivity(reserve).fails(new FinalError('sold_out', { left: 0 }));
      const refunded = fakeActivity(refund).succeeds({});
      const released = fakeActivity(release).succeeds(null);
      const done: string[] = [];
      const { engine } = await open(newStore(), {
        sagas: [fulfilment],
        activities: [
          charge.implement(charged),
          reserve.implement(async (input, context) => {
            await charged.called();
            await expect
              .poll(async () => (await engine.saga(fulfilment, 'o-1').state()).effects['charge']?.status)
              .toBe('completed');
            return reserved(input, context);
          }),
          refund.implement(async (input, context) => {
            done.push((await orderEvents(engine, 'o-1')).at(-1) ?? '');
            return refunded(input, context);
          }),
          release.implement(released),
        ],
      });
      await happens(engine, 'OrderPlaced', { orderId: 'o-1', total: 5 });
      await engine.settled();
      expect(await engine.saga(fulfilment, 'o-1').result()).toEqual({
        kind: 'compensated',
        failure: { code: 'sold_out', message: 'sold_out', details: { left: 0 } },
      });
      expect(refunded.calls).toMatchObject([
        {
          input: { chargeId: 'c-1', key: 'fulfilment-o-1/charge' },
          idempotencyKey: 'fulfilment-o-1/~charge',
          attempt: 1,
        },
      ]);
      // A refusal has done nothing: its own undo is asked for, and says that there is nothing to do.
      expect(released.calls).toEqual([]);
      expect(done).toEqual(['OrderCreated']);
      expect(await orderEvents(engine, 'o-1')).toEqual(['OrderCreated', 'OrderCancelled']);
      const { undo: undos, status } = await engine.saga(fulfilment, 'o-1').state();
      expect([undos, status]).toEqual([['create', 'charge'], 'compensated']);
    });

    test('when it is cancelled: what is under way is broken off, and undone as what may have happened', async () => {
      const { acted, undone, activities } = fakes();
      acted.hangs();
      const saga = asking((_, { isDone }) => [
        isDone('a')
          ? complete()
          : act('a', { n: 1 }, { compensate: (result, context) => undo('', { result: result ?? null, ...context }) }),
      ]);
      const { engine } = await open(newStore(), { sagas: [saga], activities });
      const handle = await engine.start(saga, 's', null);
      await acted.called();
      const cancelled = await handle.cancel('changed her mind', { actor: 'ada' });
      expect(cancelled).toMatchObject({
        status: 'compensating',
        failure: { code: 'cancelled', message: 'changed her mind' },
      });
      expect(await handle.result()).toEqual({
        kind: 'compensated',
        failure: { code: 'cancelled', message: 'changed her mind' },
      });
      expect(acted.calls[0]?.signal.aborted).toBe(true);
      expect(undone.calls.map(({ input }) => input)).toEqual([
        { result: null, isUnknown: true, idempotencyKey: 'asking-s/a' },
      ]);
      const cancels = (await stepsOf(engine, 'asking-s')).filter(({ on }) => on.kind === 'cancel');
      expect(cancels).toMatchObject([{ metadata: { actor: 'ada' } }]);
      // Once more changes nothing, nor does it where all is done.
      expect((await handle.cancel('again')).failure?.message).toBe('changed her mind');
      acted.succeeds({ n: 1 });
      const other = await engine.start(saga, 'done', null);
      await other.result();
      expect((await other.cancel('too late')).status).toBe('completed');
      await expect(handle.cancel('')).rejects.toMatchObject({ code: 'option_invalid' });
    });
  });

  describe('a command', () => {
    async function commanding(first: Command, retry = { attempts: 3, backoffMs: 10, jitter: false }) {
      const { activities, undone } = fakes();
      const saga = asking(
        (n, { isDone }) => {
          if (n < 0) return [complete('another way')];
          return [isDone('first') ? complete() : command('first', first, { retry, compensate: undo('', 'first') })];
        },
        (n, type) => (type === 'command.failed' ? n - 1 : n),
      );
      const opened = await open(newStore(), { aggregates: [moody], sagas: [saga], activities });
      const handle = await opened.engine.start(saga, 's', null);
      return { ...opened, handle, undone };
    }

    test('that is rejected is not tried again, and has changed nothing', async () => {
      const { activities, undone } = fakes();
      const saga = asking((_, { isDone }) => [
        isDone('before')
          ? command('first', refuse('1', {}), { compensate: undo('', 'first') })
          : command('before', work('1', { n: 1 }), { compensate: (result) => undo('', result) }),
      ]);
      const { engine } = await open(newStore(), { aggregates: [moody], sagas: [saga], activities });
      const handle = await engine.start(saga, 's', null);
      expect(await handle.result()).toEqual({
        kind: 'compensated',
        failure: { code: 'not_today', message: 'the command was rejected: not_today', details: { until: 'monday' } },
      });
      expect(undone.calls.map(({ input }) => input)).toEqual([{ eventCount: 1, version: 1 }]);
    });

    test('that is rejected can lead another way', async () => {
      const { handle, undone } = await commanding(refuse('1', {}));
      expect(await handle.result()).toEqual({ kind: 'completed', result: 'another way' });
      expect(undone.calls).toEqual([]);
    });

    test.each<[string, Command, string, number]>([
      ['whose decision throws', crash('1', {}), 'decide_failed', 3],
      ['whose events its schema refuses', lie('1', {}), 'event_invalid', 3],
      ['that nobody knows', { aggregate: 'stranger', id: '1', command: 'x', input: {} }, 'command_unknown', 3],
      ['of a stream that cannot be', work('a\nb', { n: 1 }), 'name_invalid', 3],
      ['whose input its schema refuses', work('1', { n: 'x' as never }), 'input_invalid', 1],
    ])('%s is tried as often as it may be, after ever longer waits', async (_, first, code, attempts) => {
      const { handle, engine, passes } = await commanding(first);
      for (const ms of [10, 20]) await passes(ms);
      expect(await handle.result()).toEqual({ kind: 'completed', result: 'another way' });
      const failures = await failedStep(engine, 'asking-s', 'first');
      expect(failures.map((on) => on.kind === 'failed' && [on.failure.code, on.final])).toEqual(
        Array.from({ length: attempts }, (_one, index) => [code, index === attempts - 1]),
      );
    });

    test('that undoes something is tried again where it is rejected: what is in its way may go', async () => {
      const { activities } = fakes();
      const saga = asking((_, { isDone }) => [
        isDone('first')
          ? fail('no')
          : command('first', order.commands.create('1', { total: 1 }), {
              compensate: command('', order.commands.create('2', { total: 2 }), {
                retry: { attempts: 3, backoffMs: 10, jitter: false },
              }),
            }),
      ]);
      const { engine, passes } = await open(newStore(), { sagas: [saga], activities });
      await engine.execute(order.commands.create('2', { total: 9 }));
      const handle = await engine.start(saga, 's', null);
      await engine.settled();
      expect((await handle.state()).effects['~first']).toMatchObject({
        status: 'retrying',
        failure: { code: 'order_exists' },
      });
      await passes(10);
      await passes(20);
      expect(await handle.result()).toMatchObject({ kind: 'stuck', key: '~first', failure: { code: 'order_exists' } });
    });
  });

  describe('an instance that is stuck', () => {
    async function stuckAtUndo() {
      const { acted, undone, activities } = fakes();
      undone.fails(new FinalError('jammed'));
      const saga = asking((_, { isDone }) => [
        isDone('a') ? fail('no') : act('a', { n: 1 }, { compensate: undo('', 'a') }),
      ]);
      const opened = await open(newStore(), { sagas: [saga], activities });
      const handle = await opened.engine.start(saga, 's', null);
      expect(await handle.result()).toEqual({
        kind: 'stuck',
        key: '~a',
        failure: { code: 'jammed', message: 'jammed' },
      });
      await opened.engine.settled();
      return { ...opened, handle, acted, undone };
    }

    test('is listed with what it is stuck at, and told of', async () => {
      const { engine, told } = await stuckAtUndo();
      expect(await engine.sagas.list({ status: 'stuck' })).toMatchObject([
        {
          saga: 'asking',
          id: 's',
          status: 'stuck',
          stuck: { key: '~a', failure: { code: 'jammed' } },
          failure: { code: 'failed', message: 'no' },
        },
      ]);
      expect((await engine.sagas.counts())[0]).toMatchObject({
        running: 0,
        compensating: 0,
        stuck: 1,
        started: 1,
        compensated: 0,
      });
      expect(told.filter(({ kind }) => kind === 'stuck')).toMatchObject([{ saga: 'asking', instance: 's', key: '~a' }]);
    });

    test('is tried again by an operator, under another key', async () => {
      const { engine, handle, undone } = await stuckAtUndo();
      undone.succeeds(null);
      await handle.retry({ actor: 'ada', key: '~a', metadata: { correlationId: 'ticket-1' } });
      expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { message: 'no' } });
      expect(undone.calls.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['asking-s/~a', 'asking-s/~a/2']);
      const acts = (await stepsOf(engine, 'asking-s')).filter(({ on }) => on.kind === 'operator');
      expect(acts).toMatchObject([{ on: { key: '~a', act: { kind: 'retry' } }, metadata: { actor: 'ada' } }]);
      await engine.settled();
      expect(await engine.sagas.list()).toEqual([]);
    });

    test('goes on without, where an operator says why', async () => {
      const { engine, handle, undone } = await stuckAtUndo();
      await handle.skip('done by phone', { actor: 'ada' });
      expect(await handle.result()).toMatchObject({ kind: 'compensated' });
      expect(undone.calls).toHaveLength(1);
      expect((await handle.state()).effects['~a']).toMatchObject({ status: 'completed', skipped: 'done by phone' });
      expect((await stepsOf(engine, 'asking-s')).at(-1)?.metadata).toMatchObject({ actor: 'ada' });
    });

    test('goes on with what an operator says it came to', async () => {
      const { handle } = await stuckAtUndo();
      await expect(handle.resolve({ at: new Date(0) })).rejects.toMatchObject({ code: 'data_unfaithful' });
      await handle.resolve({ reference: 'letter' }, { actor: 'ada', reason: 'she wrote' });
      expect(await handle.result()).toMatchObject({ kind: 'compensated' });
      expect((await handle.state()).effects['~a']?.result).toEqual({ reference: 'letter' });
    });

    test('is left alone by acts that are not for it', async () => {
      const { handle, engine } = await stuckAtUndo();
      await expect(handle.retry({ key: '~b' })).rejects.toMatchObject({
        code: 'saga_refused',
        details: { reason: 'it is not stuck at ~b, but at ~a' },
      });
      await expect(handle.skip('')).rejects.toMatchObject({ code: 'option_invalid' });
      await expect(handle.retry({ who: 'ada' } as never)).rejects.toMatchObject({ code: 'option_invalid' });
      expect((await handle.state()).status).toBe('stuck');
      await handle.skip('enough');
      await handle.result();
      await expect(handle.retry()).rejects.toMatchObject({
        code: 'saga_refused',
        details: { reason: 'it is not stuck: compensated' },
      });
      await expect(engine.sagas.instance('asking', 'nobody').retry()).rejects.toMatchObject({ code: 'saga_not_found' });
      expect(() => engine.sagas.instance('other', 's')).toThrow(/saga_unknown/);
    });
  });

  describe('a definition that fails leaves its instances stuck, and lets them go on once it is corrected:', () => {
    test.each<[string, string, ReturnType<typeof asking>]>([
      [
        'evolve',
        'evolve_failed',
        asking(
          (n) => [n === 2 ? complete('corrected') : waitFor('w', 'Set', { timeoutMs: hourMs })],
          (n, type) => {
            if (type === 'Bad') throw new Error('bad');
            return n;
          },
        ),
      ],
      [
        'next',
        'next_failed',
        asking(
          (n) => {
            if (n === 0) return [waitFor('w', 'Bad', { timeoutMs: hourMs }), sleep('x', { ms: hourMs })];
            throw new Error('bad');
          },
          (_n, type) => (type === 'Bad' ? 1 : 0),
        ),
      ],
      [
        'next, which asks for nothing',
        'nothing_due',
        asking(
          (n) => (n === 0 ? [waitFor('w', 'Bad', { timeoutMs: hourMs })] : []),
          (_n, type) => (type === 'Bad' ? 1 : 0),
        ),
      ],
    ])('%s', async (_, code, broken) => {
      const store = shared(newStore());
      const { activities } = fakes();
      const first = await open(store, { sagas: [broken], activities });
      const handle = await first.engine.start(broken, 's', null);
      await handle.signal('Bad', null);
      expect(await handle.result()).toMatchObject({ kind: 'stuck', failure: { code } });
      // No operator can say what becomes of an effect where there is none.
      await expect(handle.skip('x')).rejects.toMatchObject({ code: 'saga_refused' });
      await expect(handle.resolve(1)).rejects.toMatchObject({ code: 'saga_refused' });
      await handle.retry();
      await first.engine.settled();
      expect((await handle.state()).status).toBe('stuck');
      await first.engine.close();
      const corrected = asking(() => [complete('corrected')]);
      const { engine } = await open(store, { sagas: [corrected], activities });
      await engine.settled();
      expect((await engine.sagas.list())[0]?.status).toBe('stuck');
      await engine.saga(corrected, 's').retry();
      await engine.settled();
      expect(await engine.saga(corrected, 's').result()).toEqual({ kind: 'completed', result: 'corrected' });
    });

    test('compensate, and nothing that was done is forgotten', async () => {
      const { activities, undone } = fakes();
      const saga = asking((_, { isDone }) => [
        ...(isDone('a')
          ? [
              act(
                'b',
                { n: 2 },
                {
                  compensate: () => {
                    throw new Error('no idea');
                  },
                },
              ),
            ]
          : [act('a', { n: 1 }, { compensate: undo('', 'a') })]),
        ...(isDone('b') ? [complete()] : []),
      ]);
      const { engine } = await open(newStore(), { sagas: [saga], activities });
      const handle = await engine.start(saga, 's', null);
      expect(await handle.result()).toMatchObject({
        kind: 'stuck',
        failure: { code: 'compensate_failed', message: expect.stringContaining('no idea') },
      });
      await handle.cancel('enough');
      await expect.poll(() => handle.result()).toMatchObject({ kind: 'stuck', key: '~b' });
      await handle.skip('looked after');
      expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { code: 'cancelled' } });
      expect(undone.calls.map(({ input }) => input)).toEqual(['a']);
    });
  });

  test('steps in a line are undone where one of a group fails', async () => {
    const { acted, undone, activities } = fakes();
    acted.succeeds(({ n }) => ({ n }), 2).fails(new FinalError('third'));
    const line = defineSaga({
      name: 'line',
      events: {},
      input: z.null(),
      activities: { act, undo },
      initialState: {},
      evolve: (state) => state,
      next: steps([
        [1, 2].map((n) => () => act(`a${n}`, { n }, { compensate: (result) => result && undo('', result.n) })),
        () => act('b', { n: 3 }, { compensate: (result) => result && undo('', result.n) }),
      ]),
    });
    const { engine } = await open(newStore(), { sagas: [line], activities });
    const handle = await engine.start(line, 'l', null);
    expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { code: 'third' } });
    const { undo: done } = await handle.state();
    expect(undone.calls.map(({ input }) => `a${String(input)}`)).toEqual(done.toReversed());
    expect(await eventsOf(engine, 'line-l')).not.toEqual([]);
  });
}
