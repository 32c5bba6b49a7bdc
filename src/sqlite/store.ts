import { setImmediate } from 'node:timers/promises';
import type { PortableEvent, Recorded } from '../event/event.ts';
import { matches } from '../event/query.ts';
import { readClock } from '../ground/clock.ts';
import type { Clock } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import { isLive } from '../store/admission.ts';
import type {
  AppendRequest,
  AppendResult,
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
} from '../store/port.ts';
import { defaultPageSize } from '../store/read-query.ts';
import { checkReadOnly } from './connection.ts';
import type { FileOptions } from './connection.ts';
import { GrowthWatch } from './growth-watch.ts';
import { isBusy, toEngineError } from './failures.ts';
import { realPath } from './file-identity.ts';
import { packEvents, transferables } from './packed-events.ts';
import { packGroup } from './packed-group.ts';
import type { PackedGroup } from './packed-group.ts';
import { Reader } from './reader.ts';
import type { SearchCall } from './search-thread.ts';
import { SqliteStateStore } from './state-store.ts';
import type { PackedCommit } from './state-writer.ts';
import { fromWire, ThreadLink } from './thread-link.ts';
import type { ImportCall, WriterOptions } from './writer.ts';
import type { FinishCall, WiredResult, WiredStaging } from './writer-thread.ts';

/** A query with every bound in place. */
interface ResolvedQuery {
  readonly query: ReadQuery;
  readonly after: Position;
  readonly until: Position;
  readonly pageSize: number;
}

/** The port on one SQLite file: writes and searches in threads of their own, lookups and pages here. */
export class SqliteEventStore implements EventStore {
  readonly capabilities: Capabilities = {
    sharedTransaction: true,
    gapless: true,
    conditions: 'matched',
    multiStream: true,
    appendMax: 2_000,
    groupsInFlight: 2,
  };
  readonly #file: string;
  readonly #options: FileOptions;
  readonly #clock: Clock;
  /** Absent where the file is only read. */
  readonly #writer: ThreadLink | undefined;
  readonly #reader: Reader;
  readonly #growth: GrowthWatch;
  /** Started by the first search. */
  #searcher: ThreadLink | undefined;
  /** Opened last. */
  #state: SqliteStateStore | undefined;
  #closing: Promise<void> | undefined;

  static async open(
    { readOnly, ...given }: FileOptions & { readonly readOnly: boolean },
    { clock, limits }: BackendOptions,
  ): Promise<SqliteEventStore> {
    const options = { ...given, file: realPath(given.file) };
    const { file } = options;
    if (readOnly) {
      checkReadOnly(file);
      return new SqliteEventStore(options, clock, undefined);
    }
    const writerOptions: WriterOptions = { ...options, eventsPerStreamMax: limits.eventsPerStream };
    const writer = new ThreadLink('writer-thread', file, writerOptions);
    try {
      await writer.call('open', undefined);
      return new SqliteEventStore(options, clock, writer);
    } catch (error) {
      await writer.end();
      throw toEngineError(error, file);
    }
  }

  private constructor(options: FileOptions, clock: Clock, writer: ThreadLink | undefined) {
    const { file } = options;
    this.#options = options;
    this.#file = file;
    this.#clock = clock;
    this.#writer = writer;
    this.#reader = Reader.open(file);
    this.#growth = new GrowthWatch(this.#reader, file);
  }

  async append(group: readonly AppendRequest[], inline?: Inline): Promise<readonly AppendResult[]> {
    this.#checkOpen();
    const packed = packGroup(group, readClock(this.#clock));
    if (inline !== undefined) return this.#appendInline(packed, inline);
    const results = await this.#writing.call<readonly WiredResult[]>('append', packed, transferables(packed.events));
    this.#growth.notice();
    return results.map(unwired);
  }

  /** The thread keeps the transaction open, and everything else waiting, until it is told how this ends. */
  async #appendInline(packed: PackedGroup, inline: Inline): Promise<readonly AppendResult[]> {
    const staged = await this.#writing.call<WiredStaging>('stage', packed, transferables(packed.events));
    const results = staged.results.map(unwired);
    const { staging } = staged;
    if (staging === undefined) return results;
    const state = this.#state;
    let change: PackedCommit | undefined;
    try {
      const given = await inline(results);
      if (given !== undefined && state === undefined)
        throw new EngineError('request_invalid', { reason: 'No state store is open' });
      change = given && (await state?.pack(given));
      await this.#writing.call('finish', { staging, change } satisfies FinishCall);
    } catch (error) {
      // If it has not ended by that very error.
      await this.#writing.call('abandon', staging).catch(() => undefined);
      throw error;
    }
    if (change !== undefined) state?.committed(change);
    this.#growth.notice();
    return results;
  }

  async *read(query: ReadQuery, signal?: AbortSignal): AsyncGenerator<readonly Recorded[]> {
    this.#checkOpen();
    signal?.throwIfAborted();
    if (query.limit === 0) return;
    const resolved = await this.#patiently(() => this.#resolve(query));
    let remaining = query.limit ?? Infinity;
    for await (const page of this.#pages(resolved)) {
      const cut = page.length > remaining ? page.slice(0, remaining) : page;
      remaining -= cut.length;
      if (cut.length > 0) yield cut;
      if (remaining <= 0) return;
      signal?.throwIfAborted();
      // Reading is synchronous: between two pages everything else gets its turn.
      await setImmediate();
      signal?.throwIfAborted();
      this.#checkOpen();
    }
  }

  #resolve(query: ReadQuery): ResolvedQuery {
    const { after = 0, until = Infinity, recordedFrom, recordedUntil, pageSize = defaultPageSize } = query;
    const { position: head } = this.#reader.head();
    const bounds = [until, head];
    if (recordedUntil !== undefined) bounds.push(this.#reader.lastBefore(Math.floor(recordedUntil) + 1, head));
    return {
      query,
      after:
        recordedFrom === undefined ? after : Math.max(after, this.#reader.lastBefore(Math.ceil(recordedFrom), head)),
      until: Math.min(...bounds),
      pageSize: Math.min(pageSize, query.limit ?? Infinity),
    };
  }

  #pages(resolved: ResolvedQuery): AsyncGenerator<readonly Recorded[]> {
    if (resolved.query.stream !== undefined) return this.#streamPages(resolved, resolved.query.stream);
    return resolved.query.match === undefined ? this.#allPages(resolved) : this.#matchingPages(resolved);
  }

  async *#allPages({ query, after, until, pageSize }: ResolvedQuery): AsyncGenerator<readonly Recorded[]> {
    const backwards = query.backwards === true;
    let [low, high] = [after, until];
    while (low < high) {
      const bounds = { after: low, until: high, backwards, limit: pageSize };
      const page = await this.#patiently(() => this.#reader.page(bounds));
      [low, high] = rest(page, low, high, backwards);
      yield page;
    }
  }

  async *#matchingPages({ query, after, until, pageSize }: ResolvedQuery): AsyncGenerator<readonly Recorded[]> {
    const { match = [], backwards = false } = query;
    let [low, high] = [after, until];
    while (low < high) {
      const call: SearchCall = { query: match, range: { after: low, until: high, backwards, limit: pageSize } };
      const positions = await this.#search<readonly number[]>('search', call);
      if (positions.length === 0) return;
      const page = await this.#patiently(() => this.#reader.pageAt(positions));
      const stray = page.find((event) => !matches(match, event));
      if (stray !== undefined) {
        throw new EngineError('store_corrupt', {
          file: this.#file,
          where: `an index leads to position ${stray.position} wrongly`,
        });
      }
      [low, high] = rest(page, low, high, backwards);
      yield page;
      if (positions.length < pageSize && page.length === positions.length) return;
    }
  }

  async *#streamPages(
    { query, after, until, pageSize }: ResolvedQuery,
    stream: string,
  ): AsyncGenerator<readonly Recorded[]> {
    const { match, backwards = false, afterVersion = 0, untilVersion = Infinity } = query;
    let [low, high] = [after, until];
    if (afterVersion > 0 || untilVersion < Infinity) {
      const bounds = { after, until, afterVersion, untilVersion };
      [low, high] = await this.#patiently(() => this.#reader.streamPositions(stream, bounds));
    }
    const limit = match === undefined ? pageSize : defaultPageSize;
    while (low < high) {
      const left = { after: low, until: high, backwards, limit };
      const { page, isLast } = await this.#patiently(() => this.#reader.streamPage(stream, left));
      if (page.length > 0) yield match === undefined ? page : page.filter((event) => matches(match, event));
      if (isLast) return;
      [low, high] = rest(page, low, high, backwards);
    }
  }

  async find(id: Uint8Array): Promise<Recorded | undefined> {
    this.#checkOpen();
    const position = await this.#search<number | undefined>('find', id);
    return position === undefined ? undefined : this.#patiently(() => this.#reader.at(position));
  }

  async heads(streams: readonly string[]): Promise<readonly StreamHead[]> {
    this.#checkOpen();
    const heads: StreamHead[] = [];
    for (let start = 0; start < streams.length; start += headsPerSlice) {
      if (start > 0) await setImmediate();
      const slice = streams.slice(start, start + headsPerSlice);
      heads.push(...(await this.#patiently(() => this.#reader.streamHeads(slice))));
    }
    return heads;
  }

  async types(): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#patiently(() => this.#reader.eventTypes());
  }

  async streams(query: StreamsQuery): Promise<readonly StreamHead[]> {
    this.#checkOpen();
    return this.heads(await this.#patiently(() => this.#reader.streamNames(query)));
  }

  async head(): Promise<StoreHead> {
    this.#checkOpen();
    const { position, recordedAt, streams } = await this.#patiently(() => this.#reader.head());
    return { position, recordedAt, streamCount: streams };
  }

  async appended(after: Position, signal?: AbortSignal): Promise<Position> {
    this.#checkOpen();
    return this.#growth.past(after, signal);
  }

  async receipt(key: string): Promise<Receipt | undefined> {
    this.#checkOpen();
    const now = readClock(this.#clock);
    return this.#writer === undefined ? this.#searchReceipt(key, now) : this.#writer.call('receipt', { key, now });
  }

  async *receipts(signal?: AbortSignal): AsyncGenerator<readonly Receipt[]> {
    this.#checkOpen();
    signal?.throwIfAborted();
    const { receipts: until } = await this.#patiently(() => this.#reader.head());
    for (let after = 0; after < until;) {
      const { last, receipts } = await this.#patiently(() => this.#reader.receipts(after, until, defaultPageSize));
      if (receipts.length === 0) return;
      after = last;
      yield receipts;
      signal?.throwIfAborted();
      await setImmediate();
      this.#checkOpen();
    }
  }

  async releaseReceipts(
    which: { readonly expiredAt: number } | { readonly owner: string },
    limit: number,
  ): Promise<number> {
    this.#checkOpen();
    return this.#writing.call('releaseReceipts', { which, limit });
  }

  async import(recorded: readonly PortableEvent[], receipts: readonly Receipt[]): Promise<ImportResult> {
    this.#checkOpen();
    const packed = packEvents(recorded);
    const events = {
      events: packed,
      streams: recorded.map(({ stream }) => stream),
      versions: recorded.map(({ version }) => version),
      recordedAts: recorded.map(({ recordedAt }) => recordedAt),
    };
    const call: ImportCall = { events, receipts };
    const result = await this.#writing.call<ImportResult>('import', call, transferables(packed));
    this.#growth.notice();
    return result;
  }

  /** Documents in the same file, written by the same thread. */
  openState(clock: Clock): SqliteStateStore {
    this.#checkOpen();
    this.#state = new SqliteStateStore(this.#file, clock, (call) => this.#writing.call('state', call));
    return this.#state;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  /** The threads answer first what they were asked. */
  async #close(): Promise<void> {
    this.#growth.close();
    await this.#searcher?.end();
    this.#reader.close();
    await this.#writer?.end();
  }

  /** Keys are indexed in the writer's memory only. */
  async #searchReceipt(key: string, now: number): Promise<Receipt | undefined> {
    let last: Receipt | undefined;
    for await (const page of this.receipts()) last = page.findLast((receipt) => receipt.key === key) ?? last;
    return last !== undefined && isLive(last, now) ? last : undefined;
  }

  /** @throws {EngineError} `store_read_only` */
  get #writing(): ThreadLink {
    if (this.#writer === undefined) throw new EngineError('store_read_only', { file: this.#file });
    return this.#writer;
  }

  async #search<Result>(kind: 'search' | 'find', argument: unknown): Promise<Result> {
    this.#checkOpen();
    if (this.#searcher?.hasEnded !== false) this.#searcher = new ThreadLink('search-thread', this.#file, this.#options);
    return this.#searcher.call(kind, argument);
  }

  /** Reads; where another process is recovering the log at this moment, again a little later. */
  async #patiently<Result>(read: () => Result): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return read();
      } catch (error) {
        // A reader that was closed meanwhile says so in its own words.
        this.#checkOpen();
        if (!isBusy(error) || attempt === busyAttemptsMax) throw toEngineError(error, this.#file);
        await setImmediate();
      }
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new EngineError('store_closed', {});
  }
}

function unwired(result: WiredResult): AppendResult {
  return result.kind === 'failed' ? { kind: 'failed', error: fromWire(result.error) } : result;
}

/** Looked up before everything else gets its turn: some milliseconds. */
const headsPerSlice = 128;
/** Each attempt waits a second by itself. */
const busyAttemptsMax = 30;

/** What is left to read after a page. */
function rest(page: readonly Recorded[], low: number, high: number, backwards: boolean): [low: number, high: number] {
  const last = page.at(-1)?.position as number;
  return backwards ? [low, last - 1] : [last, high];
}
