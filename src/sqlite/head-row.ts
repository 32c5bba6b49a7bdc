import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EngineError } from '../ground/errors.ts';
import { integersChecksum } from './checksum.ts';

/** What the next append builds on. Counts of names are also their last ids. */
export interface Head {
  position: number;
  recordedAt: number;
  streams: number;
  types: number;
  tags: number;
  receipts: number;
  indexChanges: number;
}

/** The single row of the table `head`. */
export class HeadRow {
  readonly #file: string;
  readonly #select: StatementSync;
  readonly #db: DatabaseSync;
  #update: StatementSync | undefined;

  constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
    this.#select = db.prepare(
      'select position, recorded_at, streams, types, tags, receipts, index_changes, crc from head',
    );
    this.#select.setReturnArrays(true);
  }

  /** @throws {EngineError} `store_corrupt` */
  read(): Head {
    const row = this.#select.get() as unknown as number[] | undefined;
    const values = row?.slice(0, -1);
    if (values === undefined || integersChecksum(...values) !== row?.at(-1)) {
      throw new EngineError('store_corrupt', { file: this.#file, where: 'its head row does not match its checksum' });
    }
    const [position, recordedAt, streams, types, tags, receipts, indexChanges] = values as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return { position, recordedAt, streams, types, tags, receipts, indexChanges };
  }

  write({ position, recordedAt, streams, types, tags, receipts, indexChanges }: Head): void {
    this.#update ??= this.#db.prepare(
      'update head set position = ?, recorded_at = ?, streams = ?, types = ?, tags = ?, receipts = ?, index_changes = ?, crc = ?',
    );
    const values = [position, recordedAt, streams, types, tags, receipts, indexChanges];
    this.#update.run(...values, integersChecksum(...values));
  }
}
