import { setImmediate } from 'node:timers/promises';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { readClock } from '../ground/clock.ts';
import type { Clock } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import { RecentCache } from '../ground/recent-cache.ts';
import { fulfils } from '../store/document-filter.ts';
import { behindPrefix, indexedPaths } from '../store/document-sql.ts';
import { documentText, isBytes, sortKeyAt } from '../store/document-value.ts';
import { PageOf, planCount, planFind, tupleToDocument } from '../store/find-documents.ts';
import type { DocumentTuple } from '../store/find-documents.ts';
import { namesWithPrefix } from '../store/read-query.ts';
import type { Position } from '../store/port.ts';
import { checkCollection, checkCommit } from '../store/state-commit.ts';
import type {
  Checkpoint,
  Collection,
  Condition,
  Document,
  DocumentPage,
  DocumentPut,
  DocumentQuery,
  StateCapabilities,
  StateCommit,
  StateCommitResult,
  StateStore,
} from '../store/state-port.ts';
import { Collections } from './collections.ts';
import type { CollectionTable } from './collections.ts';
import { openForReading } from './connection.ts';
import { isBusy, isTableMissing, toEngineError } from './failures.ts';
import { GrowthWatch } from './growth-watch.ts';
import type { PackedCommit, PackedPuts, StateCall } from './state-writer.ts';

const columns = 'key, revision, json, bytes';
/** Rows that are looked at before everything else gets its turn: some milliseconds. */
const rowsPerSlice = 512;
/** Each attempt waits a second by itself. */
const busyAttemptsMax = 30;
/**
 * Of the file, what is kept in memory until the next commit, when SQLite forgets it all. With the 2 MiB of its own, the inner pages of a
 * million documents' table and index put each other out: a query took half as long again.
 */
const cacheKiB = 16 * 1024;
/** Statements that are kept, at least: queries come in few shapes, and preparing one takes about as long as a lookup. */
const statementsMin = 100;

/** A parameter may come before another that was numbered earlier. */
const numbered = (index: number): string => `?${index}`;

/** Documents in the file of the events: written by the writer's thread, read here. */
export class SqliteStateStore implements StateStore {
  readonly capabilities: StateCapabilities = { sql: 'sqlite' };
  readonly #file: string;
  readonly #clock: Clock;
  readonly #write: <Result>(call: StateCall) => Promise<Result>;
  readonly #db: DatabaseSync;
  readonly #collections: Collections;
  readonly #watches = new Map<string, GrowthWatch>();
  readonly #tables = new Map<string, CollectionTable>();
  readonly #statements = new RecentCache<string, StatementSync>(statementsMin);
  #isClosed = false;

  constructor(file: string, clock: Clock, write: <Result>(call: StateCall) => Promise<Result>) {
    this.#file = file;
    this.#clock = clock;
    this.#write = write;
    this.#db = openForReading(file);
    this.#db.exec(`pragma cache_size = -${cacheKiB}`);
    this.#collections = new Collections(this.#db);
  }

  async define(collection: Collection): Promise<void> {
    this.#checkOpen();
    checkCollection(collection);
    await this.#write({ kind: 'define', collection });
  }

  async drop(collection: string): Promise<void> {
    this.#checkOpen();
    await this.#write({ kind: 'drop', collection });
  }

  async collections(prefix: string): Promise<readonly string[]> {
    const rows = await this.#read(() =>
      this.#db.prepare('select name from collections where name >= ? order by name').all(prefix),
    );
    return namesWithPrefix(
      rows.map(({ name }) => String(name)),
      prefix,
    );
  }

  async get(collection: string, keys: readonly string[]): Promise<readonly (Document | undefined)[]> {
    return this.#ofTable(collection, ({ table }) => {
      const select = this.#prepared(`select ${columns} from ${table} where key = ?`);
      return keys.map((key) => {
        const row = select.get(key) as unknown as DocumentTuple | undefined;
        return row && tupleToDocument(row);
      });
    });
  }

  async find(collection: string, query: DocumentQuery): Promise<DocumentPage> {
    const found = await this.#ofTable(collection, (known) => {
      const { sql, plan, page } = planOf(known, query);
      if (plan.isOpen) return undefined;
      for (const row of rowsOf(this.#prepared(sql).all(...plan.params))) page.add(tupleToDocument(row));
      return page.page();
    });
    if (found !== undefined) return found;
    const { sql, plan, page } = planOf(await this.#read(() => this.#collections.table(collection)), query);
    await this.#scan(sql, plan.params, (row) => page.add(tupleToDocument(row)));
    return page.page();
  }

  async count(collection: string, where: Condition): Promise<{ count: number; scanned: boolean }> {
    const known = await this.#read(() => this.#collections.table(collection));
    const { sql, params, isFiltered, scanned } = planCount(known.collection, where, numbered);
    if (isFiltered) {
      const row = await this.#read(() => this.#prepared(`select count(*) from ${known.table}${sql}`).get(...params));
      const [counted] = row as unknown as readonly [number];
      return { count: counted, scanned };
    }
    let count = 0;
    await this.#scan(`select ${columns} from ${known.table}${sql}`, params, (row) => {
      if (fulfils(where, tupleToDocument(row).value)) count += 1;
      return false;
    });
    return { count, scanned };
  }

  /** Until `take` has enough. On a connection of its own, which sees one state of the file for as long as it takes. */
  async #scan(sql: string, params: readonly (string | number)[], take: (row: DocumentTuple) => boolean): Promise<void> {
    const db = await this.#read(() => openForReading(this.#file));
    try {
      let seen = 0;
      const select = db.prepare(sql);
      select.setReturnArrays(true);
      for (const row of select.iterate(...params) as Iterable<unknown> as Iterable<DocumentTuple>) {
        if (take(row)) return;
        seen += 1;
        if (seen % rowsPerSlice !== 0) continue;
        await setImmediate();
        this.#checkOpen();
      }
    } catch (error) {
      throw toEngineError(error, this.#file);
    } finally {
      db.close();
    }
  }

  async commit(change: StateCommit): Promise<StateCommitResult> {
    const packed = await this.pack(change);
    const result = await this.#write<StateCommitResult>({ kind: 'commit', change: packed });
    if (result === 'committed') this.committed(packed);
    return result;
  }

  /** A change as the writer's thread takes it. */
  async pack(change: StateCommit): Promise<PackedCommit> {
    this.#checkOpen();
    checkCommit(change, this.capabilities);
    const { fences = [], checkpoints = [], puts = [], deletes = [], statements = [] } = change;
    return { fences, checkpoints, deletes, statements, puts: await this.#packPuts(puts) };
  }

  /** Who waits for these checkpoints is told. */
  committed({ checkpoints }: PackedCommit): void {
    for (const { name } of checkpoints) this.#watches.get(name)?.notice();
  }

  async #packPuts(puts: readonly DocumentPut[]): Promise<readonly PackedPuts[]> {
    const packed: PackedPuts[] = [];
    for (const [name, own] of Map.groupBy(puts, ({ collection }) => collection)) {
      const { collection } = await this.#read(() => this.#collections.table(name));
      packed.push({
        collection: name,
        keys: own.map(({ key }) => key),
        ifRevisions: own.map(({ ifRevision }) => ifRevision),
        jsons: own.map(({ value }) => (isBytes(value) ? null : documentText(value))),
        bytes: own.map(({ value }) => (isBytes(value) ? value : null)),
        sortKeys: indexedPaths(collection).map((path) => own.map(({ value }) => sortKeyAt(value, path))),
      });
    }
    return packed;
  }

  async checkpoints(prefix: string): Promise<readonly Checkpoint[]> {
    const rows = await this.#read(() =>
      prefix === ''
        ? this.#prepared('select name, position from checkpoints order by name').all()
        : this.#prepared('select name, position from checkpoints where name >= ? and name < ? order by name').all(
            prefix,
            behindPrefix(prefix),
          ),
    );
    const positions = new Map(rows as unknown as readonly (readonly [string, number])[]);
    return namesWithPrefix([...positions.keys()], prefix).map((name) => ({
      name,
      position: positions.get(name) as Position,
    }));
  }

  async moved(checkpoint: string, after: Position, signal?: AbortSignal): Promise<Position> {
    this.#checkOpen();
    const watch = this.#watches.get(checkpoint) ?? this.#watch(checkpoint);
    return watch.past(after, signal);
  }

  #watch(checkpoint: string): GrowthWatch {
    const position = this.#db.prepare('select position from checkpoints where name = ?');
    const version = this.#db.prepare('pragma data_version');
    const watch = new GrowthWatch(
      {
        head: () => ({ position: Number(position.get(checkpoint)?.position ?? 0) }),
        dataVersion: () => Number(version.get()?.data_version),
      },
      this.#file,
    );
    this.#watches.set(checkpoint, watch);
    return watch;
  }

  async lease(name: string, owner: string, ttlMs: number): Promise<{ epoch: number } | undefined> {
    this.#checkOpen();
    return this.#write({ kind: 'lease', name, owner, ttlMs, now: readClock(this.#clock) });
  }

  async release(name: string, epoch: number): Promise<void> {
    this.#checkOpen();
    await this.#write({ kind: 'release', name, epoch });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const watch of this.#watches.values()) watch.close();
    this.#db.close();
  }

  /** What is known of a collection is taken to be so: the table of one that was dropped meanwhile is gone, and no other has its name. */
  #ofTable<Result>(collection: string, read: (known: CollectionTable) => Result): Promise<Result> {
    return this.#read(() => {
      const known = this.#tables.get(collection);
      try {
        if (known !== undefined) return read(known);
      } catch (error) {
        if (!isTableMissing(error)) throw error;
      }
      this.#tables.delete(collection);
      const found = this.#collections.table(collection);
      this.#tables.set(collection, found);
      return read(found);
    });
  }

  /** Gives arrays. */
  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement !== undefined) return statement;
    statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Where another process is recovering the log at this moment, again a little later. */
  async #read<Result>(read: () => Result): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      this.#checkOpen();
      try {
        return read();
      } catch (error) {
        if (!isBusy(error) || attempt === busyAttemptsMax) throw toEngineError(error, this.#file);
        await setImmediate();
      }
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new EngineError('store_closed', {});
  }
}

function planOf({ collection, table }: CollectionTable, query: DocumentQuery) {
  const plan = planFind(collection, query, numbered);
  return { sql: `select ${columns} from ${table}${plan.sql}`, plan, page: new PageOf(query, plan) };
}

function rowsOf(rows: readonly unknown[]): readonly DocumentTuple[] {
  return rows as readonly DocumentTuple[];
}
