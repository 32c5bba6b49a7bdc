import { toHex } from '../event/bytes.ts';
import { EngineError } from '../ground/errors.ts';
import { SharedFetch } from '../ground/shared-fetch.ts';
import { SharedLook } from '../ground/shared-look.ts';
import { fulfils } from '../store/document-filter.ts';
import { behindPrefix, indexedPaths } from '../store/document-sql.ts';
import { documentText, isBytes, sortKeys } from '../store/document-value.ts';
import { PageOf, planCount, planFind, tupleToDocument } from '../store/find-documents.ts';
import type { DocumentTuple } from '../store/find-documents.ts';
import type { Position } from '../store/port.ts';
import { namesWithPrefix } from '../store/read-query.ts';
import { checkCollection, checkCommit, requireSame } from '../store/state-commit.ts';
import type {
  Checkpoint,
  Collection,
  Condition,
  Document,
  DocumentPage,
  DocumentQuery,
  StateCapabilities,
  StateCommit,
  StateCommitResult,
  StateStore,
} from '../store/state-port.ts';
import { Waiters } from '../store/waiters.ts';
import type { Connections } from './connections.ts';
import { serverCode, toEngineError } from './failures.ts';
import type { ResolvedOptions } from './options.ts';
import { beginning } from './packing.ts';
import { StateChange } from './state-change.ts';

const columns = 'key, revision, json::text, bytes';
/** Rows of an open scan that are fetched at once. */
const rowsPerFetch = 1_000;
/** How often checkpoints are looked at that somebody waits for: the longer nobody new has come, the less. */
const lookMs = { least: 25, most: 1_000 };

/** Takes a row; says whether that is enough. */
type Take = (row: DocumentTuple) => boolean;

interface Known {
  readonly table: string;
  readonly collection: Collection;
}

/** Documents in the schema of the events, by functions there (migrations/002-state-store.sql). */
export class PostgresStateStore implements StateStore {
  readonly capabilities: StateCapabilities = { sql: 'postgres' };
  readonly #connections: Connections;
  readonly #options: ResolvedOptions;
  readonly #schema: string;
  readonly #waiters = new Map<string, Waiters>();
  readonly #tables = new Map<string, Known>();
  readonly #shared = new Map<string, SharedFetch<string, DocumentTuple>>();
  #lookTimer: NodeJS.Timeout | undefined;
  #lookMs = lookMs.least;
  readonly #looks = new SharedLook(() => this.#look());
  #isClosed = false;

  constructor(connections: Connections, options: ResolvedOptions) {
    this.#connections = connections;
    this.#options = options;
    this.#schema = `"${options.schema}"`;
  }

  async define(collection: Collection): Promise<void> {
    this.#checkOpen();
    checkCollection(collection);
    const paths = indexedPaths(collection);
    const numbers = collection.indexes.map((index) => index.map((path) => paths.indexOf(path) + 1));
    const [row] = await this.#connections.query<[string]>(`select ${this.#schema}.define_collection($1, $2, $3, $4)`, [
      collection.name,
      JSON.stringify(collection.indexes),
      paths.length,
      JSON.stringify(numbers),
    ]);
    requireSame({ ...collection, indexes: JSON.parse(row?.[0] ?? '[]') as Collection['indexes'] }, collection);
  }

  async drop(collection: string): Promise<void> {
    this.#checkOpen();
    this.#shared.delete(collection);
    await this.#connections.query(`select ${this.#schema}.drop_collection($1)`, [collection]);
  }

  async collections(prefix: string): Promise<readonly string[]> {
    this.#checkOpen();
    const rows = await this.#connections.query<[string]>(
      `select name from ${this.#schema}.collections where name >= $1 order by name`,
      [prefix],
    );
    return namesWithPrefix(
      rows.map(([name]) => name),
      prefix,
    );
  }

  async get(collection: string, keys: readonly string[]): Promise<readonly (Document | undefined)[]> {
    this.#checkOpen();
    const [key, ...others] = keys;
    // Many readers of a view ask for a document each.
    if (key !== undefined && others.length === 0) return [toDocument(await this.#singles(collection).ask(key))];
    const found = await this.#fetch(collection, keys);
    return keys.map((one) => toDocument(found.get(one)));
  }

  #singles(collection: string): SharedFetch<string, DocumentTuple> {
    const known = this.#shared.get(collection);
    if (known !== undefined) return known;
    const singles = new SharedFetch((keys: readonly string[]) => this.#fetch(collection, keys));
    this.#shared.set(collection, singles);
    return singles;
  }

  async #fetch(collection: string, keys: readonly string[]): Promise<ReadonlyMap<string, DocumentTuple>> {
    const rows = await this.#ofTable(collection, ({ table }) =>
      this.#connections.query<DocumentTuple>(`select ${columns} from ${table} where key = any ($1)`, [keys]),
    );
    return new Map(rows.map((row) => [row[0], row]));
  }

  async find(collection: string, query: DocumentQuery): Promise<DocumentPage> {
    this.#checkOpen();
    return this.#ofTable(collection, async (known) => {
      const plan = planFind(known.collection, query, numbered);
      let page = new PageOf(query, plan);
      const sql = `select ${columns} from ${known.table}${plan.sql}`;
      const begin = (): Take => {
        page = new PageOf(query, plan);
        return (row) => page.add(tupleToDocument(row));
      };
      if (plan.isOpen) await this.#scan(sql, plan.params, begin);
      else {
        const rows = await this.#connections.query<DocumentTuple>(sql, plan.params);
        for (const row of rows) page.add(tupleToDocument(row));
      }
      return page.page();
    });
  }

  async count(collection: string, where: Condition): Promise<{ count: number; scanned: boolean }> {
    this.#checkOpen();
    return this.#ofTable(collection, async (known) => {
      const { sql, params, isFiltered, scanned } = planCount(known.collection, where, numbered);
      if (isFiltered) {
        const [row] = await this.#connections.query<[string]>(`select count(*) from ${known.table}${sql}`, params);
        return { count: Number(row?.[0]), scanned };
      }
      let count = 0;
      const begin = (): Take => {
        count = 0;
        return (row) => {
          if (fulfils(where, tupleToDocument(row).value)) count += 1;
          return false;
        };
      };
      await this.#scan(`select ${columns} from ${known.table}${sql}`, params, begin);
      return { count, scanned };
    });
  }

  /** By a cursor, which sees one state of the table for as long as it takes; begun anew where the connection is lost. */
  async #scan(sql: string, params: readonly (string | number)[], begin: () => Take): Promise<void> {
    await this.#connections.patiently(async (client) => {
      const take = begin();
      await client.query('begin isolation level read committed read only');
      await client.query(`declare documents cursor for ${sql}`, [...params]);
      for (;;) {
        const { rows } = await client.query<DocumentTuple>({
          text: `fetch ${rowsPerFetch} from documents`,
          rowMode: 'array',
        });
        this.#checkOpen();
        if (rows.some((row) => take(row)) || rows.length < rowsPerFetch) break;
      }
      await client.query('commit');
    });
  }

  async commit(given: StateCommit): Promise<StateCommitResult> {
    const change = await this.change(given);
    const result = await this.#connections.patiently((client) => change.make(client, [beginning], ['commit']));
    if (result === 'committed') this.committed(change);
    return result;
  }

  /** A change, to be made within a transaction. */
  async change(given: StateCommit): Promise<StateChange> {
    this.#checkOpen();
    checkCommit(given, this.capabilities);
    return new StateChange(this.#options.schema, await this.#pack(given), given);
  }

  /** Who waits for its checkpoints is told. */
  committed({ checkpoints }: StateChange): void {
    for (const { name, to } of checkpoints) this.#waiters.get(name)?.reached(to);
  }

  async #pack({ fences = [], checkpoints = [], puts = [], deletes = [] }: StateCommit): Promise<Buffer> {
    const names = [...new Set([...puts, ...deletes].map(({ collection }) => collection))];
    const collections = await Promise.all(
      names.map(async (name) => {
        const paths = indexedPaths((await this.#known(name)).collection);
        return {
          name,
          width: paths.length,
          puts: puts
            .filter(({ collection }) => collection === name)
            .map(({ key, value, ifRevision = null }) => [
              key,
              ifRevision,
              isBytes(value) ? null : documentText(value),
              isBytes(value) ? toHex(value) : null,
              sortKeys(value, paths),
            ]),
          deletes: deletes
            .filter(({ collection }) => collection === name)
            .map(({ key, ifRevision = null }) => [key, ifRevision]),
        };
      }),
    );
    const given = {
      fences: fences.map(({ lease, epoch }) => [lease, epoch]),
      moves: checkpoints.map(({ name, from, to }) => [name, from, to]),
      collections,
    };
    return Buffer.from(JSON.stringify(given));
  }

  async checkpoints(prefix: string): Promise<readonly Checkpoint[]> {
    this.#checkOpen();
    const rows = await this.#connections.query<[string, string]>(
      `select name, position from ${this.#schema}.checkpoints where name >= $1 and ($2::text is null or name < $2) order by name`,
      [prefix, prefix === '' ? null : behindPrefix(prefix)],
    );
    const positions = new Map(rows.map(([name, position]) => [name, Number(position)]));
    return namesWithPrefix([...positions.keys()], prefix).map((name) => ({
      name,
      position: positions.get(name) as Position,
    }));
  }

  async moved(checkpoint: string, after: Position, signal?: AbortSignal): Promise<Position> {
    this.#checkOpen();
    const waiters = this.#waiters.get(checkpoint) ?? new Waiters();
    this.#waiters.set(checkpoint, waiters);
    const reached = waiters.wait(after, signal);
    this.#lookMs = lookMs.least;
    void this.#looks.ask();
    return reached;
  }

  /** Whoever comes while it is looked waits for the next look, together with all others who do. */
  async #look(): Promise<void> {
    const waited = [...this.#waiters].filter(([, waiters]) => !waiters.isEmpty);
    clearTimeout(this.#lookTimer);
    this.#lookTimer = undefined;
    if (waited.length === 0 || this.#isClosed) return;
    this.#lookTimer = setTimeout(() => void this.#looks.ask(), this.#lookMs);
    this.#lookMs = Math.min(lookMs.most, this.#lookMs * 1.5);
    try {
      const names = waited.map(([name]) => name);
      const rows = await this.#connections.query<[string, string]>(
        `select name, position from ${this.#schema}.checkpoints where name = any ($1)`,
        [names],
      );
      for (const [name, position] of rows) this.#waiters.get(name)?.reached(Number(position));
    } catch (error) {
      for (const [, waiters] of waited) waiters.fail(toEngineError(error, this.#options.name));
    }
  }

  async lease(name: string, owner: string, ttlMs: number): Promise<{ epoch: number } | undefined> {
    this.#checkOpen();
    const [row] = await this.#connections.query<[string | null]>(`select ${this.#schema}.take_lease($1, $2, $3)`, [
      name,
      owner,
      ttlMs,
    ]);
    const epoch = row?.[0] ?? null;
    return epoch === null ? undefined : { epoch: Number(epoch) };
  }

  async release(name: string, epoch: number): Promise<void> {
    this.#checkOpen();
    await this.#connections.query(`select ${this.#schema}.release_lease($1, $2)`, [name, epoch]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#lookTimer);
    for (const waiters of this.#waiters.values()) waiters.close();
  }

  /** Looked up. @throws {EngineError} `collection_unknown` */
  async #known(name: string): Promise<Known> {
    const [row] = await this.#connections.query<[string, string]>(
      `select id, indexes from ${this.#schema}.collections where name = $1`,
      [name],
    );
    if (row === undefined) throw new EngineError('collection_unknown', { collection: name });
    const [id, indexes] = row;
    return {
      table: `${this.#schema}.docs_${id}`,
      collection: { name, indexes: JSON.parse(indexes) as Collection['indexes'] },
    };
  }

  /**
   * Reads. What is known of a collection is taken to be so: the table of one that was dropped meanwhile is gone, and no other has its
   * name. @throws {EngineError} `collection_unknown`
   */
  async #ofTable<Result>(collection: string, read: (known: Known) => Promise<Result>): Promise<Result> {
    for (;;) {
      const before = this.#tables.get(collection);
      const known = before ?? (await this.#known(collection));
      this.#tables.set(collection, known);
      try {
        return await read(known);
      } catch (error) {
        if (!(error instanceof EngineError && serverCode(error.cause) === undefinedTable)) throw error;
        this.#tables.delete(collection);
        if (before === undefined) throw new EngineError('collection_unknown', { collection }, { cause: error });
      }
    }
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new EngineError('store_closed', {});
  }
}

/** Of its own for everyone who asks: what it holds may be changed by them. */
function toDocument(row: DocumentTuple | undefined): Document | undefined {
  return row && tupleToDocument(row);
}

const undefinedTable = '42P01';

const numbered = (index: number): string => `$${index}`;
