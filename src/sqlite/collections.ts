import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EngineError } from '../ground/errors.ts';
import { indexedPaths } from '../store/document-sql.ts';
import type { Collection } from '../store/state-port.ts';

/** A collection and its table. */
export interface CollectionTable {
  readonly table: string;
  readonly collection: Collection;
  /** How many columns hold sort keys. */
  readonly width: number;
}

interface CollectionRow {
  readonly id: number;
  readonly name: string;
  readonly indexes: string;
}

/** Looks collections up. Each time anew: another process may have dropped one. Ids are not used again. */
export class Collections {
  readonly #select: StatementSync;
  readonly #known = new Map<number, CollectionTable>();

  constructor(db: DatabaseSync) {
    this.#select = db.prepare('select id, name, indexes from collections where name = ?');
  }

  /** @throws {EngineError} `collection_unknown` */
  table(name: string): CollectionTable {
    const found = this.find(name);
    if (found === undefined) throw new EngineError('collection_unknown', { collection: name });
    return found;
  }

  find(name: string): CollectionTable | undefined {
    const row = this.#select.get(name) as unknown as CollectionRow | undefined;
    if (row === undefined) return undefined;
    const known = this.#known.get(row.id);
    if (known !== undefined) return known;
    const collection = { name, indexes: JSON.parse(row.indexes) as Collection['indexes'] };
    const found = { table: tableName(row.id), collection, width: indexedPaths(collection).length };
    this.#known.set(row.id, found);
    return found;
  }
}

export function tableName(id: number): string {
  return `docs_${id}`;
}

/** The statements that make a collection's table. */
export function tableSql(table: string, collection: Collection): string {
  const paths = indexedPaths(collection);
  const columns = paths.map((_, index) => `, v${index + 1} text not null`).join('');
  const indexes = collection.indexes.map((index, number) => {
    const list = index.map((path) => `v${paths.indexOf(path) + 1}`).join(', ');
    return `create index ${table}_by_${number + 1} on ${table} (${list}, key)`;
  });
  return [
    `create table ${table} (key text primary key, revision integer not null, json text, bytes blob${columns}) strict`,
    ...indexes,
  ].join('; ');
}
