import { areEqual } from '../event/bytes.ts';
import { eventId } from '../event/digests.ts';
import type { Draft, PortableEvent, Recorded } from '../event/event.ts';
import { deletedType } from '../event/event.ts';
import { compareCodePoints } from '../event/names.ts';
import { matches } from '../event/query.ts';
import { ownDraft } from '../event/recorded-draft.ts';
import { readClock } from '../ground/clock.ts';
import type { Clock } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import { MemoryStateStore } from './memory-state.ts';
import { isLive, overfull, refusal } from './admission.ts';
import type { AppendView } from './admission.ts';
import type {
  AppendRequest,
  AppendResult,
  Backend,
  BackendOptions,
  Capabilities,
  EventStore,
  ImportResult,
  Inline,
  Position,
  ReadQuery,
  Receipt,
  StoreHead,
  StreamHead,
  StreamsQuery,
} from './port.ts';
import { defaultPageSize } from './read-query.ts';
import type { StateCommit } from './state-port.ts';
import { Turns } from './turns.ts';
import { Waiters } from './waiters.ts';

/**
 * A store in this process's memory, for tests and for learning how a store works: the same guarantees as the
 * others, but for durability. Each opening makes a new, empty one. Its documents are kept until they are closed; opening
 * them again meanwhile gives the same.
 */
export function memory(): Backend {
  return {
    name: 'memory',
    openEvents: async (options) => new MemoryEventStore(options),
    openState: async (events, { clock }) => {
      if (events instanceof MemoryEventStore) return events.openState(clock);
      throw new EngineError('request_invalid', { reason: 'The state of this store is opened beside its events only' });
    },
  };
}

/** A group that was judged, and the receipts that it leaves. */
interface Judged {
  readonly results: readonly AppendResult[];
  readonly receipts: ReadonlyMap<string, Receipt>;
}

class MemoryEventStore implements EventStore {
  readonly capabilities: Capabilities = {
    sharedTransaction: true,
    gapless: true,
    conditions: 'matched',
    multiStream: true,
    appendMax: 10_000,
    groupsInFlight: 1,
  };
  readonly #clock: Clock;
  readonly #eventsPerStreamMax: number;
  /** The event at position p is at index p - 1. */
  readonly #events: Recorded[] = [];
  readonly #streams = new Map<string, Recorded[]>();
  readonly #receipts = new Map<string, Receipt>();
  readonly #waiters = new Waiters();
  /** What waits while a group is staged. */
  readonly #turns = new Turns();
  #state: MemoryStateStore | undefined;
  #closed = false;

  constructor({ clock, limits }: BackendOptions) {
    this.#clock = clock;
    this.#eventsPerStreamMax = limits.eventsPerStream;
  }

  async append(group: readonly AppendRequest[], inline?: Inline): Promise<readonly AppendResult[]> {
    this.#checkOpen();
    if (inline !== undefined) return this.#turns.hold(() => this.#appendInline(group, inline));
    return this.#turns.pass(() => this.#finish(this.#judge(group)));
  }

  async #appendInline(group: readonly AppendRequest[], inline: Inline): Promise<readonly AppendResult[]> {
    const before = this.#events.length;
    const judged = this.#judge(group);
    if (this.#events.length > before) {
      // In the turn in which they were put there: nobody has seen them.
      const events = this.#removeAfter(before);
      const change = await inline(judged.results);
      this.#checkOpen();
      if (change !== undefined) this.#change(change);
      for (const event of events) this.#add(event);
    }
    return this.#finish(judged);
  }

  #change(change: StateCommit): void {
    if (this.#state === undefined) throw new EngineError('request_invalid', { reason: 'No state store is open' });
    const result = this.#state.commitNow(change);
    if (result !== 'committed') throw new EngineError('inline_conflict', { result });
  }

  /** The events are in their places then; the receipts are not kept yet. */
  #judge(group: readonly AppendRequest[]): Judged {
    this.#checkOpen();
    const recordedAt = this.#nextTime();
    const receipts = new Map<string, Receipt>();
    const results = group.map((request) => this.#appendOne(request, recordedAt, receipts));
    return { results, receipts };
  }

  #finish({ results, receipts }: Judged): readonly AppendResult[] {
    for (const receipt of receipts.values()) this.#keep(receipt);
    this.#waiters.reached(this.#events.length);
    return results;
  }

  /** @param receipts those that the group leaves, so far. */
  #appendOne(request: AppendRequest, recordedAt: number, receipts: Map<string, Receipt>): AppendResult {
    const view = this.#view(recordedAt, receipts);
    const refused = refusal(request, view);
    if (refused !== undefined) return refused;
    const error = overfull(request, view, this.#eventsPerStreamMax);
    if (error !== undefined) return { kind: 'failed', error };

    const before = this.#events.length;
    const versions = request.writes.map(({ stream, events }) => {
      const first = this.#headOf(stream).version + 1;
      for (const [index, draft] of events.entries()) this.#record(draft, stream, first + index, recordedAt);
      return first;
    });
    const position = this.#events.length;
    for (const receipt of request.receipts) {
      receipts.delete(receipt.key);
      receipts.set(receipt.key, { ...receipt, recordedAt, position: position > before ? position : undefined });
    }
    return { kind: 'appended', position: position > before ? before + 1 : 0, versions, recordedAt };
  }

  /** As the last one. */
  #keep(receipt: Receipt): void {
    this.#receipts.delete(receipt.key);
    this.#receipts.set(receipt.key, receipt);
  }

  #record(draft: Draft, stream: string, version: number, recordedAt: number): void {
    const identity = { stream, version, recordedAt, bodyDigest: draft.bodyDigest };
    this.#add({ ...draft, ...identity, position: this.#events.length + 1, id: eventId(identity) });
  }

  #add(event: Recorded): void {
    this.#events.push(event);
    const events = this.#streams.get(event.stream);
    if (events === undefined) this.#streams.set(event.stream, [event]);
    else events.push(event);
  }

  #view(now: number, receipts: ReadonlyMap<string, Receipt>): AppendView {
    return {
      receipt: (key) => liveReceipt(receipts.get(key) ?? this.#receipts.get(key), now),
      head: (stream) => this.#headOf(stream),
      firstMatch: ({ failIfMatch, after }) => {
        for (const event of this.#events.slice(after)) if (matches(failIfMatch, event)) return event.position;
        return undefined;
      },
    };
  }

  async *read(query: ReadQuery, signal?: AbortSignal): AsyncGenerator<readonly Recorded[]> {
    this.#checkOpen();
    signal?.throwIfAborted();
    const { stream, match, limit = Infinity, pageSize = defaultPageSize } = query;
    const { after = 0, until = Infinity, afterVersion = 0, untilVersion = Infinity } = query;
    const { recordedFrom = -Infinity, recordedUntil = Infinity } = query;
    const selected = (stream === undefined ? this.#events : (this.#streams.get(stream) ?? [])).filter(
      (event) =>
        event.position > after &&
        event.position <= until &&
        (stream === undefined || (event.version > afterVersion && event.version <= untilVersion)) &&
        event.recordedAt >= recordedFrom &&
        event.recordedAt <= recordedUntil &&
        (match === undefined || matches(match, event)),
    );
    if (query.backwards === true) selected.reverse();
    const count = Math.min(limit, selected.length);
    for (let start = 0; start < count; start += pageSize) {
      yield selected.slice(start, Math.min(start + pageSize, count));
      signal?.throwIfAborted();
    }
  }

  async find(id: Uint8Array): Promise<Recorded | undefined> {
    this.#checkOpen();
    return this.#events.find((event) => areEqual(event.id, id));
  }

  async heads(streams: readonly string[]): Promise<readonly StreamHead[]> {
    this.#checkOpen();
    return streams.map((stream) => this.#headOf(stream));
  }

  async types(): Promise<readonly string[]> {
    this.#checkOpen();
    return [...new Set(this.#events.map(({ type }) => type))].toSorted(compareCodePoints);
  }

  async streams({ prefix = '', after, limit }: StreamsQuery): Promise<readonly StreamHead[]> {
    this.#checkOpen();
    return [...this.#streams.keys()]
      .filter((name) => name.startsWith(prefix) && (after === undefined || compareCodePoints(name, after) > 0))
      .toSorted(compareCodePoints)
      .slice(0, limit)
      .map((name) => this.#headOf(name));
  }

  async head(): Promise<StoreHead> {
    this.#checkOpen();
    const recordedAt = this.#events.at(-1)?.recordedAt ?? 0;
    return { position: this.#events.length, recordedAt, streamCount: this.#streams.size };
  }

  async appended(after: Position, signal?: AbortSignal): Promise<Position> {
    this.#checkOpen();
    signal?.throwIfAborted();
    return this.#events.length > after ? this.#events.length : this.#waiters.wait(after, signal);
  }

  async receipt(key: string): Promise<Receipt | undefined> {
    this.#checkOpen();
    return liveReceipt(this.#receipts.get(key), this.#nextTime());
  }

  async releaseReceipts(which: { expiredAt: number } | { owner: string }, limit: number): Promise<number> {
    this.#checkOpen();
    return this.#turns.pass(() => this.#release(which, limit));
  }

  #release(which: { expiredAt: number } | { owner: string }, limit: number): number {
    const released = [...this.#receipts.values()]
      .filter((receipt) => ('owner' in which ? receipt.owner === which.owner : !isLive(receipt, which.expiredAt)))
      .slice(0, limit);
    for (const { key } of released) this.#receipts.delete(key);
    return released.length;
  }

  async *receipts(signal?: AbortSignal): AsyncGenerator<readonly Receipt[]> {
    this.#checkOpen();
    signal?.throwIfAborted();
    const kept = [...this.#receipts.values()];
    for (let start = 0; start < kept.length; start += defaultPageSize) {
      yield kept.slice(start, start + defaultPageSize);
      signal?.throwIfAborted();
    }
  }

  async import(events: readonly PortableEvent[], receipts: readonly Receipt[]): Promise<ImportResult> {
    this.#checkOpen();
    return this.#turns.pass(() => this.#import(events, receipts));
  }

  #import(events: readonly PortableEvent[], receipts: readonly Receipt[]): ImportResult {
    this.#checkOpen();
    const before = this.#events.length;
    try {
      for (const event of events) this.#importOne(event);
    } catch (error) {
      this.#removeAfter(before);
      throw error;
    }
    for (const receipt of receipts) {
      const kept = this.#receipts.get(receipt.key);
      if (kept === undefined || kept.recordedAt < receipt.recordedAt) this.#keep(receipt);
    }
    const imported = this.#events.length - before;
    this.#waiters.reached(this.#events.length);
    return { imported, skipped: events.length - imported };
  }

  #importOne(event: PortableEvent): void {
    const { stream, version, recordedAt } = event;
    const refuse = (reason: string) => new EngineError('import_refused', { stream, version, reason });
    const existing = this.#streams.get(stream)?.[version - 1];
    if (existing !== undefined) {
      if (areEqual(existing.id, event.id)) return;
      throw refuse('the store has another event there');
    }
    const next = this.#headOf(stream).version + 1;
    if (version !== next) throw refuse(`version ${next} is missing`);
    if (recordedAt < (this.#events.at(-1)?.recordedAt ?? 0))
      throw refuse('it is older than the last event of the store');
    this.#record(ownDraft(event), stream, version, recordedAt);
  }

  #removeAfter(position: Position): readonly Recorded[] {
    const removed = this.#events.splice(position);
    for (const { stream } of removed) {
      const events = this.#streams.get(stream);
      events?.pop();
      if (events?.length === 0) this.#streams.delete(stream);
    }
    return removed;
  }

  openState(clock: Clock): MemoryStateStore {
    this.#checkOpen();
    if (this.#state?.isClosed !== false) this.#state = new MemoryStateStore(clock);
    return this.#state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#waiters.close();
  }

  #headOf(stream: string): StreamHead {
    const last = this.#streams.get(stream)?.at(-1);
    const version = last?.version ?? 0;
    return { stream, version, deleted: last?.type === deletedType, hotCount: version };
  }

  /** Recorded time never runs backwards, whatever the clock does. */
  #nextTime(): number {
    return Math.max(readClock(this.#clock), this.#events.at(-1)?.recordedAt ?? 0);
  }

  #checkOpen(): void {
    if (this.#closed) throw new EngineError('store_closed', {});
  }
}

function liveReceipt(receipt: Receipt | undefined, now: number): Receipt | undefined {
  if (receipt === undefined || !isLive(receipt, now)) return undefined;
  const { commandDigest, outcome } = receipt;
  return { ...receipt, commandDigest: new Uint8Array(commandDigest), outcome: new Uint8Array(outcome) };
}
