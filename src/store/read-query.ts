import { checkKeys } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';
import { checkOwner, checkStreamName } from '../event/names.ts';
import { checkEventQuery } from '../event/query.ts';
import type { ReadQuery, StreamsQuery } from './port.ts';

/** Events in a page: enough to amortise its cost, few enough not to hold the event loop. */
export const defaultPageSize = 256;
const pageSizeMax = 4_096;
/** Streams in a page or asked for, receipts released in one call. */
const listedMax = 100_000;
const readKeys = [
  'stream',
  'match',
  'after',
  'until',
  'afterVersion',
  'untilVersion',
  'recordedFrom',
  'recordedUntil',
  'backwards',
  'limit',
  'pageSize',
] satisfies (keyof ReadQuery)[];
const streamsKeys = ['prefix', 'after', 'limit'] satisfies (keyof StreamsQuery)[];

/** Refuses what cannot be meant, and copies the rest. @throws {EngineError} `option_invalid`, `name_invalid`, `request_invalid` */
export function checkReadQuery(query: ReadQuery): ReadQuery {
  checkKeys('a query', query, readKeys);
  const { stream, match, pageSize } = query;
  if (stream !== undefined) checkStreamName(stream);
  else if (query.afterVersion !== undefined || query.untilVersion !== undefined) {
    throw new EngineError('option_invalid', {
      option: 'afterVersion or untilVersion',
      value: 'given',
      expected: 'a stream beside it',
    });
  }
  for (const option of ['after', 'until', 'afterVersion', 'untilVersion', 'limit'] as const)
    checkCount(option, query[option]);
  for (const option of ['recordedFrom', 'recordedUntil'] as const) {
    const value = query[option];
    if (value !== undefined && (typeof value !== 'number' || Number.isNaN(value))) {
      throw new EngineError('option_invalid', { option, value, expected: 'milliseconds since the epoch' });
    }
  }
  if (pageSize !== undefined && !(Number.isInteger(pageSize) && pageSize >= 1 && pageSize <= pageSizeMax)) {
    throw new EngineError('option_invalid', {
      option: 'pageSize',
      value: pageSize,
      expected: `an integer from 1 to ${pageSizeMax}`,
    });
  }
  return match === undefined ? { ...query } : { ...query, match: checkEventQuery(match) };
}

/** Which streams to list. @throws {EngineError} `option_invalid` */
export function checkStreamsQuery(query: StreamsQuery): StreamsQuery {
  checkKeys('a query of streams', query, streamsKeys);
  const { prefix, after, limit } = query;
  checkPageLimit(limit);
  for (const [option, value] of Object.entries({ prefix, after })) {
    if (value !== undefined && !(typeof value === 'string' && value.isWellFormed()))
      throw new EngineError('option_invalid', { option, value, expected: 'a well-formed string' });
  }
  return { prefix, after, limit };
}

/** Those with a prefix, of names that begin with the first one not below it: they are ordered by bytes, so these stand together. */
export function namesWithPrefix(names: readonly string[], prefix: string): readonly string[] {
  const end = names.findIndex((name) => !name.startsWith(prefix));
  return names.slice(0, end === -1 ? names.length : end);
}

/** Which streams to look at. @throws {EngineError} `request_invalid`, `name_invalid` */
export function checkStreamNames(streams: readonly string[]): readonly string[] {
  if (Array.isArray(streams) && streams.length <= listedMax) return Array.from(streams, checkStreamName);
  throw new EngineError('request_invalid', { reason: `Streams are asked for by a list of at most ${listedMax} names` });
}

/** Which receipts to release. @throws {EngineError} `option_invalid`, `name_invalid` */
export function checkReleased(which: ReleasedReceipts): ReleasedReceipts {
  if ('owner' in which) return { owner: checkOwner(which.owner) };
  const { expiredAt } = which;
  if (typeof expiredAt === 'number' && !Number.isNaN(expiredAt)) return { expiredAt };
  throw new EngineError('option_invalid', {
    option: 'expiredAt',
    value: expiredAt,
    expected: 'milliseconds since the epoch',
  });
}

type ReleasedReceipts = { readonly expiredAt: number } | { readonly owner: string };

/** A page's size. @throws {EngineError} `option_invalid` */
export function checkPageLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= listedMax) return;
  throw new EngineError('option_invalid', {
    option: 'limit',
    value: limit,
    expected: `an integer from 1 to ${listedMax}`,
  });
}

function checkCount(option: string, value: number | undefined): void {
  if (value === undefined || value === Infinity || (Number.isSafeInteger(value) && value >= 0)) return;
  throw new EngineError('option_invalid', { option, value, expected: 'an integer of at least 0, or Infinity' });
}
