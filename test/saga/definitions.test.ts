/** Definitions that cannot be meant are refused when they are made, or when an engine is opened with them: with a reason. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { activity, complete, defineSaga, EngineError, memory, openEngine } from '../../src/index.ts';
import type { EngineOptions } from '../../src/index.ts';
import { account } from '../command/account.ts';

const pay = activity({ name: 'pay', input: z.object({}), output: z.object({}) });
const otherPay = activity({ name: 'pay', input: z.object({ sum: z.number() }), output: z.object({}) });

const sound = {
  name: 'purchase',
  events: { Ordered: z.object({ id: z.string() }) },
  initialState: {},
  evolve: (state: object) => state,
  next: () => [complete()],
} as const;

function saga(changed: object = {}) {
  return defineSaga({ ...sound, ...changed });
}

/** Why a definition is refused. */
function reasonOf(define: () => unknown): string {
  try {
    define();
  } catch (error) {
    if (error instanceof EngineError && 'reason' in error.details) return `${error.code}: ${error.details.reason}`;
    throw error;
  }
  return 'it was taken';
}

async function reasonToOpen(options: Partial<EngineOptions>): Promise<string> {
  try {
    const engine = await openEngine({ store: memory(), ...options });
    await engine.close();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const { details } = error as EngineError<'definition_invalid' | 'option_invalid'>;
    return `${error.code}: ${'reason' in details ? details.reason : details.expected}`;
  }
  return 'it was opened';
}

test('a sound definition is taken, with all that it may have', () => {
  const first = saga({ startsOn: 'Ordered', id: () => 'x', activities: { pay }, children: [{ name: 'other' }] });
  const whole = saga({
    version: 3,
    slots: 256,
    startAt: 'first_event',
    startsOn: ['Ordered'],
    id: () => 'x',
    migrate: () => ({}),
    previous: [first, saga({ version: 2 })],
    activities: { pay, again: pay },
  });
  expect(whole).toMatchObject({ kind: 'saga', name: 'purchase', version: 3, slots: 256, startAt: 'first_event' });
  expect([...whole.activities.keys()]).toEqual(['pay']);
  expect(first).toMatchObject({ version: 1, slots: 1, startAt: 'now', children: ['other'] });
});

describe('a saga is refused', () => {
  test.each<[string, object, RegExp]>([
    ['whose name is none', { name: 'Bad-Name' }, /name_invalid/],
    ['with an event whose type is the engine’s', { events: { $deleted: z.null() } }, /type/i],
    [
      'that starts on what is none of its events',
      { startsOn: 'Orderd', id: () => 'x' },
      /startsOn.Orderd is none of its events/,
    ],
    [
      'that starts on one of several that it does not have',
      { startsOn: ['Ordered', 'toString'], id: () => 'x' },
      /startsOn.toString is none/,
    ],
    ['that starts on events of which nobody knows whom they concern', { startsOn: 'Ordered' }, /id is needed/],
    ['whose id is no function', { id: 'orderId' }, /id is not a function/],
    ['whose migrate is no function', { migrate: {} }, /migrate is not a function/],
    ['whose evolve is no function', { evolve: { Ordered: () => ({}) } }, /evolve is not a function/],
    ['whose next is no function', { next: [] }, /next is not a function/],
    ...[0, 1.5, '2', Number.NaN, 2 ** 53].map((version): [string, object, RegExp] => [
      `of version ${version}`,
      { version },
      /version is an integer/,
    ]),
    ...[0, 257, 1.5, '2'].map((slots): [string, object, RegExp] => [
      `of ${slots} slots`,
      { slots },
      /slots is an integer from 1 to 256/,
    ]),
    ['that starts at no such place', { startAt: 'then' }, /startAt is 'first_event' or 'now'/],
    ['with activities that are none', { activities: { pay: { name: 'pay' } } }, /made by `activity`/],
    ['with two activities of one name', { activities: { pay, otherPay } }, /two activities of the name pay/],
    ['with children that are none', { children: ['other'] }, /children are sagas/],
    ['after what is no saga', { version: 2, previous: [account] }, /older versions of the same saga/],
    ['after another saga', { version: 2, previous: [saga({ name: 'other' })] }, /older versions of the same saga/],
    [
      'after a newer version',
      { version: 2, previous: [saga({ version: 2 })] },
      /version 2 in `previous` is not older than 2/,
    ],
    ['after one version twice', { version: 2, previous: [saga(), saga()] }, /version 1 is there twice/],
  ])('%s', (_, changed, reason) => {
    expect(reasonOf(() => saga(changed))).toMatch(reason);
  });
});

describe('an activity is refused', () => {
  const base = { name: 'pay', input: z.object({}), output: z.object({}) };
  test.each<[string, object, RegExp]>([
    ['without a name', { name: '' }, /must match/],
    ['with a name that no type of an event can begin with', { name: 'pay.now' }, /must match/],
    ['with a name that is too long', { name: 'a'.repeat(65) }, /must match/],
    ...['command', 'wait', 'sleep', 'child', 'saga'].map((name): [string, object, RegExp] => [
      `called ${name}`,
      { name },
      /name of another effect/,
    ]),
    ['whose input is no schema', { input: {} }, /input is no Standard Schema/],
    ['whose output is no schema', { output: undefined }, /output is no Standard Schema/],
    ...[0, -1, Number.NaN, Infinity, 2 ** 31].map((timeoutMs): [string, object, RegExp] => [
      `that may take ${timeoutMs} ms`,
      { timeoutMs },
      /timeoutMs is a number from 1/,
    ]),
    ...[0, 1.5, -1, Number.NaN].map((concurrency): [string, object, RegExp] => [
      `that may run ${concurrency} times at once`,
      { concurrency },
      /concurrency is an integer/,
    ]),
    ...[0, 1.5, Infinity].map((attempts): [string, object, RegExp] => [
      `with ${attempts} attempts`,
      { retry: { attempts } },
      /retry.attempts/,
    ]),
    ['with a backoff below zero', { retry: { backoffMs: -1 } }, /retry.backoffMs/],
    ['with a backoff without end', { retry: { backoffMaxMs: Infinity } }, /retry.backoffMaxMs/],
    ['whose backoffs get shorter', { retry: { factor: 0.5 } }, /retry.factor/],
    ['whose final errors are named instead of told', { retry: { isFinal: 'never' } }, /retry.isFinal/],
  ])('%s', (_, changed, reason) => {
    expect(reasonOf(() => activity({ ...base, ...changed }))).toMatch(reason);
  });

  test('implemented by what is no function', () => {
    expect(reasonOf(() => pay.implement({} as never))).toMatch(/its implementation is not a function/);
  });

  test('but not one at whose limits nothing is wrong', () => {
    const odd = { timeoutMs: 0.5 + 1, concurrency: Infinity, retry: { attempts: 1, backoffMs: 0, backoffMaxMs: 0 } };
    expect(reasonOf(() => activity({ ...base, ...odd }))).toBe('it was taken');
  });
});

describe('an engine is not opened', () => {
  test.each<[string, Partial<EngineOptions>, RegExp]>([
    ['with what is no saga', { sagas: [account as never] }, /a list of sagas that were defined/],
    ['with two sagas of one name', { sagas: [saga(), saga()] }, /there are two of this name/],
    [
      'with a saga of the name of an aggregate',
      { aggregates: [account], sagas: [saga({ name: 'account' })] },
      /there are two of this name/,
    ],
    [
      'without the implementation of an activity',
      { sagas: [saga({ activities: { pay } })] },
      /its activity pay has no implementation: give pay.implement/,
    ],
    [
      'without that of an activity that only an older version has',
      { sagas: [saga({ version: 2, previous: [saga({ activities: { pay } })] })] },
      /its activity pay has no implementation/,
    ],
    [
      'with an activity in place of its implementation',
      { sagas: [], activities: [pay as never] },
      /a list of activities/,
    ],
    [
      'with two implementations of one activity',
      { activities: [pay.implement(() => ({})), pay.implement(() => ({}))] },
      /there are two of this name/,
    ],
    ['without a child', { sagas: [saga({ children: [{ name: 'other' }] })] }, /its child other is not among the sagas/],
    ['with schedules that are neither wanted nor not', { schedules: 'yes' as never }, /true or false/],
    [
      'on a store that keeps no documents',
      { store: { name: 'bare', openEvents: memory().openEvents }, sagas: [saga()] },
      /a store that keeps documents/,
    ],
  ])('%s', async (_, options, reason) => {
    expect(await reasonToOpen(options)).toMatch(reason);
  });

  test('but without implementations where it works on no saga that has them', async () => {
    const sagas = [saga({ activities: { pay } }), saga({ name: 'plain' })];
    expect(await reasonToOpen({ sagas, run: 'none' })).toBe('it was opened');
    expect(await reasonToOpen({ sagas, run: ['plain'] })).toBe('it was opened');
    expect(await reasonToOpen({ sagas, run: ['plain', 'purchase'] })).toMatch(/no implementation/);
  });
});
