import { EngineError } from '../ground/errors.ts';
import type { Receipt, ReceiptDraft } from '../store/port.ts';
import { receiptChecksum } from './checksum.ts';

export interface ReceiptRow {
  readonly id: number;
  readonly key: string;
  readonly command_digest: Uint8Array;
  readonly outcome: Uint8Array;
  readonly expires_at: number | null;
  readonly owner: string | null;
  readonly recorded_at: number;
  readonly position: number | null;
  readonly crc: number;
}

type Column = string | number | Uint8Array | null;

/** What is written for a receipt, in the order of the table's columns. */
export function receiptColumns(
  id: number,
  receipt: ReceiptDraft,
  recordedAt: number,
  position: number | null,
): readonly Column[] {
  const { key, commandDigest, outcome, expiresAt, owner = null } = receipt;
  const columns = [id, key, commandDigest, outcome, expiresAt, owner, recordedAt, position];
  return [...columns, receiptChecksum(columns)];
}

/** @throws {EngineError} `store_corrupt` if the row does not match its checksum. */
export function toReceipt(row: ReceiptRow, file: string): Receipt {
  const receipt: Receipt = {
    key: row.key,
    commandDigest: row.command_digest,
    outcome: row.outcome,
    expiresAt: row.expires_at,
    recordedAt: row.recorded_at,
    ...(row.owner !== null && { owner: row.owner }),
    ...(row.position !== null && { position: row.position }),
  };
  if (receiptColumns(row.id, receipt, row.recorded_at, row.position).at(-1) !== row.crc) {
    throw new EngineError('store_corrupt', { file, where: `receipt ${row.id} does not match its checksum` });
  }
  return receipt;
}
