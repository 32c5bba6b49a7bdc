import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { eventColumns, tagIds, toRecorded } from './event-row.ts';
import type { EventRow } from './event-row.ts';
import { runLength } from './event-index.ts';
import type { Head } from './head-row.ts';
import { idPrefix } from './id-index.ts';
import { integersChecksum } from './checksum.ts';
import { kinds } from './index-runs.ts';
import type { IndexRuns, Kind, Range } from './index-runs.ts';
import { RunSource, RunWriter } from './run-writer.ts';
import type { NameReader } from './name-reader.ts';

/** Runs of one length that are merged into the next longer one. */
const runsPerMerge = 8;
/** Done before others get their turn, each some milliseconds. */
const eventsPerSlice = 1_024;
const entriesPerSlice = 16_384;
const blocksPerSlice = 256;
const rangesPerSlice = 64;

/** What is due of these can wait for a quiet moment; more of it can't. */
const waiting = { events: 2 * runLength, runs: 24, mergedRuns: 2 * runsPerMerge } as const;

/** Work in slices, in each of which something may be written; in the end there are this many blocks of the new run. */
type Work = Generator<undefined, number>;

interface Job {
  readonly run: Range;
  /** What it is made of: nothing, if it is made of events. */
  readonly parts: readonly Range[];
  readonly work: Work;
}

/**
 * Writes what is in memory as runs, and merges them. Several processes may do the same work at once: which events a run
 * covers and which blocks it has is determined by the events alone, so they write the same blocks.
 */
export class IndexBuilder {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #names: NameReader;
  readonly #runs: IndexRuns;
  readonly #select: StatementSync;
  readonly #countBlocks: StatementSync;
  readonly #deleteBlocks: StatementSync;
  readonly #deleteRuns: StatementSync;
  readonly #insertRun: StatementSync;
  #writing: Job | undefined;
  #merging: Job | undefined;
  /** Runs that were merged: their blocks are of no more use. Undefined until it is known which of them are left. */
  #merged: Range[] | undefined;

  constructor(db: DatabaseSync, file: string, names: NameReader, runs: IndexRuns) {
    this.#db = db;
    this.#file = file;
    this.#names = names;
    this.#runs = runs;
    this.#select = db.prepare(
      `select ${eventColumns} from events where position > ? and position <= ? order by position`,
    );
    this.#select.setReturnArrays(true);
    this.#countBlocks = db.prepare('select count(*) as count from index_blocks where first = ? and last = ?');
    this.#deleteBlocks = db.prepare(
      'delete from index_blocks where rowid in (select rowid from index_blocks where first = ? and last = ? limit ?)',
    );
    this.#deleteRuns = db.prepare('delete from index_runs where first >= ? and last <= ?');
    this.#insertRun = db.prepare('insert into index_runs values (?, ?, ?)');
  }

  isDue(position: number, runs: readonly Range[]): boolean {
    return (
      isWritable(position, runs) || mergeable(runs) !== undefined || (this.#merged ??= mergedInto(runs)).length > 0
    );
  }

  isUrgent(position: number, runs: readonly Range[]): boolean {
    return (
      position - indexed(runs) >= waiting.events ||
      runs.length > waiting.runs ||
      (this.#merged?.length ?? 0) > waiting.mergedRuns
    );
  }

  /** Does a slice of what is due, inside a transaction; new events first, because they are in memory meanwhile. */
  step(head: Head, runs: readonly Range[]): void {
    this.#merged ??= mergedInto(runs);
    if (isWritable(head.position, runs)) {
      const first = indexed(runs) + 1;
      const run = { first, last: first + runLength - 1 };
      const job = isOf(this.#writing, run) ? this.#writing : { run, parts: [], work: this.#writeEvents(run) };
      this.#writing = this.#advance(job, head) ? undefined : job;
      return;
    }
    const parts = mergeable(runs);
    if (parts === undefined) return this.#sweep();
    const run = { first: (parts[0] as Range).first, last: (parts.at(-1) as Range).last };
    const job = isOf(this.#merging, run) ? this.#merging : { run, parts, work: this.#mergeRuns(run, parts) };
    this.#merging = this.#advance(job, head) ? undefined : job;
  }

  /** After a rollback. */
  reset(): void {
    this.#writing = undefined;
    this.#merging = undefined;
    this.#merged = undefined;
  }

  /** @returns whether it has come to its end. */
  #advance({ run, parts, work }: Job, head: Head): boolean {
    const { done, value } = work.next();
    if (done !== true) return false;
    const { count } = this.#countBlocks.get(run.first, run.last) as { count: number };
    if (count !== value) {
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

  *#writeEvents(run: Range): Work {
    // Key and position as one number each, which typed arrays sort fast: keys below 2^39 are exact.
    const entries = new Map<Kind, number[]>(Object.values(kinds).map((kind) => [kind, []]));
    for (let after = run.first - 1; after < run.last; after += eventsPerSlice) {
      for (const row of this.#select.iterate(after, after + eventsPerSlice) as Iterable<unknown>) {
        const [position, stream, , type, , tags] = row as EventRow;
        const { id } = toRecorded(row as EventRow, this.#names, this.#file);
        const add = (kind: Kind, key: number) => entries.get(kind)?.push(key * runLength + position - run.first);
        add(kinds.stream, stream);
        add(kinds.type, type);
        for (const tag of tagIds(tags)) add(kinds.tag, tag);
        add(kinds.id, idPrefix(id));
      }
      yield;
    }
    let blocks = 0;
    for (const [kind, unsorted] of entries) {
      const writer = new RunWriter(this.#db, run, kind);
      for (const entry of Float64Array.from(unsorted).sort())
        writer.add(Math.floor(entry / runLength), run.first + (entry % runLength));
      blocks += writer.finish();
      yield;
    }
    return blocks;
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
        yield;
      }
      blocks += writer.finish();
    }
    return blocks;
  }

  #sweep(): void {
    const merged = this.#merged ?? [];
    let [blocks, ranges] = [0, 0];
    for (let run = merged.at(-1); run !== undefined && blocks < blocksPerSlice && ranges < rangesPerSlice; ranges++) {
      const { changes } = this.#deleteBlocks.run(run.first, run.last, blocksPerSlice);
      blocks += Number(changes);
      if (changes === 0) merged.pop();
      run = merged.at(-1);
    }
  }
}

/** What was begun may have been finished by another process meanwhile, and something else be due. */
function isOf(job: Job | undefined, { first, last }: Range): job is Job {
  return job?.run.first === first && job.run.last === last;
}

function indexed(runs: readonly Range[]): number {
  return runs.at(-1)?.last ?? 0;
}

function isWritable(position: number, runs: readonly Range[]): boolean {
  return position - indexed(runs) >= runLength;
}

function lengthOf({ first, last }: Range): number {
  return last - first + 1;
}

/** The first runs of one length that make up one of the next. */
function mergeable(runs: readonly Range[]): readonly Range[] | undefined {
  for (const [at, run] of runs.entries()) {
    const length = lengthOf(run);
    const candidates = runs.slice(at, at + runsPerMerge);
    const isWhole = candidates.length === runsPerMerge && candidates.every((other) => lengthOf(other) === length);
    if (isWhole && (run.first - 1) % (length * runsPerMerge) === 0) return candidates;
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
