/**
 * Whether zstd data is complete, which Node.js before 26 does not tell: it takes data that was cut off for all there is.
 * Frames and blocks as in RFC 8878, section 3.1.
 */

/** So many bytes are to be looked at, or passed over; an `end` is where the data may end. */
interface Wish {
  readonly kind: 'look' | 'pass';
  readonly bytes: number;
  readonly isEnd?: boolean;
}

const frameMagic = 0xfd2fb528;
const dictionaryIdBytes = [0, 1, 2, 4];
const contentSizeBytes = [0, 2, 4, 8];

/** Says what it wants to see next of frames, and is given it as a number: bytes in little-endian order. */
function* frames(): Generator<Wish, never, number> {
  for (;;) {
    const magic = yield { kind: 'look', bytes: 4, isEnd: true };
    if (magic !== frameMagic) {
      // Data of somebody's own, which decompressors pass over.
      yield { kind: 'pass', bytes: yield { kind: 'look', bytes: 4 } };
      continue;
    }
    const descriptor = yield { kind: 'look', bytes: 1 };
    const isSingleSegment = (descriptor & 0x20) !== 0;
    const sizeFlag = descriptor >> 6;
    const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeFlag] as number);
    const windowBytes = isSingleSegment ? 0 : 1;
    yield { kind: 'pass', bytes: windowBytes + (dictionaryIdBytes[descriptor & 3] as number) + sizeBytes };
    for (let isLast = false; !isLast;) {
      const header = yield { kind: 'look', bytes: 3 };
      isLast = (header & 1) === 1;
      const isRepeatedByte = ((header >> 1) & 3) === 1;
      yield { kind: 'pass', bytes: isRepeatedByte ? 1 : header >> 3 };
    }
    yield { kind: 'pass', bytes: (descriptor & 4) === 0 ? 0 : 4 };
  }
}

/** Walks along zstd data as it comes. */
export class ZstdFrames {
  readonly #walk = frames();
  #wish: Wish;
  /** Of what is wished for, so far. */
  #bytes = 0;
  #value = 0;

  constructor() {
    this.#wish = this.#walk.next().value;
  }

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const taken = this.#wish.kind === 'look' ? 1 : Math.min(this.#wish.bytes - this.#bytes, chunk.length - at);
      if (this.#wish.kind === 'look') this.#value += (chunk[at] as number) * 2 ** (8 * this.#bytes);
      this.#bytes += taken;
      at += taken;
      // Several may be of no bytes at all.
      while (this.#bytes === this.#wish.bytes) this.#next();
    }
  }

  #next(): void {
    const value = this.#value;
    this.#value = 0;
    this.#bytes = 0;
    this.#wish = this.#walk.next(value).value;
  }

  /** Whether the data may end here. */
  get isComplete(): boolean {
    return this.#wish.isEnd === true && this.#bytes === 0;
  }
}
