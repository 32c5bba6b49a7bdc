/**
 * From streams, types, tags and ids to positions.
 *
 * An ordinary index of a table is written with each row, and rows of many streams each touch a page of it: three quarters
 * of what an append would cost. Instead the newest events are indexed in memory, by whoever needs it; every 16,384 events
 * are written as a sorted run, in the background, and eight runs in a row are merged into one (a log-structured merge
 * tree: https://doi.org/10.1007/s002360050048). Runs cover consecutive events, so what they say of a key is in the
 * order of positions when they are asked one after another.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EngineError } from '../ground/errors.ts';
import { checkRow, eventColumns, tagIds } from './event-row.ts';
import type { EventRow } from './event-row.ts';
import { HeadRow } from './head-row.ts';
import type { Head } from './head-row.ts';
import { IndexRun, IndexRuns } from './index-runs.ts';
import type { IndexPart, Kind, Range } from './index-runs.ts';
import { IndexTail } from './index-tail.ts';
import type { Postings } from './postings.ts';

/** Events of a run that nothing was merged into yet. */
export const runLength = 16_384;

export interface IndexParts {
  readonly runs: readonly Range[];
  /** The first events that are in no run, if there are enough of them for one. */
  readonly tail: IndexTail | undefined;
}

export class EventIndex {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #head: HeadRow;
  readonly #storedRuns: IndexRuns;
  readonly #selectSince: StatementSync;
  /** In the order of positions: runs, then tails of `runLength` events, the last of which may be shorter. */
  #parts: readonly IndexPart[] = [];
  /** The `indexChanges` for which `#parts` has the runs. */
  #changes = -1;

  constructor(db: DatabaseSync, file: string, runs: IndexRuns = new IndexRuns(db, file)) {
    this.#db = db;
    this.#file = file;
    this.#head = new HeadRow(db, file);
    this.#storedRuns = runs;
    this.#selectSince = db.prepare(
      `select ${eventColumns} from events where position > ? and position <= ? order by position`,
    );
    this.#selectSince.setReturnArrays(true);
  }

  /** Looks things up in a state of the file that nobody changes meanwhile: runs are deleted once they are merged. */
  look<Result>(work: (head: Head) => Result): Result {
    this.#db.exec('begin');
    try {
      const head = this.#head.read();
      this.refresh(head);
      return work(head);
    } finally {
      // A failure may have ended it.
      if (this.#db.isTransaction) this.#db.exec('commit');
    }
  }

  /**
   * Catches up with the file, inside a transaction; `onEvent` is told of events that were not known.
   * @returns whether it was told of all of them: others may have written a run that has some.
   * @throws {EngineError} `store_corrupt`
   */
  refresh(head: Head, onEvent?: (row: EventRow) => void): boolean {
    const known = this.#last;
    if (head.indexChanges !== this.#changes) {
      const runs = this.#storedRuns.all();
      const indexed = runs.at(-1)?.last ?? 0;
      this.#parts = [...runs, ...this.#parts.filter((part) => part instanceof IndexTail && part.first > indexed)];
      this.#changes = head.indexChanges;
    }
    this.#readTail(head, onEvent);
    return this.indexed <= known;
  }

  #readTail(head: Head, onEvent: ((row: EventRow) => void) | undefined): void {
    if (this.#last >= head.position) return;
    for (const row of this.#selectSince.iterate(this.#last, head.position) as Iterable<unknown>) {
      const event = row as EventRow;
      const [position, stream, , type, , tags] = event;
      if (position !== this.#last + 1) break;
      checkRow(event, this.#file);
      this.add(stream, type, tagIds(tags));
      onEvent?.(event);
    }
    if (this.#last < head.position)
      throw new EngineError('store_corrupt', { file: this.#file, where: `position ${this.#last + 1} is missing` });
  }

  /** The event behind the last. */
  add(stream: number, type: number, tags: readonly number[]): void {
    const last = this.#parts.at(-1);
    const isTail = last instanceof IndexTail && last.last % runLength !== 0;
    const tail = isTail ? last : new IndexTail(this.#last + 1);
    if (!isTail) this.#parts = [...this.#parts, tail];
    tail.add(stream, type, tags);
  }

  /** What there is for who writes runs. */
  get parts(): IndexParts {
    const runs = this.#parts.filter((part) => part instanceof IndexRun);
    const tail = this.#parts[runs.length];
    return { runs, tail: tail instanceof IndexTail && tail.last % runLength === 0 ? tail : undefined };
  }

  /** The last position that is in a run. */
  get indexed(): number {
    return this.#parts.findLast((part) => part instanceof IndexRun)?.last ?? 0;
  }

  get #last(): number {
    return this.#parts.at(-1)?.last ?? 0;
  }

  /** The positions that have this key; seen backwards, their negatives. */
  postings(kind: Kind, key: number, backwards = false): Postings {
    const parts = backwards ? this.#parts.toReversed() : this.#parts;
    return new InTurn(parts, kind, key, backwards);
  }

  /** After a rollback. */
  forget(): void {
    this.#parts = [];
    this.#changes = -1;
  }
}

/** What one part after another says of a key. */
class InTurn implements Postings {
  readonly #parts: readonly IndexPart[];
  readonly #kind: Kind;
  readonly #key: number;
  readonly #backwards: boolean;
  #at = 0;
  #postings: Postings | undefined;

  constructor(parts: readonly IndexPart[], kind: Kind, key: number, backwards: boolean) {
    this.#parts = parts;
    this.#kind = kind;
    this.#key = key;
    this.#backwards = backwards;
  }

  seek(from: number): number {
    for (; this.#at < this.#parts.length; this.#at++, this.#postings = undefined) {
      const part = this.#parts[this.#at] as IndexPart;
      if ((this.#backwards ? -part.first : part.last) < from) continue;
      this.#postings ??= part.postings(this.#kind, this.#key, this.#backwards);
      const found = this.#postings.seek(from);
      if (found !== Infinity) return found;
    }
    return Infinity;
  }
}
