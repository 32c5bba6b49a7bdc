import type { Engine, SagaHandle } from 'eventsrc';
import { line, strong } from '../narrator.ts';
import { fulfilment } from './fulfilment.ts';
import { order } from './order.ts';
import { showTimeline } from './timeline.ts';

type Sale = SagaHandle<typeof fulfilment>;

/** Somebody buys a ticket at 30. */
export function sell(
  engine: Engine,
  orderId: string,
  customer: string,
  { town = 'Oslo', card = '4711' }: { readonly town?: string; readonly card?: string } = {},
): Promise<Sale> {
  return engine.start(fulfilment, orderId, { orderId, customer, town, card, tickets: 1, price: 30 });
}

/** Waits until a sale has ended, or is stuck, and tells how it came to that. @param afterVersion only what came later. */
export async function tellSale(engine: Engine, about: string, sale: Sale, afterVersion = 0): Promise<void> {
  const { kind } = await sale.result();
  console.log();
  line(strong(about));
  await showTimeline(engine, sale.id, afterVersion);
  const { state } = await engine.load(order, sale.id);
  line(`The sale is ${strong(kind)}, the order ${state.status}.`);
}
