import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { areEqual } from '../event/bytes.ts';
import { eventId } from '../event/digests.ts';
import type { EventIndex } from './event-index.ts';
import { digestBytes } from './event-row.ts';
import type { Head } from './head-row.ts';
import { kinds } from './index-runs.ts';
import type { NameReader } from './name-reader.ts';

type IdentityRow = [position: number, stream: number, version: number, recordedAt: number, bodyDigest: Uint8Array];

/** Computes ids, which are not stored, from what the rows say. */
export class IdReader {
  readonly #names: NameReader;
  readonly #select: StatementSync;

  constructor(db: DatabaseSync, names: NameReader) {
    this.#names = names;
    this.#select = db.prepare(
      `select position, stream, version, recorded_at, substr(payload, 1, ${digestBytes}) from events where position > ? and position <= ? order by position`,
    );
    this.#select.setReturnArrays(true);
  }

  /** The ids of the events after one position up to and with another. */
  *ids(after: number, until: number): Generator<{ readonly position: number; readonly id: Uint8Array }> {
    for (const row of this.#select.iterate(after, until)) {
      const [position, stream, version, recordedAt, bodyDigest] = row as unknown as IdentityRow;
      yield { position, id: eventId({ stream: this.#names.stream(stream), version, recordedAt, bodyDigest }) };
    }
  }
}

/** From an event's id to its position. */
export class IdIndex {
  readonly #ids: IdReader;
  readonly #index: EventIndex;

  constructor(ids: IdReader, index: EventIndex) {
    this.#ids = ids;
    this.#index = index;
  }

  find(id: Uint8Array, head: Head): number | undefined {
    const candidates = this.#index.postings(kinds.id, idPrefix(id));
    for (let at = candidates.seek(1); at < Infinity; at = candidates.seek(at + 1))
      if (this.#among(id, at - 1, at) !== undefined) return at;
    return this.#among(id, this.#index.indexed, head.position);
  }

  #among(id: Uint8Array, after: number, until: number): number | undefined {
    for (const candidate of this.#ids.ids(after, until)) if (areEqual(candidate.id, id)) return candidate.position;
    return undefined;
  }
}

/** The key of an id: its first 32 bits. */
export function idPrefix(id: Uint8Array): number {
  return new DataView(id.buffer, id.byteOffset).getUint32(0);
}
