/** Documents about consumers, and a way to tell those who work on them, in whatever process, that one has changed. */
import type { Json } from '../event/json.ts';
import { SharedLook } from '../ground/shared-look.ts';
import type { Position } from '../store/port.ts';
import type { DocumentPut, StateCommit, StateStore } from '../store/state-port.ts';
import { checkpointAt } from './checkpoint.ts';

/** A collection of registrations, probes and slots. */
export const consumersCollection = '$consumers';
const bell = '$consumers';

/** Tells everybody by a checkpoint that counts the changes. */
export class Control {
  readonly state: StateStore;
  /** All who wait ask for it. */
  readonly #count: SharedLook<Position>;

  constructor(state: StateStore) {
    this.state = state;
    this.#count = new SharedLook(() => checkpointAt(state, bell));
  }

  /** A document, if it is there. */
  async get(key: string): Promise<Kept | undefined> {
    const [document] = await this.state.get(consumersCollection, [key]);
    return document && { value: document.value as Json, revision: document.revision };
  }

  async getAll(keys: readonly string[]): Promise<readonly (Kept | undefined)[]> {
    const documents = await this.state.get(consumersCollection, keys);
    return documents.map((found) => found && { value: found.value as Json, revision: found.revision });
  }

  /** Commits a change, and tells everybody. @returns whether the revisions were as expected. */
  async change(change: StateCommit): Promise<boolean> {
    for (;;) {
      const count = await this.count();
      const ring = { name: bell, from: count, to: count + 1 };
      const result = await this.state.commit({ ...change, checkpoints: [...(change.checkpoints ?? []), ring] });
      if (result === 'committed') return true;
      if (result === 'checkpoint_moved' && (await this.count()) !== count) continue;
      return false;
    }
  }

  /** Replaces a document by what is made of it, however many others do so; undefined leaves it as it is. */
  async update(
    key: string,
    make: (value: Json | undefined) => Json | undefined | Promise<Json | undefined>,
  ): Promise<Json | undefined> {
    for (;;) {
      const kept = await this.get(key);
      const value = await make(kept?.value);
      if (value === undefined) return kept?.value;
      const put: DocumentPut = { collection: consumersCollection, key, value, ifRevision: kept?.revision ?? 0 };
      if (await this.change({ puts: [put] })) return value;
    }
  }

  count(): Promise<Position> {
    return this.#count.ask();
  }

  /** Resolves with the count of changes, once it is above `after`. */
  changed(after: Position, signal: AbortSignal): Promise<Position> {
    return this.state.moved(bell, after, signal);
  }
}

export interface Kept {
  readonly value: Json;
  readonly revision: number;
}
