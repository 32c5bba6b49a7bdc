/** A sale from the order to the parcel: three systems that share no transaction, and one saga that takes it through all of them. */
import { activity, command, defineSaga, steps } from 'eventsrc';
import { z } from 'zod';
import { order } from './order.ts';

// What is done in the world outside. How it is done is given to `openEngine`.
export const charge = activity({
  name: 'charge',
  input: z.object({ card: z.string(), amount: z.number() }),
  output: z.object({ charged: z.number() }),
  timeoutMs: 5_000,
});

export const refund = activity({
  name: 'refund',
  input: z.object({ card: z.string(), chargeKey: z.string() }),
  output: z.object({ refunded: z.number() }),
  retry: { attempts: 4, backoffMs: 40 },
});

export const send = activity({
  name: 'send',
  input: z.object({ town: z.string(), tickets: z.int() }),
  output: z.object({ sentTo: z.string() }),
});

const sale = z.object({
  orderId: z.string(),
  customer: z.string(),
  town: z.string(),
  card: z.string(),
  tickets: z.int().positive(),
  price: z.number().positive(),
});

const { place, pay, ship, cancel } = order.commands;
const clerk = 'the saga';

export const fulfilment = defineSaga({
  name: 'fulfilment',
  input: sale,
  events: {},
  activities: { charge, refund, send },

  // A fold, as everything: here of nothing but what it was started with.
  initialState: { orderId: '', customer: '', town: '', card: '', tickets: 0, price: 0 },
  evolve: (state, event) => (event.type === 'started' ? event.data : state),

  // What is to be done, one after another, and what undoes it: the last first, should a later one fail.
  next: steps([
    ({ orderId, customer, tickets, price }) =>
      command('create order', place(orderId, { customer, tickets, price }), {
        compensate: command('cancel', cancel(orderId, { clerk, reason: 'cannot be fulfilled' })),
      }),
    ({ card, tickets, price }) =>
      charge(
        'charge payment',
        { card, amount: tickets * price },
        {
          // Also where nobody knows whether it was charged; not where the card was declined.
          compensate: (done, { idempotencyKey, isUnknown }) =>
            done !== undefined || isUnknown ? refund('refund', { card, chargeKey: idempotencyKey }) : undefined,
        },
      ),
    ({ orderId, tickets, price }) => command('note payment', pay(orderId, { amount: tickets * price })),
    ({ town, tickets }) => send('send tickets', { town, tickets }),
    ({ orderId }) => command('ship order', ship(orderId, { clerk })),
  ]),
});
