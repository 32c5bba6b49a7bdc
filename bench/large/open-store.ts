/** Prints how long it takes, in ms, from opening a store until its first command is answered. Argument: file. */
import { openEngine } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { itemOf, order } from '../contestants/orders.ts';

const startedAt = performance.now();
await using engine = await openEngine({
  store: sqlite(process.argv[2] as string),
  aggregates: [order],
  limits: { streams: Infinity, eventsPerStream: Infinity },
});
const idempotencyKey = `opened-${process.pid}-${Date.now()}`;
const outcome = await engine.execute(order.commands.addItem('opened', itemOf(0)), { idempotencyKey });
if (outcome.kind !== 'accepted') throw new Error(`eventsrc did not accept a command: ${outcome.kind}`);
console.log(performance.now() - startedAt);
