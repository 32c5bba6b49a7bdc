/**
 * Positions that an index or a query leads to, asked for one at a time. Whoever reads backwards sees the negatives of
 * positions, so that every sequence here ascends.
 */

/** An ascending sequence of numbers. */
export interface Postings {
  /**
   * The first of them that is at least `from`; `Infinity` behind the last.
   * Each call must ask for at least as much as the one before it.
   */
  seek(from: number): number;
}

/** Every position from one up to and with another. */
export class Every implements Postings {
  readonly #first: number;
  readonly #last: number;

  constructor(first: number, last: number) {
    this.#first = first;
    this.#last = last;
  }

  seek(from: number): number {
    const found = Math.max(from, this.#first);
    return found <= this.#last ? found : Infinity;
  }
}

/** What is in at least one of several. */
export class AnyOf implements Postings {
  readonly #parts: readonly { readonly postings: Postings; next: number }[];

  constructor(parts: readonly Postings[]) {
    this.#parts = parts.map((postings) => ({ postings, next: -Infinity }));
  }

  seek(from: number): number {
    let first = Infinity;
    for (const part of this.#parts) {
      if (part.next < from) part.next = part.postings.seek(from);
      first = Math.min(first, part.next);
    }
    return first;
  }
}

/** What is in each of several, at least one. */
export class AllOf implements Postings {
  readonly #parts: readonly Postings[];

  constructor(parts: readonly Postings[]) {
    this.#parts = parts;
  }

  seek(from: number): number {
    let candidate = from;
    for (let agreeing = 0, at = 0; agreeing < this.#parts.length; at = (at + 1) % this.#parts.length) {
      const found = (this.#parts[at] as Postings).seek(candidate);
      agreeing = found === candidate ? agreeing + 1 : 1;
      candidate = found;
    }
    return candidate;
  }
}

/** The first of them, as many as are asked for, up to and with `last`. */
export function take(postings: Postings, first: number, last: number, limit: number): number[] {
  const taken: number[] = [];
  for (let at = postings.seek(first); at <= last && taken.length < limit; at = postings.seek(at + 1)) taken.push(at);
  return taken;
}
