import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { nameChecksum } from './checksum.ts';
import type { Head } from './head-row.ts';
import type { TypeName } from './name-reader.ts';
import { RecentCache } from '../ground/recent-cache.ts';

const cached = 50_000;

/** From names to their ids, which are given on first use; inside the writer's transaction. */
export class NameWriter {
  readonly #selectTag: StatementSync;
  readonly #insertTag: StatementSync;
  readonly #selectType: StatementSync;
  readonly #insertType: StatementSync;
  readonly #insertStream: StatementSync;
  readonly #tags = new RecentCache<string, number>(cached);
  readonly #types = new Map<string, number>();

  constructor(db: DatabaseSync) {
    this.#selectTag = db.prepare('select id from tags where name = ?');
    this.#insertTag = db.prepare('insert into tags values (?, ?, ?)');
    this.#selectType = db.prepare('select id from types where name = ? and schema_version = ? and encoding = ?');
    this.#insertType = db.prepare('insert into types values (?, ?, ?, ?, ?)');
    this.#insertStream = db.prepare('insert into streams values (?, ?, ?)');
  }

  /** A stream that is known not to exist. */
  newStream(name: string, head: Head): number {
    const id = ++head.streams;
    this.#insertStream.run(id, name, nameChecksum(id, name));
    return id;
  }

  tag(name: string, head: Head): number {
    let id = this.#tags.get(name) ?? (this.#selectTag.get(name)?.id as number | undefined);
    if (id === undefined) {
      id = ++head.tags;
      this.#insertTag.run(id, name, nameChecksum(id, name));
    }
    this.#tags.set(name, id);
    return id;
  }

  type({ name, schemaVersion, encoding }: TypeName, head: Head): number {
    const key = `${schemaVersion} ${encoding} ${name}`;
    let id = this.#types.get(key) ?? (this.#selectType.get(name, schemaVersion, encoding)?.id as number | undefined);
    if (id === undefined) {
      id = ++head.types;
      this.#insertType.run(id, name, schemaVersion, encoding, nameChecksum(id, name, schemaVersion, encoding));
    }
    this.#types.set(key, id);
    return id;
  }

  /** After a rollback: ids that were given are given again. */
  forget(): void {
    this.#tags.clear();
    this.#types.clear();
  }
}
