/** An order for tickets: what can happen to it, and what may be asked of it. */
import { defineAggregate, reject, versions } from 'eventsrc';
import { z } from 'zod';

interface Order {
  readonly status: 'new' | 'placed' | 'paid' | 'shipped' | 'cancelled';
  readonly customer: string;
  readonly tickets: number;
  readonly total: number;
  /** Who shipped or cancelled it. */
  readonly clerk: string | null;
}

const clerk = z.string().min(1);

export const order = defineAggregate({
  name: 'order',

  // What has happened: facts in the past tense, never changed once recorded. Where they were recorded in another form, in the
  // shop's first season (first-season.ndjson), they are read as the newest version.
  events: {
    OrderPlaced: versions(z.object({ customer: z.string(), tickets: z.int(), total: z.number() })).next(
      z.object({ customer: z.string(), tickets: z.int(), price: z.number(), total: z.number() }),
      {
        up: (data) => ({ ...data, price: data.total / data.tickets }),
        down: ({ customer, tickets, total }) => ({ customer, tickets, total }),
      },
    ),
    OrderPaid: z.object({ amount: z.number() }),
    OrderShipped: z.object({ clerk }),
    OrderCancelled: versions(z.object({ clerk })).next(z.object({ clerk, reason: z.string() }), {
      up: (data) => ({ ...data, reason: 'not recorded' }),
      down: ({ clerk: by }) => ({ clerk: by }),
    }),
  },

  // What is recorded no more. Tickets were sent before anything else was shipped.
  retired: {
    TicketsSent: { schema: z.object({ clerk }), as: (data) => ({ type: 'OrderShipped', data }) },
  },

  // The state is never stored: it is what the events add up to.
  initialState: (): Order => ({ status: 'new', customer: '', tickets: 0, total: 0, clerk: null }),
  evolve: {
    OrderPlaced: (state, { data: { customer, tickets, total } }) => ({
      ...state,
      customer,
      tickets,
      total,
      status: 'placed',
    }),
    OrderPaid: (state) => ({ ...state, status: 'paid' }),
    OrderShipped: (state, { data }) => ({ ...state, status: 'shipped', clerk: data.clerk }),
    OrderCancelled: (state, { data }) => ({ ...state, status: 'cancelled', clerk: data.clerk }),
  },

  // What may be asked for: decided upon the state, and answered with events or with a reason.
  commands: {
    place: {
      input: z.object({ customer: z.string().min(1), tickets: z.int().positive(), price: z.number().positive() }),
      decide: ({ status }, { customer, tickets, price }, { id }) =>
        status === 'new'
          ? [
              {
                type: 'OrderPlaced',
                data: { customer, tickets, price, total: tickets * price },
                tags: [orderTag(id)],
              },
            ]
          : reject('already_placed', { status }),
    },
    pay: {
      input: z.object({ amount: z.number().positive() }),
      decide: ({ status, total }, { amount }, { id }) => {
        if (status !== 'placed') return reject('not_payable', { status });
        if (amount !== total) return reject('wrong_amount', { total });
        return [{ type: 'OrderPaid', data: { amount }, tags: [orderTag(id)] }];
      },
    },
    ship: {
      input: z.object({ clerk }),
      decide: (state, input, { id }) =>
        state.status === 'paid'
          ? [{ type: 'OrderShipped', data: { clerk: input.clerk }, tags: [orderTag(id)] }]
          : reject('not_shippable', { status: state.status, by: state.clerk }),
    },
    cancel: {
      input: z.object({ clerk, reason: z.string() }),
      decide: (state, { clerk: by, reason }, { id }) =>
        state.status === 'placed' || state.status === 'paid'
          ? [{ type: 'OrderCancelled', data: { clerk: by, reason }, tags: [orderTag(id)] }]
          : reject('not_cancellable', { status: state.status, by: state.clerk }),
    },
  },
});

/** By which decisions find the events of an order, whatever else they look at. */
export function orderTag(id: string): string {
  return `order:${id}`;
}
