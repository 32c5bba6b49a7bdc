import type { Recorded } from '../event/event.ts';
import { RecordedDraft } from '../event/recorded-draft.ts';
import { EngineError } from '../ground/errors.ts';
import { SharedFetch } from '../ground/shared-fetch.ts';
import { SharedLook } from '../ground/shared-look.ts';
import type { Position, ReadQuery, Receipt, StoreHead, StreamHead, StreamsQuery } from '../store/port.ts';
import { defaultPageSize, namesWithPrefix } from '../store/read-query.ts';
import type { Connections } from './connections.ts';
import { eventColumns, selectEvents } from './select-events.ts';
import type { Range } from './select-events.ts';

/** As the driver gives them: bigint as text, so that none is rounded. */
type EventRow = [
  position: string,
  stream: string,
  version: string,
  type: string,
  schemaVersion: string,
  encoding: string,
  recordedAt: string,
  tags: string[],
  bodyDigest: Buffer,
  metadata: Buffer,
  data: Buffer,
];
type ReceiptRow = [
  id: string,
  key: string,
  commandDigest: Buffer,
  outcome: Buffer,
  expiresAt: string | null,
  owner: string | null,
  recordedAt: string,
  position: string | null,
];
const receiptColumns = 'id, key, command_digest, outcome, expires_at, owner, recorded_at, position';

/** Reads by statements that each see one state of the store; no connection is held between two pages. */
export class Reader {
  readonly #connections: Connections;
  readonly #schema: string;
  readonly #store: string;
  readonly #head = new SharedLook(() => this.#lookAtHead());
  readonly #singles = new SharedFetch((positions: readonly Position[]) => this.#fetchSingles(positions));
  /** The store is known to have events up to here. */
  #seen: Position = 0;

  constructor(connections: Connections, schema: string, store: string) {
    this.#connections = connections;
    this.#schema = `"${schema}"`;
    this.#store = store;
  }

  head(): Promise<StoreHead> {
    return this.#head.ask();
  }

  async #lookAtHead(): Promise<StoreHead> {
    const [row] = await this.#connections.query<[string, string, string]>(
      `select position, recorded_at, streams from ${this.#schema}.head`,
    );
    if (row === undefined) throw new EngineError('store_corrupt', { file: this.#store, where: 'its head is missing' });
    const [position, recordedAt, streamCount] = row.map(Number) as [number, number, number];
    this.#seen = Math.max(this.#seen, position);
    return { position, recordedAt, streamCount };
  }

  /** While a page is looked at, what comes behind it is being fetched; no connection is held longer than for that. */
  async *pages(query: ReadQuery): AsyncGenerator<readonly Recorded[]> {
    const { backwards = false, limit = Infinity, pageSize = defaultPageSize } = query;
    let range = await this.#range(query);
    let left = limit;
    let count = pageSize;
    const fetchNext = () => {
      count = Math.min(count, left);
      if (range.after >= range.until || count === 0) return undefined;
      const fetched = this.#fetch(query, range, count);
      // Whoever stops reading before is not told of its failure.
      fetched.catch(() => {});
      return fetched;
    };
    for (let fetching = fetchNext(); fetching !== undefined;) {
      const events = await fetching;
      if (events.length < count) range = { after: 0, until: 0 };
      else {
        const { position } = events.at(-1) as Recorded;
        range = backwards ? { ...range, until: position - 1 } : { ...range, after: position };
      }
      left -= events.length;
      count = nextCount(events, pageSize);
      fetching = fetchNext();
      for (let start = 0; start < events.length; start += pageSize) yield events.slice(start, start + pageSize);
    }
  }

  async #range({ after = 0, until = Infinity, recordedFrom, recordedUntil }: ReadQuery): Promise<Range> {
    // Who asks only for what is known to be there needs not know what else is.
    const position = until <= this.#seen ? this.#seen : (await this.head()).position;
    const [low, high] = await Promise.all([
      recordedFrom === undefined ? 0 : this.#lastBefore(Math.ceil(recordedFrom)),
      recordedUntil === undefined ? Infinity : this.#lastBefore(Math.floor(recordedUntil) + 1),
    ]);
    return { after: Math.max(after, low), until: Math.min(until, position, high) };
  }

  async #lastBefore(moment: number): Promise<Position> {
    if (moment <= 0) return 0;
    if (moment > Number.MAX_SAFE_INTEGER) return Infinity;
    const [row] = await this.#connections.query<[string]>(`select ${this.#schema}.last_before($1)`, [moment]);
    return Number(row?.[0]);
  }

  async #fetch(query: ReadQuery, range: Range, count: number): Promise<readonly Recorded[]> {
    if (query.stream === undefined && query.match === undefined && range.until - range.after === 1)
      return [await this.#at(range.until)];
    const { text, values } = selectEvents(this.#schema, query, range, count);
    const events = (await this.#connections.query<EventRow>(text, values)).map(toRecorded);
    if (query.stream === undefined && query.match === undefined) this.#checkGapless(events, query, range, count);
    return events;
  }

  /** The one event there: many who wait for a view ask for one each. @throws {EngineError} `store_corrupt` */
  async #at(position: Position): Promise<Recorded> {
    const event = await this.#singles.ask(position);
    if (event !== undefined) return event;
    throw new EngineError('store_corrupt', {
      file: this.#store,
      where: `the event at position ${position} is missing`,
    });
  }

  async #fetchSingles(positions: readonly Position[]): Promise<ReadonlyMap<Position, Recorded>> {
    const text = `select ${eventColumns} from ${this.#schema}.events where position = any ($1::bigint[])`;
    const rows = await this.#connections.query<EventRow>(text, [positions]);
    return new Map(rows.map(toRecorded).map((event) => [event.position, event]));
  }

  /** A short page would be taken for the end of the store, and all behind it be skipped. */
  #checkGapless(events: readonly Recorded[], { backwards }: ReadQuery, { after, until }: Range, count: number): void {
    const step = backwards === true ? -1 : 1;
    const first = backwards === true ? until : after + 1;
    const missing = Array.from({ length: Math.min(count, until - after) }, (_, index) => first + index * step).find(
      (position, index) => events[index]?.position !== position,
    );
    if (missing === undefined) return;
    throw new EngineError('store_corrupt', { file: this.#store, where: `the event at position ${missing} is missing` });
  }

  async find(id: Uint8Array): Promise<Recorded | undefined> {
    const [row] = await this.#connections.query<EventRow>(
      `select ${eventColumns} from ${this.#schema}.events where substr(id, 1, 8) = substr($1::bytea, 1, 8) and id = $1`,
      [id],
    );
    return row && toRecorded(row);
  }

  async heads(streams: readonly string[]): Promise<readonly StreamHead[]> {
    const heads: StreamHead[] = [];
    for (let start = 0; start < streams.length; start += headsPerQuery) {
      const slice = streams.slice(start, start + headsPerQuery);
      const [row] = await this.#connections.query<[string[], boolean[]]>(
        `select versions, deleted from ${this.#schema}.stream_heads($1)`,
        [slice],
      );
      for (const [index, stream] of slice.entries()) {
        const version = Number(row?.[0][index]);
        heads.push({ stream, version, deleted: row?.[1][index] === true, hotCount: version });
      }
    }
    return heads;
  }

  /** From one to the next by the index: there are few types, and many events. */
  async types(): Promise<readonly string[]> {
    const events = `${this.#schema}.events`;
    const rows = await this.#connections.query<[string]>(
      `with recursive found as (
         (select type from ${events} order by type limit 1)
         union all
         select (select type from ${events} where type > found.type order by type limit 1) from found where found.type is not null
       )
       select type from found where type is not null`,
      [],
    );
    return rows.map(([type]) => type);
  }

  async streams({ prefix = '', after = '', limit }: StreamsQuery): Promise<readonly StreamHead[]> {
    if (prefix.includes('\0') || after.includes('\0')) return [];
    const rows = await this.#connections.query<[string]>(
      `select name from ${this.#schema}.streams where name >= $1 and name > $2 order by name limit $3`,
      [prefix, after, limit],
    );
    const names = rows.map(([name]) => name);
    return this.heads(namesWithPrefix(names, prefix));
  }

  async receipt(key: string, now: number): Promise<Receipt | undefined> {
    const [row] = await this.#connections.query<ReceiptRow>(
      `select ${receiptColumns} from ${this.#schema}.receipts
        where key = $1 and (expires_at is null or expires_at > greatest($2, (select recorded_at from ${this.#schema}.head)))`,
      [key, now],
    );
    return row && toReceipt(row);
  }

  async *receipts(): AsyncGenerator<readonly Receipt[]> {
    const [head] = await this.#connections.query<[string]>(`select receipts from ${this.#schema}.head`);
    for (let after = '0'; ;) {
      const rows = await this.#connections.query<ReceiptRow>(
        `select ${receiptColumns} from ${this.#schema}.receipts where id > $1 and id <= $2 order by id limit $3`,
        [after, head?.[0], defaultPageSize],
      );
      if (rows.length === 0) return;
      after = (rows.at(-1) as ReceiptRow)[0];
      yield rows.map(toReceipt);
    }
  }
}

const headsPerQuery = 1_000;
/** Events and bytes in one answer, as far as the last one lets guess. */
const fetchedMax = { events: 2_048, bytes: 1_048_576 };

function nextCount(events: readonly Recorded[], pageSize: number): number {
  const bytes = events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0);
  const fitting = Math.floor((fetchedMax.bytes * events.length) / Math.max(bytes, 1));
  return Math.max(pageSize, Math.min(fetchedMax.events, 2 * events.length, fitting));
}

function toRecorded(row: EventRow): Recorded {
  const [position, stream, version, type, schemaVersion, encoding, recordedAt, tags, bodyDigest, metadata, data] = row;
  return new RecordedDraft(
    { type, schemaVersion: Number(schemaVersion), encoding, tags, bodyDigest, metadata, data },
    { stream, version: Number(version), position: Number(position), recordedAt: Number(recordedAt) },
  );
}

function toReceipt([, key, commandDigest, outcome, expiresAt, owner, recordedAt, position]: ReceiptRow): Receipt {
  return {
    key,
    commandDigest,
    outcome,
    expiresAt: expiresAt === null ? null : Number(expiresAt),
    owner: owner ?? undefined,
    recordedAt: Number(recordedAt),
    position: position === null ? undefined : Number(position),
  };
}
