import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { deletedType } from '../event/event.ts';
import type { NameReader } from './name-reader.ts';
import { RecentCache } from './recent-cache.ts';

/** Where a stream stands. */
export interface StreamState {
  /** 0 for a stream that does not exist yet. */
  id: number;
  version: number;
  deleted: boolean;
}

const cached = 50_000;

/** The heads of streams, from the index on (stream, version), with those used lately kept in memory. */
export class StreamHeads {
  readonly #names: NameReader;
  readonly #selectId: StatementSync;
  readonly #selectLast: StatementSync;
  readonly #selectSince: StatementSync;
  readonly #states = new RecentCache<string, StreamState>(cached);

  constructor(db: DatabaseSync, names: NameReader) {
    this.#names = names;
    this.#selectId = db.prepare('select id from streams where name = ?');
    this.#selectLast = db.prepare('select version, type from events where stream = ? order by version desc limit 1');
    this.#selectSince = db.prepare('select stream, version, type from events where position > ? order by position');
  }

  /** The state is live: whoever appends to the stream changes it in place. */
  get(stream: string): StreamState {
    const known = this.#states.get(stream);
    if (known !== undefined) return known;
    const state = this.#read(stream);
    this.#states.set(stream, state);
    return state;
  }

  #read(stream: string): StreamState {
    const id = this.#selectId.get(stream)?.id as number | undefined;
    const last = id === undefined ? undefined : (this.#selectLast.get(id) as { version: number; type: number } | undefined);
    if (id === undefined || last === undefined) return { id: id ?? 0, version: 0, deleted: false };
    return { id, version: last.version, deleted: this.#isTombstone(last.type) };
  }

  /** Catches up with what other connections appended after one position up to another. */
  refresh(after: number, until: number): void {
    if (until === after) return;
    if (until - after > cached) return this.forget();
    for (const row of this.#selectSince.iterate(after)) {
      const { stream, version, type } = row as { stream: number; version: number; type: number };
      this.#states.set(this.#names.stream(stream), { id: stream, version, deleted: this.#isTombstone(type) });
    }
  }

  #isTombstone(type: number): boolean {
    return this.#names.type(type).name === deletedType;
  }

  /** After a rollback. */
  forget(): void {
    this.#states.clear();
  }
}
