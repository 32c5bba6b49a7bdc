import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { runLength } from './event-index.ts';
import type { IndexParts } from './event-index.ts';
import type { Head } from './head-row.ts';
import { idPrefix, IdReader } from './id-index.ts';
import { integersChecksum } from './checksum.ts';
import { kinds } from './index-runs.ts';
import type { IndexRuns, Range } from './index-runs.ts';
import type { IndexTail } from './index-tail.ts';
import { RunSource, RunWriter } from './run-writer.ts';
import type { NameReader } from './name-reader.ts';

/** Runs of one length that are merged into the next longer one. */
const runsPerMerge = 8;
/** Done before others get their turn, each some tenths of a millisecond. */
const eventsPerSlice = 64;
const entriesPerSlice = 4_096;
const blocksPerSlice = 64;

/** Work in slices. It says what the next one does, and in the end how many blocks of the new run there are. */
type Work = Generator<'reads' | 'writes', number>;

interface Job {
  readonly run: Range;
  /** What it is made of: nothing, if it is made of events. */
  readonly parts: readonly Range[];
  readonly work: Work;
  next: 'reads' | 'writes';
}

/**
 * Writes what is in memory as runs, and merges them. Several processes may do the same work at once: which events a run
 * covers and which blocks it has is determined by the events alone, so they write the same blocks.
 */
export class IndexBuilder {
  readonly #db: DatabaseSync;
  readonly #runs: IndexRuns;
  readonly #ids: IdReader;
  readonly #countBlocks: StatementSync;
  readonly #deleteBlocks: StatementSync;
  readonly #deleteRuns: StatementSync;
  readonly #insertRun: StatementSync;
  #writing: Job | undefined;
  #merging: Job | undefined;
  /** Runs that were merged: their blocks are of no more use. Undefined until it is known which of them are left. */
  #merged: Range[] | undefined;

  constructor(db: DatabaseSync, names: NameReader, runs: IndexRuns) {
    this.#db = db;
    this.#runs = runs;
    this.#ids = new IdReader(db, names);
    this.#countBlocks = db.prepare('select count(*) as count from index_blocks where first = ? and last = ?');
    this.#deleteBlocks = db.prepare(
      'delete from index_blocks where rowid in (select rowid from index_blocks where first = ? and last = ? limit ?)',
    );
    this.#deleteRuns = db.prepare('delete from index_runs where first >= ? and last <= ?');
    this.#insertRun = db.prepare('insert into index_runs values (?, ?, ?)');
  }

  /** Whether there is something to do. */
  isDue({ tail, runs }: IndexParts): boolean {
    return tail !== undefined || mergeable(runs) !== undefined || (this.#merged ??= mergedInto(runs)).length > 0;
  }

  /** Whether the next slice only reads: then it needs no transaction. */
  get isReading(): boolean {
    return this.#writing?.next === 'reads';
  }

  /** Does such a slice. */
  read(): void {
    try {
      if (this.#writing !== undefined) advance(this.#writing);
    } catch (error) {
      this.reset();
      throw error;
    }
  }

  /** Does a slice of what is due, inside a transaction; new events first, because they are in memory meanwhile. */
  step({ tail, runs }: IndexParts, head: Head): void {
    this.#merged ??= mergedInto(runs);
    if (tail !== undefined) {
      const job = isOf(this.#writing, tail) ? this.#writing : newJob(tail, [], this.#writeEvents(tail));
      this.#writing = this.#isDone(job, head) ? undefined : job;
      return;
    }
    const parts = mergeable(runs);
    if (parts === undefined) return this.#sweep();
    const run = { first: (parts[0] as Range).first, last: (parts.at(-1) as Range).last };
    const job = isOf(this.#merging, run) ? this.#merging : newJob(run, parts, this.#mergeRuns(run, parts));
    this.#merging = this.#isDone(job, head) ? undefined : job;
  }

  /** After a rollback. */
  reset(): void {
    this.#writing = undefined;
    this.#merging = undefined;
    this.#merged = undefined;
  }

  /** Does a slice of a job; at its end the run counts. */
  #isDone(job: Job, head: Head): boolean {
    const written = advance(job);
    if (written === undefined) return false;
    const { run, parts } = job;
    const { count } = this.#countBlocks.get(run.first, run.last) as { count: number };
    if (count !== written) {
      // Whoever began it before us has cut it otherwise.
      this.#deleteBlocks.run(run.first, run.last, -1);
      return true;
    }
    this.#deleteRuns.run(run.first, run.last);
    this.#insertRun.run(run.first, run.last, integersChecksum(run.first, run.last));
    this.#merged?.push(...parts);
    head.indexChanges += 1;
    return true;
  }

  *#writeEvents(tail: IndexTail): Work {
    // Key and position as one number each, which typed arrays sort fast.
    const ids = new Float64Array(runLength);
    for (let after = tail.first - 1; after < tail.last; after += eventsPerSlice) {
      for (const { position, id } of this.#ids.ids(after, after + eventsPerSlice))
        ids[position - tail.first] = idPrefix(id) * runLength + position - tail.first;
      yield 'reads';
    }
    ids.sort();
    yield 'writes';
    let blocks = 0;
    for (const kind of [kinds.stream, kinds.type, kinds.tag]) {
      const writer = new RunWriter(this.#db, tail, kind);
      for (const { key, position } of tail.entries(kind)) writer.add(key, position);
      blocks += writer.finish();
      yield 'writes';
    }
    const writer = new RunWriter(this.#db, tail, kinds.id);
    for (const entry of ids) writer.add(Math.floor(entry / runLength), tail.first + (entry % runLength));
    return blocks + writer.finish();
  }

  *#mergeRuns(run: Range, parts: readonly Range[]): Work {
    let blocks = 0;
    let moved = 0;
    for (const kind of Object.values(kinds)) {
      const writer = new RunWriter(this.#db, run, kind);
      const sources = parts.map((part) => new RunSource(this.#runs, part, kind));
      // Of equal keys the earlier run's come first, so positions ascend.
      const lowest = () => sources.reduce((low, source) => (source.key < low.key ? source : low));
      for (let source = lowest(); source.key < Infinity; source = lowest()) {
        moved += source.moveKey(writer);
        if (moved < entriesPerSlice) continue;
        moved = 0;
        yield 'writes';
      }
      blocks += writer.finish();
    }
    return blocks;
  }

  /** Deletes blocks; finding that there are none is cheap, so of many runs at once. */
  #sweep(): void {
    const merged = this.#merged ?? [];
    for (let deleted = 0; merged.length > 0 && deleted < blocksPerSlice;) {
      const { first, last } = merged.at(-1) as Range;
      const { changes } = this.#deleteBlocks.run(first, last, blocksPerSlice);
      deleted += Number(changes);
      if (changes === 0) merged.pop();
    }
  }
}

function newJob(run: Range, parts: readonly Range[], work: Work): Job {
  return { run, parts, work, next: 'writes' };
}

/** @returns how many blocks there are, if that was the last slice. */
function advance(job: Job): number | undefined {
  const { done, value } = job.work.next();
  if (done === true) return value;
  job.next = value;
  return undefined;
}

/** What was begun may have been finished by another process meanwhile, and something else be due. */
function isOf(job: Job | undefined, { first, last }: Range): job is Job {
  return job?.run.first === first && job.run.last === last;
}

function lengthOf({ first, last }: Range): number {
  return last - first + 1;
}

/** The first runs of one length that make up one of the next: longer ones come first, so they begin where that one would. */
function mergeable(runs: readonly Range[]): readonly Range[] | undefined {
  for (const [at, run] of runs.entries()) {
    const parts = runs.slice(at, at + runsPerMerge);
    if (parts.length === runsPerMerge && parts.every((other) => lengthOf(other) === lengthOf(run))) return parts;
  }
  return undefined;
}

/** All that these were made of, directly or not. */
function mergedInto(runs: readonly Range[]): Range[] {
  const parts = runs
    .filter((run) => lengthOf(run) > runLength)
    .flatMap(({ first, last }) => {
      const length = (last - first + 1) / runsPerMerge;
      return Array.from({ length: runsPerMerge }, (_, index) => ({
        first: first + index * length,
        last: first + (index + 1) * length - 1,
      }));
    });
  return parts.length === 0 ? [] : [...parts, ...mergedInto(parts)];
}
