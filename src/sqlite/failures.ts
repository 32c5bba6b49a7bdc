/** What SQLite's error codes mean to a user (https://www.sqlite.org/rescode.html). */
import { EngineError } from '../ground/errors.ts';

const codes = {
  internal: 2,
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  notADatabase: 26,
};
/** The file for shared memory could not be made larger: the disk is full. */
const ioErrorShmSize = codes.ioError | (19 << 8);

function extendedCode(error: unknown): number | undefined {
  const { errcode } = (error ?? {}) as { errcode?: unknown };
  return typeof errcode === 'number' ? errcode : undefined;
}

function primaryCode(error: unknown): number | undefined {
  const code = extendedCode(error);
  return code === undefined ? undefined : code & 0xff;
}

/** Another connection holds the lock: wait and try again. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === codes.busy || code === codes.protocol;
}

/** What a statement reads is no longer there. It has no code of its own. */
export function isTableMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('no such table: ');
}

/** Failures of the disk, the file or SQLite itself. After any other a rollback leaves everything as it was. */
const fatalCodes: ReadonlySet<number | undefined> = new Set([
  codes.internal,
  codes.ioError,
  codes.corrupt,
  codes.notADatabase,
]);

/**
 * Whether nothing that the connection says can be trusted any more. A full disk is left out: SQLite notices it before
 * anything counts as written.
 */
export function isFatal(error: unknown, { code }: EngineError, wasCommitting: boolean): boolean {
  if (code === 'store_full') return false;
  return wasCommitting || code === 'store_corrupt' || fatalCodes.has(primaryCode(error));
}

/** Of the operating system, where a path leads to nothing that can be used. */
const pathCodes: ReadonlySet<unknown> = new Set(['EACCES', 'ELOOP', 'ENAMETOOLONG', 'ENOENT', 'ENOTDIR', 'EPERM']);

/**
 * @param outcome whether what was being done may have been written.
 */
export function toEngineError(
  error: unknown,
  file: string,
  outcome: 'not_written' | 'unknown' = 'not_written',
): EngineError {
  if (error instanceof EngineError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const options = { cause: error };
  if (error instanceof Error && 'code' in error && pathCodes.has(error.code))
    return new EngineError('store_unavailable', { file, reason }, options);
  if (extendedCode(error) === ioErrorShmSize) return new EngineError('store_full', { file }, options);
  switch (primaryCode(error)) {
    case codes.full:
      return new EngineError('store_full', { file }, options);
    case codes.readOnly:
      return new EngineError('store_read_only', { file }, options);
    case codes.corrupt:
      return new EngineError('store_corrupt', { file, where: reason }, options);
    case codes.notADatabase:
      return new EngineError(
        'store_foreign',
        { file, found: 'it is no SQLite database, or its first page is damaged' },
        options,
      );
    case codes.cannotOpen:
      return new EngineError('store_unavailable', { file, reason }, options);
    default:
      return new EngineError('store_failed', { file, reason, outcome }, options);
  }
}
