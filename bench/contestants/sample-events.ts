/** The events that everyone writes: made before the clock runs, the same in every run. */

export interface SampleEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export const sampleTypes: readonly string[] = ['ItemAdded', 'ItemRemoved', 'AddressChanged', 'DiscountGranted'];

/** Enough that they are not all in a processor's nearest cache; a multiple of every batch size. */
const sampleCount = 4_000;

export const sampleEvents: readonly SampleEvent[] = Array.from({ length: sampleCount }, (_, index) => ({
  type: sampleTypes[index % sampleTypes.length] as string,
  data: {
    orderId: `order-${String(index * 7_919).padStart(10, '0')}`,
    sku: `SKU-${(index * 104_729).toString(36).padStart(8, '0')}`,
    quantity: 1 + (index % 9),
    unitPrice: 199 + (index % 5_000),
    currency: 'EUR',
    customer: { name: 'Ada Lovelace', city: 'London', vip: index % 2 === 0 },
    note: 'leave it with the neighbours, second floor',
  },
}));

/** Bytes of JSON of one event's data, on average. */
export const sampleDataBytes: number = Math.round(
  sampleEvents.reduce((sum, { data }) => sum + Buffer.byteLength(JSON.stringify(data)), 0) / sampleCount,
);

/** Gives the samples in turn, so many at a time, for ever. */
export class SampleFeed {
  #next = 0;

  take(count: number): readonly SampleEvent[] {
    if (this.#next + count > sampleCount) this.#next = 0;
    const taken = sampleEvents.slice(this.#next, this.#next + count);
    this.#next += count;
    return taken;
  }
}
