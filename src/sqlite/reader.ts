import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Recorded } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import type { Receipt, StreamHead, StreamsQuery } from '../store/port.ts';
import { namesWithPrefix } from '../store/read-query.ts';
import { openForReading } from './connection.ts';
import { EventIndex } from './event-index.ts';
import { eventColumns, toRecorded } from './event-row.ts';
import type { EventRow } from './event-row.ts';
import { HeadRow } from './head-row.ts';
import type { Head } from './head-row.ts';
import { compareCodePoints } from '../event/names.ts';
import { NameReader } from './name-reader.ts';
import { toReceipt } from './receipt-row.ts';
import type { ReceiptRow } from './receipt-row.ts';
import { take } from './postings.ts';
import { StreamIndex } from './stream-index.ts';
import type { StreamBounds } from './stream-index.ts';

/** Bounds of a page. */
export interface PageBounds {
  /** Positions above this, up to and with `until`. */
  readonly after: number;
  readonly until: number;
  readonly backwards: boolean;
  readonly limit: number;
}

interface StreamPage {
  readonly page: readonly Recorded[];
  readonly isLast: boolean;
}

/** Bytes after which a page is cut, so that reading it does not hold the event loop for long. */
const pageBytesMax = 1024 * 1024;
/** Rows asked for at once while nothing is known of their size, and later. */
const firstPortion = 1;
const portionMax = 128;

/** Reads on the main thread: lookups and pages that take less than a hop to another thread. */
export class Reader {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #head: HeadRow;
  readonly #names: NameReader;
  readonly #index: EventIndex;
  readonly #streams: StreamIndex;
  readonly #byPosition: { readonly forwards: StatementSync; readonly backwards: StatementSync };
  readonly #one: StatementSync;
  readonly #several: StatementSync;
  readonly #timeAt: StatementSync;
  readonly #streamNames: StatementSync;
  readonly #typeIds: StatementSync;
  readonly #receipts: StatementSync;
  readonly #dataVersion: StatementSync;

  /** @throws {EngineError} `store_corrupt` and the like; then nothing stays open. */
  static open(file: string): Reader {
    const db = openForReading(file);
    try {
      const reader = new Reader(db, file);
      reader.head();
      return reader;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  private constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
    this.#head = new HeadRow(db, file);
    this.#names = new NameReader(db, file);
    this.#index = new EventIndex(db, file);
    this.#streams = new StreamIndex(db, file, this.#names, this.#index);
    const arrays = (sql: string): StatementSync => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    const page = (order: string) =>
      arrays(`select ${eventColumns} from events where position > ? and position <= ? order by ${order} limit ?`);
    this.#byPosition = { forwards: page('position'), backwards: page('position desc') };
    this.#one = arrays(`select ${eventColumns} from events where position = ?`);
    // In the order of the list; half of what it costs to ask for each.
    this.#several = arrays(`select events.* from json_each(?) as list cross join events on position = list.value`);
    this.#timeAt = db.prepare('select recorded_at from events where position = ?');
    this.#streamNames = db.prepare('select name from streams where name >= ? and name > ? order by name limit ?');
    this.#typeIds = db.prepare('select id from types');
    this.#receipts = db.prepare('select * from receipts where id > ? and id <= ? order by id limit ?');
    this.#dataVersion = db.prepare('pragma data_version');
  }

  head(): Head {
    return this.#head.read();
  }

  /** Changes whenever another connection, the writer thread's included, has committed. */
  dataVersion(): number {
    return Number(this.#dataVersion.get()?.data_version);
  }

  /**
   * The next events in position order; at least one if there is one.
   * @throws {EngineError} `store_corrupt` where a position is missing.
   */
  page({ after, until, backwards, limit }: PageBounds): readonly Recorded[] {
    const select = this.#byPosition[backwards ? 'backwards' : 'forwards'];
    const page = this.#collect(limit, (last, count) => {
      if (last === undefined) return select.all(after, until, count);
      return backwards ? select.all(after, last - 1, count) : select.all(last, until, count);
    });
    let expected = backwards ? until : after + 1;
    for (const { position } of page) {
      if (position !== expected) throw this.#missing(`position ${expected}`);
      expected += backwards ? -1 : 1;
    }
    if (page.length === 0 && until > after) throw this.#missing(`position ${expected}`);
    return page;
  }

  /**
   * Between which positions a stream's events lie that are within bounds: above the first, up to and with the second.
   * @throws {EngineError} `store_corrupt`
   */
  streamPositions(stream: string, bounds: StreamBounds): readonly [after: number, until: number] {
    return this.#index.look(() => {
      const id = this.#streams.id(stream);
      if (id !== undefined) return this.#streams.positions(stream, id, bounds);
      this.#streams.requireAbsent(stream);
      return [0, 0];
    });
  }

  /**
   * The next events of a stream, and whether there are no more.
   * @throws {EngineError} `store_corrupt` where a version is missing.
   */
  streamPage(stream: string, { after, until, backwards, limit }: PageBounds): StreamPage {
    const positions = this.#index.look(() => {
      const id = this.#streams.id(stream);
      if (id === undefined) {
        this.#streams.requireAbsent(stream);
        return [];
      }
      const postings = this.#streams.postings(id, backwards);
      if (!backwards) return take(postings, after + 1, until, limit);
      return take(postings, -until, -after - 1, limit).map((position) => -position);
    });
    const page = this.pageAt(positions);
    for (const [index, event] of page.entries()) {
      const before = page[index - 1];
      const expected = before === undefined ? event.version : before.version + (backwards ? -1 : 1);
      if (event.stream !== stream || event.version !== expected)
        throw this.#missing(`version ${expected} of ${stream}`);
    }
    return { page, isLast: positions.length < limit && page.length === positions.length };
  }

  /** @throws {EngineError} `store_corrupt` if there is none. */
  at(position: number): Recorded {
    const row = this.#one.get(position) as unknown as EventRow | undefined;
    if (row === undefined) throw this.#missing(`position ${position}`);
    return toRecorded(row, this.#names, this.#file);
  }

  /** The events at the first of these positions, as many as make a page. @throws {EngineError} `store_corrupt` */
  pageAt(positions: readonly number[]): readonly Recorded[] {
    if (positions.length === 0) return [];
    const page = this.#collect(positions.length, (_, count, start) =>
      this.#several.all(JSON.stringify(positions.slice(start, start + count))),
    );
    for (const [index, { position }] of page.entries())
      if (position !== positions[index]) throw this.#missing(`position ${positions[index]}`);
    if (page.length === 0) throw this.#missing(`position ${positions[0]}`);
    return page;
  }

  /** The last position whose event was recorded before `time`; positions up to `head` are looked at. */
  lastBefore(time: number, head: number): number {
    let low = 0;
    let high = head;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const recordedAt = this.#timeAt.get(middle)?.recorded_at;
      if (recordedAt === undefined) throw this.#missing(`position ${middle}`);
      if (Number(recordedAt) < time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  streamHeads(streams: readonly string[]): readonly StreamHead[] {
    return this.#index.look(() =>
      streams.map((stream) => {
        const { id, version, deleted } = this.#streams.state(stream);
        if (id === 0) this.#streams.requireAbsent(stream);
        return { stream, version, deleted, hotCount: version };
      }),
    );
  }

  streamNames({ prefix = '', after = '', limit }: StreamsQuery): readonly string[] {
    const names = this.#streamNames.all(prefix, after, limit).map(({ name }) => String(name));
    return namesWithPrefix(names, prefix);
  }

  eventTypes(): readonly string[] {
    const names = this.#typeIds.all().map(({ id }) => this.#names.type(Number(id)).name);
    return [...new Set(names)].sort(compareCodePoints);
  }

  /** The next receipts, and the id of the last of them. */
  receipts(
    after: number,
    until: number,
    limit: number,
  ): { readonly last: number; readonly receipts: readonly Receipt[] } {
    const rows = this.#receipts.all(after, until, limit) as unknown as readonly ReceiptRow[];
    return { last: rows.at(-1)?.id ?? until, receipts: rows.map((row) => toReceipt(row, this.#file)) };
  }

  /**
   * Up to `limit` events, but no more bytes than make a page. They are asked for in portions, since asking for each takes
   * a fifth longer: behind the last position (undefined at first), so many, from this one on.
   */
  #collect(limit: number, select: (last: number | undefined, count: number, start: number) => unknown[]): Recorded[] {
    const page: Recorded[] = [];
    let bytes = 0;
    for (let fitting = firstPortion; page.length < limit && bytes < pageBytesMax;) {
      const count = Math.min(fitting, limit - page.length);
      const rows = select(page.at(-1)?.position, count, page.length) as EventRow[];
      for (const row of rows) {
        page.push(toRecorded(row, this.#names, this.#file));
        bytes += row[7].length;
      }
      if (rows.length < count) break;
      fitting = Math.min(portionMax, Math.ceil(((pageBytesMax - bytes) * page.length) / bytes));
    }
    return page;
  }

  #missing(what: string): EngineError {
    return new EngineError('store_corrupt', { file: this.#file, where: `${what} is missing` });
  }

  close(): void {
    this.#db.close();
  }
}
