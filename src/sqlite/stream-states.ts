import { deletedType } from '../event/event.ts';
import { RecentCache } from '../ground/recent-cache.ts';
import type { EventRow } from './event-row.ts';
import type { NameReader } from './name-reader.ts';
import type { StreamIndex, StreamState } from './stream-index.ts';

const cached = 50_000;

/** Where the streams stand that were written lately, kept in the writer's memory. */
export class StreamStates {
  readonly #names: NameReader;
  readonly #index: StreamIndex;
  readonly #states = new RecentCache<string, StreamState>(cached);

  constructor(names: NameReader, index: StreamIndex) {
    this.#names = names;
    this.#index = index;
  }

  /** The state is live: whoever appends to the stream changes it in place. */
  get(stream: string): StreamState {
    const known = this.#states.get(stream);
    if (known !== undefined) return known;
    const state = this.#index.state(stream);
    this.#states.set(stream, state);
    return state;
  }

  /** Another connection has appended this event. */
  notice([, id, version, typeId]: EventRow): void {
    const deleted = this.#names.type(typeId).name === deletedType;
    this.#states.set(this.#names.stream(id), { id, version, deleted });
  }

  /** After a rollback. */
  forget(): void {
    this.#states.clear();
  }
}
