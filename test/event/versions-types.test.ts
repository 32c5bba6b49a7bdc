/** What the compiler knows of versions. */
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineProjection, pinned, versions } from '../../src/index.ts';

const first = z.object({ amount: z.number() });
const second = z.object({ cents: z.number(), currency: z.string().default('EUR') });

const amount = versions(first).next(second, {
  up: (data) => {
    expectTypeOf(data).toEqualTypeOf<{ amount: number }>();
    return { cents: data.amount * 100, currency: 'EUR' };
  },
  down: (data) => {
    expectTypeOf(data).toEqualTypeOf<{ cents: number; currency: string }>();
    return { amount: data.cents / 100 };
  },
});

const account = defineAggregate({
  name: 'account',
  events: { Deposited: amount, Named: z.object({ name: z.string() }) },
  retired: {
    Called: {
      schema: z.object({ called: z.string() }),
      as: (data) => {
        expectTypeOf(data).toEqualTypeOf<{ called: string }>();
        return { type: 'Named', data: { name: data.called } };
      },
    },
  },
  initialState: 0,
  evolve: {
    Deposited: (sum, event) => {
      expectTypeOf(event.data).toEqualTypeOf<{ cents: number; currency: string }>();
      return sum + event.data.cents;
    },
    Named: (sum) => sum,
  },
  commands: {
    // A default may be left out, as of any schema.
    deposit: { input: first, decide: () => [{ type: 'Deposited', data: { cents: 1 } }] },
  },
});

test('a fold sees the newest version, a pinned one the version that it is pinned to', () => {
  defineProjection({
    name: 'sums',
    from: [pinned(account, { Deposited: 1 })],
    key: () => 'all',
    initial: { sum: 0 },
    on: {
      Deposited: ({ sum }, event) => {
        expectTypeOf(event.data).toEqualTypeOf<{ amount: number }>();
        return { sum: sum + event.data.amount };
      },
      Named: (document, event) => {
        expectTypeOf(event.data).toEqualTypeOf<{ name: string }>();
        return document;
      },
    },
  });
});

test('what does not fit does not compile', () => {
  const wrong = [
    // @ts-expect-error a version without a way up
    () => versions(first).next(second, {}),
    // @ts-expect-error a cast that gives something else
    () => versions(first).next(second, { up: () => ({ cents: 'many', currency: 'EUR' }) }),
    // @ts-expect-error and down, too
    () => versions(first).next(second, { up: () => ({ cents: 1, currency: '' }), down: () => ({ amount: '1' }) }),
    // @ts-expect-error no such type
    () => pinned(account, { Withdrawn: 1 }),
    () =>
      defineAggregate({
        name: 'other',
        events: { Named: z.object({ name: z.string() }) },
        // @ts-expect-error read as a type that there is not
        retired: { Called: { schema: first, as: () => ({ type: 'Renamed', data: {} }) } },
        initialState: 0,
        evolve: { Named: (sum) => sum },
        commands: {},
      }),
  ];
  expectTypeOf(wrong).toBeArray();
});
