/** What of a projection is inferred, and what does not compile. */
import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineProjection, defineReactor, defineTables } from '../../src/index.ts';
import type { Engine, InferDocument } from '../../src/index.ts';
import { account } from '../command/account.ts';

const order = defineAggregate({
  name: 'order',
  events: {
    OrderPlaced: z.object({ customer: z.string(), total: z.number() }),
    OrderShipped: z.object({}),
    MoneyDeposited: z.object({ currency: z.string() }),
  },
  initialState: {},
  evolve: { OrderPlaced: (state) => state, OrderShipped: (state) => state, MoneyDeposited: (state) => state },
  commands: {},
});

interface OrderRow {
  readonly status: 'placed' | 'shipped' | 'none';
  readonly customer: string | null;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

const none: OrderRow = { status: 'none', customer: null, lines: [] };

const orders = defineProjection({
  name: 'orders',
  from: [order],
  key: (event) => event.aggregateId,
  initial: none,
  indexes: ['status', ['customer', 'status']],
  on: {
    OrderPlaced: (document, { data }) => ({ ...document, status: 'placed', customer: data.customer }),
    OrderShipped: (_document) => ({ ...none, status: 'shipped' }),
    MoneyDeposited: 'ignore',
  },
});

describe('a projection', () => {
  test('infers its document, from its initial one or what that function returns', () => {
    expectTypeOf<InferDocument<typeof orders>>().toEqualTypeOf<OrderRow>();
    const counts = defineProjection({
      name: 'counts',
      from: [account, order],
      key: () => 'all',
      initial: { count: 0 },
      on: {
        AccountOpened: ({ count }) => ({ count: count + 1 }),
        MoneyDeposited: ({ count }, event) => {
          expectTypeOf(event.data).toEqualTypeOf<{ amount: number } | { currency: string }>();
          return { count: count + 1 };
        },
        MoneyWithdrawn: 'ignore',
        OrderPlaced: (document, { data }) => ({ count: document.count + data.total }),
        OrderShipped: () => null,
        $deleted: () => null,
      },
    });
    expectTypeOf<InferDocument<typeof counts>>().toEqualTypeOf<{ count: number }>();
  });

  // Not called: what does not compile is refused when it is defined, too.
  const misdeclared = () => {
    defineProjection({
      name: 'x',
      from: [account],
      key: (event) => event.aggregateId,
      initial: { n: 0 },
      // @ts-expect-error MoneyWithdrawn is missing
      on: { AccountOpened: 'ignore', MoneyDeposited: (document, { data }) => ({ n: document.n + data.amount }) },
    });
    defineProjection({
      name: 'x',
      from: [account],
      key: (event) => event.aggregateId,
      initial: { n: 0 },
      on: {
        AccountOpened: 'ignore',
        // @ts-expect-error there is no such field
        MoneyDeposited: (document, { data }) => ({ n: document.n + data.sum }),
        MoneyWithdrawn: 'ignore',
      },
    });
    defineProjection({
      name: 'x',
      from: [account],
      key: (event) => event.aggregateId,
      initial: { n: 0 },
      on: {
        AccountOpened: 'ignore',
        // @ts-expect-error no document of this view
        MoneyDeposited: () => ({ m: 1 }),
        MoneyWithdrawn: 'ignore',
      },
    });
    defineProjection({
      name: 'x',
      from: [order],
      key: (event) => event.aggregateId,
      initial: none,
      // @ts-expect-error there is no such field
      indexes: ['state'],
      on: { OrderPlaced: 'ignore', OrderShipped: 'ignore', MoneyDeposited: (document) => document },
    });
  };

  test('is exhaustive, and knows its events and its paths', () => {
    expectTypeOf(misdeclared).toBeFunction();
  });

  test('its view takes queries of its fields only', () => {
    const ask = async (engine: Engine) => {
      const view = engine.view(orders);
      expectTypeOf(await view.get('1')).toEqualTypeOf<OrderRow | undefined>();
      expectTypeOf(await view.findMany({ where: { status: 'placed' } })).toEqualTypeOf<readonly OrderRow[]>();
      await view.findMany({ where: { lines: { some: { quantity: { gt: 1 } } }, or: [{ customer: null }] } });
      // @ts-expect-error no such status
      await view.findMany({ where: { status: 'lost' } });
      // @ts-expect-error no such field
      await view.findMany({ orderBy: { total: 'asc' } });
    };
    expectTypeOf(ask).toBeFunction();
  });
});

test('reactors and tables know their events, too', () => {
  defineReactor({
    name: 'mailer',
    from: [order],
    startAt: 'now',
    key: (event) => event.aggregateId,
    on: {
      OrderPlaced: async (event, { idempotencyKey, signal }) => {
        expectTypeOf(event.data.customer).toEqualTypeOf<string>();
        expectTypeOf(idempotencyKey).toEqualTypeOf<string>();
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      },
      OrderShipped: 'ignore',
      MoneyDeposited: 'ignore',
    },
  });
  defineTables({
    name: 'totals',
    from: [account],
    create: ['create table totals (owner text primary key, sum integer)'],
    on: {
      AccountOpened: (event) => [{ sql: 'insert into totals values (?, 0)', params: [event.data.owner] }],
      MoneyDeposited: 'ignore',
      MoneyWithdrawn: 'ignore',
    },
  });
});
