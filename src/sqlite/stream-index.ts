import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { deletedType } from '../event/event.ts';
import type { Recorded } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import { eventColumns, toRecorded } from './event-row.ts';
import type { EventRow } from './event-row.ts';
import { HeadRow } from './head-row.ts';
import type { NameReader } from './name-reader.ts';

/** Where a stream stands. */
export interface StreamState {
  /** 0 for a stream that does not exist yet. */
  id: number;
  version: number;
  deleted: boolean;
}

/**
 * The ends of streams, from the index on (stream, version).
 *
 * A damaged entry of an index is not served, it is missed, which no checksum of the rows would show. But this index
 * is dense: ids of streams and versions have no gaps, so the entry behind the last of a stream is the first of the
 * next. If it is anything else, the index is damaged. Names are not dense; there the entries beside a missing one are
 * looked at.
 */
export class StreamIndex {
  readonly #file: string;
  readonly #names: NameReader;
  readonly #head: HeadRow;
  readonly #selectId: StatementSync;
  readonly #selectBefore: StatementSync;
  readonly #selectAfter: StatementSync;
  readonly #selectLast: StatementSync;
  readonly #selectOne: StatementSync;
  readonly #selectNext: StatementSync;

  constructor(db: DatabaseSync, file: string, names: NameReader) {
    this.#file = file;
    this.#names = names;
    this.#head = new HeadRow(db, file);
    this.#selectId = db.prepare('select id from streams where name = ?');
    this.#selectBefore = db.prepare('select id, name from streams where name < ? order by name desc limit 1');
    this.#selectAfter = db.prepare('select id, name from streams where name > ? order by name limit 1');
    this.#selectLast = db.prepare(`select ${eventColumns} from events where stream = ? order by version desc limit 1`);
    this.#selectLast.setReturnArrays(true);
    this.#selectOne = db.prepare(`select ${eventColumns} from events where stream = ? and version = ?`);
    this.#selectOne.setReturnArrays(true);
    this.#selectNext = db.prepare(
      'select stream, version, position from events where (stream, version) > (?, ?) order by stream, version limit 1',
    );
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
    const { version, type } = this.#last(stream, id);
    return { id, version, deleted: type === deletedType };
  }

  /**
   * The last version of a stream that was appended up to a position; 0 if there is none. Positions grow with versions,
   * so it is searched for by halves, in rows that are checked.
   * @throws {EngineError} `store_corrupt`
   */
  versionAt(stream: string, id: number, position: number): number {
    if (position <= 0) return 0;
    const last = this.#last(stream, id);
    if (last.position <= position) return last.version;
    let [low, high] = [0, last.version - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const row = this.#selectOne.get(id, middle) as unknown as EventRow | undefined;
      if (row === undefined) throw this.#damaged(stream);
      if (toRecorded(row, this.#names, this.#file).position <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #last(stream: string, id: number): Recorded {
    const row = this.#selectLast.get(id) as unknown as EventRow | undefined;
    if (row === undefined) throw this.#damaged(stream);
    const last = toRecorded(row, this.#names, this.#file);
    this.#requireEnd(stream, id, last);
    return last;
  }

  /** That a stream has no version behind this one, but for what other processes have appended in between. */
  #requireEnd(stream: string, id: number, { version, position }: Recorded): void {
    // The head first: streams that are made between the two looks are only more to be found by the second.
    const { streams } = this.#head.read();
    const next = this.#selectNext.get(id, version) as { stream: number; version: number; position: number } | undefined;
    if (next === undefined) {
      if (id < streams) throw this.#damaged(stream);
      return;
    }
    const isNextStream = next.stream === id + 1 && next.version === 1;
    const isLater = next.stream === id && next.version === version + 1 && next.position > position;
    if (!isNextStream && !isLater) throw this.#damaged(stream);
  }

  #damaged(stream: string): EngineError {
    return new EngineError('store_corrupt', {
      file: this.#file,
      where: `an index misses events of ${stream}, or takes others for them`,
    });
  }
}
