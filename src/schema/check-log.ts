import { checkKeys, checkSignal, optionInvalid } from '../ground/check-options.ts';
import type { EventLog } from '../store/log.ts';
import type { ReadQuery } from '../store/port.ts';
import { checkReadQuery } from '../store/read-query.ts';
import { LogChecker } from './log-checker.ts';
import type { LogCheck } from './log-checker.ts';

/** Which events are checked. Default: all that there are when it begins. */
export interface CheckLogOptions extends Pick<
  ReadQuery,
  'stream' | 'match' | 'after' | 'until' | 'recordedFrom' | 'recordedUntil'
> {
  /** Failures that are given, the first ones: an integer of at least 0. Default 100; all are counted. */
  readonly limit?: number;
  /** Told after each page. */
  readonly onProgress?: (progress: CheckLogProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface CheckLogProgress {
  /** Positions, of `total`. */
  readonly done: number;
  readonly total: number;
}

const queryKeys = ['stream', 'match', 'after', 'until', 'recordedFrom', 'recordedUntil'] as const;
const keys = [...queryKeys, 'limit', 'onProgress', 'signal'] satisfies (keyof CheckLogOptions)[];
export const failuresDefault = 100;
const pageSize = 1_024;

/**
 * Reads stored events through the casts of the log, and validates what they are read as.
 * @throws {EngineError} `option_invalid`, `name_invalid`, `store_corrupt`, `store_closed`; the signal's reason, when aborted.
 */
export async function checkLog(log: EventLog, options: CheckLogOptions = {}): Promise<LogCheck> {
  checkKeys('the options of checkLog', options, keys);
  const { limit = failuresDefault, onProgress, signal, ...query } = options;
  checkSignal(signal);
  if (!(Number.isInteger(limit) && limit >= 0)) throw optionInvalid('limit', limit, 'an integer of at least 0');
  const { after = 0, until = Infinity, ...rest } = checkReadQuery(query);
  const end = Math.min(until, (await log.head()).position);
  const total = Math.max(0, end - after);
  const checker = new LogChecker(log.casts, limit);
  if (total > 0) {
    for await (const page of log.recorded({ ...rest, after, until: end, pageSize }, signal)) {
      await checker.check(page, signal);
      onProgress?.({ done: (page.at(-1)?.position ?? after) - after, total });
    }
  }
  return checker.result;
}
