import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Recorded } from '../event/event.ts';
import { deletedType } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import type { StreamHead, StreamsQuery } from '../store/port.ts';
import { openForReading } from './connection.ts';
import { eventColumns, toRecorded } from './event-row.ts';
import type { EventRow } from './event-row.ts';
import { HeadRow } from './head-row.ts';
import type { Head } from './head-row.ts';
import { NameReader } from './name-reader.ts';

/** Bounds of a page; all but the last exclude nothing by themselves. */
export interface PageBounds {
  /** Positions above this, up to and with `until`. */
  readonly after: number;
  readonly until: number;
  readonly backwards: boolean;
  readonly limit: number;
}

export interface StreamPageBounds extends PageBounds {
  readonly afterVersion: number;
  readonly untilVersion: number;
}

/** Bytes after which a page is cut, so that reading it does not hold the event loop for long. */
const pageBytesMax = 1024 * 1024;

/** Reads on the main thread: lookups and pages that take less than a hop to another thread. */
export class Reader {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #head: HeadRow;
  readonly #names: NameReader;
  readonly #byPosition: { readonly forwards: StatementSync; readonly backwards: StatementSync };
  readonly #byVersion: { readonly forwards: StatementSync; readonly backwards: StatementSync };
  readonly #streamId: StatementSync;
  readonly #one: StatementSync;
  readonly #timeAt: StatementSync;
  readonly #streamHead: StatementSync;
  readonly #streamPage: StatementSync;
  readonly #dataVersion: StatementSync;

  constructor(file: string) {
    const db = openForReading(file);
    this.#db = db;
    this.#file = file;
    this.#head = new HeadRow(db, file);
    this.#names = new NameReader(db, file);
    const arrays = (sql: string): StatementSync => {
      const statement = db.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    const page = (where: string, order: string) => arrays(`select ${eventColumns} from events where ${where} order by ${order} limit ?`);
    const byPosition = 'position > ? and position <= ?';
    this.#byPosition = { forwards: page(byPosition, 'position'), backwards: page(byPosition, 'position desc') };
    const byVersion = 'stream = ? and version > ? and version <= ? and +position > ? and +position <= ?';
    this.#byVersion = { forwards: page(byVersion, 'version'), backwards: page(byVersion, 'version desc') };
    this.#streamId = db.prepare('select id from streams where name = ?');
    this.#one = arrays(`select ${eventColumns} from events where position = ?`);
    this.#timeAt = db.prepare('select recorded_at from events where position = ?');
    const last = (column: string) => `(select ${column} from events where stream = streams.id order by version desc limit 1)`;
    const heads = `select name, ${last('version')} as version, ${last('type')} as type from streams`;
    this.#streamHead = db.prepare(`${heads} where name = ?`);
    this.#streamPage = db.prepare(`${heads} where name >= ? and name > ? order by name limit ?`);
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
    const page = this.#collect(this.#byPosition[backwards ? 'backwards' : 'forwards'].iterate(after, until, limit));
    let expected = backwards ? until : after + 1;
    for (const { position } of page) {
      if (position !== expected) throw this.#missing(`position ${expected}`);
      expected += backwards ? -1 : 1;
    }
    if (page.length === 0 && until > after) throw this.#missing(`position ${expected}`);
    return page;
  }

  /** @throws {EngineError} `store_corrupt` where a version is missing. */
  streamPage(stream: string, bounds: StreamPageBounds): readonly Recorded[] {
    const id = this.#streamId.get(stream)?.id;
    if (id === undefined) return [];
    const statement = this.#byVersion[bounds.backwards ? 'backwards' : 'forwards'];
    const { afterVersion, untilVersion, after, until, limit } = bounds;
    const page = this.#collect(statement.iterate(id, afterVersion, untilVersion, after, until, limit));
    const first = page[0];
    // Where positions bound the page, its first version is not known beforehand.
    let expected = after === 0 && !bounds.backwards ? afterVersion + 1 : first?.version;
    for (const event of page) {
      if (event.version !== expected || event.stream !== stream) throw this.#missing(`version ${expected} of ${stream}`);
      expected += bounds.backwards ? -1 : 1;
    }
    return page;
  }

  /** @throws {EngineError} `store_corrupt` if there is none. */
  at(position: number): Recorded {
    const row = this.#one.get(position) as unknown as EventRow | undefined;
    if (row === undefined) throw this.#missing(`position ${position}`);
    return toRecorded(row, this.#names, this.#file);
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

  streamHead(stream: string): StreamHead {
    const row = this.#streamHead.get(stream);
    return row === undefined ? { stream, version: 0, deleted: false, hotCount: 0 } : this.#toHead(row);
  }

  streams({ prefix = '', after = '', limit }: StreamsQuery): readonly StreamHead[] {
    const rows = this.#streamPage.all(prefix, after, limit);
    // Names are ordered by their bytes, so those with the prefix stand together.
    const end = rows.findIndex(({ name }) => !String(name).startsWith(prefix));
    return rows.slice(0, end === -1 ? rows.length : end).map((row) => this.#toHead(row));
  }

  #toHead(row: Record<string, unknown>): StreamHead {
    const version = Number(row.version);
    const deleted = this.#names.type(Number(row.type)).name === deletedType;
    return { stream: String(row.name), version, deleted, hotCount: version };
  }

  #collect(rows: Iterable<unknown>): readonly Recorded[] {
    const page: Recorded[] = [];
    let bytes = 0;
    for (const row of rows as Iterable<EventRow>) {
      page.push(toRecorded(row, this.#names, this.#file));
      bytes += row[7].length;
      if (bytes >= pageBytesMax) break;
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
