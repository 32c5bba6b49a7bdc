import type { Entry } from './index-block.ts';
import { kinds } from './index-runs.ts';
import type { IndexPart, Kind } from './index-runs.ts';
import type { Postings } from './postings.ts';

const nothing: Postings = { seek: () => Infinity };

/** The newest events' part of the index, in memory until its run is written. It knows no ids. */
export class IndexTail implements IndexPart {
  readonly first: number;
  last: number;
  readonly #positions: ReadonlyMap<Kind, Map<number, number[]>> = new Map(
    [kinds.stream, kinds.type, kinds.tag].map((kind) => [kind, new Map()]),
  );

  constructor(first: number) {
    this.first = first;
    this.last = first - 1;
  }

  /** The event behind the last. */
  add(stream: number, type: number, tags: readonly number[]): void {
    this.last += 1;
    this.#add(kinds.stream, stream);
    this.#add(kinds.type, type);
    for (const tag of tags) this.#add(kinds.tag, tag);
  }

  #add(kind: Kind, key: number): void {
    const positions = this.#positions.get(kind);
    const known = positions?.get(key);
    if (known === undefined) positions?.set(key, [this.last]);
    else known.push(this.last);
  }

  /** In the order in which runs are sorted. */
  *entries(kind: Kind): Generator<Entry> {
    const positions = this.#positions.get(kind) ?? new Map<number, number[]>();
    for (const key of Float64Array.from(positions.keys()).sort())
      for (const position of positions.get(key) ?? []) yield { key, position };
  }

  postings(kind: Kind, key: number, backwards: boolean): Postings {
    const positions = this.#positions.get(kind)?.get(key);
    if (positions === undefined) return nothing;
    if (backwards) return { seek: (from) => -(positions[countBefore(positions, 1 - from) - 1] ?? -Infinity) };
    return { seek: (from) => positions[countBefore(positions, from)] ?? Infinity };
  }
}

/** How many of ascending numbers are below one. */
function countBefore(ascending: readonly number[], number: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}
