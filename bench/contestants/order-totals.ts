/** The view that projections are measured with, the same for everyone: how many items each order has, and what they cost. */
import { defineAggregate, defineProjection } from 'eventsrc';
import type { ConsumerMode, StandardSchemaV1 } from 'eventsrc';
import { sampleTypes } from './sample-events.ts';

export interface OrderTotal {
  readonly items: number;
  readonly total: number;
  readonly changes: number;
}

export interface SoldItem {
  readonly quantity: number;
  readonly unitPrice: number;
}

export const noItems: OrderTotal = { items: 0, total: 0, changes: 0 };

export function withSold({ items, total, changes }: OrderTotal, { quantity, unitPrice }: SoldItem): OrderTotal {
  return { items: items + quantity, total: total + quantity * unitPrice, changes: changes + 1 };
}

const item: StandardSchemaV1<SoldItem> = {
  '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value: value as SoldItem }) },
};

export const order = defineAggregate({
  name: 'order',
  events: Object.fromEntries(sampleTypes.map((type) => [type, item])),
  initialState: noItems,
  evolve: Object.fromEntries(
    sampleTypes.map((type) => [
      type,
      (state: OrderTotal, { data }: { readonly data: SoldItem }) => withSold(state, data),
    ]),
  ),
  commands: {
    add: {
      input: item,
      decide: (_state, data) => [{ type: sampleTypes[0] as string, data }],
    },
  },
});

/** @param name where there are several. */
export function orderTotals(mode: ConsumerMode = 'async', name = 'orderTotals') {
  return defineProjection({
    name,
    mode,
    from: [order],
    key: (event) => event.aggregateId,
    initial: noItems,
    indexes: ['total'],
    on: Object.fromEntries(
      sampleTypes.map((type) => [
        type,
        (document: OrderTotal, { data }: { readonly data: SoldItem }) => withSold(document, data),
      ]),
    ),
  });
}

/** Which order an event is of: all in turn, but not in the order of their keys. */
export function orderAt(event: number, orders: number): number {
  return (event * 7_919) % orders;
}

/** As many orders as a view has documents, each with some twenty events. */
export function ordersOf(events: number): number {
  return Math.max(1, Math.ceil(events / 20));
}
