/**
 * The two digests of an event. Layout and test vectors: docs/reference/event-id.md.
 *
 * Every field is preceded by its length as four bytes, big-endian, so that no two events have the same
 * preimage; integers are eight bytes, big-endian.
 */
import { sha256 } from '../ground/digest.ts';

/** What a body digest covers. `data` and `metadata` are the exact stored bytes, perhaps views of buffers that are shared with others. */
export interface Body {
  readonly type: string;
  readonly schemaVersion: number;
  readonly encoding: string;
  /** A sorted set. */
  readonly tags: readonly string[];
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

/** What an event's id covers. The position is not among it: an event keeps its id when it moves. */
export interface Identity {
  readonly stream: string;
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly recordedAt: number;
  readonly bodyDigest: Uint8Array;
}

/** SHA-256 over what happened, made by whoever appends: 32 bytes. */
export function bodyDigest(body: Body): Uint8Array {
  preimage.begin('eventsrc/body/1');
  preimage.text(body.type);
  preimage.integer(body.schemaVersion);
  preimage.text(body.encoding);
  preimage.list(body.tags);
  preimage.bytes(body.data);
  preimage.bytes(body.metadata);
  return sha256(preimage.end());
}

/** SHA-256 over what happened, where and when: the event's content address, 32 bytes. */
export function eventId(identity: Identity): Uint8Array {
  preimage.begin('eventsrc/id/1');
  preimage.text(identity.stream);
  preimage.integer(identity.version);
  preimage.integer(identity.recordedAt);
  preimage.bytes(identity.bodyDigest);
  return sha256(preimage.end());
}

const encoder = new TextEncoder();
const lengthBytes = 4;

/** Assembles the hashed bytes in one buffer that is used again and again. */
class Preimage {
  #buffer = new Uint8Array(8_192);
  #view = new DataView(this.#buffer.buffer);
  #end = 0;

  begin(domain: string): void {
    this.#end = 0;
    this.text(domain);
  }

  end(): Uint8Array {
    return this.#buffer.subarray(0, this.#end);
  }

  text(text: string): void {
    this.#reserve(lengthBytes + text.length * 3);
    const { written } = encoder.encodeInto(text, this.#buffer.subarray(this.#end + lengthBytes));
    this.#length(this.#end, written);
    this.#end += lengthBytes + written;
  }

  integer(value: number): void {
    this.#reserve(lengthBytes + 8);
    this.#length(this.#end, 8);
    this.#view.setUint32(this.#end + 4, Math.floor(value / 2 ** 32));
    this.#view.setUint32(this.#end + 8, value % 2 ** 32);
    this.#end += lengthBytes + 8;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(lengthBytes + bytes.length);
    this.#length(this.#end, bytes.length);
    this.#buffer.set(bytes, this.#end + lengthBytes);
    this.#end += lengthBytes + bytes.length;
  }

  /** One field that holds the texts, each a field of its own. */
  list(texts: readonly string[]): void {
    this.#reserve(lengthBytes);
    const start = this.#end;
    this.#end += lengthBytes;
    for (const text of texts) this.text(text);
    this.#length(start, this.#end - start - lengthBytes);
  }

  #length(at: number, length: number): void {
    this.#view.setUint32(at, length);
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#buffer.length) return;
    const grown = new Uint8Array((this.#end + more) * 2);
    grown.set(this.#buffer.subarray(0, this.#end));
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}

const preimage = new Preimage();
