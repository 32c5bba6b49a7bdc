/** The saga that several tests use: an order is created, charged and reserved side by side, packed by hand, and shipped. */
import { z } from 'zod';
import { activity, command, complete, defineAggregate, defineSaga, fail, reject, waitFor } from '../../src/index.ts';
import type { Effect } from '../../src/index.ts';

export const order = defineAggregate({
  name: 'order',
  events: {
    OrderCreated: z.object({ total: z.number() }),
    OrderShipped: z.object({}),
    OrderCancelled: z.object({ reason: z.string() }),
  },
  initialState: { status: 'none' },
  evolve: {
    OrderCreated: () => ({ status: 'created' }),
    OrderShipped: () => ({ status: 'shipped' }),
    OrderCancelled: () => ({ status: 'cancelled' }),
  },
  commands: {
    create: {
      input: z.object({ total: z.number() }),
      decide: ({ status }, { total }) =>
        status === 'none' ? [{ type: 'OrderCreated', data: { total } }] : reject('order_exists', { status }),
    },
    ship: { input: z.object({}), decide: () => [{ type: 'OrderShipped', data: {} }] },
    cancel: {
      input: z.object({ reason: z.string() }),
      decide: ({ status }, { reason }) =>
        status === 'shipped' ? reject('order_shipped') : [{ type: 'OrderCancelled', data: { reason } }],
    },
  },
});

export const charge = activity({
  name: 'charge',
  input: z.object({ total: z.number().positive() }),
  output: z.object({ chargeId: z.string() }),
  timeoutMs: 10_000,
  retry: { attempts: 3, backoffMs: 100, isFinal: (error) => error instanceof RangeError },
});

export const refund = activity({
  name: 'refund',
  input: z.object({ chargeId: z.string().optional(), key: z.string() }),
  output: z.object({}),
  retry: { attempts: 2, backoffMs: 1_000 },
});

export const reserve = activity({
  name: 'reserve',
  input: z.object({ orderId: z.string() }),
  output: z.object({ shelf: z.enum(['upper', 'lower']), lots: z.array(z.number()).default([]) }),
});

export const release = activity({
  name: 'release',
  input: z.object({ orderId: z.string() }),
  output: z.null(),
  retry: { attempts: 1 },
});

interface FulfilmentState {
  readonly orderId: string;
  readonly total: number;
  readonly chargeId: string | undefined;
  readonly shelf: 'upper' | 'lower' | undefined;
  readonly packedBy: string | undefined;
  readonly isLate: boolean;
}

const nothing: FulfilmentState = {
  orderId: '',
  total: 0,
  chargeId: undefined,
  shelf: undefined,
  packedBy: undefined,
  isLate: false,
};

export const packingMs = 3_600_000;

export const fulfilment = defineSaga({
  name: 'fulfilment',
  events: {
    OrderPlaced: z.object({ orderId: z.string(), total: z.number() }),
    Packed: z.object({ orderId: z.string(), by: z.string() }),
    Noted: z.object({ orderId: z.string() }),
  },
  startsOn: 'OrderPlaced',
  id: ({ data }) => data.orderId,
  activities: { charge, refund, reserve, release },
  initialState: nothing,
  evolve: (state, event) => {
    switch (event.type) {
      case 'OrderPlaced':
        return { ...state, ...event.data };
      case 'charge.completed':
        return { ...state, chargeId: event.data.chargeId };
      case 'reserve.completed':
        return { ...state, shelf: event.data.shelf };
      case 'Packed':
        return { ...state, packedBy: event.data.by };
      case 'wait.timed_out':
        return { ...state, isLate: true };
      default:
        return state;
    }
  },
  next: (state, { isDone }): readonly Effect[] => {
    const { orderId, total } = state;
    if (!isDone('create'))
      return [
        command('create', order.commands.create(orderId, { total }), {
          compensate: command('', order.commands.cancel(orderId, { reason: 'failed' })),
        }),
      ];
    if (!isDone('charge') || !isDone('reserve'))
      return [
        charge(
          'charge',
          { total },
          {
            compensate: (result, { idempotencyKey, isUnknown }) =>
              result === undefined && !isUnknown
                ? undefined
                : refund('', { key: idempotencyKey, ...(result !== undefined && { chargeId: result.chargeId }) }),
          },
        ),
        reserve('reserve', { orderId }, { compensate: (result) => result && release('', { orderId }) }),
      ];
    if (state.isLate) return [fail('not packed in time', { orderId })];
    if (state.packedBy === undefined) return [waitFor('packed', 'Packed', { timeoutMs: packingMs })];
    return [command('ship', order.commands.ship(orderId, {})), complete({ chargeId: state.chargeId })];
  },
});
