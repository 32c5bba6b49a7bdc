/** What snapshots are of, and what one is. */
import type { EventSchemas, StreamEvent } from '../event/codec.ts';
import { EngineError } from '../ground/errors.ts';
import type { Place } from '../store/moment.ts';

/** When states are kept, and how many. */
export interface SnapshotPolicy {
  /** Of the fold: to be raised whenever the same events are folded into other states. */
  readonly version: number;
  /** A state is kept whenever a stream has grown by so many events; Infinity: never. */
  readonly every: number;
  /** The newest of each stream. */
  readonly kept: number;
}

/** A fold of one stream, whose states are kept: an aggregate. */
export interface StreamFold {
  readonly name: string;
  readonly events: EventSchemas;
  /** When its states are kept. */
  readonly snapshots: SnapshotPolicy;
  /** The state before the first event. */
  start(): unknown;
  evolve(state: unknown, event: StreamEvent): unknown;
}

/** A state, and the event that led to it. */
export interface Capture extends Place {
  readonly state: unknown;
  /** Of that event: its content address. A snapshot is of the history that has this event there, and of no other. */
  readonly id: string;
  /** Whether it is a tombstone. */
  readonly deleted: boolean;
}

/** One that has been kept. */
export interface Snapshot extends Capture {
  /** Of what was written: at one version there is now one snapshot, now another. */
  readonly digest: string;
}

/** What an aggregate may say about its snapshots. */
export interface SnapshotOptions {
  /**
   * To be raised whenever `evolve` or `initialState` makes other states of the same events: snapshots of another version are not used.
   * Forgetting it is noticed: docs/replay.md says how. Default 1.
   */
  readonly snapshotVersion?: number;
  /** A snapshot is kept whenever a stream has grown by so many events; Infinity: never. Default 100. */
  readonly snapshotEvery?: number;
  /** So many are kept of each stream, the newest ones; 1 to 1,000. Default 10. */
  readonly snapshotsKept?: number;
}

const keptMax = 1_000;

/** @throws {EngineError} `definition_invalid` */
export function snapshotPolicy(name: string, options: SnapshotOptions): SnapshotPolicy {
  const { snapshotVersion: version = 1, snapshotEvery: every = 100, snapshotsKept: kept = 10 } = options;
  const refuse = (reason: string) => new EngineError('definition_invalid', { name, reason });
  if (!isCount(version)) throw refuse('snapshotVersion is an integer of at least 1');
  if (every !== Infinity && !isCount(every)) throw refuse('snapshotEvery is an integer of at least 1, or Infinity');
  if (!isCount(kept) || kept > keptMax) throw refuse(`snapshotsKept is an integer from 1 to ${keptMax}`);
  return { version, every, kept };
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** States of a stream, folded from its first event. */
export interface Refolded {
  /** By version: as many of those that were asked for as there are. */
  readonly captures: ReadonlyMap<number, Capture>;
  /** Of the events up to the last of them. */
  readonly types: ReadonlySet<string>;
}

/** Folds a stream anew, without snapshots. */
export type Refold = (
  aggregate: StreamFold,
  stream: string,
  versions: readonly number[],
  signal?: AbortSignal,
) => Promise<Refolded>;
