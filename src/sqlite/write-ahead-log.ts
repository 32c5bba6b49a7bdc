/**
 * The write-ahead log, as far as SQLite does not tell of it (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
 *
 * After a crash SQLite takes the log up to the first frame that is damaged and drops the rest without a word: right for
 * a commit that was cut off, wrong for a flipped bit in front of commits that were acknowledged. Each of our commits
 * is synced before the next begins, so two of them behind the damage prove that the first had been acknowledged.
 */
import { readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { EngineError } from '../ground/errors.ts';

const headerBytes = 32;
const frameHeaderBytes = 24;
/** Of the header: magic number, version, page size, sequence number, two salts; then its checksum. */
const checkedHeaderBytes = 24;

/**
 * Must be called before anything is written.
 * @throws {EngineError} `store_corrupt`
 */
export function refuseBrokenLog(db: DatabaseSync, file: string): void {
  const selectVersion = db.prepare('pragma data_version');
  const before = selectVersion.get()?.['data_version'];
  // Not possible inside a transaction.
  const { log: readable } = db.prepare('pragma wal_checkpoint(noop)').get() as { log: number };
  // Under the lock nobody else writes to the log.
  db.exec('begin immediate');
  try {
    // Who has written in between opened the file before us, and has looked.
    if (selectVersion.get()?.['data_version'] !== before) return;
    const log = readLog(`${file}-wal`);
    if (log === undefined || log.byteLength <= headerBytes) return;
    const pageBytes = Number(db.prepare('pragma page_size').get()?.['page_size']);
    const lost = commitsBehind(log, Math.max(readable, 0), pageBytes + frameHeaderBytes);
    if (lost < 2) return;
    throw new EngineError('store_corrupt', {
      file,
      where: `its write-ahead log is broken in front of ${lost} commits`,
    });
  } finally {
    db.exec('rollback');
  }
}

function readLog(path: string): DataView | undefined {
  try {
    const { buffer, byteOffset, byteLength } = readFileSync(path);
    return new DataView(buffer, byteOffset, byteLength);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Frames that end a commit of the log's present generation, behind the first `readable` frames. */
function commitsBehind(log: DataView, readable: number, frameBytes: number): number {
  // Frames left from before the log was last begun anew have other salts. A damaged header has no say in that.
  const saltsAt = isIntact(log) ? 16 : headerBytes + 8;
  let commits = 0;
  for (let at = headerBytes + readable * frameBytes; at + frameBytes <= log.byteLength; at += frameBytes) {
    const isPresent =
      log.getUint32(at + 8) === log.getUint32(saltsAt) && log.getUint32(at + 12) === log.getUint32(saltsAt + 4);
    if (isPresent && log.getUint32(at + 4) !== 0) commits += 1;
  }
  return commits;
}

/** Whether the header matches its checksum. */
function isIntact(log: DataView): boolean {
  const littleEndian = (log.getUint32(0) & 1) === 0;
  let [first, second] = [0, 0];
  for (let at = 0; at < checkedHeaderBytes; at += 8) {
    first = (first + log.getUint32(at, littleEndian) + second) >>> 0;
    second = (second + log.getUint32(at + 4, littleEndian) + first) >>> 0;
  }
  return first === log.getUint32(24) && second === log.getUint32(28);
}
