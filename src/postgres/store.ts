import type { QueryResult } from 'pg';
import type { PortableEvent, Recorded } from '../event/event.ts';
import { readClock } from '../ground/clock.ts';
import type { Clock } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
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
import { AppendCall } from './append-call.ts';
import { Connections } from './connections.ts';
import { loadDriver } from './driver.ts';
import { toEngineError } from './failures.ts';
import { ImportCall } from './import-call.ts';
import { prepareSchema } from './migrations.ts';
import type { ResolvedOptions } from './options.ts';
import { Reader } from './reader.ts';
import { appendStaged, wouldRefuse } from './staging.ts';
import { PostgresStateStore } from './state-store.ts';
import { WakeUp } from './wake-up.ts';

/** The port on a schema of a PostgreSQL database: what is judged and written, is so by functions there (migrations/). */
export class PostgresEventStore implements EventStore {
  readonly capabilities: Capabilities = {
    sharedTransaction: true,
    gapless: true,
    conditions: 'matched',
    multiStream: true,
    appendMax: 1_000,
    groupsInFlight: 1,
  };
  readonly #options: ResolvedOptions;
  readonly #clock: Clock;
  readonly #eventsPerStreamMax: number;
  /** A single connection, so that groups are committed in the order of their calls, and never wait for readers. */
  readonly #writing: Connections;
  readonly #reading: Connections;
  readonly #reader: Reader;
  readonly #wakeUp: WakeUp;
  /** Opened last. */
  #state: PostgresStateStore | undefined;
  #closing: Promise<void> | undefined;

  static async open(options: ResolvedOptions, given: BackendOptions): Promise<PostgresEventStore> {
    const driver = await loadDriver();
    const writing = new Connections(driver, options, 1);
    const reading = new Connections(driver, options, options.connection.max ?? 10);
    try {
      await prepareSchema(writing, options);
    } catch (error) {
      await Promise.all([writing.close(), reading.close()]);
      throw error;
    }
    const reader = new Reader(reading, options.schema, options.name);
    const wakeUp = new WakeUp(driver, options, reading, reader);
    return new PostgresEventStore(options, given, { writing, reading, reader, wakeUp });
  }

  private constructor(
    options: ResolvedOptions,
    { clock, limits }: BackendOptions,
    parts: { writing: Connections; reading: Connections; reader: Reader; wakeUp: WakeUp },
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#eventsPerStreamMax = limits.eventsPerStream;
    this.#writing = parts.writing;
    this.#reading = parts.reading;
    this.#reader = parts.reader;
    this.#wakeUp = parts.wakeUp;
  }

  async append(group: readonly AppendRequest[], inline?: Inline): Promise<readonly AppendResult[]> {
    this.#checkOpen();
    if (inline !== undefined) return this.#appendInline(group, inline);
    const call = this.#appendCall(group);
    try {
      const results = call.results(await this.#call(call.sql));
      this.#tell(results);
      return results;
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'store_failed') throw error;
      // The server refuses something of it, which is no reason to fail the rest.
      const [request] = group;
      if (group.length === 1 && request !== undefined) return [{ kind: 'failed', error }];
      const middle = Math.ceil(group.length / 2);
      return [...(await this.append(group.slice(0, middle))), ...(await this.append(group.slice(middle)))];
    }
  }

  async #appendInline(group: readonly AppendRequest[], inline: Inline): Promise<readonly AppendResult[]> {
    const call = this.#appendCall(group);
    const state = this.#state;
    const ended = await this.#writing.patiently((client) =>
      appendStaged(client, call, async (results) => {
        const change = await inline(results);
        if (change !== undefined && state === undefined)
          throw new EngineError('request_invalid', { reason: 'No state store is open' });
        return change && state?.change(change);
      }),
    );
    switch (ended.kind) {
      case 'committed':
        if (ended.change !== undefined) state?.committed(ended.change);
        this.#tell(ended.results);
        return ended.results;
      case 'given_up':
        throw ended.error;
      case 'refused':
        return this.#appendWithoutRefused(group, inline, toEngineError(ended.error, this.#options.name));
      default:
        return ended satisfies never;
    }
  }

  /** What the server refuses is no reason to fail the rest; `inline` sees the whole group all the same. */
  async #appendWithoutRefused(
    group: readonly AppendRequest[],
    inline: Inline,
    error: EngineError,
  ): Promise<readonly AppendResult[]> {
    if (error.code !== 'store_failed') throw error;
    const index = await this.#firstRefused(group);
    const whole = (results: readonly AppendResult[]) => results.toSpliced(index, 0, { kind: 'failed', error });
    if (group.length === 1) return whole([]);
    return whole(await this.#appendInline(group.toSpliced(index, 1), (results) => inline(whole(results))));
  }

  /** The last of the shortest beginning of the group that the server refuses, found by staging beginnings of it. */
  async #firstRefused(group: readonly AppendRequest[]): Promise<number> {
    let [low, high] = [0, group.length - 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const call = this.#appendCall(group.slice(0, middle + 1));
      const isRefused = await this.#writing.patiently((client) => wouldRefuse(client, call));
      if (isRefused) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #appendCall(group: readonly AppendRequest[]): AppendCall {
    return new AppendCall(this.#options.schema, group, readClock(this.#clock), this.#eventsPerStreamMax);
  }

  /** Those who wait for events, of those that were appended. */
  #tell(results: readonly AppendResult[]): void {
    const last = results.findLast((result) => result.kind === 'appended' && result.position > 0);
    if (last?.kind === 'appended') this.#wakeUp.appended(last.position);
  }

  async #call<Answer>(sql: string): Promise<Answer> {
    return this.#writing.patiently(async (client) => {
      // Of three statements the second answers.
      const results = (await client.query(sql)) as unknown as [unknown, QueryResult<{ answer: Answer }>];
      return (results[1].rows[0] as { answer: Answer }).answer;
    });
  }

  async *read(query: ReadQuery, signal?: AbortSignal): AsyncGenerator<readonly Recorded[]> {
    this.#checkOpen();
    signal?.throwIfAborted();
    for await (const page of this.#reader.pages(query)) {
      signal?.throwIfAborted();
      yield page;
      signal?.throwIfAborted();
      this.#checkOpen();
    }
  }

  async find(id: Uint8Array): Promise<Recorded | undefined> {
    this.#checkOpen();
    return this.#reader.find(id);
  }

  async heads(streams: readonly string[]): Promise<readonly StreamHead[]> {
    this.#checkOpen();
    return this.#reader.heads(streams);
  }

  async types(): Promise<readonly string[]> {
    this.#checkOpen();
    return this.#reader.types();
  }

  async streams(query: StreamsQuery): Promise<readonly StreamHead[]> {
    this.#checkOpen();
    return this.#reader.streams(query);
  }

  async head(): Promise<StoreHead> {
    this.#checkOpen();
    return this.#reader.head();
  }

  async appended(after: Position, signal?: AbortSignal): Promise<Position> {
    this.#checkOpen();
    return this.#wakeUp.past(after, signal);
  }

  async receipt(key: string): Promise<Receipt | undefined> {
    this.#checkOpen();
    return this.#reader.receipt(key, readClock(this.#clock));
  }

  async *receipts(signal?: AbortSignal): AsyncGenerator<readonly Receipt[]> {
    this.#checkOpen();
    signal?.throwIfAborted();
    for await (const page of this.#reader.receipts()) {
      yield page;
      signal?.throwIfAborted();
      this.#checkOpen();
    }
  }

  async releaseReceipts(
    which: { readonly expiredAt: number } | { readonly owner: string },
    limit: number,
  ): Promise<number> {
    this.#checkOpen();
    const [expiredAt, owner] = 'owner' in which ? [null, which.owner] : [finite(which.expiredAt), null];
    const [row] = await this.#writing.query<[string]>(`select "${this.#options.schema}".release_receipts($1, $2, $3)`, [
      expiredAt,
      owner,
      limit,
    ]);
    return Number(row?.[0]);
  }

  async import(events: readonly PortableEvent[], receipts: readonly Receipt[]): Promise<ImportResult> {
    this.#checkOpen();
    const call = new ImportCall(this.#options.schema, events, receipts);
    const result = call.result(await this.#call(call.sql));
    if (result.imported > 0) this.#wakeUp.appended((await this.head()).position);
    return result;
  }

  /** Documents in the same schema. */
  openState(): PostgresStateStore {
    this.#checkOpen();
    this.#state = new PostgresStateStore(this.#reading, this.#options);
    return this.#state;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#wakeUp.close();
    await Promise.all([this.#writing.close(), this.#reading.close()]);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new EngineError('store_closed', {});
  }
}

/** Times are whole milliseconds; what is beyond them all stands for them all. */
function finite(time: number): number {
  return Math.max(Math.min(Math.floor(time), Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER);
}
