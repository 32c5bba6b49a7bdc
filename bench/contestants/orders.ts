/** The aggregate that commands are given to, by everyone: an order whose total goes up. */
import { defineAggregate } from 'eventsrc';
import { z } from 'zod';
import { sampleEvents } from './sample-events.ts';
import type { SampleEvent } from './sample-events.ts';

export interface OrderState {
  readonly items: number;
  readonly total: number;
}

export const initialState: OrderState = { items: 0, total: 0 };

export const itemSchema = z.object({
  orderId: z.string(),
  sku: z.string(),
  quantity: z.int().positive(),
  unitPrice: z.int().positive(),
  currency: z.string(),
  customer: z.object({ name: z.string(), city: z.string(), vip: z.boolean() }),
  note: z.string(),
});
export type Item = z.infer<typeof itemSchema>;

export function withItem({ items, total }: OrderState, { quantity, unitPrice }: Item): OrderState {
  return { items: items + quantity, total: total + quantity * unitPrice };
}

export const order = defineAggregate({
  name: 'order',
  events: { ItemAdded: itemSchema },
  initialState,
  evolve: { ItemAdded: (state: OrderState, { data }) => withItem(state, data) },
  commands: { addItem: { input: itemSchema, decide: (_state, data) => [{ type: 'ItemAdded', data }] } },
});

/** The data of the samples fit the schema, whatever their type. */
export function itemOf(command: number): Item {
  return (sampleEvents[command % sampleEvents.length] as SampleEvent).data as unknown as Item;
}

/** So many aggregates are given commands in turn; callers have their own ones, so that nobody is in another's way. */
export const orders = 1_000;

/** Which order a caller's next command is for. */
export function orderOf(caller: number, callers: number, turn: number): number {
  const own = Math.max(1, Math.floor(orders / callers));
  return (caller + (turn % own) * callers) % orders;
}

/** How often each caller has had its turn. */
export function countTurns(): (caller: number) => number {
  const turns = new Map<number, number>();
  return (caller) => {
    const turn = turns.get(caller) ?? 0;
    turns.set(caller, turn + 1);
    return turn;
  };
}
