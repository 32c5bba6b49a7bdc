import type { Folded } from '../command/boundary.ts';
import type { RecordedEvent } from '../event/codec.ts';
import type { Replayed } from './subject.ts';

/** What a replay folds events into. */
export interface Target<Frame, Result> {
  /** Begins anew: before the first event, or, of an instance, where a snapshot was made. */
  begin(snapshot?: Folded): void;
  /** Folds these, without looking at what each does. */
  take(events: readonly RecordedEvent[]): void;
  /** Folds one, and shows what it did. */
  show(event: RecordedEvent): Frame;
  /** What it has come to. */
  result(replayed: Replayed): Result;
}

/** One value that events change. */
export interface Valued {
  readonly value: unknown;
  begin(snapshot?: Folded): void;
  take(events: readonly RecordedEvent[]): void;
}
