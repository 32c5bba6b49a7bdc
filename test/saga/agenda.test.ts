/** What is due in an instance: looked at through scenarios, which are made of it. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { activity, child, command, complete, defineSaga, fail, sleep, waitFor } from '../../src/index.ts';
import type { Effect, Progressed } from '../../src/index.ts';
import { idempotencyKeyOf, undoOf } from '../../src/saga/agenda.ts';
import { sagaScenario } from '../../src/testing/index.ts';

const act = activity({ name: 'act', input: z.object({}), output: z.object({ n: z.number() }), retry: { attempts: 1 } });
const undo = activity({ name: 'undo', input: z.unknown(), output: z.null(), retry: { attempts: 1 } });

/** Begins with what is asked for; signals of the type Set put numbers into its state. */
function asking(next: (n: number, progress: Progressed) => unknown) {
  const saga = defineSaga({
    name: 'asking',
    events: { Set: z.number(), Other: z.string() },
    input: z.null(),
    activities: { act, undo },
    children: [{ name: 'small' }],
    initialState: 0,
    evolve: (state, event) => (event.type === 'Set' ? event.data : state),
    next: next as (n: number, progress: Progressed) => readonly Effect[],
  });
  const scenario = sagaScenario(saga);
  return { ...scenario, begun: scenario.given(scenario.started(null)) };
}

const done = { aggregate: 'thing', id: '1', command: 'do', input: {} };

describe('what `next` returns and no effect is', () => {
  const tooLong = 'k'.repeat(201);
  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /must return a list/],
    ['a promise', Promise.resolve([complete()]), /must return a list/],
    ['one effect', complete(), /must return a list/],
    ['a list with a hole', [null], /null is no effect/],
    ['a text', ['complete'], /complete is no effect/],
    ['something of no kind', [{ key: 'a' }], /a is of no known kind/],
    ['two of one key', [sleep('a', { ms: 1 }), sleep('a', { ms: 1 })], /two effects with the key a/],
    ['two ends', [complete(), complete()], /two effects with the key \$complete/],
    ['one without a key', [sleep('', { ms: 1 })], /needs a key of 1 to 200/],
    ['one whose key is too long', [sleep(tooLong, { ms: 1 })], /needs a key of 1 to 200/],
    ['one whose key is that of an undo', [sleep('~a', { ms: 1 })], /does not begin with ~/],
    ['one whose key no store keeps', [sleep('\ud800', { ms: 1 })], /lone surrogate/],
    ['one whose key no document may have', [sleep('a\0', { ms: 1 })], /needs a key/],
    ['one whose key is a number', [{ ...sleep('a', { ms: 1 }), key: 1 }], /needs a key/],
    [
      'an activity of another saga',
      [{ kind: 'activity', key: 'a', activity: 'pay', input: {} }],
      /asks for pay, none of its activities/,
    ],
    ['a child of another saga', [child('a', { name: 'big' }, '1', {})], /asks for big, none of its children/],
    [
      'a wait for an event of another saga',
      [waitFor('a', 'Sat', { timeoutMs: 1 })],
      /waits for Sat, none of its events/,
    ],
    ['a wait without end', [waitFor('a', 'Set', { timeoutMs: Infinity })], /needs a finite timeoutMs/],
    ['a wait of less than nothing', [waitFor('a', 'Set', { timeoutMs: -1 })], /needs a finite timeoutMs/],
    ['a sleep without end', [sleep('a', { ms: Infinity })], /needs \{ ms \} or \{ until \}/],
    ['a sleep until no time', [sleep('a', { until: new Date('x') })], /needs \{ ms \} or \{ until \}/],
    ['a command that is none', [command('a', null as never)], /a has no command/],
    ['a failure that says nothing', [fail(5 as never)], /needs a reason/],
    ['what cannot be kept', [act('a', { at: new Date(0) } as never)], /JSON cannot carry an instance of Date/],
  ])('leaves the instance stuck: %s', (_, given, reason) => {
    const { begun } = asking(() => given);
    begun.thenStuck(null);
    expect(() => begun.thenCompleted()).toThrow(reason);
    expect(() => begun.thenCompleted()).toThrow(/next_failed/);
  });

  test('and so does nothing at all: neither an effect that is not done, nor the end', () => {
    const { begun, signal } = asking((n) => (n === 0 ? [] : [complete(n)]));
    expect(() => begun.thenStuck(null).thenCompleted()).toThrow(/nothing_due/);
    begun.when(signal('Set', 7)).thenCompleted(7);
    const idle = asking(() => [sleep('a', { ms: 5 })]);
    idle.begun.given(idle.woke('a')).thenStuck(null);
  });

  test('and so does what is asked for under another key each time, before any of it is begun', () => {
    let asked = 0;
    asking(() => [act(`act ${(asked += 1)}`, {})]).begun.thenStuck(null);
    asking(() => [sleep(`sleep ${(asked += 1)}`, { ms: 5 })]).begun.thenStuck(null);
    const children = (_: number, { isDone }: Progressed) => {
      const first = Array.from({ length: 1_001 }, (__, n) => `child ${n}`).find((key) => !isDone(key)) ?? 'child';
      return [child(first, { name: 'small' }, first, {}, { detached: true })];
    };
    asking(children).begun.thenStuck(null);
  });

  test('and so does a beginning that fails', () => {
    const saga = defineSaga({
      name: 'begun',
      events: {},
      input: z.null(),
      initialState: (): number => {
        throw new Error('no beginning');
      },
      evolve: (state) => state,
      next: () => [complete()],
    });
    const { given, started } = sagaScenario(saga);
    given(started(null)).thenStuck(null);
    expect(() => given(started(null)).thenCompleted()).toThrow(/initialState failed: no beginning/);
  });

  test('but what has come may be as much as it likes', () => {
    const { begun, signal } = asking((n, { isDone }) => {
      const wait = Array.from({ length: 1_500 }, (_, place) => `wait ${place}`).find((key) => !isDone(key));
      if (n === 0) return [sleep('a', { ms: 5 })];
      return [wait === undefined ? complete() : waitFor(wait, 'Other', { timeoutMs: 5 })];
    });
    const full = Array.from({ length: 1_500 }, () => signal('Other', 'x'));
    begun
      .given(...full)
      .when(signal('Set', 1))
      .thenCompleted();
  });

  test('but one that is stuck so goes on with whatever comes, or when an operator has it tried again', () => {
    let isBroken = true;
    const { begun, signal, retried, cancelled } = asking((n) => {
      if (n === 0 && isBroken) throw new Error('broken');
      return [complete(n)];
    });
    begun.thenStuck(null);
    begun.when(signal('Other', 'x')).thenStuck(null);
    begun.when(signal('Set', 1)).thenCompleted(1);
    begun.when(cancelled('enough')).thenCompensated({ code: 'cancelled' });
    isBroken = false;
    begun.when(retried()).thenCompleted(0);
  });
});

describe('waits', () => {
  test('each take one of what has come, in the order in which it came, before or after', () => {
    const { begun, signal } = asking((_, { isDone, resultOf }) => {
      const both = [waitFor('a', 'Other', { timeoutMs: 9 }), waitFor('b', 'Other', { timeoutMs: 9 })];
      if (!isDone('a') || !isDone('b')) return both;
      return isDone('c')
        ? [complete([resultOf('a'), resultOf('b'), resultOf('c')])]
        : [waitFor('c', 'Other', { timeoutMs: 9 })];
    });
    begun.when(signal('Other', '1')).thenEffects([waitFor('b', 'Other', { timeoutMs: 9 })]);
    begun.given(signal('Other', '1'), signal('Other', '2')).when(signal('Other', '3')).thenCompleted(['1', '2', '3']);
    const early = asking((n, { isDone, resultOf }) => {
      if (n === 0) return [sleep('later', { ms: 1 })];
      return isDone('a') && isDone('b')
        ? [complete([resultOf('a'), resultOf('b')])]
        : [waitFor('a', 'Other', { timeoutMs: 9 }), waitFor('b', 'Other', { timeoutMs: 9 })];
    });
    early.begun
      .given(early.signal('Other', '1'), early.signal('Other', '2'))
      .when(early.signal('Set', 1))
      .thenCompleted(['1', '2']);
  });

  test('that are no longer asked for end, and begin anew when they are asked for again', () => {
    const { begun, signal, passed } = asking((n) => [
      n === 1 ? sleep('b', { ms: 100 }) : waitFor('a', 'Other', { timeoutMs: 50 }),
    ]);
    begun.given(passed(10)).thenEffects([waitFor('a', 'Other', { timeoutMs: 40 })]);
    const turned = begun.given(passed(10), signal('Set', 1));
    turned.thenEffects([sleep('b', { ms: 100 })]);
    // The deadline of what is not waited for does not pass.
    turned.given(passed(60)).thenEffects([sleep('b', { ms: 40 })]);
    turned.given(signal('Set', 2)).thenEffects([waitFor('a', 'Other', { timeoutMs: 50 })]);
  });

  test('whose time is up fail the saga, unless it goes on without', () => {
    const { begun, timedOut } = asking(() => [waitFor('a', 'Other', { timeoutMs: 50 })]);
    begun.when(timedOut('a')).thenCompensated({ code: 'timed_out', message: 'no Other came in time' });
    const saga = defineSaga({
      name: 'lenient',
      events: { Other: z.null() },
      input: z.null(),
      initialState: { isLate: false },
      evolve: (state, event) => (event.type === 'wait.timed_out' ? { isLate: event.data.type === 'Other' } : state),
      next: ({ isLate }) => [isLate ? complete('late') : waitFor('a', 'Other', { timeoutMs: 0 })],
    });
    const lenient = sagaScenario(saga);
    lenient.when(lenient.started(null)).thenCompleted('late');
  });
});

describe('effects', () => {
  test('of one state begin together, but for commands, which come one after the other', () => {
    const { begun, accepted, completed } = asking((_, { isDone }) =>
      ['a', 'b', 'c'].every((key) => isDone(key))
        ? [complete()]
        : [command('a', done), act('b', {}), command('c', done)],
    );
    begun.thenEffects([command('a', done), act('b', {}), command('c', done)]);
    expect(() => begun.given(accepted('c'))).toThrow(/the command c is not due, but a/);
    begun.given(completed('act', { n: 1 }), accepted('a')).thenEffects([command('c', done)]);
    begun
      .given(accepted('a'), accepted('c'))
      .when(completed('act', { n: 1 }))
      .thenCompleted();
  });

  test('can be asked for in a loop, under ever other keys, with what they came to', () => {
    const { begun, completed } = asking((_, { resultOf }) => {
      const results: unknown[] = [];
      for (let round = 0; ; round++) {
        const result = resultOf(`round-${round}`) as { readonly n: number } | undefined;
        if (result === undefined) return [act(`round-${round}`, {})];
        results.push(result.n);
        if (result.n > 2) return [complete(results)];
      }
    });
    begun
      .given(completed('act', { n: 1 }), completed('act', { n: 2 }))
      .thenEffects([{ key: 'round-2', attempt: 1 }])
      .when(completed('act', { n: 3 }))
      .thenCompleted([1, 2, 3]);
  });

  test('that are asked for with the end come before it', () => {
    const { begun, woke } = asking(() => [complete('done'), sleep('a', { ms: 1 })]);
    begun.thenEffects([sleep('a', { ms: 1 })]);
    begun.when(woke('a')).thenCompleted('done');
  });

  test('that are under way and no longer asked for are waited for before the end', () => {
    const { begun, signal, completed } = asking((n) => [n === 0 ? act('a', {}) : complete(n)]);
    const ending = begun.given(signal('Set', 5));
    expect(() => ending.thenCompleted()).toThrow(/is running/);
    ending.when(completed('act', { n: 1 })).thenCompleted(5);
  });

  test('that `fail` comes with are not begun', () => {
    const { begun } = asking(() => [act('a', {}), fail('no', { why: 1 })]);
    begun.thenEffects([fail('no', { why: 1 })]).thenCompensated({ code: 'failed', message: 'no', details: { why: 1 } });
  });

  test('sleep until a time, also one that has passed', () => {
    const soon = Date.UTC(2026, 0, 1) + 0.5;
    const { begun, woke } = asking((_, { isDone }) => {
      if (!isDone('past')) return [sleep('past', { until: new Date(0) })];
      return isDone('soon') ? [complete()] : [sleep('soon', { until: soon })];
    });
    begun
      .thenEffects([{ key: 'soon', inMs: 1 }])
      .when(woke('soon'))
      .thenCompleted();
  });
});

describe('what undoes an effect', () => {
  const parts = { isUnknown: false, idempotencyKey: 'k' };

  test('is data: a command or an activity, without its key', () => {
    expect(undoOf({}, 1, parts)).toBeUndefined();
    expect(undoOf({ compensate: () => undefined }, 1, parts)).toBeUndefined();
    expect(undoOf({ compensate: undo('x', { a: 1 }) }, 1, parts)).toEqual({
      kind: 'activity',
      activity: 'undo',
      input: { a: 1 },
    });
    expect(undoOf({ compensate: undo('x', undefined) }, 1, parts)).toMatchObject({ input: null });
    const retry = { attempts: 9, isFinal: () => true };
    expect(undoOf({ compensate: command('x', done, { retry }) }, 1, parts)).toEqual({
      kind: 'command',
      command: done,
      retry: { attempts: 9 },
    });
    expect(
      undoOf({ compensate: (result, context) => undo('x', { result, context }) }, 1 as never, {
        ...parts,
        isUnknown: true,
      }),
    ).toMatchObject({
      input: { result: 1, context: { idempotencyKey: 'k', isUnknown: true } },
    });
    expect(() => undoOf({ compensate: sleep('x', { ms: 1 }) as never }, 1, parts)).toThrow(
      /neither a command nor an activity/,
    );
  });

  test('is made when the effect is done, and stays what it was, whatever becomes of the state', () => {
    const { begun, completed, signal } = asking((n, { isDone }) => {
      if (n > 1) return [fail('late')];
      return isDone('a')
        ? [sleep('b', { ms: 1 })]
        : [act('a', {}, { compensate: (result) => undo('', { n, result }) })];
    });
    begun
      .given(completed('act', { n: 4 }))
      .when(signal('Set', 2))
      .thenEffects([fail('late'), undo('~a', { n: 0, result: { n: 4 } })]);
  });

  test('where it cannot be told, the instance is stuck: nothing is forgotten', () => {
    const { begun, completed, failed, cancelled, retried, skipped } = asking((_, { isDone }) =>
      isDone('a')
        ? [complete()]
        : [
            act(
              'a',
              {},
              {
                compensate: (result) => {
                  if (result !== undefined) throw new Error('no idea');
                  return undefined;
                },
              },
            ),
          ],
    );
    const stuck = begun.given(completed('act', { n: 1 }));
    expect(() => stuck.thenStuck(null).thenCompleted()).toThrow(
      /compensate_failed: what undoes a is not known: .*no idea/,
    );
    stuck.when(retried()).thenCompleted();
    const undoing = stuck.given(cancelled('x'));
    undoing.thenStuck('~a').when(skipped('by hand')).thenCompensated({ code: 'cancelled' });
    begun.when(failed('act', { code: 'x' })).thenCompensated({ code: 'x' });
  });

  test('where it cannot be told it is still among what is to be undone, in its place', () => {
    const broken = {
      compensate: () => {
        throw new Error('no idea');
      },
    };
    const { begun, completed, failed, retried, resolved } = asking((_, { isDone }) => {
      const [first] = ['a', 'b', 'c'].filter((key) => !isDone(key));
      return first === undefined
        ? [complete()]
        : [act(first, {}, first === 'a' ? broken : { compensate: undo('', first) })];
    });
    const last = begun.given(completed('act', { n: 1 }), retried(), completed('act', { n: 2 }));
    const undoing = last.when(failed('act', new Error('down')));
    undoing.thenCompensating(['c', 'b', 'a']).thenEffects([undo('~c', 'c'), undo('~b', 'b'), { key: '~a' }]);
    const stuck = undoing.given(completed('undo', null), completed('undo', null));
    stuck.thenStuck('~a').when(resolved(null)).thenCompensated();
  });

  test('keys of attempts are new only when an operator has one made anew', () => {
    const others = [
      ['saga-1', 'pay/2'],
      ['saga-1/pay', '2'],
      ['saga-1', 'pay%2F2'],
    ] as const;
    const keys = others.map(([stream, key]) => idempotencyKeyOf(stream, key, 1));
    expect(new Set([...keys, idempotencyKeyOf('saga-1', 'pay', 2)]).size).toBe(4);
    expect([1, 2, 3].map((generation) => idempotencyKeyOf('saga-1', 'pay', generation))).toEqual([
      'saga-1/pay',
      'saga-1/pay/2',
      'saga-1/pay/3',
    ]);
  });
});
