import type { RecordedEvent } from '../event/codec.ts';
import type { Timer } from '../ground/clock.ts';
import type { Moment } from '../store/moment.ts';
import type { Position } from '../store/port.ts';

/** How fast: as fast as it goes, or the recorded pace times a factor from 0.1 to `limits.replaySpeed`, which is 100. */
export type ReplaySpeed = 'unthrottled' | number;

/** How far a replay is. */
export interface ReplayProgress {
  /** Frames so far; `run`: events folded so far. */
  readonly events: number;
  /** Of the last event that was folded; 0 before the first. */
  readonly position: Position;
  /** Of that event. */
  readonly recordedAt: number | undefined;
  /** The position at which it ends: fixed when it begins; until then undefined. */
  readonly until: Position | undefined;
  /** How much of the way from the first event to the end lies behind it, from 0 to 1: where a slider would stand. */
  readonly fraction: number;
}

/** Which events are folded. All that is given must hold. */
export interface Selection<Event extends { readonly type: string } = RecordedEvent> {
  /** Any of these; where there are none, every type, as in any query. */
  readonly types?: readonly Event['type'][];
  /** All of these. */
  readonly tags?: readonly string[];
  /** Any of these. */
  readonly streams?: readonly string[];
  readonly where?: (event: Event) => boolean;
}

/** How a replay goes, whatever its mode. */
export interface PlayOptions<Event = RecordedEvent> {
  /** Default `'unthrottled'`. May be changed under way. */
  readonly speed?: ReplaySpeed;
  /** Recorded time between two events counts for at most so many ms. Default Infinity. */
  readonly maxGapMs?: number;
  /** When an event happened, in ms, where that is not when it was recorded. Where it runs backwards, nothing is waited for. */
  readonly timeOf?: (event: Event) => number;
  /** What is waited by. Default: `systemTimer`. */
  readonly timer?: Timer;
  readonly signal?: AbortSignal;
  /** Told about ten times a second, and at the end. */
  readonly onProgress?: (progress: ReplayProgress) => void;
}

/** Which part of history. */
export type ReplayMode<Event extends { readonly type: string } = RecordedEvent> =
  /** All of it. The default. */
  | { readonly mode?: 'full' }
  /** Only events that are selected: what would be, had there been no others. */
  | { readonly mode: 'selective'; readonly select: Selection<Event>; readonly at?: Moment }
  /** Up to a moment. */
  | { readonly mode: 'time_travel'; readonly at: Moment };

/** From the newest usable snapshot at or before `at` (default: now); from the first event where there is none. */
export interface FromSnapshot {
  readonly mode: 'from_snapshot';
  readonly at?: Moment;
}

export type ReplayOptions<Event extends { readonly type: string } = RecordedEvent> = PlayOptions<Event> &
  ReplayMode<Event>;

export type InstanceReplayOptions<Event extends { readonly type: string } = RecordedEvent> = PlayOptions<Event> &
  (ReplayMode<Event> | FromSnapshot);
