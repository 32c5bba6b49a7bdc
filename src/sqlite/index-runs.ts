import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EngineError } from '../ground/errors.ts';
import { integersChecksum } from './checksum.ts';
import { beginning, IndexBlock } from './index-block.ts';
import type { Postings } from './postings.ts';

/** What an index leads from; the numbers are in the file. */
export const kinds = { stream: 0, type: 1, tag: 2, id: 3 } as const;
export type Kind = (typeof kinds)[keyof typeof kinds];

/** Consecutive events, by their positions. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** A part of the index: all entries of consecutive events. */
export interface IndexPart extends Range {
  /** The positions that have this key; seen backwards, their negatives. */
  postings(kind: Kind, key: number, backwards: boolean): Postings;
}

/** The runs of a file, and their blocks. */
export class IndexRuns {
  readonly #file: string;
  readonly #selectRuns: StatementSync;
  readonly #selectBlock: StatementSync;

  constructor(db: DatabaseSync, file: string) {
    this.#file = file;
    this.#selectRuns = db.prepare('select first, last, crc from index_runs order by first');
    this.#selectBlock = db.prepare(
      'select key, position, bytes from index_blocks where first = ? and last = ? and kind = ? and (key, position) <= (?, ?) order by key desc, position desc limit 1',
    );
    this.#selectBlock.setReturnArrays(true);
  }

  /** The runs that there are: one behind another, from the first event on. @throws {EngineError} `store_corrupt` */
  all(): readonly IndexRun[] {
    let before = 0;
    return (this.#selectRuns.all() as unknown as { first: number; last: number; crc: number }[]).map(
      ({ first, last, crc }) => {
        if (first !== before + 1 || crc !== integersChecksum(first, last)) throw this.damaged(`run ${first}`);
        before = last;
        return new IndexRun(this, first, last);
      },
    );
  }

  /** The block in which an entry is, if it exists. @throws {EngineError} `store_corrupt` */
  block({ first, last }: Range, kind: Kind, key: number, position: number): IndexBlock {
    const row = this.#selectBlock.get(first, last, kind, key, position) as
      | [key: number, position: number, bytes: Uint8Array]
      | undefined;
    const block = row && IndexBlock.decode({ first, last, kind, from: { key: row[0], position: row[1] } }, row[2]);
    if (block?.covers(key, position) !== true) throw this.damaged(`a block of run ${first} to ${last}`);
    return block;
  }

  damaged(what: string): EngineError {
    return new EngineError('store_corrupt', { file: this.#file, where: `${what} of the index is damaged or missing` });
  }
}

export class IndexRun implements IndexPart {
  readonly #runs: IndexRuns;
  readonly first: number;
  readonly last: number;
  /** Of each kind the block that was used last: neighbours are often asked for next. */
  readonly #recent = new Map<Kind, IndexBlock>();

  constructor(runs: IndexRuns, first: number, last: number) {
    this.#runs = runs;
    this.first = first;
    this.last = last;
  }

  postings(kind: Kind, key: number, backwards: boolean): Postings {
    const at = (position: number) => {
      const recent = this.#recent.get(kind);
      if (recent?.covers(key, position) === true) return recent;
      const block = this.#runs.block(this, kind, key, position);
      this.#recent.set(kind, block);
      return block;
    };
    if (backwards) return { seek: (from) => -lastUntil(at(-from), key, -from) };
    return { seek: (from) => firstFrom(at(from), key, from) };
  }
}

/** The first position of a key from one on, in the block that covers it. */
function firstFrom(block: IndexBlock, key: number, position: number): number {
  const index = block.countBefore(key, position);
  if (index < block.count) return block.key(index) === key ? block.position(index) : Infinity;
  return block.next.key === key ? block.next.position : Infinity;
}

function lastUntil(block: IndexBlock, key: number, position: number): number {
  const index = block.countBefore(key, position + 1) - 1;
  return index >= 0 && block.key(index) === key ? block.position(index) : -Infinity;
}

/** Looks at every block. @throws {EngineError} `store_corrupt` */
export function checkRuns(db: DatabaseSync, file: string): void {
  db.exec('begin');
  try {
    const runs = new IndexRuns(db, file);
    for (const run of runs.all()) {
      for (const kind of Object.values(kinds)) {
        const entries = countEntries(runs, run, kind);
        // An event has one stream, one type and one id.
        if (kind !== kinds.tag && entries !== run.last - run.first + 1)
          throw runs.damaged(`run ${run.first} to ${run.last}`);
      }
    }
  } finally {
    if (db.isTransaction) db.exec('commit');
  }
}

/** Each block says where the next one begins. */
function countEntries(runs: IndexRuns, run: Range, kind: Kind): number {
  let entries = 0;
  for (let at = beginning; at.key < Infinity;) {
    const block = runs.block(run, kind, at.key, at.position);
    entries += block.count;
    at = block.next;
  }
  return entries;
}
