import { eventId } from '../event/digests.ts';
import { sagaStepType } from '../event/event.ts';
import type { PortableEvent, Recorded } from '../event/event.ts';
import { Casts } from '../event/casts.ts';
import { EventEncoder } from '../event/codec.ts';
import type { EventSchemas, NewEvent, RecordedEvent, TypeRegistration } from '../event/codec.ts';
import { checkReceiptKey, checkStreamName } from '../event/names.ts';
import { copyOf } from '../event/recorded-draft.ts';
import { fromHex, toHex } from '../event/bytes.ts';
import { systemClock } from '../ground/clock.ts';
import { checkKeys, checkSignal } from '../ground/check-options.ts';
import type { Clock } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import { LimitWatch, resolveLimits } from '../ground/limits.ts';
import type { LimitWarning, Limits } from '../ground/limits.ts';
import { together } from '../ground/together.ts';
import { checkGuards, checkReceipts, checkWrites } from './append-request.ts';
import { GroupCommit } from './group-commit.ts';
import { jointly } from './inline.ts';
import type { InlineFold } from './inline.ts';
import { verifyRecorded } from './import.ts';
import type {
  AppendCondition,
  AppendRequest,
  AppendResult,
  Backend,
  Capabilities,
  EventStore,
  ExpectedVersion,
  ImportResult,
  Position,
  ReadQuery,
  Receipt,
  ReceiptDraft,
  Refusal,
  StoreHead,
  StreamCheck,
  StreamHead,
  StreamsQuery,
  StreamWrite,
} from './port.ts';
import type { StateStore } from './state-port.ts';
import { checkSubscribeQuery, follow } from './subscription.ts';
import type { SubscribeQuery } from './subscription.ts';
import { checkPageLimit, checkReadQuery, checkReleased, checkStreamNames, checkStreamsQuery } from './read-query.ts';

export interface LogOptions<Schemas extends EventSchemas> {
  /** Where: `memory()`, `sqlite(file)`. */
  readonly store: Backend;
  /** The event types that may be appended, each with its schema. Default: any type, any JSON. */
  readonly events?: Schemas;
  readonly limits?: Partial<Limits>;
  readonly clock?: Clock;
  /** Told once per subject when a limit is near or passed. Default: `console.warn`. */
  readonly onWarning?: (warning: LimitWarning) => void;
}

/** Events for one stream. */
export interface Write<Schemas extends EventSchemas> {
  readonly stream: string;
  /** Default `'any'`. */
  readonly expected?: ExpectedVersion;
  readonly events: readonly NewEvent<Schemas>[];
}

export interface AppendOptions {
  /** Expected states of streams that are not written. */
  readonly checks?: readonly StreamCheck[];
  readonly conditions?: readonly AppendCondition[];
  /** Makes the append answer its repetition: see `duplicate`. */
  readonly receipt?: ReceiptDraft;
  readonly signal?: AbortSignal;
}

/** Where an event went. */
export interface AppendedEvent {
  readonly stream: string;
  readonly version: number;
  readonly position: Position;
  /** Milliseconds since the epoch. */
  readonly recordedAt: number;
  /** The content address: 64 hexadecimal digits, computed when asked for. */
  readonly id: string;
}

export type LogAppendResult = { readonly kind: 'appended'; readonly events: readonly AppendedEvent[] } | Refusal;

/** A log that is open, whatever its events: made by `openLog`. */
export interface OpenLog extends AsyncDisposable {
  readonly limits: Limits;
  head(): Promise<StoreHead>;
  close(): Promise<void>;
}

/** Events that a subscription has come to. */
export interface EventBatch<Schemas extends EventSchemas = EventSchemas> {
  /** At least one. */
  readonly events: readonly RecordedEvent<Schemas>[];
  /** Everything up to here has been seen: what to go on `after`. */
  readonly position: Position;
}

const writeKeys = ['stream', 'expected', 'events'] satisfies (keyof Write<EventSchemas>)[];
const appendKeys = ['checks', 'conditions', 'receipt', 'signal'] satisfies (keyof AppendOptions)[];
/** Events in one import, which is one transaction. */
const importedMax = 10_000;

/** What a request comes to that did not fail. */
export type CommitResult = Exclude<AppendResult, { readonly kind: 'failed' }>;

/**
 * Opens a store of events.
 * @throws {EngineError} `option_invalid`, `name_invalid`, and what the backend says: `store_unavailable`,
 * `store_foreign`, `store_newer`, `store_corrupt`, `store_read_only`, `store_full`, `sqlite_too_old`.
 */
export async function openLog<Schemas extends EventSchemas = EventSchemas>(
  options: LogOptions<Schemas>,
): Promise<EventLog<Schemas>> {
  const { store: backend, events, clock = systemClock } = options;
  const warn = options.onWarning ?? (({ message }: LimitWarning) => console.warn(`eventsrc: ${message}`));
  const watch = new LimitWatch(resolveLimits(options.limits), warn);
  const encoder = new EventEncoder(events, watch);
  const backendOptions = { clock, limits: watch.limits };
  const store = await backend.openEvents(backendOptions);
  try {
    const { streamCount } = await store.head();
    const openState = async () => backend.openState?.(store, backendOptions);
    const log = new EventLog<Schemas>(store, encoder, watch, { streamCount, openState });
    log.casts.declare({ name: '', events: events ?? {} });
    return log;
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/** An append-only log of events in streams, with one order over all of them. */
export class EventLog<Schemas extends EventSchemas = EventSchemas> implements OpenLog {
  /** @internal How what is stored is read: engines declare their events here. */
  readonly casts: Casts = new Casts();
  readonly #store: EventStore;
  readonly #encoder: EventEncoder;
  readonly #watch: LimitWatch;
  readonly #commits: GroupCommit;
  /** As far as this process knows: other processes' new streams are seen when the log is opened. */
  #streamCount: number;
  readonly #openState: () => Promise<StateStore | undefined>;
  #state: Promise<StateStore | undefined> | undefined;
  /** What is folded inline, with the names of what each folds. */
  readonly #folds = new Map<InlineFold, readonly string[]>();
  #closing: Promise<void> | undefined;

  /** @internal Use `openLog`. */
  constructor(
    store: EventStore,
    encoder: EventEncoder,
    watch: LimitWatch,
    { streamCount, openState }: { streamCount: number; openState: () => Promise<StateStore | undefined> },
  ) {
    this.#store = store;
    this.#encoder = encoder;
    this.#watch = watch;
    this.#commits = new GroupCommit(store, watch.limits.pendingAppends);
    this.#streamCount = streamCount;
    this.#openState = openState;
  }

  /**
   * Appends to one or several streams, all or nothing; when it resolves with `appended` the events are durable.
   * Concurrent appends are committed in the order of their calls, unless a schema is asynchronous.
   * Data must not be changed while an asynchronous schema looks at them; all else may be.
   * Aborting takes back an append that has not been sent; one that has been sent may be committed all the same.
   * @throws {EngineError} `event_invalid`, `event_type_unknown`, `data_unfaithful`, `name_invalid`, `limit_exceeded`,
   * `option_invalid`, `request_invalid`: nothing was written. `append_aborted`, `store_failed`: `details.outcome` says whether it may have been.
   * `append_queue_full`, `store_full`, `store_locked`, `store_closed`: nothing was written.
   */
  async append(writes: readonly Write<Schemas>[], options: AppendOptions = {}): Promise<LogAppendResult> {
    checkKeys('the options of an append', options, appendKeys);
    const { checks = [], conditions = [], receipt, signal } = options;
    checkSignal(signal);
    const guards = checkGuards({ checks, conditions, receipts: receipt === undefined ? [] : [receipt] });
    if (!Array.isArray(writes)) throw new EngineError('request_invalid', { reason: 'The writes are no list' });
    if (writes.length === 0 && receipt === undefined)
      throw new EngineError('request_invalid', { reason: 'An append needs events or a receipt' });
    const encoded = together(writes, (write) => this.#encode(write));
    // Not awaited without need: appends keep the order in which they were called.
    const request = { writes: checkWrites(encoded instanceof Promise ? await encoded : encoded), ...guards };
    const result = await this.commit(request, signal);
    return result.kind === 'appended' ? { kind: 'appended', events: appendedEvents(request, result) } : result;
  }

  /** @internal As `append`, for a request that is known to be valid. */
  async commit(request: AppendRequest, signal?: AbortSignal): Promise<CommitResult> {
    const eventCount = request.writes.reduce((count, { events }) => count + events.length, 0);
    this.#watch.refuseAbove('eventsPerAppend', eventCount, 'an append');
    const result = await this.#commits.submit(request, signal);
    if (result.kind === 'failed') throw result.error;
    if (result.kind === 'appended') this.#warnOfGrowth(request, result.versions);
    return result;
  }

  /**
   * @internal From now on what is appended is folded in its own transaction, and what the fold says is committed with it.
   * @param names of what it folds, each of which only one fold of this log may.
   * @returns what ends it.
   * @throws {EngineError} `request_invalid` where the store cannot do that, or another fold of this log does.
   */
  foldInline(fold: InlineFold, names: readonly string[] = []): () => void {
    if (!this.#store.capabilities.sharedTransaction)
      throw new EngineError('request_invalid', {
        reason: 'This store takes no documents into the transaction of an append',
      });
    const taken = [...this.#folds.values()].flat().find((name) => names.includes(name));
    if (taken !== undefined)
      throw new EngineError('request_invalid', { reason: `Another engine on this log folds ${taken} inline already` });
    this.#folds.set(fold, names);
    this.#refold();
    return () => {
      this.#folds.delete(fold);
      this.#refold();
    };
  }

  #refold(): void {
    const folds = [...this.#folds.keys()];
    this.#commits.fold = folds.length > 1 ? jointly(folds) : folds[0];
  }

  /** @internal So many of the streams that were there when it was opened are the engine's own. */
  discountStreams(count: number): void {
    this.#streamCount = Math.max(0, this.#streamCount - count);
  }

  /** @internal What the store can do. */
  get capabilities(): Capabilities {
    return this.#store.capabilities;
  }

  /** @internal Encodes by schemas of its own (without any, whatever is given), under the log's limits. */
  encoderOf(events?: EventSchemas, registration?: TypeRegistration): EventEncoder {
    return new EventEncoder(events, this.#watch, registration);
  }

  /** The limits that apply. */
  get limits(): Limits {
    return this.#watch.limits;
  }

  #encode(write: Write<Schemas>): StreamWrite | Promise<StreamWrite> {
    checkKeys('a write', write, writeKeys);
    const { stream, expected = 'any', events } = write;
    checkStreamName(stream);
    const drafts = together(events, (event) => this.#encoder.encode(event));
    if (drafts instanceof Promise) return drafts.then((settled) => ({ stream, expected, events: settled }));
    return { stream, expected, events: drafts };
  }

  #warnOfGrowth({ writes }: AppendRequest, versions: readonly number[]): void {
    for (const [index, { stream, events }] of writes.entries()) {
      const first = versions[index] as number;
      // The limit is on streams of the user's own.
      if (first === 1 && events[0]?.type !== sagaStepType)
        this.#watch.warnNear('streams', ++this.#streamCount, 'the store');
      this.#watch.warnNear('eventsPerStream', first + events.length - 1, stream);
    }
  }

  /**
   * Pages of events in position order (`backwards`: the newest first), as of the moment the first page is asked for; each as the newest
   * version of its type that this process knows.
   * @throws {EngineError} `option_invalid`, `name_invalid`, `store_corrupt`, `store_closed`, `cast_failed`; the signal's reason, when aborted.
   */
  async *read(query: ReadQuery = {}, signal?: AbortSignal): AsyncGenerator<readonly RecordedEvent<Schemas>[]> {
    const checked = checkReadQuery(query);
    checkSignal(signal);
    for await (const page of this.#store.read(checked, signal)) yield this.#decoded(page);
  }

  /** The one boundary where what is read is taken to have the types that were declared for it. */
  #decoded(page: readonly Recorded[]): readonly RecordedEvent<Schemas>[] {
    return this.casts.readAll(page) as readonly RecordedEvent[] as readonly RecordedEvent<Schemas>[];
  }

  /** As `read`, but with the stored bytes and digests instead of decoded data: what `import` takes. */
  async *readRecorded(query: ReadQuery = {}, signal?: AbortSignal): AsyncGenerator<readonly Recorded[]> {
    const checked = checkReadQuery(query);
    checkSignal(signal);
    for await (const page of this.#store.read(checked, signal)) yield page.map(copyOf);
  }

  /**
   * Batches of events in the order of positions, without end: first all that is there, then what is appended, whichever process did. To go on
   * later, begin `after` the position of the last batch that was dealt with. Nothing is read ahead of who asks for the next batch.
   * @throws {EngineError} as `read`; the signal's reason, when aborted.
   */
  async *subscribe(query: SubscribeQuery = {}, signal?: AbortSignal): AsyncGenerator<EventBatch<Schemas>> {
    const checked = checkSubscribeQuery(query);
    checkSignal(signal);
    for await (const { events, position } of follow(this.#store, checked, signal))
      yield { events: this.#decoded(events), position };
  }

  /** @internal As `readRecorded`, of a query that is known to be valid, and not to be changed. */
  recorded(query: ReadQuery, signal?: AbortSignal): AsyncIterable<readonly Recorded[]> {
    return this.#store.read(query, signal);
  }

  /** @internal The documents beside the events, opened when first asked for, and closed with the log. Undefined: this backend has none. */
  state(): Promise<StateStore | undefined> {
    if (this.#closing !== undefined) return Promise.reject(new EngineError('store_closed', {}));
    return (this.#state ??= this.#openState());
  }

  /** The event with this id, 64 hexadecimal digits; of several that it is read as, the first. */
  async find(id: string): Promise<RecordedEvent<Schemas> | undefined> {
    const bytes = fromHex(id, 32);
    if (bytes === undefined)
      throw new EngineError('name_invalid', { what: 'event id', name: id, reason: 'it is not 64 hexadecimal digits' });
    const recorded = await this.#store.find(bytes);
    return recorded && this.#decoded([recorded])[0];
  }

  /** The state of each of these streams, at most 100,000; version 0 for those that never existed. */
  async heads(streams: readonly string[]): Promise<readonly StreamHead[]> {
    return this.#store.heads(checkStreamNames(streams));
  }

  /** A page of streams in the order of their names' code points; `limit` is at most 100,000. */
  async streams(query: StreamsQuery): Promise<readonly StreamHead[]> {
    return this.#store.streams(checkStreamsQuery(query));
  }

  /** @internal The types that events were recorded as; undefined where the store cannot say. */
  types(): Promise<readonly string[] | undefined> {
    return this.#store.types?.() ?? Promise.resolve(undefined);
  }

  head(): Promise<StoreHead> {
    return this.#store.head();
  }

  /** Resolves with the store's position as soon as it is past `after`, whichever process appended. */
  async appended(after: Position, signal?: AbortSignal): Promise<Position> {
    checkReadQuery({ after });
    checkSignal(signal);
    return this.#store.appended(after, signal);
  }

  /** The live receipt with this key. */
  async receipt(key: string): Promise<Receipt | undefined> {
    return this.#store.receipt(checkReceiptKey(key));
  }

  /**
   * Pages of the receipts that are kept, live or not, in the order in which they were made, as of the moment the first
   * page is asked for. Of several with one key, the last counts.
   * @throws {EngineError} `store_corrupt`, `store_closed`; the signal's reason, when aborted.
   */
  async *receipts(signal?: AbortSignal): AsyncGenerator<readonly Receipt[]> {
    yield* this.#store.receipts(signal);
  }

  /** Removes receipts, at most `limit` of them: those expired at a time (ms since the epoch), or an owner's. */
  async releaseReceipts(
    which: { readonly expiredAt: number } | { readonly owner: string },
    limit: number,
  ): Promise<number> {
    checkPageLimit(limit);
    return this.#store.releaseReceipts(checkReleased(which), limit);
  }

  /**
   * Takes over events recorded elsewhere, and receipts, all or none. Events that are there already are skipped. They
   * keep version, time and id (positions are given anew), and are verified against their digests; receipts are taken as
   * they are, but for those of whose key the store has one of the same time or later. At most 10,000 of each at a time;
   * the limits on sizes do not apply to what has happened.
   * @throws {EngineError} `import_refused`, `request_invalid`
   */
  async import(events: readonly PortableEvent[], receipts: readonly Receipt[] = []): Promise<ImportResult> {
    for (const list of [events, receipts]) {
      if (!Array.isArray(list) || list.length > importedMax)
        throw new EngineError('request_invalid', { reason: `An import is a list of at most ${importedMax} events` });
    }
    for (const event of events) verifyRecorded(event);
    return this.#store.import(events, checkReceipts(receipts));
  }

  /** Waits for the appends that were accepted, then closes. Later calls fail with `store_closed`. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#commits.close();
    // One that could not be opened need not be closed.
    const state = await this.#state?.catch(() => undefined);
    await state?.[Symbol.asyncDispose]();
    await this.#store[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function appendedEvents(
  { writes }: AppendRequest,
  result: AppendResult & { kind: 'appended' },
): readonly AppendedEvent[] {
  const { recordedAt } = result;
  let { position } = result;
  return writes.flatMap(({ stream, events }, index) => {
    const first = result.versions[index] as number;
    return events.map(
      ({ bodyDigest }, offset) => new Appended({ stream, version: first + offset, recordedAt, bodyDigest }, position++),
    );
  });
}

/** An event's place; its `id` is hashed when asked for. */
class Appended implements AppendedEvent {
  readonly stream: string;
  readonly version: number;
  readonly position: Position;
  readonly recordedAt: number;
  readonly #bodyDigest: Uint8Array;

  constructor({ stream, version, recordedAt, bodyDigest }: Parameters<typeof eventId>[0], position: Position) {
    this.stream = stream;
    this.version = version;
    this.position = position;
    this.recordedAt = recordedAt;
    this.#bodyDigest = bodyDigest;
  }

  get id(): string {
    return toHex(eventId({ ...this, bodyDigest: this.#bodyDigest }));
  }
}
