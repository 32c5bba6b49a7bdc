import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { areEqual } from '../event/bytes.ts';
import { eventId } from '../event/digests.ts';
import type { EventIndex } from './event-index.ts';
import { digestBytes } from './event-row.ts';
import type { Head } from './head-row.ts';
import { kinds } from './index-runs.ts';
import type { NameReader } from './name-reader.ts';

type IdentityRow = [position: number, stream: number, version: number, recordedAt: number, bodyDigest: Uint8Array];

/** From an event's id to its position. Ids are not stored: they are computed from what the rows say. */
export class IdIndex {
  readonly #names: NameReader;
  readonly #index: EventIndex;
  readonly #select: StatementSync;

  constructor(db: DatabaseSync, names: NameReader, index: EventIndex) {
    this.#names = names;
    this.#index = index;
    this.#select = db.prepare(
      `select position, stream, version, recorded_at, substr(payload, 1, ${digestBytes}) from events where position > ? and position <= ? order by position`,
    );
    this.#select.setReturnArrays(true);
  }

  find(id: Uint8Array, head: Head): number | undefined {
    const candidates = this.#index.postings(kinds.id, idPrefix(id));
    for (let at = candidates.seek(1); at < Infinity; at = candidates.seek(at + 1))
      if (this.#among(id, at - 1, at) !== undefined) return at;
    return this.#among(id, this.#index.indexed, head.position);
  }

  /** Computes the ids of the events after one position up to and with another. */
  #among(id: Uint8Array, after: number, until: number): number | undefined {
    for (const row of this.#select.iterate(after, until)) {
      const [position, streamId, version, recordedAt, bodyDigest] = row as unknown as IdentityRow;
      const stream = this.#names.stream(streamId);
      if (areEqual(eventId({ stream, version, recordedAt, bodyDigest }), id)) return position;
    }
    return undefined;
  }
}

/** The key of an id: its first 32 bits. */
export function idPrefix(id: Uint8Array): number {
  return new DataView(id.buffer, id.byteOffset).getUint32(0);
}
