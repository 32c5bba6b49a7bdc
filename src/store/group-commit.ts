import { EngineError } from '../ground/errors.ts';
import { onAbort } from '../ground/on-abort.ts';
import { appendFolded } from './inline.ts';
import type { InlineFold } from './inline.ts';
import type { AppendRequest, AppendResult, EventStore } from './port.ts';

interface Pending {
  readonly request: AppendRequest;
  readonly eventCount: number;
  readonly byteCount: number;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (reason: unknown) => void;
  /** False once its group has been handed to the store, from when on it cannot be called back. */
  isQueued: boolean;
  isAborted: boolean;
}

/** Bounds what one commit copies and holds the lock for. */
const groupBytesMax = 8 * 1024 * 1024;

/** Requests for which a group of their own pays, besides one that is under way: fewer rather wait and share a sync. */
const worthASync = 32;

/**
 * Commits together what arrives together: while a group is being committed the requests that come in form the
 * next one, so groups grow with the load and a lone request waits for nobody. Under load there is a second group under
 * way where the store takes it, so that encoding and answering the one overlaps with committing the other.
 */
export class GroupCommit {
  /** Folds the groups that begin from now on in their own transaction. They go one at a time. */
  fold: InlineFold | undefined;
  readonly #store: EventStore;
  readonly #pendingMax: number;
  #queue: Pending[] = [];
  /** How many of the queue were aborted, and are passed over. */
  #abortedCount = 0;
  #inFlight: Promise<void> | undefined;
  #closed = false;

  constructor(store: EventStore, pendingMax: number) {
    this.#store = store;
    this.#pendingMax = pendingMax;
  }

  /**
   * @throws {EngineError} `append_aborted` when aborted, saying whether it may have been written; `append_queue_full`;
   * `store_closed`; whatever the store throws for the group.
   */
  submit(request: AppendRequest, signal?: AbortSignal): Promise<AppendResult> {
    if (this.#closed) return Promise.reject(new EngineError('store_closed', {}));
    if (signal?.aborted) return Promise.reject(aborted(signal, 'not_written'));
    if (this.#queue.length - this.#abortedCount >= this.#pendingMax) {
      return Promise.reject(new EngineError('append_queue_full', { pendingMax: this.#pendingMax }));
    }
    return new Promise((resolve, reject) => {
      const abort = () => {
        if (pending.isQueued) this.#abortedCount += 1;
        pending.isAborted = true;
        pending.reject(aborted(signal, pending.isQueued ? 'not_written' : 'unknown'));
      };
      const settled = onAbort(signal, abort);
      const pending: Pending = {
        request,
        ...sizeOf(request),
        resolve: (result) => (settled(), resolve(result)),
        reject: (reason) => (settled(), reject(reason)),
        isQueued: true,
        isAborted: false,
      };
      this.#queue.push(pending);
      // Begun in a microtask, so that requests made in one turn of the event loop share their first group.
      this.#inFlight ??= Promise.resolve().then(() => this.#commitQueue());
    });
  }

  async #commitQueue(): Promise<void> {
    const underWay = new Set<Promise<void>>();
    while (this.#queue.length > 0 || underWay.size > 0) {
      const group = this.#takeGroup(this.#sizeBehind(underWay.size));
      if (group.length > 0) {
        const commit: Promise<void> = this.#commit(group).then(() => void underWay.delete(commit));
        underWay.add(commit);
      } else if (underWay.size > 0) await Promise.race(underWay);
    }
    this.#inFlight = undefined;
  }

  /** How many requests the next group may have; 0 while it is better to wait. */
  #sizeBehind(groupsUnderWay: number): number {
    // A fold builds on what the one before it has written.
    const groupsInFlight = this.fold === undefined ? this.#store.capabilities.groupsInFlight : 1;
    if (groupsUnderWay >= groupsInFlight) return 0;
    const waiting = this.#queue.length - this.#abortedCount;
    if (groupsUnderWay > 0) return waiting >= worthASync ? waiting : 0;
    // Halved, so that one half is answered and sent anew while the store is at work on the other.
    return groupsInFlight > 1 && waiting >= 2 * worthASync ? Math.ceil(waiting / 2) : waiting;
  }

  async #commit(group: readonly Pending[]): Promise<void> {
    const { fold } = this;
    try {
      if (fold !== undefined) return await this.#commitFolded(group, fold);
      const results = await this.#store.append(group.map(({ request }) => request));
      for (const [index, pending] of group.entries()) pending.resolve(results[index] as AppendResult);
    } catch (error) {
      for (const pending of group) pending.reject(error);
    }
  }

  async #commitFolded(group: readonly Pending[], fold: InlineFold): Promise<void> {
    const requests = group.map(({ request }) => request);
    const folded = await appendFolded(this.#store, requests, fold);
    for (const [index, result] of folded.entries()) {
      if (result.kind === 'judged') group[index]?.resolve(result.result);
      else group[index]?.reject(result.reason);
    }
  }

  /** At most so many requests, as many as fit into the store's group; one, however large; aborted ones are passed over. */
  #takeGroup(sizeMax: number): readonly Pending[] {
    const { appendMax } = this.#store.capabilities;
    const group: Pending[] = [];
    let taken = 0;
    let eventCount = 0;
    let byteCount = 0;
    for (const pending of this.#queue) {
      if (!pending.isAborted) {
        if (group.length === sizeMax) break;
        eventCount += pending.eventCount;
        byteCount += pending.byteCount;
        const isFull = group.length >= appendMax || eventCount > appendMax || byteCount > groupBytesMax;
        if (group.length > 0 && isFull) break;
        group.push(pending);
        pending.isQueued = false;
      }
      taken += 1;
    }
    this.#queue.splice(0, taken);
    this.#abortedCount -= taken - group.length;
    return group;
  }

  /** Refuses further requests and waits until those that were accepted are settled. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#inFlight;
  }
}

function sizeOf(request: AppendRequest): { eventCount: number; byteCount: number } {
  let eventCount = 0;
  let byteCount = 0;
  for (const { events } of request.writes) {
    eventCount += events.length;
    for (const { data, metadata } of events) byteCount += data.length + metadata.length;
  }
  return { eventCount, byteCount };
}

function aborted(signal: AbortSignal | undefined, outcome: 'not_written' | 'unknown'): EngineError {
  return new EngineError('append_aborted', { outcome }, { cause: signal?.reason });
}
