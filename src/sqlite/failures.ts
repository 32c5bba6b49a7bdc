/** What SQLite's error codes mean to a user (https://www.sqlite.org/rescode.html). */
import { EngineError } from '../ground/errors.ts';

const codes = {
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

/**
 * Whether nothing that the connection says can be trusted any more: SQLite failed in a way that it does not recover
 * from. What failed outside SQLite, inside a transaction that is rolled back, leaves the connection as it was.
 */
export function isFatal(error: unknown, { code }: EngineError): boolean {
  return code === 'store_corrupt' || (code === 'store_failed' && extendedCode(error) !== undefined);
}

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
