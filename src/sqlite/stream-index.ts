import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { deletedType } from '../event/event.ts';
import type { Recorded } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import type { EventIndex } from './event-index.ts';
import { eventColumns, toRecorded } from './event-row.ts';
import type { EventRow } from './event-row.ts';
import { kinds } from './index-runs.ts';
import type { NameReader } from './name-reader.ts';
import type { Postings } from './postings.ts';

/** Where a stream stands. */
export interface StreamState {
  /** 0 for a stream that does not exist yet. */
  id: number;
  version: number;
  deleted: boolean;
}

/** Positions and versions; all but the last of each exclude nothing by themselves. */
export interface StreamBounds {
  /** Positions above this, up to and with `until`. */
  readonly after: number;
  readonly until: number;
  /** Versions above this, up to and with `untilVersion`. */
  readonly afterVersion: number;
  readonly untilVersion: number;
}

/**
 * Where the events of a stream are, once the index has caught up. The index of names is SQLite's, which does not notice
 * where it is damaged: what it leads to is compared, and where it leads to nothing, the names beside it.
 */
export class StreamIndex {
  readonly #file: string;
  readonly #names: NameReader;
  readonly #index: EventIndex;
  readonly #selectId: StatementSync;
  readonly #selectBefore: StatementSync;
  readonly #selectAfter: StatementSync;
  readonly #selectOne: StatementSync;

  constructor(db: DatabaseSync, file: string, names: NameReader, index: EventIndex) {
    this.#file = file;
    this.#names = names;
    this.#index = index;
    this.#selectId = db.prepare('select id from streams where name = ?');
    this.#selectBefore = db.prepare('select id, name from streams where name < ? order by name desc limit 1');
    this.#selectAfter = db.prepare('select id, name from streams where name > ? order by name limit 1');
    this.#selectOne = db.prepare(`select ${eventColumns} from events where position = ?`);
    this.#selectOne.setReturnArrays(true);
  }

  /** @throws {EngineError} `store_corrupt` where the index of names leads to another stream. */
  id(stream: string): number | undefined {
    const id = this.#selectId.get(stream)?.id as number | undefined;
    if (id !== undefined && this.#names.stream(id) !== stream) throw this.#damaged(stream);
    return id;
  }

  /**
   * That a name which the index does not have is not missed: then the entry beside its place would be damaged.
   * @throws {EngineError} `store_corrupt`
   */
  requireAbsent(stream: string): void {
    for (const statement of [this.#selectBefore, this.#selectAfter]) {
      const neighbour = statement.get(stream) as { id: number; name: string } | undefined;
      if (neighbour !== undefined && this.#names.stream(neighbour.id) !== neighbour.name) throw this.#damaged(stream);
    }
  }

  /** @throws {EngineError} `store_corrupt` */
  state(stream: string): StreamState {
    const id = this.id(stream);
    if (id === undefined) return { id: 0, version: 0, deleted: false };
    const { version, type } = this.last(stream, id);
    return { id, version, deleted: type === deletedType };
  }

  /** The last event of a stream that has some. @throws {EngineError} `store_corrupt` */
  last(stream: string, id: number): Recorded {
    const position = -this.postings(id, true).seek(-Number.MAX_SAFE_INTEGER);
    if (position === -Infinity) throw this.#damaged(stream);
    return this.#at(stream, position);
  }

  /** A version that exists; looked for at `guess` first. @throws {EngineError} `store_corrupt` */
  event(stream: string, version: number, guess: number): Recorded {
    const row = this.#selectOne.get(guess) as unknown as EventRow | undefined;
    const guessed = row && toRecorded(row, this.#names, this.#file);
    if (guessed?.stream === stream && guessed.version === version) return guessed;
    const id = this.id(stream) ?? 0;
    return this.#at(stream, this.#positionOf(stream, id, version, this.last(stream, id)));
  }

  postings(id: number, backwards: boolean): Postings {
    return this.#index.postings(kinds.stream, id, backwards);
  }

  /** Between which positions a stream's events lie that are within bounds: above the first, up to and with the second. */
  positions(
    stream: string,
    id: number,
    { after, until, afterVersion, untilVersion }: StreamBounds,
  ): readonly [after: number, until: number] {
    const last = this.last(stream, id);
    const afterPosition = afterVersion <= 0 ? 0 : this.#positionOf(stream, id, afterVersion, last);
    const untilPosition = this.#positionOf(stream, id, untilVersion, last);
    return [Math.max(after, afterPosition), Math.min(until, untilPosition)];
  }

  /**
   * Of a version; of the last one, if there are not so many; 0 for the one before the first. Positions grow with versions,
   * often in proportion, so it is looked for where it would be then, and in every other step in the middle.
   */
  #positionOf(stream: string, id: number, version: number, last: Recorded): number {
    if (version <= 0) return 0;
    if (version >= last.version) return last.position;
    let low = { position: 0, version: 0 };
    let high: { readonly position: number; readonly version: number } = last;
    for (let isProportional = true; ; isProportional = !isProportional) {
      const share = isProportional ? (version - low.version) / (high.version - low.version) : 0.5;
      const guess = low.position + Math.floor((high.position - low.position) * share);
      // Not before the guess, unless that is the one whose version is known already.
      let found = this.postings(id, false).seek(Math.max(guess, low.position + 1));
      if (found >= high.position) found = -this.postings(id, true).seek(1 - high.position);
      const event = this.#at(stream, found);
      if (event.version === version) return found;
      if (found <= low.position || found >= high.position) throw this.#damaged(stream);
      if (event.version < version) low = event;
      else high = event;
    }
  }

  #at(stream: string, position: number): Recorded {
    const row = this.#selectOne.get(position) as unknown as EventRow | undefined;
    const event = row && toRecorded(row, this.#names, this.#file);
    if (event?.stream !== stream) throw this.#damaged(stream);
    return event;
  }

  #damaged(stream: string): EngineError {
    return new EngineError('store_corrupt', {
      file: this.#file,
      where: `an index misses events of ${stream}, or takes others for them`,
    });
  }
}
