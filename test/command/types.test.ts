/** What must compile and what must not: checked by the type checker, which runs before the tests. */
import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineDecision, memory, openEngine, reject } from '../../src/index.ts';
import type { AggregateCommand, InferCommand, InferEvent, InferState } from '../../src/index.ts';
import { instantiations, quotedPath } from '../support/instantiations.ts';
import { account } from './account.ts';

type Status = { readonly kind: 'none' } | { readonly kind: 'placed'; readonly total: number };
const order = defineAggregate({
  name: 'order',
  events: { Placed: z.object({ total: z.number(), currency: z.string().default('EUR') }) },
  initialState: (): Status => ({ kind: 'none' }),
  evolve: { Placed: (_state, { data }) => ({ kind: 'placed', total: data.total }) },
  commands: {
    place: {
      input: z.object({ total: z.string().transform(Number) }),
      decide: (state, { total }) => {
        expectTypeOf(state).toEqualTypeOf<Status>();
        expectTypeOf(total).toEqualTypeOf<number>();
        return state.kind === 'none' ? [{ type: 'Placed', data: { total } }] : reject('placed');
      },
    },
  },
});

test('everything is inferred from the declaration', async () => {
  expectTypeOf<InferState<typeof account>>().toEqualTypeOf<{ open: boolean; balance: number }>();
  expectTypeOf<InferState<typeof order>>().toEqualTypeOf<Status>();
  expectTypeOf<InferEvent<typeof account>['type']>().toEqualTypeOf<
    'AccountOpened' | 'MoneyDeposited' | 'MoneyWithdrawn'
  >();
  expectTypeOf<InferEvent<typeof order>['data']>().toEqualTypeOf<{ total: number; currency: string }>();
  expectTypeOf<InferCommand<typeof order>>().toExtend<AggregateCommand>();
  expectTypeOf<InferCommand<typeof order>['input']>().toEqualTypeOf<{ total: string }>();

  await using engine = await openEngine({ store: memory(), aggregates: [order, account] });
  const receipt = await engine.execute(order.commands.place('1', { total: '12' }));
  if (receipt.kind === 'accepted') {
    for (const event of receipt.events) {
      if (event.type === 'Placed') expectTypeOf(event.data).toEqualTypeOf<{ total: number; currency: string }>();
    }
  }
  const { state } = await engine.load(order, '1');
  expectTypeOf(state).toEqualTypeOf<Status>();
  expect(state).toEqual({ kind: 'placed', total: 12 });
  const both = await engine.executeAll([
    order.commands.place('2', { total: '1' }),
    account.commands.open('2', { owner: 'Ada' }),
  ]);
  if (both.kind === 'accepted') {
    expectTypeOf(both.events[0]?.type).toEqualTypeOf<
      'Placed' | 'AccountOpened' | 'MoneyDeposited' | 'MoneyWithdrawn' | '$deleted' | undefined
    >();
  }
});

test('what is wrong does not compile', () => {
  const never = async (): Promise<void> => {
    const engine = await openEngine({ store: memory(), aggregates: [account] });
    // @ts-expect-error a wrong input
    account.commands.deposit('1', { amount: '5' });
    // @ts-expect-error a misspelt field
    account.commands.deposit('1', { amout: 5 });
    // @ts-expect-error a command that does not exist
    account.commands.depositt('1', { amount: 5 });
    // @ts-expect-error no id
    account.commands.deposit({ amount: 5 });
    // @ts-expect-error an expected version that does not exist
    await engine.execute(account.commands.deposit('1', { amount: 5 }), { expectedVersion: 'new' });
    // @ts-expect-error nor this one: it is what there is without
    await engine.execute(account.commands.deposit('1', { amount: 5 }), { expectedVersion: 'any' });
    // @ts-expect-error several have no version
    await engine.executeAll([account.commands.deposit('1', { amount: 5 })], { expectedVersion: 1 });
    // @ts-expect-error a moment that does not exist
    await engine.load(account, '1', { at: { day: 1 } });

    const events = { Made: z.object({ size: z.number() }), Sold: z.object({}) };
    const input = z.object({});
    const initialState = { made: false };
    const evolve = { Made: () => ({ made: true }), Sold: () => ({ made: false }) };
    // @ts-expect-error Sold is missing
    defineAggregate({ name: 'a', events, initialState, evolve: { Made: () => ({ made: true }) }, commands: {} });
    defineAggregate({
      name: 'a',
      events,
      initialState,
      // @ts-expect-error a fold for an event that does not exist
      evolve: { ...evolve, Lost: () => ({ made: false }) },
      commands: {},
    });
    // @ts-expect-error another state
    defineAggregate({ name: 'a', events, initialState, evolve: { ...evolve, Made: () => ({ mad: 1 }) }, commands: {} });
    defineAggregate({
      name: 'a',
      events,
      initialState,
      // @ts-expect-error a field that the event does not have
      evolve: { ...evolve, Made: (state, { data }) => (data.width > 1 ? state : state) },
      commands: {},
    });
    defineAggregate({
      name: 'a',
      events,
      initialState,
      evolve,
      // @ts-expect-error an event type that does not exist
      commands: { make: { input, decide: () => [{ type: 'Mde', data: { size: 1 } }] } },
    });
    defineAggregate({
      name: 'a',
      events,
      initialState,
      evolve,
      // @ts-expect-error a field of the wrong type
      commands: { make: { input, decide: () => [{ type: 'Made', data: { size: 'xl' } }] } },
    });
    defineAggregate({
      name: 'a',
      events,
      initialState,
      evolve,
      // @ts-expect-error a promise
      commands: { make: { input, decide: async () => [{ type: 'Made', data: { size: 1 } }] } },
    });
    defineDecision({
      name: 'd',
      events,
      input,
      query: () => [],
      initialState,
      // @ts-expect-error Sold is missing
      evolve: { Made: () => initialState },
      decide: () => [],
    });
    defineDecision({
      name: 'd',
      events,
      input,
      // @ts-expect-error a type that was not declared
      query: () => [{ types: ['Lost'] }],
      initialState,
      evolve,
      decide: () => [],
    });
    defineDecision({
      name: 'd',
      events,
      input,
      query: () => [],
      initialState,
      evolve,
      // @ts-expect-error no stream to go to
      decide: () => [{ type: 'Made', data: { size: 1 } }],
    });
  };
  expectTypeOf(never).toBeFunction();
});

test('an aggregate of 200 event types costs the type checker in proportion, not more', async () => {
  // A quadratic typing would take four times as many.
  const [small, large] = [await instantiations(moduleOf(100)), await instantiations(moduleOf(200))];
  expect(large - small).toBeLessThan(small * 1.5);
  expect(large).toBeLessThan(400_000);
});

function moduleOf(typeCount: number): string {
  const names = Array.from({ length: typeCount }, (_, index) => `Event${index}`);
  return `import { z } from ${quotedPath('node_modules/zod/index.js')};
import { defineAggregate } from ${quotedPath('src/index.ts')};
export const large = defineAggregate({
  name: 'large',
  events: {\n${names.map((name) => `    ${name}: z.object({ ${name}: z.number(), note: z.string().optional() }),`).join('\n')}\n  },
  initialState: { count: 0 },
  evolve: {\n${names.map((name) => `    ${name}: (state, { data }) => ({ count: state.count + data.${name} }),`).join('\n')}\n  },
  commands: {\n${names.map((name) => `    do${name}: { input: z.object({ by: z.number() }), decide: (state, { by }) => [{ type: '${name}', data: { ${name}: by + state.count } }] },`).join('\n')}\n  },
});
`;
}
