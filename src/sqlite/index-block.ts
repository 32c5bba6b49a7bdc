/**
 * A piece of an index run: up to 330 entries, which fill a page of the file.
 *
 * A damaged entry of an index is not served, it is missed, which no checksum of the events would show. So a block has
 * a checksum, and it says from where to where it reaches: an entry that ought to be in it and is not does not exist.
 */
import { crc32 } from 'node:zlib';
import { integersChecksum } from './checksum.ts';

/** In the order in which runs are sorted: by key, then by position. */
export interface Entry {
  readonly key: number;
  readonly position: number;
}

/** Where a block lies. */
export interface BlockPlace {
  /** The positions that its run covers. */
  readonly first: number;
  readonly last: number;
  readonly kind: number;
  /** The block's first entry; the first block of a kind begins before all entries. */
  readonly from: Entry;
}

export const beginning: Entry = { key: -1, position: 0 };
export const end: Entry = { key: Infinity, position: Infinity };

export const entriesMax = 330;

/**
 * In a block: its checksum, how many entries it has, and the first entry behind it; then the keys of its entries, then
 * their positions, counted from the first of the run. Numbers are little-endian.
 */
const layout = { crc: 0, count: 4, nextKey: 8, nextPosition: 16, entries: 24 } as const;
const keyBytes = 8;
const positionBytes = 4;

/** The entries column by column, and the one behind them. */
export function encodeBlock(
  place: BlockPlace,
  keys: readonly number[],
  positions: readonly number[],
  next: Entry,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(layout.entries + keys.length * (keyBytes + positionBytes)));
  view.setUint32(layout.count, keys.length, true);
  view.setFloat64(layout.nextKey, next.key, true);
  view.setFloat64(layout.nextPosition, next.position, true);
  const positionsAt = layout.entries + keys.length * keyBytes;
  for (let index = 0; index < keys.length; index++) {
    view.setFloat64(layout.entries + index * keyBytes, keys[index] as number, true);
    view.setUint32(positionsAt + index * positionBytes, (positions[index] as number) - place.first, true);
  }
  view.setInt32(layout.crc, checksum(place, view), true);
  return new Uint8Array(view.buffer);
}

function checksum({ first, last, kind, from }: BlockPlace, block: DataView): number {
  const content = new Uint8Array(block.buffer, block.byteOffset + layout.count, block.byteLength - layout.count);
  return crc32(content, integersChecksum(first, last, kind, from.key, from.position) >>> 0) | 0;
}

export class IndexBlock {
  readonly #view: DataView;
  readonly #runFirst: number;
  readonly #positionsAt: number;
  readonly from: Entry;
  /** The first entry behind this block. */
  readonly next: Entry;
  readonly count: number;

  private constructor(view: DataView, { first, from }: BlockPlace) {
    this.#view = view;
    this.#runFirst = first;
    this.from = from;
    this.count = view.getUint32(layout.count, true);
    this.next = {
      key: view.getFloat64(layout.nextKey, true),
      position: view.getFloat64(layout.nextPosition, true),
    };
    this.#positionsAt = layout.entries + this.count * keyBytes;
  }

  /** Undefined if the block is damaged. */
  static decode(place: BlockPlace, bytes: Uint8Array): IndexBlock | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isWhole = bytes.length >= layout.entries && view.getInt32(layout.crc, true) === checksum(place, view);
    return isWhole ? new IndexBlock(view, place) : undefined;
  }

  /** Whether an entry, if it exists, is in this block. */
  covers(key: number, position: number): boolean {
    return !isBefore(key, position, this.from) && isBefore(key, position, this.next);
  }

  key(index: number): number {
    return this.#view.getFloat64(layout.entries + index * keyBytes, true);
  }

  position(index: number): number {
    return this.#runFirst + this.#view.getUint32(this.#positionsAt + index * positionBytes, true);
  }

  /** How many entries are before this one. */
  countBefore(key: number, position: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.key(middle);
      if (found < key || (found === key && this.position(middle) < position)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBefore(key: number, position: number, other: Entry): boolean {
  return key < other.key || (key === other.key && position < other.position);
}
