import { compareCodePoints } from '../event/names.ts';
import { readClock } from '../ground/clock.ts';
import type { Clock } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import { fulfils } from './document-filter.ts';
import { DocumentSql } from './document-sql.ts';
import { documentText, isBytes } from './document-value.ts';
import { PageOf, toDocument } from './find-documents.ts';
import type { DocumentRow } from './find-documents.ts';
import type { Position } from './port.ts';
import { checkCollection, checkCommit, isRunning, requireSame } from './state-commit.ts';
import type {
  Checkpoint,
  Collection,
  Condition,
  Document,
  DocumentPage,
  DocumentQuery,
  DocumentValue,
  StateCapabilities,
  StateCommit,
  StateCommitResult,
  StateStore,
} from './state-port.ts';
import { Waiters } from './waiters.ts';

interface Kept {
  readonly collection: Collection;
  readonly rows: Map<string, DocumentRow>;
}

interface Lease {
  readonly owner: string;
  readonly epoch: number;
  readonly takenAt: number;
  readonly expiresAt: number;
}

/** Documents in this process's memory: the model of the others. */
export class MemoryStateStore implements StateStore {
  readonly capabilities: StateCapabilities = { sql: 'none' };
  readonly #clock: Clock;
  readonly #collections = new Map<string, Kept>();
  readonly #checkpoints = new Map<string, Position>();
  readonly #leases = new Map<string, Lease>();
  readonly #waiters = new Map<string, Waiters>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async define(collection: Collection): Promise<void> {
    this.#checkOpen();
    checkCollection(collection);
    const { name } = collection;
    const kept = this.#collections.get(name);
    if (kept !== undefined) requireSame(kept.collection, collection);
    else this.#collections.set(name, { collection: structuredClone(collection), rows: new Map() });
  }

  async drop(collection: string): Promise<void> {
    this.#checkOpen();
    this.#collections.delete(collection);
  }

  async collections(prefix: string): Promise<readonly string[]> {
    this.#checkOpen();
    return [...this.#collections.keys()].filter((name) => name.startsWith(prefix)).sort(compareCodePoints);
  }

  async get(collection: string, keys: readonly string[]): Promise<readonly (Document | undefined)[]> {
    this.#checkOpen();
    const { rows } = this.#kept(collection);
    return keys.map((key) => {
      const row = rows.get(key);
      return row && toDocument(row);
    });
  }

  async find(name: string, query: DocumentQuery): Promise<DocumentPage> {
    this.#checkOpen();
    const { collection, rows } = this.#kept(name);
    const scanned = !new DocumentSql(collection, String).isIndexed(query);
    const page = new PageOf(query, { isSorted: false, isFiltered: false, scanned });
    for (const row of rows.values()) page.add(toDocument(row));
    return page.page();
  }

  async count(name: string, where: Condition): Promise<{ count: number; scanned: boolean }> {
    this.#checkOpen();
    const { collection, rows } = this.#kept(name);
    const count = [...rows.values()].filter((row) => fulfils(where, toDocument(row).value)).length;
    return { count, scanned: !new DocumentSql(collection, String).isIndexed({ where, orderBy: [] }) };
  }

  async commit(change: StateCommit): Promise<StateCommitResult> {
    return this.commitNow(change);
  }

  /** In one go, so that nobody sees what comes with it without it. */
  commitNow(change: StateCommit): StateCommitResult {
    this.#checkOpen();
    checkCommit(change, this.capabilities);
    const { fences = [], checkpoints = [], puts = [], deletes = [] } = change;
    const rows = puts.map(({ collection, key, value }) => ({ collection, row: toRow(key, value) }));
    for (const { collection } of [...puts, ...deletes]) this.#kept(collection);
    if (fences.some(({ lease, epoch }) => this.#leases.get(lease)?.epoch !== epoch)) return 'fenced';
    if (checkpoints.some(({ name, from }) => (this.#checkpoints.get(name) ?? 0) !== from)) return 'checkpoint_moved';
    const hasMoved = [...puts, ...deletes].some(
      ({ collection, key, ifRevision }) => ifRevision !== undefined && this.#revision(collection, key) !== ifRevision,
    );
    if (hasMoved) return 'revision_moved';

    for (const { collection, key } of deletes) this.#kept(collection).rows.delete(key);
    for (const { collection, row } of rows) {
      this.#kept(collection).rows.set(row.key, { ...row, revision: this.#revision(collection, row.key) + 1 });
    }
    for (const { name, to } of checkpoints) {
      this.#checkpoints.set(name, to);
      this.#waiters.get(name)?.reached(to);
    }
    return 'committed';
  }

  async checkpoints(prefix: string): Promise<readonly Checkpoint[]> {
    this.#checkOpen();
    return [...this.#checkpoints]
      .map(([name, position]) => ({ name, position }))
      .filter(({ name }) => name.startsWith(prefix))
      .sort((a, b) => compareCodePoints(a.name, b.name));
  }

  async moved(checkpoint: string, after: Position, signal?: AbortSignal): Promise<Position> {
    this.#checkOpen();
    signal?.throwIfAborted();
    const position = this.#checkpoints.get(checkpoint) ?? 0;
    if (position > after) return position;
    const waiters = this.#waiters.get(checkpoint) ?? new Waiters();
    this.#waiters.set(checkpoint, waiters);
    return waiters.wait(after, signal);
  }

  async lease(name: string, owner: string, ttlMs: number): Promise<{ epoch: number } | undefined> {
    this.#checkOpen();
    const now = readClock(this.#clock);
    const held = this.#leases.get(name);
    if (held !== undefined && held.owner !== owner && isRunning(held, now)) return undefined;
    const epoch = held?.owner === owner ? held.epoch : (held?.epoch ?? 0) + 1;
    this.#leases.set(name, { owner, epoch, takenAt: now, expiresAt: now + ttlMs });
    return { epoch };
  }

  async release(name: string, epoch: number): Promise<void> {
    this.#checkOpen();
    const held = this.#leases.get(name);
    // The epoch is kept: it has to grow. Nobody is the owner, so that the next one, also the same, has another.
    if (held?.epoch === epoch) this.#leases.set(name, { owner: '', epoch, takenAt: 0, expiresAt: 0 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const waiters of this.#waiters.values()) waiters.close();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  #revision(collection: string, key: string): number {
    return this.#kept(collection).rows.get(key)?.revision ?? 0;
  }

  /** @throws {EngineError} `collection_unknown` */
  #kept(collection: string): Kept {
    const kept = this.#collections.get(collection);
    if (kept === undefined) throw new EngineError('collection_unknown', { collection });
    return kept;
  }

  #checkOpen(): void {
    if (this.#closed) throw new EngineError('store_closed', {});
  }
}

function toRow(key: string, value: DocumentValue): DocumentRow {
  if (isBytes(value)) return { key, revision: 0, json: null, bytes: new Uint8Array(value) };
  return { key, revision: 0, json: documentText(value), bytes: null };
}
