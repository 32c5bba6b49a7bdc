/** What PostgreSQL's error codes mean to a user (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
import { EngineError } from '../ground/errors.ts';
import type { WriteOutcome } from '../ground/errors.ts';

const codes = {
  readOnlyTransaction: '25006',
  diskFull: '53100',
  insufficientPrivilege: '42501',
} as const;

/** An answer of the server, as node-postgres gives it. */
interface ServerError extends Error {
  /** SQLSTATE. */
  readonly code: string;
  readonly severity: string;
}

/** SQLSTATE of an answer. */
export function serverCode(error: unknown): string | undefined {
  return isServerError(error) ? error.code : undefined;
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string';
}

/** Whether the server said no, undid what it had done and keeps the connection; else the connection is gone. */
export function isAnswered(error: unknown): boolean {
  return isServerError(error) && error.severity !== 'FATAL' && error.severity !== 'PANIC';
}

/**
 * Classes of codes that pass: connections (08), transactions in each other's way (40), resources (53), operators (57P),
 * and a server that is read-only because it is not the primary any more, or not yet.
 */
const passingCodes = /^(?:08|40|53|57P|25006$)/;
/** Wrong names, passwords, databases: trying again changes nothing. */
const hopelessCodes = /^(?:28|3D|42|0A)/;

/** Whether the same may go well a moment later. What isn't the server's answer is the network's. */
export function isPassing(error: unknown): boolean {
  if (error instanceof EngineError) return false;
  if (!isServerError(error)) return !isHopelessAddress(error);
  return error.code !== codes.diskFull && passingCodes.test(error.code);
}

/** Host names that do not exist are not looked up again and again. */
function isHopelessAddress(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOTFOUND' || error.code === 'ERR_TLS_CERT_ALTNAME_INVALID')
  );
}

/** @param outcome whether what was being done may have been written: then that is what matters. */
export function toEngineError(error: unknown, store: string, outcome: WriteOutcome = 'not_written'): EngineError {
  const reason = reasonOf(error);
  const options = { cause: error };
  if (outcome === 'unknown') return new EngineError('connection_failed', { store, reason, outcome }, options);
  if (error instanceof EngineError) return error;
  if (!isServerError(error)) return new EngineError('connection_failed', { store, reason, outcome }, options);
  switch (error.code) {
    case codes.readOnlyTransaction:
      return new EngineError('store_read_only', { file: store }, options);
    case codes.diskFull:
      return new EngineError('store_full', { file: store }, options);
    case codes.insufficientPrivilege:
      return new EngineError('store_forbidden', { store, reason }, options);
    default:
      if (hopelessCodes.test(error.code)) return new EngineError('store_unavailable', { file: store, reason }, options);
      if (isPassing(error)) return new EngineError('connection_failed', { store, reason, outcome }, options);
      return new EngineError('store_failed', { file: store, reason, outcome }, options);
  }
}

function reasonOf(error: unknown): string {
  // Of an address with several numbers, each has failed for itself.
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
