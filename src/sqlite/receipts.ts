import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isLive } from '../store/admission.ts';
import type { Receipt, ReceiptDraft } from '../store/port.ts';
import type { Head } from './head-row.ts';
import { receiptColumns, toReceipt } from './receipt-row.ts';
import type { ReceiptRow } from './receipt-row.ts';

const keysAtOnce = 10_000;

/**
 * Receipts lie in the order of time, which keeps writing them cheap; keys are random, so an index of them would cost
 * more than the receipts. They are found through a map in memory instead, read from the file on first use.
 */
export class Receipts {
  readonly #file: string;
  readonly #select: StatementSync;
  readonly #selectKeys: StatementSync;
  readonly #insert: StatementSync;
  readonly #deleteExpired: StatementSync;
  readonly #deleteOwned: StatementSync;
  /** From key to the newest row with it. A row that is gone or belongs to another key counts as absent. */
  readonly #rows = new Map<string, number>();
  /** The last id that `#rows` has seen. */
  #seen = 0;

  constructor(db: DatabaseSync, file: string) {
    this.#file = file;
    this.#select = db.prepare('select * from receipts where id = ?');
    // Row by row a million of them would take three times as long.
    this.#selectKeys = db.prepare(
      'select json_group_array(id) as ids, json_group_array(key) as keys from (select id, key from receipts where id > ? order by id limit ?)',
    );
    this.#insert = db.prepare('insert into receipts values (?, ?, ?, ?, ?, ?, ?, ?, ?)');
    this.#deleteExpired = db.prepare(
      'delete from receipts where id in (select id from receipts where expires_at <= ? order by expires_at limit ?) returning id, key',
    );
    this.#deleteOwned = db.prepare(
      'delete from receipts where id in (select id from receipts where owner = ? order by id limit ?) returning id, key',
    );
  }

  /** The receipt with this key that lives at `now`. `head` tells whether other connections have written some. */
  find(key: string, now: number, head: Head): Receipt | undefined {
    const receipt = this.#last(key, head);
    return receipt !== undefined && isLive(receipt, now) ? receipt : undefined;
  }

  add(receipt: ReceiptDraft, recordedAt: number, position: number | null, head: Head): void {
    this.#catchUp(head);
    const id = ++head.receipts;
    this.#insert.run(...receiptColumns(id, receipt, recordedAt, position));
    this.#rows.set(receipt.key, id);
    this.#seen = id;
  }

  /** Takes over one that was made elsewhere, unless there is one of its key that is as new. */
  import(receipt: Receipt, head: Head): void {
    const last = this.#last(receipt.key, head);
    if (last !== undefined && last.recordedAt >= receipt.recordedAt) return;
    this.add(receipt, receipt.recordedAt, receipt.position ?? null, head);
  }

  #last(key: string, head: Head): Receipt | undefined {
    this.#catchUp(head);
    const id = this.#rows.get(key);
    const row = id === undefined ? undefined : (this.#select.get(id) as unknown as ReceiptRow | undefined);
    return row?.key === key ? toReceipt(row, this.#file) : undefined;
  }

  release(which: { readonly expiredAt: number } | { readonly owner: string }, limit: number): number {
    const rows =
      'owner' in which ? this.#deleteOwned.all(which.owner, limit) : this.#deleteExpired.all(which.expiredAt, limit);
    for (const { id, key } of rows as { id: number; key: string }[])
      if (this.#rows.get(key) === id) this.#rows.delete(key);
    return rows.length;
  }

  #catchUp(head: Head): void {
    while (this.#seen < head.receipts) {
      const { ids, keys } = this.#selectKeys.get(this.#seen, keysAtOnce) as { ids: string; keys: string };
      const newIds = JSON.parse(ids) as readonly number[];
      const newKeys = JSON.parse(keys) as readonly string[];
      for (const [index, key] of newKeys.entries()) this.#rows.set(key, newIds[index] as number);
      // Behind the last one that is left.
      this.#seen = newIds.length < keysAtOnce ? head.receipts : (newIds.at(-1) as number);
    }
  }

  /** After a rollback: ids that were given are given again. */
  forget(): void {
    this.#rows.clear();
    this.#seen = 0;
  }
}
