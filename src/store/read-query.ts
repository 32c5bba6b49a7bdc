import { EngineError } from '../ground/errors.ts';
import { checkStreamName } from '../event/names.ts';
import { checkEventQuery } from '../event/query.ts';
import type { ReadQuery } from './port.ts';

/** Events in a page: enough to amortise its cost, few enough not to hold the event loop. */
export const defaultPageSize = 256;
const pageSizeMax = 4_096;
/** Streams in a page, receipts released in one call. */
const listedMax = 100_000;

/** Refuses what cannot be meant. @throws {EngineError} `option_invalid`, `name_invalid`, `request_invalid` */
export function checkReadQuery(query: ReadQuery): void {
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
  if (match !== undefined) checkEventQuery(match);
}

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
