/** What the writer thread does to documents, checkpoints and leases; inside a transaction, under the file's lock. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EngineError, describe } from '../ground/errors.ts';
import { isRunning, requireSame } from '../store/state-commit.ts';
import type { Collection, SqlStatement, StateCommit, StateCommitResult } from '../store/state-port.ts';
import { Collections, tableName, tableSql } from './collections.ts';
import { isBusy } from './failures.ts';

/** Documents of one collection to be put, as they are kept: in columns, since an object each is dear on its way between threads. */
export interface PackedPuts {
  readonly collection: string;
  readonly keys: readonly string[];
  readonly ifRevisions: readonly (number | undefined)[];
  readonly jsons: readonly (string | null)[];
  readonly bytes: readonly (Uint8Array | null)[];
  /** For each indexed path those of all documents. */
  readonly sortKeys: readonly (readonly string[])[];
}

/** A change with every part in place. */
export type PackedCommit = {
  readonly [Part in Exclude<keyof StateCommit, 'puts'>]-?: NonNullable<StateCommit[Part]>;
} & { readonly puts: readonly PackedPuts[] };

export type StateCall =
  | { readonly kind: 'define'; readonly collection: Collection }
  | { readonly kind: 'drop'; readonly collection: string }
  | { readonly kind: 'commit'; readonly change: PackedCommit }
  | {
      readonly kind: 'lease';
      readonly name: string;
      readonly owner: string;
      readonly ttlMs: number;
      readonly now: number;
    }
  | { readonly kind: 'release'; readonly name: string; readonly epoch: number };

interface LeaseRow {
  readonly owner: string;
  readonly epoch: number;
  readonly expires_at: number;
  readonly taken_at: number;
}

/** Whether nothing is left but separators and comments. */
function isBlank(sql: string): boolean {
  return /^(?:[\s;]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*$/.test(sql);
}

export class StateWriter {
  readonly #db: DatabaseSync;
  readonly #collections: Collections;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#collections = new Collections(db);
  }

  handle(call: StateCall): unknown {
    switch (call.kind) {
      case 'define':
        return this.#define(call.collection);
      case 'drop':
        return this.#drop(call.collection);
      case 'commit':
        return this.commit(call.change);
      case 'lease':
        return this.#lease(call);
      case 'release':
        return this.#prepared(`update leases set owner = '', expires_at = 0 where name = ? and epoch = ?`).run(
          call.name,
          call.epoch,
        );
      default:
        return call satisfies never;
    }
  }

  #define(collection: Collection): void {
    const found = this.#collections.find(collection.name);
    if (found !== undefined) return requireSame(found.collection, collection);
    const { lastInsertRowid } = this.#prepared('insert into collections (name, indexes) values (?, ?)').run(
      collection.name,
      JSON.stringify(collection.indexes),
    );
    this.#db.exec(tableSql(tableName(Number(lastInsertRowid)), collection));
  }

  #drop(name: string): void {
    const found = this.#collections.find(name);
    if (found === undefined) return;
    this.#statements.clear();
    this.#db.exec(`drop table ${found.table}`);
    this.#prepared('delete from collections where name = ?').run(name);
  }

  /** Looks at everything first: then there is nothing to undo. */
  commit({ fences, checkpoints, puts, deletes, statements }: PackedCommit): StateCommitResult {
    for (const { lease, epoch } of fences) if (this.#leaseRow(lease)?.epoch !== epoch) return 'fenced';
    for (const { name, from } of checkpoints) if (this.#checkpoint(name) !== from) return 'checkpoint_moved';
    for (const { collection, keys, ifRevisions } of puts)
      if (ifRevisions.some((revision, index) => this.#hasMoved(collection, keys[index] as string, revision)))
        return 'revision_moved';
    for (const { collection, key, ifRevision } of deletes)
      if (this.#hasMoved(collection, key, ifRevision)) return 'revision_moved';

    for (const { collection, key } of deletes) {
      this.#prepared(`delete from ${this.#collections.table(collection).table} where key = ?`).run(key);
    }
    for (const put of puts) this.#put(put);
    const setCheckpoint = this.#prepared(
      'insert into checkpoints values (?, ?) on conflict do update set position = excluded.position',
    );
    for (const { name, to } of checkpoints) setCheckpoint.run(name, to);
    for (const statement of statements) this.#run(statement);
    return 'committed';
  }

  #put({ collection, keys, jsons, bytes, sortKeys }: PackedPuts): void {
    const { table } = this.#collections.table(collection);
    const columns = sortKeys.map((_, index) => `v${index + 1}`);
    const values = columns.map(() => ', ?').join('');
    const updates = columns.map((column) => `, ${column} = excluded.${column}`).join('');
    const put = this.#prepared(
      `insert into ${table} values (?, 1, ?, ?${values})
      on conflict do update set revision = revision + 1, json = excluded.json, bytes = excluded.bytes${updates}`,
    );
    for (const [index, key] of keys.entries()) {
      const own = sortKeys.map((column) => column[index] as string);
      put.run(key, jsons[index] ?? null, bytes[index] ?? null, ...own);
    }
  }

  #run({ sql, params }: SqlStatement): void {
    const fail = (reason: string, cause?: unknown) =>
      new EngineError('statement_failed', { statement: sql, reason }, cause === undefined ? {} : { cause });
    try {
      const statement = this.#db.prepare(sql);
      // Of several it would prepare the first, and say nothing of the rest.
      if (!isBlank(sql.slice(statement.sourceSQL.length))) throw new Error('it is more than one statement');
      statement.run(...params);
    } catch (error) {
      throw isBusy(error) ? error : fail(describe(error), error);
    }
  }

  #lease({ name, owner, ttlMs, now }: Extract<StateCall, { kind: 'lease' }>): { epoch: number } | undefined {
    const held = this.#leaseRow(name);
    const isHeld = held !== undefined && isRunning({ takenAt: held.taken_at, expiresAt: held.expires_at }, now);
    if (isHeld && held.owner !== owner) return undefined;
    const epoch = held?.owner === owner ? held.epoch : (held?.epoch ?? 0) + 1;
    const expiresAt = Math.min(Math.ceil(now + ttlMs), Number.MAX_SAFE_INTEGER);
    this.#prepared('insert or replace into leases values (?, ?, ?, ?, ?)').run(name, owner, epoch, expiresAt, now);
    return { epoch };
  }

  #leaseRow(name: string): LeaseRow | undefined {
    return this.#prepared('select owner, epoch, expires_at, taken_at from leases where name = ?').get(
      name,
    ) as unknown as LeaseRow | undefined;
  }

  #checkpoint(name: string): number {
    return Number(this.#prepared('select position from checkpoints where name = ?').get(name)?.position ?? 0);
  }

  #hasMoved(collection: string, key: string, ifRevision: number | undefined): boolean {
    if (ifRevision === undefined) return false;
    const { table } = this.#collections.table(collection);
    return Number(this.#prepared(`select revision from ${table} where key = ?`).get(key)?.revision ?? 0) !== ifRevision;
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }
}
