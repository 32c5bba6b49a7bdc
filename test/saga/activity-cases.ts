/** Attempts at activities: how often, under which key, for how long, and what becomes of them. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { activity, complete, defineSaga, FinalError } from '../../src/index.ts';
import type { AnyImplementation, Reconciled, RetryOptions, SagaResult } from '../../src/index.ts';
import { fakeActivity } from '../../src/testing/index.ts';
import { shared } from '../support/gated-store.ts';
import { open, stepsOf } from './opened.ts';
import type { NewStore, Opened } from './opened.ts';

const returned = z.object({ receipt: z.unknown() });
const undo = activity({ name: 'undo', input: z.object({ of: z.unknown(), isUnknown: z.boolean() }), output: z.null() });

/** One activity, and a saga that asks for it once. */
function paying(
  options: { readonly timeoutMs?: number; readonly retry?: RetryOptions; readonly concurrency?: number } = {},
) {
  const pay = activity({ name: 'pay', input: z.object({ sum: z.number() }), output: returned, ...options });
  const fake = fakeActivity(pay);
  const undone = fakeActivity(undo).succeeds(null);
  const payment = defineSaga({
    name: 'payment',
    events: {},
    input: z.object({ sum: z.number() }),
    activities: { pay, undo },
    initialState: { sum: 0 },
    evolve: (state, event) => (event.type === 'started' ? event.data : state),
    next: ({ sum }, { isDone, resultOf }) => [
      isDone('pay')
        ? complete(resultOf('pay'))
        : pay(
            'pay',
            { sum },
            { compensate: (result, { isUnknown }) => undo('', { of: result?.receipt ?? null, isUnknown }) },
          ),
    ],
  });
  const sagas = [payment];
  const activities = [pay.implement(fake), undo.implement(undone)];
  return { pay, fake, undone, payment, sagas, activities };
}

async function payOnce(opened: Opened, { payment }: ReturnType<typeof paying>): Promise<SagaResult> {
  const handle = await opened.engine.start(payment, 'p', { sum: 7 });
  return handle.result();
}

export function activityCases(newStore: NewStore): void {
  describe('an attempt', () => {
    test('is made with its input, under one key, until one succeeds; each after a longer wait', async () => {
      const parts = paying({ retry: { attempts: 4, backoffMs: 100, jitter: false } });
      parts.fake.fails(new Error('down'), 2).succeeds({ receipt: 'r-1' });
      const opened = await open(newStore(), parts);
      const { engine, passes, told } = opened;
      const handle = await engine.start(parts.payment, 'p', { sum: 7 });
      await passes(99);
      expect(parts.fake.calls).toHaveLength(1);
      await passes(1);
      expect(parts.fake.calls).toHaveLength(2);
      await passes(199);
      expect(parts.fake.calls).toHaveLength(2);
      await passes(1);
      expect(await handle.result()).toEqual({ kind: 'completed', result: { receipt: 'r-1' } });
      expect(parts.fake.calls).toMatchObject(
        [1, 2, 3].map((attempt) => ({
          input: { sum: 7 },
          idempotencyKey: 'payment-p/pay',
          attempt,
          saga: 'payment',
          instance: 'p',
        })),
      );
      expect(told.filter(({ kind }) => kind === 'attempt_failed')).toMatchObject([
        { attempt: 1 },
        { attempt: 2, failure: { code: 'error', message: 'down' } },
      ]);
    });

    test('that fails for the last time fails the saga; it may have been done all the same', async () => {
      const parts = paying({ retry: { attempts: 2, backoffMs: 0 } });
      parts.fake.fails(new Error('down'));
      expect(await payOnce(await open(newStore(), parts), parts)).toMatchObject({
        kind: 'compensated',
        failure: { code: 'error', message: 'down' },
      });
      expect(parts.fake.calls).toHaveLength(2);
      expect(parts.undone.calls.map(({ input }) => input)).toEqual([{ of: null, isUnknown: true }]);
    });

    test('that is refused is not made again, and has done nothing', async () => {
      const parts = paying();
      parts.fake.fails(new FinalError('declined', { by: 'bank' }));
      expect(await payOnce(await open(newStore(), parts), parts)).toEqual({
        kind: 'compensated',
        failure: { code: 'declined', message: 'declined', details: { by: 'bank' } },
      });
      expect(parts.fake.calls).toHaveLength(1);
      expect(parts.undone.calls.map(({ input }) => input)).toEqual([{ of: null, isUnknown: false }]);
    });

    test('that throws what its policy calls final is not made again', async () => {
      const parts = paying({ retry: { isFinal: (error) => error instanceof RangeError } });
      parts.fake.fails(new RangeError('too much'));
      expect(await payOnce(await open(newStore(), parts), parts)).toMatchObject({
        kind: 'compensated',
        failure: { message: 'too much' },
      });
      expect(parts.fake.calls).toHaveLength(1);
    });

    test.each([
      ['a promise that never settles', () => new Promise<never>(() => {})],
      // As those of query builders, which are none of the language's own.
      ['a thenable that never settles', thenable],
    ])('that takes too long is broken off, also one that does not look at its signal: %s', async (_, hang) => {
      const parts = paying({ timeoutMs: 20, retry: { attempts: 1 } });
      const reasons: unknown[] = [];
      const hangs = parts.pay.implement((_input, { signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        return hang();
      });
      const opened = await open(newStore(), { ...parts, activities: [hangs, ...parts.activities.slice(1)] });
      expect(await payOnce(opened, parts)).toMatchObject({ kind: 'compensated', failure: { code: 'timed_out' } });
      expect(reasons).toMatchObject([{ message: 'it took longer than 20 ms' }]);
      expect(parts.undone.calls.map(({ input }) => input)).toEqual([{ of: null, isUnknown: true }]);
    });

    test.each<[string, unknown, RegExp]>([
      ['that its schema refuses', { bill: 1 }, /receipt/],
      ['that JSON cannot carry', { receipt: new Date(0) }, /Date/],
      ['that is larger than an event may be', { receipt: 'x'.repeat(70_000) }, /has 7\d{4} characters/],
    ])('whose result cannot be kept has happened, and is undone: one %s', async (_, result, message) => {
      const parts = paying();
      parts.fake.succeeds(result as never);
      expect(await payOnce(await open(newStore(), parts), parts)).toMatchObject({
        kind: 'compensated',
        failure: { code: expect.stringMatching(/^output_/), message: expect.stringMatching(message) },
      });
      expect(parts.fake.calls).toHaveLength(1);
      expect(parts.undone.calls.map(({ input }) => input)).toEqual([{ of: null, isUnknown: true }]);
    });

    test('is not made with an input that its schema refuses', async () => {
      const strict = activity({ name: 'strict', input: z.object({ sum: z.number().max(5) }), output: z.null() });
      const fake = fakeActivity(strict).succeeds(null);
      const saga = defineSaga({
        name: 'strictly',
        events: {},
        input: z.null(),
        activities: { strict },
        initialState: {},
        evolve: (state) => state,
        next: () => [strict('strict', { sum: 7 })],
      });
      const { engine } = await open(newStore(), { sagas: [saga], activities: [strict.implement(fake)] });
      const handle = await engine.start(saga, 's', null);
      expect(await handle.result()).toMatchObject({
        kind: 'compensated',
        failure: { code: 'input_invalid', details: [{ path: 'sum' }] },
      });
      expect(fake.calls).toHaveLength(0);
    });

    test('whose worker is gone is made again, under the same key, and was perhaps done', async () => {
      const store = shared(newStore());
      const parts = paying();
      parts.fake.hangs(1).fails(new FinalError('declined'));
      const first = await open(store, parts);
      await first.engine.start(parts.payment, 'p', { sum: 7 });
      await parts.fake.called();
      await first.engine.close();
      const { engine } = await open(store, parts);
      expect(await engine.saga(parts.payment, 'p').result()).toMatchObject({ kind: 'compensated' });
      expect(parts.fake.calls.map(({ idempotencyKey, attempt }) => [idempotencyKey, attempt])).toEqual([
        ['payment-p/pay', 1],
        ['payment-p/pay', 2],
      ]);
      expect(parts.undone.calls.map(({ input }) => input)).toEqual([{ of: null, isUnknown: true }]);
      expect((await stepsOf(engine, 'payment-p')).map(({ on }) => on.kind)).toContain('lost');
    });
  });

  describe('before another attempt the outside system is asked what became of the last one, if nobody knows:', () => {
    function asking(answer: () => Reconciled<{ readonly receipt: unknown }>) {
      const parts = paying({ timeoutMs: 20, retry: { attempts: 3, backoffMs: 0 } });
      const asked: number[] = [];
      const hangsOnce = parts.fake.hangs(1).succeeds({ receipt: 'second' });
      const reconciling: AnyImplementation = parts.pay.implement(hangsOnce, {
        reconcile: (_input, { attempt }) => {
          asked.push(attempt);
          return answer();
        },
      });
      return { ...parts, asked, activities: [reconciling, ...parts.activities.slice(1)] };
    }

    test('it was done, so it is not done again', async () => {
      const parts = asking(() => ({ kind: 'completed', output: { receipt: 'first' } }));
      expect(await payOnce(await open(newStore(), parts), parts)).toEqual({
        kind: 'completed',
        result: { receipt: 'first' },
      });
      expect([parts.fake.calls.length, parts.asked]).toEqual([1, [2]]);
    });

    test('it was refused, so it is not tried again, and there is nothing to undo', async () => {
      const parts = asking(() => ({ kind: 'failed', code: 'declined', details: 1 }));
      expect(await payOnce(await open(newStore(), parts), parts)).toMatchObject({
        kind: 'compensated',
        failure: { code: 'declined', details: 1 },
      });
      expect([parts.fake.calls.length, parts.asked]).toEqual([1, [2]]);
    });

    test('it knows of none, so another is made', async () => {
      const parts = asking(() => ({ kind: 'not_found' }));
      expect(await payOnce(await open(newStore(), parts), parts)).toEqual({
        kind: 'completed',
        result: { receipt: 'second' },
      });
      expect([parts.fake.calls.length, parts.asked]).toEqual([2, [2]]);
    });

    test('it does not answer, so nothing is done until it does', async () => {
      let asked = 0;
      const parts = asking(() => {
        asked += 1;
        if (asked < 2) throw new Error('no answer');
        return { kind: 'not_found' };
      });
      expect(await payOnce(await open(newStore(), parts), parts)).toEqual({
        kind: 'completed',
        result: { receipt: 'second' },
      });
      expect([parts.fake.calls.length, parts.asked]).toEqual([2, [2, 3]]);
    });

    test('it answers nonsense, which is no answer', async () => {
      const parts = asking(() => ({ kind: 'perhaps' }) as never);
      expect(await payOnce(await open(newStore(), parts), parts)).toMatchObject({
        kind: 'compensated',
        failure: { code: 'error', message: expect.stringMatching(/says neither/) },
      });
      expect(parts.fake.calls).toHaveLength(1);
      expect(parts.undone.calls.map(({ input }) => input)).toEqual([{ of: null, isUnknown: true }]);
    });
  });

  test('no more attempts at an activity are under way than may be; whoever waits for one is served', async () => {
    const parts = paying({ concurrency: 3 });
    let now = 0;
    let most = 0;
    const gates: PromiseWithResolvers<void>[] = [];
    const served = new Set<string>();
    const slow = parts.pay.implement(async (_, { instance }) => {
      served.add(instance);
      now += 1;
      most = Math.max(most, now);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      now -= 1;
      return { receipt: null };
    });
    const { engine } = await open(newStore(), { ...parts, activities: [slow, ...parts.activities.slice(1)] });
    const handles = await Promise.all(
      Array.from({ length: 12 }, (_, index) => engine.start(parts.payment, `p-${index}`, { sum: 1 })),
    );
    // One that waits for its turn and does not want it any more does not keep it from the others.
    await expect.poll(() => gates.length, { interval: 1 }).toBe(3);
    await handles.findLast(({ id }) => !served.has(id))?.cancel('not me');
    for (let opened = 0; opened < 11; opened++) {
      await expect.poll(() => gates.length > opened, { interval: 1 }).toBe(true);
      gates[opened]?.resolve();
    }
    const results = await Promise.all(handles.map((handle) => handle.result()));
    expect(results.filter(({ kind }) => kind === 'completed')).toHaveLength(11);
    expect([most, gates.length]).toEqual([3, 11]);
  });
}

/** Has the method of a promise, and calls nobody. */
function thenable(): Promise<never> {
  const made = {};
  Reflect.defineProperty(made, ['then'].join(''), { value: () => {} });
  return made as Promise<never>;
}
