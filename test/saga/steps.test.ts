import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { activity, command, complete, defineSaga, sleep, steps, waitFor } from '../../src/index.ts';
import type { Progressed } from '../../src/index.ts';
import { sagaScenario } from '../../src/testing/index.ts';
import { order, release } from './fulfilment.ts';

function done(...all: readonly string[]): Progressed {
  return {
    isDone: (key) => all.includes(key),
    resultOf: (key) => (all.includes(key) ? `result of ${key}` : undefined),
  };
}

const line = steps<{ readonly isGift: boolean }>(
  [
    () => sleep('a', { ms: 1 }),
    [
      () => sleep('b', { ms: 2 }),
      ({ isGift }) => (isGift ? sleep('wrap', { ms: 3 }) : undefined),
      () => sleep('c', { ms: 4 }),
    ],
    ({ isGift }) => (isGift ? sleep('card', { ms: 5 }) : undefined),
    [],
    (_, { resultOf }) => sleep(`d after ${String(resultOf('c'))}`, { ms: 6 }),
  ],
  { result: ({ isGift }, { resultOf }) => ({ isGift, a: resultOf('a') }) },
);

/** What is asked for, when this is done. */
function keys(isGift: boolean, ...before: readonly string[]): readonly string[] {
  return line({ isGift }, done(...before)).map(({ key }) => key);
}

describe('a line of steps', () => {
  test('asks for each when those before it are done, and for those of a list at the same time', () => {
    expect(keys(false)).toEqual(['a']);
    expect(keys(false, 'a')).toEqual(['b', 'c']);
    expect(keys(false, 'a', 'c')).toEqual(['b']);
    expect(keys(false, 'a', 'b', 'c')).toEqual(['d after result of c']);
  });

  test('leaves out what there is nothing to do for in a state', () => {
    expect(keys(true, 'a')).toEqual(['b', 'wrap', 'c']);
    expect(keys(true, 'a', 'b', 'c')).toEqual(['wrap']);
    expect(keys(true, 'a', 'b', 'wrap', 'c')).toEqual(['card']);
  });

  test('is complete behind its last step, with what is made of the state and the results', () => {
    const all = done('a', 'b', 'c', 'd after result of c');
    expect(line({ isGift: false }, all)).toEqual([complete({ isGift: false, a: 'result of a' })]);
    expect(steps([])({}, done())).toEqual([complete()]);
  });

  test('is the `next` of a saga: what was done is undone where a step fails', () => {
    const pay = activity({ name: 'pay', input: z.object({}), output: z.object({}), retry: { attempts: 1 } });
    const line2 = defineSaga({
      name: 'line',
      events: { Packed: z.object({}) },
      input: z.object({ id: z.string() }),
      activities: { pay, release },
      initialState: { id: '' },
      evolve: (state, event) => (event.type === 'started' ? event.data : state),
      next: steps([
        ({ id }) =>
          command('create', order.commands.create(id, { total: 1 }), { compensate: release('', { orderId: id }) }),
        [() => pay('pay', {}), () => waitFor('packed', 'Packed', { timeoutMs: 10 })],
      ]),
    });
    const { given, started, accepted, completed, failed, signal } = sagaScenario(line2);
    const begun = given(started({ id: 'o-1' }), accepted('create'));
    begun.thenEffects([pay('pay', {}), waitFor('packed', 'Packed', { timeoutMs: 10 })]);
    begun.when(failed('pay', new Error('down'))).thenEffects([release('~create', { orderId: 'o-1' })]);
    begun.given(completed('pay', {})).when(signal('Packed', {})).thenCompleted(undefined);
  });
});
