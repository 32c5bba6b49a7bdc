import type { RecordedEvent } from '../event/codec.ts';
import { deletedType } from '../event/event.ts';
import { EngineError, describe } from '../ground/errors.ts';
import { freezeDeeply } from '../ground/freeze.ts';
import { RecentCache } from '../ground/recent-cache.ts';
import type { EventLog } from '../store/log.ts';
import type { ReadQuery } from '../store/port.ts';
import { unread } from './boundary.ts';
import type { Boundary, Folded } from './boundary.ts';

/** A fold, and whether it is known to be up to date. */
export interface Loaded {
  readonly folded: Folded;
  /** False for what comes from the cache: another process may have appended since. */
  readonly isFresh: boolean;
}

/** Folds events into states, and keeps the states that were used lately. */
export class Folding {
  readonly #log: EventLog;
  readonly #freezes: boolean;
  readonly #cache: RecentCache<string, { readonly fold: Boundary['fold']; readonly folded: Folded }>;

  /** @param cached states to keep at least. @param freezes whether states are frozen, to catch those who change them. */
  constructor(log: EventLog, cached: number, freezes: boolean) {
    this.#log = log;
    this.#freezes = freezes;
    this.#cache = new RecentCache(cached);
  }

  /** The state as this process last knew it; read from the store if it never did. */
  async load(boundary: Boundary): Promise<Loaded> {
    const folded = this.#kept(boundary);
    if (folded !== undefined) return { folded, isFresh: false };
    return { folded: await this.catchUp(boundary, this.start(boundary)), isFresh: true };
  }

  /** The state as of now. */
  async latest(boundary: Boundary, signal?: AbortSignal): Promise<Folded> {
    return this.catchUp(boundary, this.#kept(boundary) ?? this.start(boundary), signal);
  }

  /** The state before the first event. */
  start(boundary: Boundary): Folded {
    return { state: this.#guarded(boundary.fold.start()), version: 0, position: 0, deleted: false };
  }

  /** Takes in what was appended since. */
  async catchUp(boundary: Boundary, since: Folded, signal?: AbortSignal): Promise<Folded> {
    const folded = await this.foldQuery(boundary, since, unread(boundary, since), signal);
    this.keep(boundary, folded);
    return folded;
  }

  /** Takes in what a query finds; the result is not kept. */
  async foldQuery(boundary: Boundary, since: Folded, query: ReadQuery, signal?: AbortSignal): Promise<Folded> {
    let folded = since;
    for await (const page of this.#log.read(query, signal)) {
      for (const event of page) folded = this.fold(boundary, folded, event);
    }
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
