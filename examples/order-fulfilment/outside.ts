/**
 * The world outside, simulated: a payment service and a carrier. Both honour idempotency keys: what was done under one is not done again. Their
 * book is a file of their own, which no death of ours touches.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** Something that was done out there. */
export interface Deed {
  readonly key: string;
  readonly kind: 'charged' | 'refunded' | 'sent';
  readonly amount: number;
}

export class Outside {
  readonly file: string;
  /** For what kind of deed nobody is there, and for how many calls. */
  #outage: { readonly kind: Deed['kind']; calls: number } | undefined;

  constructor(file: string) {
    this.file = file;
  }

  /** The book, from the first deed on. */
  get deeds(): readonly Deed[] {
    if (!existsSync(this.file)) return [];
    const lines = readFileSync(this.file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line): Deed => JSON.parse(line));
  }

  find(key: string): Deed | undefined {
    return this.deeds.find((deed) => deed.key === key);
  }

  /** Does something, unless it was done before under this key. @throws while there is an outage. */
  once(deed: Deed): Deed {
    this.#answer(deed.kind);
    const before = this.find(deed.key);
    if (before === undefined) appendFileSync(this.file, `${JSON.stringify(deed)}\n`);
    return before ?? deed;
  }

  /** Begins an outage. */
  failNext(calls: number, kind: Deed['kind']): void {
    this.#outage = { kind, calls };
  }

  #answer(kind: Deed['kind']): void {
    const outage = this.#outage;
    if (outage?.kind !== kind || outage.calls === 0) return;
    outage.calls -= 1;
    throw new Error('no answer');
  }
}
