import type { Folded } from '../command/boundary.ts';
import type { Folding } from '../command/folding.ts';
import type { StreamFold } from '../snapshot/snapshot.ts';
import type { EventLog } from '../store/log.ts';
import type { Moment } from '../store/moment.ts';

/** What replaying and comparing need of an engine. */
export interface ReplayContext {
  readonly log: EventLog;
  readonly folding: Pick<Folding, 'start' | 'fold'>;
  /** Whether states and documents are frozen, to catch those who change them. */
  readonly freezes: boolean;
  readonly now: () => number;
  /** The newest usable snapshot of a stream as of a moment, by default now; undefined where there is none. */
  readonly newestSnapshot: (fold: StreamFold, stream: string, at?: Moment) => Promise<Folded | undefined>;
  /** Fires with `engine_closed` when the engine is closed. */
  readonly closing: AbortSignal;
  /** @throws {EngineError} `engine_closed` */
  readonly checkOpen: () => void;
}
