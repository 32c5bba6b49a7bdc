/** Which file on disk is meant. SQLite finds a file's write-ahead log by the file's name alone. */
import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { EngineError } from '../ground/errors.ts';

/**
 * The path behind all symbolic links, after which SQLite names the log; also of a file that does not exist yet.
 * @throws {EngineError} `store_unavailable`
 */
export function realPath(file: string): string {
  try {
    return followLinks(file);
  } catch (error) {
    throw new EngineError('store_unavailable', { file, reason: (error as Error).message }, { cause: error });
  }
}

function followLinks(file: string): string {
  try {
    return realpathSync.native(file);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
  }
  const folder = realpathSync.native(dirname(file));
  const path = join(folder, basename(file));
  const isLink = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  return isLink ? followLinks(resolve(folder, readlinkSync(path))) : path;
}

const hardLinked = 'it has another name (a hard link), under which its write-ahead log would not be found';

/** @throws {EngineError} `store_unavailable` */
export function refuseHardLink(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.nlink ?? 0) > 1) {
    throw new EngineError('store_unavailable', { file, reason: hardLinked });
  }
}

/** What tells this file from another one of the same name. */
export function fileIdentity(file: string): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats && identityOf(stats);
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev} ${ino}`;
}

/**
 * SQLite goes on writing into a file that was removed, and what it writes is gone when it is closed; what it writes
 * beside a file of two names is missed by who opens the other.
 * @throws {EngineError} `store_failed`
 */
export function requireOnlyName(file: string, identity: string | undefined): void {
  const refuse = (reason: string) => new EngineError('store_failed', { file, reason, outcome: 'not_written' });
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined || identityOf(stats) !== identity)
    throw refuse('the file was removed or replaced while it was open');
  if (stats.nlink > 1) throw refuse(hardLinked);
}
