/** What everything that works on sagas shares. */
import type { Executor } from '../command/executor.ts';
import type { KeyedQueue } from '../command/keyed-queue.ts';
import type { RecentCache } from '../ground/recent-cache.ts';
import type { EventLog } from '../store/log.ts';
import type { AnyActivity, AnyImplementation } from './activity.ts';
import type { Desks } from './desks.ts';
import type { EndWatch } from './end-watch.ts';
import type { Standing } from './journal.ts';
import type { SagaNoticeTaker } from './notice.ts';
import type { Permits } from './permits.ts';
import type { AnySaga } from './saga.ts';

export interface SagaRuntime {
  readonly log: EventLog;
  readonly executor: Executor;
  /** By name. */
  readonly sagas: ReadonlyMap<string, AnySaga>;
  /** By the name of the activity. */
  readonly implementations: ReadonlyMap<string, AnyImplementation>;
  readonly permits: Permits;
  readonly ends: EndWatch;
  readonly desks: Desks;
  /** Those who add to an instance that is worked on elsewhere, one after another; and how far it had come then. */
  readonly outside: KeyedQueue;
  readonly lately: RecentCache<string, Standing>;
  readonly notice: SagaNoticeTaker;
  /** Fires when nothing more is to be begun: the engine is closing. */
  readonly closing: AbortSignal;
  /** In ms since the epoch. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly newId: () => string;
}

/** The activity that an instance asks for, of whichever version of its definition. */
export function activityOf(saga: AnySaga, name: string): AnyActivity | undefined {
  for (const version of [saga, ...saga.previous]) {
    const found = version.activities.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}
