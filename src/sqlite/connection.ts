import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { EngineError } from '../ground/errors.ts';
import { integersChecksum } from './checksum.ts';
import { toEngineError } from './failures.ts';
import { checkRuns } from './index-runs.ts';
import { refuseHardLink } from './file-identity.ts';
import { retryWhileBusy } from './retry-while-busy.ts';
import { applicationId, formatVersion, migrate } from './schema.ts';
import { refuseBrokenLog } from './write-ahead-log.ts';

/** Before it, several connections that write and checkpoint one file can corrupt it: the WAL-reset bug. */
const sqliteRequired = '3.51.3';

/** Smaller files are checked as a whole when they are opened: some tenths of a second. Larger ones where they are read. */
const checkedBytesMax = 16 * 1024 * 1024;

/** A file and how to open it: what every thread of a store is told. */
export interface FileOptions {
  /** An absolute path without symbolic links. */
  readonly file: string;
  readonly create: boolean;
  readonly lockTimeoutMs: number;
}

/** @throws {EngineError} `sqlite_too_old` */
export function requireSqlite(found: string, required: string = sqliteRequired): void {
  const [a, b] = [found, required].map((version) => version.split('.').map(Number));
  for (const [index, wanted] of (b as number[]).entries()) {
    const part = (a as number[])[index] ?? 0;
    if (part > wanted) return;
    if (part !== wanted) throw new EngineError('sqlite_too_old', { found, required });
  }
}

/**
 * Opens the file for writing, making or migrating it where needed. Must be closed by the caller.
 * @throws {EngineError} `store_foreign`, `store_newer`, `store_corrupt`, `store_unavailable`, `store_read_only`,
 * `store_full`, `store_locked`, `sqlite_too_old`.
 */
export function openForWriting({ file, create, lockTimeoutMs }: FileOptions): DatabaseSync {
  if (!create && !existsSync(file)) throw new EngineError('store_unavailable', { file, reason: 'it does not exist' });
  // Before anything is made, also not an empty file.
  requireSqlite(process.versions['sqlite'] ?? 'unknown');
  refuseHardLink(file);
  refuseStump(file);
  const db = connect(file, false);
  try {
    retryWhileBusy(file, lockTimeoutMs, () => prepareFile(db, file, create));
    return db;
  } catch (error) {
    db.close();
    throw toEngineError(error, file);
  }
}

/**
 * Makes sure that a file can be read without writing a byte: a backup, which no log belongs to.
 * @throws {EngineError} `store_foreign`, `store_newer`, `store_corrupt`, `store_unavailable`, `sqlite_too_old`.
 */
export function checkReadOnly(file: string): void {
  if (!existsSync(file)) throw new EngineError('store_unavailable', { file, reason: 'it does not exist' });
  requireSqlite(process.versions['sqlite'] ?? 'unknown');
  const db = openForReading(file);
  try {
    const version = refuseForeign(db, file);
    const refuse = (reason: string) => new EngineError('store_unavailable', { file, reason });
    if (version === 0) throw refuse('it holds no store');
    if (version < formatVersion)
      throw refuse('it has an older format, which only opening it for writing brings up to date');
    if (scalar(db, 'pragma journal_mode') === 'wal')
      throw refuse('it is a store in use, which is not read without its log');
    if (statSync(file).size <= checkedBytesMax) refuseDamaged(db, file);
  } catch (error) {
    throw toEngineError(error, file);
  } finally {
    db.close();
  }
}

/** Opens a file that `openForWriting` has prepared, or `checkReadOnly` has let pass. */
export function openForReading(file: string): DatabaseSync {
  const db = connect(file, true);
  // Reading waits for nobody, except for moments in which the log is being recovered or removed.
  db.exec('pragma busy_timeout = 1000');
  return db;
}

function connect(file: string, readOnly: boolean): DatabaseSync {
  try {
    return new DatabaseSync(file, { readOnly, timeout: 0 });
  } catch (error) {
    throw toEngineError(error, file);
  }
}

function prepareFile(db: DatabaseSync, file: string, create: boolean): void {
  // Looked at before anything is written, so that a file that is not ours stays as it is.
  const version = refuseForeign(db, file);
  if (version === 0 && !create) throw new EngineError('store_unavailable', { file, reason: 'it holds no store' });
  if (version < formatVersion) makeStore(db, file);
  // The switch reports an I/O error only by answering with the old mode.
  const mode = scalar(db, 'pragma journal_mode = wal');
  if (mode !== 'wal') {
    throw new EngineError('store_unavailable', {
      file,
      reason: `the folder's file system does not support WAL (journal mode ${String(mode)})`,
    });
  }
  // fullfsync: on macOS, fsync alone does not reach the disk. It means nothing elsewhere.
  db.exec('pragma synchronous = full; pragma fullfsync = on; pragma checkpoint_fullfsync = on');
  db.exec('pragma cell_size_check = on; pragma temp_store = memory; pragma cache_size = -32768');
  // Checkpoints are run between groups, where their failure can be seen (writer.ts).
  db.exec('pragma wal_autocheckpoint = 0');
  refuseBrokenLog(db, file);
  // SQLite refuses a file that lost its last pages by itself, once everything in the log is in it.
  checkpoint(db, 'truncate');
  const { size } = statSync(file);
  // What is missing of a page it takes for zeros.
  if (size % Number(scalar(db, 'pragma page_size')) !== 0)
    throw new EngineError('store_corrupt', { file, where: 'its end was cut off' });
  if (size <= checkedBytesMax) refuseDamaged(db, file);
}

/** The file's format version; 0 for a new file. @throws {EngineError} `store_foreign`, `store_newer` */
export function refuseForeign(db: DatabaseSync, file: string): number {
  const version = Number(scalar(db, 'pragma user_version'));
  const application = Number(scalar(db, 'pragma application_id'));
  const tables = Number(scalar(db, 'select count(*) from sqlite_schema'));
  if (application === 0 && version === 0 && tables === 0) return 0;
  if (application !== applicationId)
    throw new EngineError('store_foreign', { file, found: 'it is another program’s database' });
  if (version > formatVersion) throw new EngineError('store_newer', { file, found: version, supported: formatVersion });
  return version;
}

function makeStore(db: DatabaseSync, file: string): void {
  scalar(db, 'pragma journal_mode = wal');
  db.exec('pragma synchronous = full; begin immediate');
  try {
    // Another process may have been faster.
    const version = refuseForeign(db, file);
    migrate(db, version);
    if (version === 0) {
      db.prepare('insert into head values (1, 0, 0, 0, 0, 0, 0, 0, ?)').run(integersChecksum(0, 0, 0, 0, 0, 0, 0));
    }
    db.exec('commit');
  } catch (error) {
    if (db.isTransaction) db.exec('rollback');
    throw error;
  }
}

/** SQLite takes a file that is shorter than its header for a new one. */
const headerBytes = 512;

/** A file without content beside a write-ahead log with some was emptied by someone: SQLite would discard the log. */
function refuseStump(file: string): void {
  const size = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size(file) > 0 && size(file) < headerBytes) {
    throw new EngineError('store_foreign', { file, found: `it has only ${size(file)} bytes` });
  }
  if (size(file) === 0 && size(`${file}-wal`) > 0) {
    throw new EngineError('store_corrupt', { file, where: 'it is empty, but its write-ahead log is not' });
  }
}

/** Whether tables and indexes agree, which reading one of them cannot show. @throws {EngineError} `store_corrupt` */
export function refuseDamaged(db: DatabaseSync, file: string): void {
  const answer = String(scalar(db, 'pragma integrity_check(1)'));
  if (answer !== 'ok') throw new EngineError('store_corrupt', { file, where: answer });
  checkRuns(db, file);
}

/**
 * Writes the log into the database file and syncs it. After a crash or a failed sync this makes what the log
 * shows durable, whatever became of the log's own pages.
 */
export function checkpoint(db: DatabaseSync, mode: 'passive' | 'truncate'): void {
  db.prepare(`pragma wal_checkpoint(${mode})`).get();
}

/** How long a new beginning of the log may hold up who asks for it: longer than any read but a long search. */
const restartTimeoutMs = 200;

/**
 * Empties the log, for which nobody may be inside it: waits a moment for those who are, and keeps new writers out.
 * @returns whether it came to that.
 */
export function restartLog(db: DatabaseSync): boolean {
  db.exec(`pragma busy_timeout = ${restartTimeoutMs}`);
  try {
    return scalar(db, 'pragma wal_checkpoint(truncate)') === 0;
  } finally {
    db.exec('pragma busy_timeout = 0');
  }
}

/** The first column of a statement's first row. */
function scalar(db: DatabaseSync, sql: string): unknown {
  return Object.values(db.prepare(sql).get() ?? {})[0];
}
