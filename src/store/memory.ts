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
  Position,
  ReadQuery,
  Receipt,
  StoreHead,
  StreamHead,
  StreamsQuery,
} from './port.ts';
import { defaultPageSize } from './read-query.ts';
import { Waiters } from './waiters.ts';

/**
 * A store in this process's memory, for tests and for learning how a store works: the same guarantees as the
 * others, but for durability. Each opening makes a new, empty one.
 */
export function memory(): Backend {
  return {
    name: 'memory',
    openEvents: async (options) => new MemoryEventStore(options),
    openState: async (_events, { clock }) => new MemoryStateStore(clock),
  };
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
  #closed = false;

  constructor({ clock, limits }: BackendOptions) {
    this.#clock = clock;
    this.#eventsPerStreamMax = limits.eventsPerStream;
  }

  async append(group: readonly AppendRequest[]): Promise<readonly AppendResult[]> {
    this.#checkOpen();
    const recordedAt = this.#nextTime();
    const results = group.map((request) => this.#appendOne(request, recordedAt));
    this.#waiters.reached(this.#events.length);
    return results;
  }

  #appendOne(request: AppendRequest, recordedAt: number): AppendResult {
    const view = this.#view(recordedAt);
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
      this.#keep({ ...receipt, recordedAt, position: position > before ? position : undefined });
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
    const event: Recorded = { ...draft, ...identity, position: this.#events.length + 1, id: eventId(identity) };
    this.#events.push(event);
    const events = this.#streams.get(stream);
    if (events === undefined) this.#streams.set(stream, [event]);
    else events.push(event);
  }

  #view(now: number): AppendView {
    return {
      receipt: (key) => this.#liveReceipt(key, now),
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
    return this.#liveReceipt(key, this.#nextTime());
  }

  async releaseReceipts(which: { expiredAt: number } | { owner: string }, limit: number): Promise<number> {
    this.#checkOpen();
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

  #removeAfter(position: Position): void {
    for (const { stream } of this.#events.splice(position)) {
      const events = this.#streams.get(stream);
      events?.pop();
      if (events?.length === 0) this.#streams.delete(stream);
    }
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

  #liveReceipt(key: string, now: number): Receipt | undefined {
    const receipt = this.#receipts.get(key);
    if (receipt === undefined || !isLive(receipt, now)) return undefined;
    const { commandDigest, outcome } = receipt;
    return { ...receipt, commandDigest: new Uint8Array(commandDigest), outcome: new Uint8Array(outcome) };
  }

  /** Recorded time never runs backwards, whatever the clock does. */
  #nextTime(): number {
    return Math.max(readClock(this.#clock), this.#events.at(-1)?.recordedAt ?? 0);
  }

  #checkOpen(): void {
    if (this.#closed) throw new EngineError('store_closed', {});
  }
}
