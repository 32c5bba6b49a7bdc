import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EngineError } from '../ground/errors.ts';
import { nameChecksum } from './checksum.ts';
import { RecentCache } from '../ground/recent-cache.ts';

/** An interned event type. */
export interface TypeName {
  readonly name: string;
  readonly schemaVersion: number;
  readonly encoding: string;
}

const cached = 50_000;

/** From ids to the names that they stand for. Names never change once they are committed. */
export class NameReader {
  readonly #file: string;
  readonly #selectStream: StatementSync;
  readonly #selectTag: StatementSync;
  readonly #selectType: StatementSync;
  readonly #streams = new RecentCache<number, string>(cached);
  readonly #tags = new RecentCache<number, string>(cached);
  readonly #types = new Map<number, TypeName>();

  constructor(db: DatabaseSync, file: string) {
    this.#file = file;
    this.#selectStream = db.prepare('select name, crc from streams where id = ?');
    this.#selectTag = db.prepare('select name, crc from tags where id = ?');
    this.#selectType = db.prepare('select name, schema_version, encoding, crc from types where id = ?');
  }

  stream(id: number): string {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    const name = this.#read(this.#selectStream, 'streams', id);
    this.#streams.set(id, name);
    return name;
  }

  tags(ids: readonly number[]): readonly string[] {
    return ids.length === 0 ? noTags : ids.map((id) => this.#tag(id));
  }

  #tag(id: number): string {
    const known = this.#tags.get(id);
    if (known !== undefined) return known;
    const name = this.#read(this.#selectTag, 'tags', id);
    this.#tags.set(id, name);
    return name;
  }

  type(id: number): TypeName {
    const known = this.#types.get(id);
    if (known !== undefined) return known;
    const row = this.#selectType.get(id) as
      | { name: string; schema_version: number; encoding: string; crc: number }
      | undefined;
    if (row === undefined || nameChecksum(id, row.name, row.schema_version, row.encoding) !== row.crc)
      throw this.#damaged('types', id);
    const type = { name: row.name, schemaVersion: row.schema_version, encoding: row.encoding };
    this.#types.set(id, type);
    return type;
  }

  /** After a rollback: ids that were given are given again. */
  forget(): void {
    this.#streams.clear();
    this.#tags.clear();
    this.#types.clear();
  }

  #read(statement: StatementSync, table: string, id: number): string {
    const row = statement.get(id) as { name: string; crc: number } | undefined;
    if (row === undefined || nameChecksum(id, row.name) !== row.crc) throw this.#damaged(table, id);
    return row.name;
  }

  #damaged(table: string, id: number): EngineError {
    return new EngineError('store_corrupt', {
      file: this.#file,
      where: `row ${id} of ${table} does not match its checksum`,
    });
  }
}

/** Shared by all, so frozen. */
const noTags: readonly string[] = Object.freeze([]);
