/** Orders as today's code declares them, and as it did when the sample events were of the newest version. */
import { defineAggregate, versions } from 'eventsrc';
import type { AnyAggregate, StandardSchemaV1 } from 'eventsrc';
import { sampleTypes } from '../contestants/sample-events.ts';

interface Item1 {
  readonly orderId: string;
  readonly sku: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly currency: string;
  readonly customer: { readonly name: string; readonly city: string; readonly vip: boolean };
  readonly note: string;
}

/** The note is called a remark. */
interface Item2 extends Omit<Item1, 'note'> {
  readonly remark: string;
}

/** A price has its currency with it. */
interface Item3 extends Omit<Item2, 'unitPrice' | 'currency'> {
  readonly price: { readonly amount: number; readonly currency: string };
}

/** Of the customer only the name is kept. */
interface Item4 extends Omit<Item3, 'customer'> {
  readonly customer: string;
}

/** As somebody writes them who wants them to be quick. */
function toItem2({ orderId, sku, quantity, unitPrice, currency, customer, note }: Item1): Item2 {
  return { orderId, sku, quantity, unitPrice, currency, customer, remark: note };
}

function toItem3({ orderId, sku, quantity, unitPrice, currency, customer, remark }: Item2): Item3 {
  return { orderId, sku, quantity, price: { amount: unitPrice, currency }, customer, remark };
}

function toItem4({ orderId, sku, quantity, price, customer, remark }: Item3): Item4 {
  return { orderId, sku, quantity, price, customer: customer.name, remark };
}

const steps = [toItem2, toItem3, toItem4] as readonly ((data: unknown) => unknown)[];

/** The three functions alone. */
export function toNewest(data: unknown): unknown {
  let newer = data;
  for (const step of steps) newer = step(newer);
  return newer;
}

/** Reading validates nothing, so they need not. */
function schemaOf<Data>(): StandardSchemaV1<Data> {
  return { '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value: value as Data }) } };
}

const unversioned = schemaOf<Item1>();
const versioned = versions(unversioned)
  .next(schemaOf<Item2>(), { up: toItem2 })
  .next(schemaOf<Item3>(), { up: toItem3 })
  .next(schemaOf<Item4>(), { up: toItem4 });

function orderOf(schema: StandardSchemaV1): AnyAggregate {
  return defineAggregate({
    name: 'order',
    events: Object.fromEntries(sampleTypes.map((type) => [type, schema])),
    initialState: 0,
    evolve: Object.fromEntries(sampleTypes.map((type) => [type, (count: number) => count + 1])),
    commands: {},
  });
}

/** The stored events are of its newest version. */
export const orderThen: AnyAggregate = orderOf(unversioned);
/** The stored events are three versions behind. */
export const orderNow: AnyAggregate = orderOf(versioned);
