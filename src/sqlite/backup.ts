import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync, backup as copyPages } from 'node:sqlite';
import { systemClock } from '../ground/clock.ts';
import { EngineError, hasCode } from '../ground/errors.ts';
import { defaultLimits } from '../ground/limits.ts';
import type { StoreHead } from '../store/port.ts';
import { openForReading, refuseForeign } from './connection.ts';
import { toEngineError } from './failures.ts';
import { realPath } from './file-identity.ts';
import { HeadRow } from './head-row.ts';
import { isBackup } from './inspect.ts';
import { SqliteEventStore } from './store.ts';
import { verify } from './verify.ts';
import type { FileWork } from './verify.ts';

/** Pages copied between two looks at the signal. */
const pagesPerStep = 256;

/**
 * Copies a store's file as of this moment, while others may be reading and writing it, and looks at everything in the copy
 * before it gets its name. Restoring is the same in the other direction. Nothing is overwritten.
 * @returns what the copy holds.
 * @throws {EngineError} `file_exists` for a target that exists; `store_corrupt`, `store_foreign`, `store_unavailable`,
 * `store_full` and the like, for either; the signal's reason, when aborted. Then there is no copy.
 */
export async function backup(from: string, to: string, work: FileWork = {}): Promise<StoreHead> {
  const source = realPath(from);
  const target = resolve(to);
  for (const file of [target, ...besides(target)]) if (existsSync(file)) throw new EngineError('file_exists', { file });
  const partial = `${target}.partial`;
  reserve(partial);
  try {
    const copied = await copyFile(source, partial, work);
    settle(partial);
    const found = await verifyCopy(source, partial, work);
    if (found.position !== copied)
      throw new EngineError('store_corrupt', { file: source, where: `its copy ends at position ${found.position}` });
    reserve(target);
    renameSync(partial, target);
    // Windows knows no syncing of folders.
    if (process.platform !== 'win32') sync(dirname(target), 'r');
    return found;
  } catch (error) {
    for (const file of [partial, ...besides(partial)]) rmSync(file, { force: true });
    throw work.signal?.aborted === true ? error : toEngineError(error, target);
  }
}

/** What SQLite keeps beside a file: left behind by another, it would be taken for the file's own. */
function besides(file: string): readonly string[] {
  return ['-wal', '-shm', '-journal'].map((ending) => file + ending);
}

/** What is damaged in the copy is damaged in its source: that is the file that somebody must look after. */
async function verifyCopy(source: string, copy: string, work: FileWork): Promise<StoreHead> {
  try {
    return await verify(copy, work);
  } catch (error) {
    if (!hasCode(error, 'store_corrupt')) throw error;
    throw new EngineError('store_corrupt', { file: source, where: error.details.where }, { cause: error });
  }
}

/** Makes an empty file: of two who do so at once, one fails. */
function reserve(file: string): void {
  try {
    closeSync(openSync(file, 'wx'));
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') throw new EngineError('file_exists', { file });
    throw toEngineError(error, file);
  }
}

/** @returns the position of the last event copied. */
async function copyFile(source: string, partial: string, { signal, onProgress }: FileWork): Promise<number> {
  // A store that may be in use is opened as such: what a crash left in its log is looked at, and no file stays beside it.
  await using _ = isBackup(source) ? undefined : await openStore(source);
  const db = openForReading(source);
  try {
    // The copying sees what this transaction sees: it need not begin again when somebody writes.
    db.exec('begin');
    if (refuseForeign(db, source) === 0)
      throw new EngineError('store_unavailable', { file: source, reason: 'it holds no store' });
    const { position } = new HeadRow(db, source).read();
    const pageBytes = Number(db.prepare('pragma page_size').get()?.['page_size']);
    const report = (pages: number, total: number) => {
      signal?.throwIfAborted();
      onProgress?.({ phase: 'copying', done: pages * pageBytes, total: total * pageBytes });
    };
    const pages = await copyPages(db, partial, {
      rate: pagesPerStep,
      progress: ({ totalPages, remainingPages }) => report(totalPages - remainingPages, totalPages),
    });
    report(pages, pages);
    signal?.throwIfAborted();
    return position;
  } finally {
    db.close();
  }
}

function openStore(file: string): Promise<SqliteEventStore> {
  const options = { file, create: false, readOnly: false, lockTimeoutMs: 30_000 };
  return SqliteEventStore.open(options, { clock: systemClock, limits: defaultLimits });
}

/** Makes the copy a file that stands alone, also on a disk that is read-only, and makes it durable. */
function settle(file: string): void {
  const db = new DatabaseSync(file);
  try {
    db.exec('pragma journal_mode = delete');
  } finally {
    db.close();
  }
  sync(file, 'r+');
}

function sync(path: string, flags: 'r' | 'r+'): void {
  const descriptor = openSync(path, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
