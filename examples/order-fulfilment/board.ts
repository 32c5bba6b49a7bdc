/** The board that hangs in the office: where each order stands, kept up to date from the events of orders and shows. */
import { defineProjection } from 'eventsrc';
import type { InferDocument } from 'eventsrc';
import { order } from './order.ts';
import { show } from './seats.ts';

/** What a clerk wants to see of an order. */
interface Card {
  readonly customer: string;
  readonly status: 'placed' | 'paid' | 'shipped' | 'cancelled';
  readonly total: number;
  readonly seats: readonly number[];
}

export const board = defineProjection({
  name: 'board',
  from: [order, show],
  // A card for each order, wherever its events are: seats are booked in the stream of a show.
  key: (event) => (event.type === 'SeatBooked' ? event.data.orderId : event.aggregateId),
  initial: (): Card => ({ customer: '', status: 'placed', total: 0, seats: [] }),
  indexes: [['status', 'total']],
  on: {
    OrderPlaced: (card, { data }) => ({ ...card, customer: data.customer, total: data.total }),
    OrderPaid: (card) => ({ ...card, status: 'paid' }),
    OrderShipped: (card) => ({ ...card, status: 'shipped' }),
    OrderCancelled: (card) => ({ ...card, status: 'cancelled' }),
    SeatBooked: (card, { data }) => ({ ...card, seats: [...card.seats, data.seat] }),
    ShowScheduled: 'ignore',
  },
});

export type BoardCard = InferDocument<typeof board>;
