import { eventId } from '../event/digests.ts';
import type { Recorded } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import { eventChecksum } from './checksum.ts';
import type { NameReader } from './name-reader.ts';

export const digestBytes = 32;

/** In the order of the table's columns. */
export type EventRow = readonly [
  position: number,
  stream: number,
  version: number,
  type: number,
  recordedAt: number,
  tags: string | null,
  dataLength: number,
  payload: Uint8Array,
  segment: number | null,
  crc: number,
];

export const eventColumns = 'position, stream, version, type, recorded_at, tags, data_length, payload, segment, crc';

/** @throws {EngineError} `store_corrupt` if the row does not match its checksum. */
export function checkRow(row: EventRow, file: string): void {
  const [position, stream, version, type, recordedAt, tags, dataLength, payload, segment, crc] = row;
  if (eventChecksum({ position, stream, version, type, recordedAt, tags, dataLength, segment }, payload) !== crc) {
    throw new EngineError('store_corrupt', {
      file,
      where: `the event at position ${position} does not match its checksum`,
    });
  }
}

/** @throws {EngineError} `store_corrupt` if the row does not match its checksum. */
export function toRecorded(row: EventRow, names: NameReader, file: string): Recorded {
  checkRow(row, file);
  return new EventOfRow(row, names);
}

/** From the column `tags`. */
export function tagIds(tags: string | null): readonly number[] {
  return tags === null ? [] : tags.split(',').map(Number);
}

const noBytes = new Uint8Array(0);

class EventOfRow implements Recorded {
  readonly position: number;
  readonly stream: string;
  readonly version: number;
  readonly recordedAt: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly encoding: string;
  readonly tags: readonly string[];
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  readonly #payload: Uint8Array;
  #id: Uint8Array | undefined;

  constructor(row: EventRow, names: NameReader) {
    const [position, stream, version, typeId, recordedAt, tags, dataLength, payload] = row;
    const type = names.type(typeId);
    this.position = position;
    this.stream = names.stream(stream);
    this.version = version;
    this.recordedAt = recordedAt;
    this.type = type.name;
    this.schemaVersion = type.schemaVersion;
    this.encoding = type.encoding;
    this.tags = names.tags(tagIds(tags));
    const behindData = digestBytes + dataLength;
    this.data = payload.subarray(digestBytes, behindData);
    this.metadata = behindData === payload.length ? noBytes : payload.subarray(behindData);
    this.#payload = payload;
  }

  /** Made when asked for: views of bytes are dear, and folds ask for no digest. */
  get bodyDigest(): Uint8Array {
    return this.#payload.subarray(0, digestBytes);
  }

  get id(): Uint8Array {
    this.#id ??= eventId(this);
    return this.#id;
  }
}
