import type { RecordedEvent } from '../event/codec.ts';
import { deletedType } from '../event/event.ts';
import { EngineError, describe } from '../ground/errors.ts';
import { freezeDeeply } from '../ground/freeze.ts';
import { RecentCache } from '../ground/recent-cache.ts';
import type { EventLog } from '../store/log.ts';
import { captureOf } from '../snapshot/snapshots.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Capture, Refolded } from '../snapshot/snapshot.ts';
import { untilMoment } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { ReadQuery } from '../store/port.ts';
import { concerns, unread } from './boundary.ts';
import type { Boundary, Folded, StreamBoundary } from './boundary.ts';

/** A fold, and whether it is known to be up to date. */
export interface Loaded {
  readonly folded: Folded;
  /** False for what comes from the cache: another process may have appended since. */
  readonly isFresh: boolean;
}

/** Most streams are one page; a long one is read in portions that do not hold the event loop for more than a few ms. */
const pageSize = 1_024;

/** Folds events into states, and keeps the states that were used lately. */
export class Folding {
  readonly #log: EventLog;
  readonly #freezes: boolean;
  readonly #snapshots: Snapshots;
  readonly #cache: RecentCache<string, { readonly fold: Boundary['fold']; readonly folded: Folded }>;

  /** @param cached states to keep at least. @param freezes whether states are frozen, to catch those who change them. */
  constructor(log: EventLog, cached: number, freezes: boolean, snapshots: Snapshots) {
    this.#log = log;
    this.#freezes = freezes;
    this.#cache = new RecentCache(cached);
    this.#snapshots = snapshots;
  }

  /** The state as this process last knew it; read from the store if it never did. */
  async load(boundary: Boundary): Promise<Loaded> {
    const folded = this.#kept(boundary);
    if (folded !== undefined) return { folded, isFresh: false };
    return { folded: await this.latest(boundary), isFresh: true };
  }

  /** The state as of now. */
  async latest(boundary: Boundary, signal?: AbortSignal): Promise<Folded> {
    const kept = this.#kept(boundary);
    if (kept !== undefined) return this.catchUp(boundary, kept, signal);
    const folded =
      boundary.kind === 'stream'
        ? await this.fromSnapshot(boundary, undefined, signal)
        : await this.#foldQuery(boundary, this.start(boundary), unread(boundary, this.start(boundary)), signal);
    this.keep(boundary, folded);
    return folded;
  }

  /** The state at a moment, or as of now: the newest snapshot that can be used, and the events since. */
  async fromSnapshot(boundary: StreamBoundary, at: Moment | undefined, signal?: AbortSignal): Promise<Folded> {
    const base = await this.newestSnapshot(boundary, at, signal);
    const folded = base ?? this.start(boundary);
    const query = { ...unread(boundary, folded), ...(at !== undefined && untilMoment(at)) };
    return this.#foldQuery(boundary, folded, query, signal);
  }

  /** The state at a moment, folded from the first event. */
  async fromFirst(boundary: StreamBoundary, at: Moment | undefined, signal?: AbortSignal): Promise<Folded> {
    const query = { stream: boundary.stream, ...(at !== undefined && untilMoment(at)) };
    return this.#foldQuery(boundary, this.start(boundary), query, signal);
  }

  /** The newest snapshot that can be used of what there was at a moment. One that is not of this stream's history is not believed. */
  async newestSnapshot(
    { fold, stream }: StreamBoundary,
    at: Moment | undefined,
    signal?: AbortSignal,
  ): Promise<Folded | undefined> {
    for await (const snapshot of this.#snapshots.usable(fold, stream, at)) {
      const { state, version, position, deleted } = snapshot;
      const [event] = await this.#events({ stream, afterVersion: version - 1, limit: 1 }, signal);
      // An event keeps its id in another store, but not its position, and with it what it had happened by.
      if (event?.id === snapshot.id && event.position === position)
        return { state: this.#guarded(state), version, position, deleted };
      await this.#snapshots.reject(fold, stream, snapshot, event === undefined ? 'future' : 'foreign');
    }
    return undefined;
  }

  async #events(query: ReadQuery, signal?: AbortSignal): Promise<readonly RecordedEvent[]> {
    for await (const page of this.#log.read(query, signal)) return page;
    return [];
  }

  /** Folds a stream from its first event, and keeps nothing: the states at these versions, ascending, as many as there are. */
  async refold(boundary: StreamBoundary, versions: readonly number[], signal?: AbortSignal): Promise<Refolded> {
    const captures = new Map<number, Capture>();
    const types = new Set<string>();
    const wanted = new Set(versions);
    let folded = this.start(boundary);
    const query = { stream: boundary.stream, untilVersion: Math.max(0, ...versions) };
    for await (const page of this.#log.read({ ...query, pageSize }, signal)) {
      for (const event of page) {
        folded = this.fold(boundary, folded, event);
        types.add(event.type);
        if (wanted.has(event.version)) captures.set(event.version, captureOf(event, folded.state));
      }
    }
    return { captures, types };
  }

  /** The state before the first event. */
  start(boundary: Boundary): Folded {
    return { state: this.#guarded(boundary.fold.start()), version: 0, position: 0, deleted: false };
  }

  /** Takes in what was appended since. */
  async catchUp(boundary: Boundary, since: Folded, signal?: AbortSignal): Promise<Folded> {
    const folded = await this.#foldQuery(boundary, since, unread(boundary, since), signal);
    this.keep(boundary, folded);
    return folded;
  }

  async #foldQuery(boundary: Boundary, since: Folded, query: ReadQuery, signal?: AbortSignal): Promise<Folded> {
    let folded = since;
    for await (const page of this.#log.read({ ...query, pageSize }, signal)) {
      for (const event of page) if (concerns(boundary, event)) folded = this.take(boundary, folded, event);
    }
    return folded;
  }

  /** Folds an event that has been recorded: its state may be worth a snapshot. @throws as `fold`. */
  take(boundary: Boundary, before: Folded, event: RecordedEvent): Folded {
    const folded = this.fold(boundary, before, event);
    // Of several that one stored event is read as, the last says what the state of its version is.
    if (boundary.kind === 'stream') this.#snapshots.taken(boundary.fold, event, folded.state);
    return folded;
  }

  /** @throws {EngineError} `event_unhandled`, `evolve_failed` */
  fold(boundary: Boundary, { state }: Folded, event: RecordedEvent): Folded {
    const { version, position } = event;
    if (event.type === deletedType) return { ...this.start(boundary), version, position, deleted: true };
    return { state: this.#evolve(boundary, state, event), version, position, deleted: false };
  }

  #evolve({ fold }: Boundary, state: unknown, event: RecordedEvent): unknown {
    let next: unknown;
    try {
      next = fold.evolve(state, event);
    } catch (error) {
      throw error instanceof EngineError ? error : evolveFailed(event, describe(error), error);
    }
    if (next === undefined) throw evolveFailed(event, 'it returned undefined');
    if (next instanceof Promise) throw evolveFailed(event, 'it returned a promise');
    return this.#guarded(next);
  }

  keep({ key, fold }: Boundary, folded: Folded): void {
    this.#cache.set(key, { fold, folded });
  }

  /** What is asked for next is read from the store. */
  forget(): void {
    this.#cache.clear();
  }

  /** Another definition of the same name folds into other states. */
  #kept({ key, fold }: Boundary): Folded | undefined {
    const kept = this.#cache.get(key);
    return kept?.fold === fold ? kept.folded : undefined;
  }

  #guarded(state: unknown): unknown {
    if (this.#freezes) freezeDeeply(state);
    return state;
  }
}

function evolveFailed({ stream, version, type }: RecordedEvent, reason: string, cause?: unknown): EngineError {
  return new EngineError('evolve_failed', { stream, version, type, reason }, cause === undefined ? {} : { cause });
}
