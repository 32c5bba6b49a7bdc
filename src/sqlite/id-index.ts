/**
 * From an event's id to its position.
 *
 * Ids are random, so keeping one index of them current would touch a page of it per event. Instead complete runs
 * of 16,384 consecutive events are sorted by the first 48 bits of their ids and written one after another, in the
 * background; a lookup asks every run and then the events after the last. (An LSM tree of one level: at five million
 * events that is 305 lookups of a few microseconds.)
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { areEqual } from '../event/bytes.ts';
import { eventId } from '../event/digests.ts';
import { digestBytes } from './event-row.ts';
import type { Head } from './head-row.ts';
import type { NameReader } from './name-reader.ts';

export const runLength = 16_384;
/** Events hashed, or rows written, before others get their turn. */
const sliceLength = 2_048;

type IdentityRow = [position: number, stream: number, version: number, recordedAt: number, bodyDigest: Uint8Array];

/** Computes ids from the rows' headers. */
export class IdReader {
  readonly #names: NameReader;
  readonly #select: StatementSync;
  readonly #selectCandidates: StatementSync;

  constructor(db: DatabaseSync, names: NameReader) {
    this.#names = names;
    this.#select = db.prepare(
      `select position, stream, version, recorded_at, substr(payload, 1, ${digestBytes}) from events where position > ? and position <= ? order by position`,
    );
    this.#select.setReturnArrays(true);
    this.#selectCandidates = db.prepare('select position from event_ids where run = ? and prefix = ?');
  }

  /** The ids of the events after one position up to and with another. */
  *ids(after: number, until: number): Generator<{ readonly position: number; readonly id: Uint8Array }> {
    for (const row of this.#select.iterate(after, until)) {
      const [position, stream, version, recordedAt, bodyDigest] = row as unknown as IdentityRow;
      yield { position, id: eventId({ stream: this.#names.stream(stream), version, recordedAt, bodyDigest }) };
    }
  }

  find(id: Uint8Array, head: Head): number | undefined {
    const prefix = prefixOf(id);
    for (let run = head.idRuns - 1; run >= 0; run--) {
      for (const { position } of this.#selectCandidates.all(run, prefix) as { position: number }[]) {
        if (this.#isAt(position, id)) return position;
      }
    }
    for (const candidate of this.ids(head.idRuns * runLength, head.position)) {
      if (areEqual(candidate.id, id)) return candidate.position;
    }
    return undefined;
  }

  #isAt(position: number, id: Uint8Array): boolean {
    for (const candidate of this.ids(position - 1, position)) return areEqual(candidate.id, id);
    return false;
  }
}

/** Builds one run after another, a slice at a time. */
export class IdRunBuilder {
  readonly #ids: IdReader;
  readonly #insert: StatementSync;
  #run = 0;
  #entries: { readonly prefix: number; readonly position: number }[] = [];
  #written = 0;

  constructor(db: DatabaseSync, names: NameReader) {
    this.#ids = new IdReader(db, names);
    this.#insert = db.prepare('insert or ignore into event_ids values (?, ?, ?)');
  }

  /** Complete runs that are not in the index yet. */
  static backlog(head: Head): number {
    return Math.floor(head.position / runLength) - head.idRuns;
  }

  /** Whether the next step writes; then it must be inside a transaction. */
  get isWriting(): boolean {
    return this.#entries.length === runLength;
  }

  /** Does a slice of the work on the next run; completes it in `head`. */
  step(head: Head): void {
    // Another process may have built the run meanwhile.
    if (this.#run !== head.idRuns) this.reset(head.idRuns);
    if (this.isWriting) this.#write(head);
    else this.#read();
  }

  reset(run: number): void {
    this.#run = run;
    this.#entries = [];
    this.#written = 0;
  }

  #read(): void {
    const after = this.#run * runLength + this.#entries.length;
    for (const { position, id } of this.#ids.ids(after, after + sliceLength)) {
      this.#entries.push({ prefix: prefixOf(id), position });
    }
    if (this.isWriting) this.#entries.sort((a, b) => a.prefix - b.prefix || a.position - b.position);
  }

  #write(head: Head): void {
    const end = this.#written + sliceLength;
    for (const { prefix, position } of this.#entries.slice(this.#written, end))
      this.#insert.run(this.#run, prefix, position);
    this.#written = end;
    if (end < runLength) return;
    head.idRuns += 1;
    this.reset(head.idRuns);
  }
}

function prefixOf(id: Uint8Array): number {
  const view = new DataView(id.buffer, id.byteOffset);
  return view.getUint16(0) * 0x1_0000_0000 + view.getUint32(2);
}
