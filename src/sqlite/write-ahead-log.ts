/**
 * The write-ahead log, as far as SQLite does not tell of it (https://www.sqlite.org/fileformat2.html#the_write_ahead_log).
 *
 * After a crash SQLite takes the log up to the first frame that is damaged and drops the rest without a word: right for
 * a commit that was cut off, wrong for a flipped bit in front of commits that were acknowledged. Each of our commits
 * is synced before the next begins, so two of them behind the damage prove that the first had been acknowledged.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { EngineError } from '../ground/errors.ts';

const headerBytes = 32;
const frameHeaderBytes = 24;
/** Of the header: magic number, version, page size, sequence number, two salts; then its checksum. */
const checkedHeaderBytes = 24;
/** A log can be larger than memory. */
const pieceBytes = 4 * 1024 * 1024;

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
    const pageBytes = Number(db.prepare('pragma page_size').get()?.['page_size']);
    const lost = lostCommits(`${file}-wal`, Math.max(readable, 0), pageBytes + frameHeaderBytes);
    if (lost < 2) return;
    throw new EngineError('store_corrupt', {
      file,
      where: `its write-ahead log is broken in front of ${lost} commits`,
    });
  } finally {
    db.exec('rollback');
  }
}

/** Frames that end a commit of the log's present generation, behind the first `readable` frames. */
function lostCommits(path: string, readable: number, frameBytes: number): number {
  let log: number;
  try {
    log = openSync(path, 'r');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return 0;
    throw error;
  }
  try {
    return countCommits(log, readable, frameBytes);
  } finally {
    closeSync(log);
  }
}

function countCommits(log: number, readable: number, frameBytes: number): number {
  const { size } = fstatSync(log);
  const frames = Math.floor((size - headerBytes) / frameBytes);
  if (frames <= readable) return 0;
  const start = readAt(log, 0, headerBytes + frameHeaderBytes);
  // Frames left from before the log was last begun anew have other salts. A damaged header has no say in that.
  const saltsAt = isIntact(start) ? 16 : headerBytes + 8;
  const framesPerPiece = Math.ceil(pieceBytes / frameBytes);
  let commits = 0;
  for (let first = readable; first < frames; first += framesPerPiece) {
    const count = Math.min(framesPerPiece, frames - first);
    const piece = readAt(log, headerBytes + first * frameBytes, count * frameBytes);
    for (let at = 0; at < piece.byteLength; at += frameBytes) {
      const isPresent =
        piece.getUint32(at + 8) === start.getUint32(saltsAt) &&
        piece.getUint32(at + 12) === start.getUint32(saltsAt + 4);
      if (isPresent && piece.getUint32(at + 4) !== 0) commits += 1;
    }
  }
  return commits;
}

function readAt(log: number, position: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  for (let read = 0; read < length;) {
    const more = readSync(log, bytes, read, length - read, position + read);
    // Under the lock nobody shortens it.
    if (more === 0) throw new Error('the write-ahead log ended while it was read');
    read += more;
  }
  return new DataView(bytes.buffer);
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
