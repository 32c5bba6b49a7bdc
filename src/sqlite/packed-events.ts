/**
 * Events on their way to the writer thread. Copying objects between threads costs more than writing them, so the
 * bytes travel as one buffer that changes hands.
 */
import type { Draft } from '../event/event.ts';
import { digestBytes } from './event-row.ts';
import type { TypeName } from './name-reader.ts';

export interface PackedEvents {
  /** The distinct types among the events. */
  readonly types: readonly TypeName[];
  /** Three numbers an event: index into `types`, bytes of data, bytes of payload. */
  readonly sizes: Uint32Array<ArrayBuffer>;
  /** One list an event; empty where no event has tags. */
  readonly tags: readonly (readonly string[])[];
  /** The payloads (body digest, data, metadata), one after another. */
  readonly payloads: Uint8Array<ArrayBuffer>;
}

/** An event as it is written into a row. */
export interface PackedEvent {
  readonly type: TypeName;
  readonly tags: readonly string[];
  readonly dataLength: number;
  readonly payload: Uint8Array;
}

const columns = 3;
/** Shared by all, so frozen. */
const noTags: readonly string[] = Object.freeze([]);

export function packEvents(events: readonly Draft[]): PackedEvents {
  const types: TypeName[] = [];
  const typeIndexes = new Map<string, number>();
  const sizes = new Uint32Array(events.length * columns);
  let byteCount = 0;
  let hasTags = false;
  for (const [index, { type, schemaVersion, encoding, tags, data, metadata }] of events.entries()) {
    const key = `${schemaVersion} ${encoding} ${type}`;
    let typeIndex = typeIndexes.get(key);
    if (typeIndex === undefined) {
      typeIndex = types.push({ name: type, schemaVersion, encoding }) - 1;
      typeIndexes.set(key, typeIndex);
    }
    const payloadLength = digestBytes + data.length + metadata.length;
    const column = index * columns;
    sizes[column] = typeIndex;
    sizes[column + 1] = data.length;
    sizes[column + 2] = payloadLength;
    byteCount += payloadLength;
    hasTags ||= tags.length > 0;
  }
  return {
    types,
    sizes,
    tags: hasTags ? events.map(({ tags }) => tags) : [],
    payloads: joinPayloads(events, byteCount),
  };
}

function joinPayloads(events: readonly Draft[], byteCount: number): Uint8Array<ArrayBuffer> {
  const payloads = new Uint8Array(byteCount);
  let end = 0;
  for (const { bodyDigest, data, metadata } of events) {
    payloads.set(bodyDigest, end);
    payloads.set(data, end + digestBytes);
    payloads.set(metadata, end + digestBytes + data.length);
    end += digestBytes + data.length + metadata.length;
  }
  return payloads;
}

/** What changes hands instead of being copied. */
export function transferables({ sizes, payloads }: PackedEvents): readonly ArrayBuffer[] {
  return [sizes.buffer, payloads.buffer];
}

/** Gives the events back, in order, as many at a time as are asked for. */
export class Unpacking {
  readonly #packed: PackedEvents;
  #index = 0;
  #offset = 0;

  constructor(packed: PackedEvents) {
    this.#packed = packed;
  }

  take(count: number): readonly PackedEvent[] {
    return Array.from({ length: count }, () => this.#next());
  }

  #next(): PackedEvent {
    const { types, sizes, tags, payloads } = this.#packed;
    const [typeIndex, dataLength, payloadLength] = sizes.subarray(this.#index * columns) as unknown as [
      number,
      number,
      number,
    ];
    const event: PackedEvent = {
      type: types[typeIndex] as TypeName,
      tags: tags[this.#index] ?? noTags,
      dataLength,
      payload: payloads.subarray(this.#offset, this.#offset + payloadLength),
    };
    this.#index += 1;
    this.#offset += payloadLength;
    return event;
  }
}
