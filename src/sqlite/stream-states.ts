import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { deletedType } from '../event/event.ts';
import type { NameReader } from './name-reader.ts';
import { RecentCache } from '../ground/recent-cache.ts';
import type { StreamIndex, StreamState } from './stream-index.ts';

const cached = 50_000;

/** Where the streams stand that were written lately, kept in the writer's memory. */
export class StreamStates {
  readonly #names: NameReader;
  readonly #index: StreamIndex;
  readonly #selectSince: StatementSync;
  readonly #states = new RecentCache<string, StreamState>(cached);

  constructor(db: DatabaseSync, names: NameReader, index: StreamIndex) {
    this.#names = names;
    this.#index = index;
    this.#selectSince = db.prepare('select stream, version, type from events where position > ? order by position');
  }

  /** The state is live: whoever appends to the stream changes it in place. */
  get(stream: string): StreamState {
    const known = this.#states.get(stream);
    if (known !== undefined) return known;
    const state = this.#index.state(stream);
    this.#states.set(stream, state);
    return state;
  }

  /** Catches up with what other connections appended after one position up to another. */
  refresh(after: number, until: number): void {
    if (until === after) return;
    if (until - after > cached) return this.forget();
    for (const row of this.#selectSince.iterate(after)) {
      const { stream, version, type } = row as { stream: number; version: number; type: number };
      const deleted = this.#names.type(type).name === deletedType;
      this.#states.set(this.#names.stream(stream), { id: stream, version, deleted });
    }
  }

  /** After a rollback. */
  forget(): void {
    this.#states.clear();
  }
}
