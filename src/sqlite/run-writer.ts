import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { beginning, encodeBlock, end, isTooLong } from './index-block.ts';
import type { Entry, IndexBlock } from './index-block.ts';
import type { IndexRuns, Kind, Range } from './index-runs.ts';

/** Cuts ascending entries of one kind into blocks. */
export class RunWriter {
  readonly #run: Range;
  readonly #kind: Kind;
  readonly #insert: StatementSync;
  #from: Entry = beginning;
  #keys: number[] = [];
  #positions: number[] = [];
  #blocks = 0;

  constructor(db: DatabaseSync, run: Range, kind: Kind) {
    this.#run = run;
    this.#kind = kind;
    // What another process has written already is the same.
    this.#insert = db.prepare('insert or ignore into index_blocks values (?, ?, ?, ?, ?, ?)');
  }

  add(key: number, position: number): void {
    if (isTooLong(this.#keys[0] ?? key, key, this.#keys.length + 1)) this.#write({ key, position });
    this.#keys.push(key);
    this.#positions.push(position);
  }

  /** @returns how many blocks there are. */
  finish(): number {
    this.#write(end);
    return this.#blocks;
  }

  #write(next: Entry): void {
    const { first, last } = this.#run;
    const from = this.#from;
    const bytes = encodeBlock({ first, last, kind: this.#kind, from }, this.#keys, this.#positions, next);
    this.#insert.run(first, last, this.#kind, from.key, from.position, bytes);
    this.#blocks += 1;
    this.#from = next;
    this.#keys = [];
    this.#positions = [];
  }
}

/** Gives the entries of a run, in their order. */
export class RunSource {
  readonly #runs: IndexRuns;
  readonly #run: Range;
  readonly #kind: Kind;
  #block: IndexBlock;
  #index = 0;

  constructor(runs: IndexRuns, run: Range, kind: Kind) {
    this.#runs = runs;
    this.#run = run;
    this.#kind = kind;
    this.#block = this.#load(beginning);
  }

  #load({ key, position }: Entry): IndexBlock {
    return this.#runs.block(this.#run, this.#kind, key, position);
  }

  /** Of the next entry; `Infinity` behind the last. */
  get key(): number {
    if (this.#index < this.#block.count) return this.#block.key(this.#index);
    return this.#block.next.key;
  }

  /** Moves entries that share the next one's key: those of a block. @returns how many. */
  moveKey(writer: RunWriter): number {
    if (this.#index === this.#block.count) {
      this.#block = this.#load(this.#block.next);
      this.#index = 0;
    }
    const { key } = this;
    const start = this.#index;
    while (this.#index < this.#block.count && this.#block.key(this.#index) === key) {
      writer.add(key, this.#block.position(this.#index));
      this.#index += 1;
    }
    return this.#index - start;
  }
}
