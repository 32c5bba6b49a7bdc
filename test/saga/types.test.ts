/** What of a saga is inferred, and what does not compile. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { activity, command, complete, defineSaga, FinalError, steps, waitFor } from '../../src/index.ts';
import type {
  CommandResult,
  Effect,
  Engine,
  InferSagaInput,
  InferSagaSignals,
  InferSagaState,
  SagaFailure,
  SagaResult,
} from '../../src/index.ts';
import { instantiations, quotedPath } from '../support/instantiations.ts';
import { account } from '../command/account.ts';

const charge = activity({
  name: 'charge',
  input: z.object({ total: z.number(), currency: z.string().default('EUR') }),
  output: z.object({ chargeId: z.string().transform((id) => ({ id })) }),
  timeoutMs: 10_000,
});
const refund = activity({ name: 'refund', input: z.object({ chargeId: z.string() }), output: z.object({}) });

/** As few words as it can be said in. */
const fulfilment = defineSaga({
  name: 'fulfilment',
  version: 1,
  activities: { charge, refund },
  events: { OrderPlaced: z.object({ orderId: z.string(), total: z.number() }), Packed: z.object({}) },
  startsOn: 'OrderPlaced',
  id: (event) => (event.type === 'OrderPlaced' ? event.data.orderId : event.aggregateId),
  initialState: { orderId: '', total: 0, chargeId: undefined as string | undefined, packed: false },
  evolve: (s, e) => {
    switch (e.type) {
      case 'OrderPlaced':
        return { ...s, orderId: e.data.orderId, total: e.data.total };
      case 'charge.completed':
        return { ...s, chargeId: e.data.chargeId.id };
      case 'Packed':
        return { ...s, packed: true };
      default:
        return s;
    }
  },
  next: (s) =>
    s.chargeId === undefined
      ? [charge('charge', { total: s.total })]
      : !s.packed
        ? [waitFor('packed', 'Packed', { timeoutMs: 1000 })]
        : [complete()],
});

const started = defineSaga({
  name: 'started',
  events: { Approved: z.object({ by: z.string(), at: z.number().default(0) }) },
  input: z.object({ total: z.string().transform(Number) }),
  initialState: (): { readonly status: 'new' | 'approved'; readonly total: number } => ({ status: 'new', total: 0 }),
  evolve: (state, event) => {
    if (event.type === 'Approved') return { ...state, status: 'approved' };
    return event.type === 'started' ? { ...state, total: event.data.total } : state;
  },
  next: steps([(state) => (state.total > 1 ? waitFor('approved', 'Approved', { timeoutMs: 1 }) : undefined)], {
    result: ({ status }) => status,
  }),
});

interface Migrated {
  readonly status: 'new' | 'approved';
  readonly steps: readonly ('a' | 'b')[];
}

/** A state whose fields are unions: literals need not be widened, nor annotated. */
const migrated = defineSaga({
  name: 'started',
  version: 2,
  events: started.events,
  previous: [started],
  initialState: (): Migrated => ({ status: 'new', steps: [] }),
  evolve: (state, { type }) => {
    switch (type) {
      case 'Approved':
        return { ...state, status: 'approved', steps: [...state.steps, 'a'] };
      case 'wait.timed_out':
        return { status: 'new', steps: ['b'] };
      default:
        return state;
    }
  },
  next: ({ status }) => [complete(status)],
  migrate: (_, version): Migrated => ({ status: version === 1 ? 'new' : 'approved', steps: ['a', 'b'] }),
});

describe('a saga', () => {
  test('infers its state, what it is started with and the signals that it takes', () => {
    expectTypeOf<InferSagaState<typeof fulfilment>>().toEqualTypeOf<{
      orderId: string;
      total: number;
      chargeId: string | undefined;
      packed: boolean;
    }>();
    expectTypeOf<InferSagaState<typeof started>['status']>().toEqualTypeOf<'new' | 'approved'>();
    expectTypeOf<InferSagaInput<typeof started>>().toEqualTypeOf<{ total: string }>();
    expectTypeOf<InferSagaInput<typeof fulfilment>>().toBeNever();
    expectTypeOf<InferSagaSignals<typeof started>>().toEqualTypeOf<{
      Approved: { by: string; at?: number | undefined };
    }>();
    expectTypeOf<InferSagaState<typeof migrated>['steps']>().toEqualTypeOf<readonly ('a' | 'b')[]>();
    expect([fulfilment, started, migrated].map(({ version }) => version)).toEqual([1, 1, 2]);
  });

  test('its fold knows every event: those that it takes, what became of its effects, and its start', () => {
    defineSaga({
      name: 'all',
      events: { Packed: z.object({ by: z.string() }) },
      input: z.object({ total: z.string().transform(Number) }),
      activities: { charge },
      initialState: {},
      evolve: (state, event) => {
        expectTypeOf(event.at).toEqualTypeOf<number>();
        switch (event.type) {
          case 'started':
            expectTypeOf(event.data).toEqualTypeOf<{ total: number }>();
            return state;
          case 'Packed':
            expectTypeOf(event.data).toEqualTypeOf<{ by: string }>();
            expectTypeOf(event.stream).toEqualTypeOf<string | undefined>();
            return state;
          case 'charge.completed':
            expectTypeOf(event.data).toEqualTypeOf<{ chargeId: { id: string } }>();
            expectTypeOf(event.key).toEqualTypeOf<string>();
            return state;
          case 'charge.failed':
          case 'command.failed':
          case 'child.failed':
            expectTypeOf(event.data).toEqualTypeOf<SagaFailure>();
            return state;
          case 'command.completed':
            expectTypeOf(event.data).toEqualTypeOf<CommandResult>();
            return state;
          case 'wait.timed_out':
            expectTypeOf(event.data.type).toEqualTypeOf<string>();
            return state;
          case 'sleep.completed':
            expectTypeOf(event.data).toEqualTypeOf<null>();
            return state;
          case 'child.completed':
            expectTypeOf(event.data).toEqualTypeOf<unknown>();
            return state;
          default:
            return event satisfies never;
        }
      },
      next: () => [],
    });
  });

  // Not called: what does not compile is refused when it is defined, too.
  const misdeclared = () => {
    const base = { name: 'x', events: { Packed: z.object({ by: z.string() }) }, initialState: { n: 0 } } as const;
    const next = (): readonly Effect[] => [];
    // @ts-expect-error no such event
    defineSaga({ ...base, startsOn: 'Paked', id: () => 'x', evolve: (state) => state, next });
    // @ts-expect-error no such event
    defineSaga({ ...base, startsOn: ['Packed', 'Paked'], id: () => 'x', evolve: (state) => state, next });
    defineSaga({
      ...base,
      // @ts-expect-error no such event
      evolve: (state, event) => (event.type === 'Paked' ? state : state),
      next,
    });
    defineSaga({
      ...base,
      // @ts-expect-error no such field
      evolve: (state, event) => (event.type === 'Packed' ? { n: event.data.at } : state),
      next,
    });
    defineSaga({
      ...base,
      // @ts-expect-error no such activity
      evolve: (state, event) => (event.type === 'charge.completed' ? state : state),
      next,
    });
    defineSaga({
      ...base,
      // @ts-expect-error it is never started with anything
      evolve: (state, event) => (event.type === 'started' ? state : state),
      next,
    });
    // @ts-expect-error another state
    defineSaga({ ...base, evolve: () => ({ m: 1 }), next });
    // @ts-expect-error another state
    defineSaga({ ...base, evolve: (state) => ({ ...state, n: 'one' }), next });
    // @ts-expect-error no such field
    defineSaga({ ...base, evolve: (state) => state, next: (state) => (state.m === 1 ? [] : []) });
    // @ts-expect-error no effects
    defineSaga({ ...base, evolve: (state) => state, next: () => ['charge'] });
    // @ts-expect-error a number is no id
    defineSaga({ ...base, id: (event) => event.position, evolve: (state) => state, next });
    // @ts-expect-error another state
    defineSaga({ ...base, evolve: (state) => state, next, migrate: () => ({ m: 1 }) });
  };

  test('is refused by the compiler where it misspells a type or a field', () => {
    expectTypeOf(misdeclared).toBeFunction();
  });
});

describe('an activity', () => {
  test('is called with what its schema takes, and implemented with what it makes of that', () => {
    charge('charge', { total: 1 });
    charge.implement(({ total, currency }, { idempotencyKey, attempt, signal }) => {
      expectTypeOf(total).toEqualTypeOf<number>();
      expectTypeOf(currency).toEqualTypeOf<string>();
      expectTypeOf(idempotencyKey).toEqualTypeOf<string>();
      expectTypeOf(attempt).toEqualTypeOf<number>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      return { chargeId: 'c' };
    });
    charge.implement(async () => ({ chargeId: 'c' }), {
      reconcile: ({ total }) => (total > 1 ? { kind: 'completed', output: { chargeId: 'c' } } : { kind: 'not_found' }),
    });
    charge(
      'charge',
      { total: 1 },
      {
        compensate: (result, { isUnknown }) => {
          expectTypeOf(result).toEqualTypeOf<{ chargeId: { id: string } } | undefined>();
          expectTypeOf(isUnknown).toEqualTypeOf<boolean>();
          return result && refund('', { chargeId: result.chargeId.id });
        },
      },
    );
    command('deposit', account.commands.deposit('1', { amount: 1 }), {
      compensate: (result) => {
        expectTypeOf(result).toEqualTypeOf<CommandResult | undefined>();
        return command('', account.commands.withdraw('1', { amount: 1 }));
      },
    });
  });

  // Not called.
  const misused = () => {
    // @ts-expect-error no such field
    charge('charge', { totl: 1 });
    // @ts-expect-error it returns something else
    charge.implement(() => ({ chargeId: 1 }));
    // @ts-expect-error it returns something else
    charge.implement(async () => ({}));
    // @ts-expect-error no such end
    charge.implement(() => ({ chargeId: 'c' }), { reconcile: () => ({ kind: 'done' }) });
    charge.implement(() => ({ chargeId: 'c' }), {
      // @ts-expect-error what its schema makes of it is not what it returns
      reconcile: () => ({ kind: 'completed', output: { chargeId: { id: 'c' } } }),
    });
    // @ts-expect-error waiting undoes nothing
    charge('charge', { total: 1 }, { compensate: waitFor('x', 'Packed', { timeoutMs: 1 }) });
    // @ts-expect-error a wait has an end
    waitFor('x', 'Packed', {});
    // @ts-expect-error no such command
    command('x', account.commands.depsit('1', { amount: 1 }));
  };

  test('is refused by the compiler where its types are not kept to', () => {
    expectTypeOf(misused).toBeFunction();
    expectTypeOf(new FinalError('declined').code).toEqualTypeOf<string>();
  });
});

test('an engine knows what its sagas are started with, signalled and folded into', () => {
  const use = async (engine: Engine) => {
    const handle = await engine.start(started, '1', { total: '3' });
    expectTypeOf(handle.duplicate).toEqualTypeOf<boolean>();
    await handle.signal('Approved', { by: 'Ada' }, { key: 'k', actor: 'bob' });
    const { state } = await engine.saga(started, '1').state();
    expectTypeOf(state.status).toEqualTypeOf<'new' | 'approved'>();
    expectTypeOf(await handle.result()).toEqualTypeOf<SagaResult>();
    const past = await engine.load(started.instances, '1', { at: { version: 1 } });
    expectTypeOf(past.state?.state.status).toEqualTypeOf<'new' | 'approved' | undefined>();
    // @ts-expect-error its schema takes a text
    await engine.start(started, '1', { total: 3 });
    // @ts-expect-error it is started by events alone
    await engine.start(fulfilment, '1', {});
    // @ts-expect-error no such signal
    await handle.signal('Aproved', { by: 'Ada' });
    // @ts-expect-error no such field
    await handle.signal('Approved', { of: 'Ada' });
  };
  expectTypeOf(use).toBeFunction();
});

test('what a definition costs the compiler does not grow out of hand with its events and activities', async () => {
  const module = (count: number) => {
    const all = Array.from({ length: count }, (_, index) => index);
    return `
      import { z } from ${quotedPath('node_modules/zod/index.js')};
      import { activity, complete, defineSaga } from ${quotedPath('src/index.ts')};
      ${all.map((n) => `const a${n} = activity({ name: 'a${n}', input: z.object({ n: z.number() }), output: z.object({ x${n}: z.string() }) });`).join('\n')}
      export const saga = defineSaga({
        name: 'saga',
        events: { ${all.map((n) => `E${n}: z.object({ f${n}: z.string() })`).join(', ')} },
        activities: { ${all.map((n) => `a${n}`).join(', ')} },
        initialState: { last: '' },
        evolve: (state, event) => {
          switch (event.type) {
            ${all.map((n) => `case 'E${n}': return { last: event.data.f${n} }; case 'a${n}.completed': return { last: event.data.x${n} };`).join('\n')}
            default: return state;
          }
        },
        next: () => [complete()],
      });`;
  };
  const [few, many] = await Promise.all([instantiations(module(5)), instantiations(module(50))]);
  expect(many).toBeLessThan(2 * few);
});
