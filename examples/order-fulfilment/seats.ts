/** Seats of a show: a rule that no single aggregate can keep, as it looks at a show and at an order. */
import { defineAggregate, defineDecision, reject } from 'eventsrc';
import { z } from 'zod';
import { order, orderTag } from './order.ts';

export const show = defineAggregate({
  name: 'show',
  events: {
    ShowScheduled: z.object({ title: z.string(), seats: z.int() }),
    SeatBooked: z.object({ showId: z.string(), seat: z.int(), orderId: z.string() }),
  },
  initialState: { title: '', seats: 0, booked: 0 },
  evolve: {
    ShowScheduled: (state, { data }) => ({ ...state, ...data }),
    SeatBooked: (state) => ({ ...state, booked: state.booked + 1 }),
  },
  commands: {
    schedule: {
      input: z.object({ title: z.string(), seats: z.int().positive() }),
      decide: ({ seats }, data, { id }) =>
        seats === 0 ? [{ type: 'ShowScheduled', data, tags: [showTag(id)] }] : reject('already_scheduled'),
    },
  },
});

interface Seats {
  readonly seats: number;
  readonly booked: readonly { readonly showId: string; readonly seat: number; readonly orderId: string }[];
  readonly tickets: number;
  readonly isPaid: boolean;
}

/**
 * A seat goes to one order, and an order has no more seats than paid tickets. It is decided upon the events of both,
 * and recorded only if no further event of either has appeared meanwhile.
 */
export const bookSeat = defineDecision({
  name: 'book_seat',
  events: { ...show.events, ...order.events },
  input: z.object({ showId: z.string(), seat: z.int().positive(), orderId: z.string() }),
  query: ({ showId, orderId }) => [{ tags: [showTag(showId)] }, { tags: [orderTag(orderId)] }],
  initialState: (): Seats => ({ seats: 0, booked: [], tickets: 0, isPaid: false }),
  evolve: {
    ShowScheduled: (state, { data }) => ({ ...state, seats: data.seats }),
    SeatBooked: (state, { data }) => ({ ...state, booked: [...state.booked, data] }),
    OrderPlaced: (state, { data }) => ({ ...state, tickets: data.tickets }),
    OrderPaid: (state) => ({ ...state, isPaid: true }),
    OrderCancelled: (state) => ({ ...state, isPaid: false }),
    OrderShipped: 'ignore',
  },
  decide: ({ seats, booked, tickets, isPaid }, { showId, seat, orderId }) => {
    if (seat > seats) return reject('no_such_seat', { seats });
    if (!isPaid) return reject('order_not_paid');
    const holder = booked.find((booking) => booking.showId === showId && booking.seat === seat);
    if (holder !== undefined) return reject('seat_taken', { by: holder.orderId });
    if (booked.filter((booking) => booking.orderId === orderId).length >= tickets)
      return reject('no_tickets_left', { tickets });
    const data = { showId, seat, orderId };
    return [{ stream: show.stream(showId), type: 'SeatBooked', data, tags: [showTag(showId), orderTag(orderId)] }];
  },
});

function showTag(id: string): string {
  return `show:${id}`;
}
