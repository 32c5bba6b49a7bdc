/**
 * A piece of an index run, as many entries as fill a page of the file.
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

/** With what SQLite adds, a block fills a page. */
const blockBytesMax = 4_000;

/**
 * In a block: its checksum, how many entries it has and how wide their keys are, and the first entry behind it; then the
 * keys, then the positions of its entries, counted from the first of the run. Numbers are little-endian.
 */
const layout = { crc: 0, count: 4, keyBytes: 6, nextKey: 8, nextPosition: 16, keys: 24 } as const;
const positionBytes = 4;
/** What keys are written as: one for all entries, integers, or, where they are too large, doubles. */
const widths = { one: 0, integers: 4, doubles: 8 } as const;
const doubleBytes = 8;

/** Keys ascend. */
function widthOf(first: number, last: number): number {
  if (first === last) return widths.one;
  return last < 2 ** 32 ? widths.integers : widths.doubles;
}

function positionsAt(keyBytes: number, count: number): number {
  return layout.keys + (keyBytes === widths.one ? doubleBytes : count * keyBytes);
}

/** Whether so many entries, with such keys at both ends, are too many for a block. */
export function isTooLong(firstKey: number, lastKey: number, count: number): boolean {
  return positionsAt(widthOf(firstKey, lastKey), count) + count * positionBytes > blockBytesMax;
}

/** The entries column by column, and the one behind them. */
export function encodeBlock(
  place: BlockPlace,
  keys: readonly number[],
  positions: readonly number[],
  next: Entry,
): Uint8Array {
  const count = keys.length;
  const keyBytes = widthOf(keys[0] ?? 0, keys.at(-1) ?? 0);
  const start = positionsAt(keyBytes, count);
  const view = new DataView(new ArrayBuffer(start + count * positionBytes));
  view.setUint16(layout.count, count, true);
  view.setUint16(layout.keyBytes, keyBytes, true);
  view.setFloat64(layout.nextKey, next.key, true);
  view.setFloat64(layout.nextPosition, next.position, true);
  if (keyBytes === widths.one) view.setFloat64(layout.keys, keys[0] ?? 0, true);
  for (let index = 0; index < count; index++) {
    const key = keys[index] as number;
    if (keyBytes === widths.integers) view.setUint32(layout.keys + index * keyBytes, key, true);
    else if (keyBytes === widths.doubles) view.setFloat64(layout.keys + index * keyBytes, key, true);
    view.setUint32(start + index * positionBytes, (positions[index] as number) - place.first, true);
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
  readonly #keyBytes: number;
  readonly #positionsAt: number;
  readonly from: Entry;
  /** The first entry behind this block. */
  readonly next: Entry;
  readonly count: number;

  private constructor(view: DataView, { first, from }: BlockPlace) {
    this.#view = view;
    this.#runFirst = first;
    this.from = from;
    this.count = view.getUint16(layout.count, true);
    this.#keyBytes = view.getUint16(layout.keyBytes, true);
    this.next = {
      key: view.getFloat64(layout.nextKey, true),
      position: view.getFloat64(layout.nextPosition, true),
    };
    this.#positionsAt = positionsAt(this.#keyBytes, this.count);
  }

  /** Undefined if the block is damaged. */
  static decode(place: BlockPlace, bytes: Uint8Array): IndexBlock | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const isWhole = bytes.length >= layout.keys && view.getInt32(layout.crc, true) === checksum(place, view);
    return isWhole ? new IndexBlock(view, place) : undefined;
  }

  /** Whether an entry, if it exists, is in this block. */
  covers(key: number, position: number): boolean {
    return !isBefore(key, position, this.from) && isBefore(key, position, this.next);
  }

  key(index: number): number {
    if (this.#keyBytes === widths.integers) return this.#view.getUint32(layout.keys + index * widths.integers, true);
    return this.#view.getFloat64(layout.keys + index * this.#keyBytes, true);
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
