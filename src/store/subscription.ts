/** Catching up with a store and then staying with it. */
import type { Recorded } from '../event/event.ts';
import type { EventQuery } from '../event/query.ts';
import { checkKeys } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';
import type { EventStore, Position } from './port.ts';
import { checkReadQuery } from './read-query.ts';

/** Which events, and from where on. All bounds must hold. */
export interface SubscribeQuery {
  readonly stream?: string | undefined;
  readonly match?: EventQuery | undefined;
  /** Positions above this. Default 0: from the first event on. */
  readonly after?: Position | undefined;
  /** Events in a batch, at most: 1 to 4,096; ten times as many while far behind. Default 100. */
  readonly batchSize?: number | undefined;
}

export interface RecordedBatch {
  /** At least one. */
  readonly events: readonly Recorded[];
  /** Everything up to here has been seen: what to go on `after`. */
  readonly position: Position;
}

const subscribeKeys = ['stream', 'match', 'after', 'batchSize'] satisfies (keyof SubscribeQuery)[];
const defaultBatchSize = 100;
const batchMax = 4_096;
const largerBy = 10;

/** @throws {EngineError} `option_invalid`, `name_invalid`, `request_invalid` */
export function checkSubscribeQuery(query: SubscribeQuery): SubscribeQuery {
  checkKeys('a subscription', query, subscribeKeys);
  const { batchSize = defaultBatchSize, stream, match, after = 0 } = query;
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > batchMax)
    throw new EngineError('option_invalid', {
      option: 'batchSize',
      value: batchSize,
      expected: `an integer from 1 to ${batchMax}`,
    });
  const checked = checkReadQuery({ stream, match, after });
  return { stream: checked.stream, match: checked.match, after: checked.after, batchSize };
}

/**
 * Batches of events in the order of positions, without end: first what is there, then what comes. Nothing is read ahead of who asks.
 * @throws the signal's reason, when aborted; what reading throws.
 */
export async function* follow(
  store: EventStore,
  { stream, match, after = 0, batchSize = defaultBatchSize }: SubscribeQuery,
  signal?: AbortSignal,
): AsyncGenerator<RecordedBatch> {
  for (let seen = after; ;) {
    const head = await store.appended(seen, signal);
    const isFarBehind = head - seen > largerBy * batchSize;
    const pageSize = Math.min(batchMax, isFarBehind ? largerBy * batchSize : batchSize);
    for await (const events of store.read({ stream, match, after: seen, until: head, pageSize }, signal)) {
      seen = events.at(-1)?.position ?? seen;
      for (let start = 0; start < events.length; start += pageSize) {
        const batch = events.slice(start, start + pageSize);
        yield { events: batch, position: batch.at(-1)?.position ?? seen };
      }
    }
    seen = head;
  }
}
