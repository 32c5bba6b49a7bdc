/** What is recorded of an instance: each event of its stream is a step. What happened, and what followed. */
import { sagaStepType } from '../event/event.ts';
import type { Draft, EventMetadata } from '../event/event.ts';
import { reservedDraft } from '../event/codec.ts';
import type { Command } from '../command/command.ts';
import type { RetryOptions } from './retry.ts';

/** Why something did not succeed. */
export interface Failure {
  /** For programs: of a rejection or a `FinalError` its own, else `error`, `timed_out`, `input_invalid` and the like. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** JSON. */
  readonly details?: unknown;
}

/** An event that came in, as it was. The instance is a fold of its own stream alone. */
export interface Trigger {
  readonly position: number;
  readonly id: string;
  readonly stream: string;
  readonly type: string;
  readonly data: unknown;
  readonly recordedAt: number;
}

/** What undoes an effect, as data. */
export type Undo =
  | { readonly kind: 'command'; readonly command: Command; readonly retry?: Omit<RetryOptions, 'isFinal'> }
  | { readonly kind: 'activity'; readonly activity: string; readonly input: unknown }
  /** `compensate` failed: something is to be undone, and only a person can say how. */
  | { readonly kind: 'unknown'; readonly failure: Failure };

/** Who waits for an instance to end. */
export interface Parent {
  readonly saga: string;
  readonly id: string;
  readonly key: string;
}

/** What an operator does about an effect at which an instance is stuck. */
export type Resolution =
  | { readonly kind: 'retry' }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'resolve'; readonly result: unknown; readonly reason?: string };

/** What happened. */
export type Occurrence =
  | {
      readonly kind: 'started';
      readonly version: number;
      readonly input?: unknown;
      readonly trigger?: Trigger;
      readonly parent?: Parent;
    }
  | { readonly kind: 'event'; readonly trigger: Trigger }
  | { readonly kind: 'signal'; readonly type: string; readonly data: unknown; readonly id: string }
  | { readonly kind: 'completed'; readonly key: string; readonly result: unknown; readonly undo?: Undo }
  | {
      readonly kind: 'failed';
      readonly key: string;
      /** A child saga that could not be started: of what failed as it began nothing else is recorded. Default: a command. */
      readonly of?: 'child';
      readonly failure: Failure;
      /** Whether there is no further attempt. */
      readonly final: boolean;
      /** Whether it may have happened all the same. */
      readonly unknown?: boolean;
      readonly undo?: Undo;
    }
  /** An attempt of which nobody knows the end: whoever made it is gone. */
  | { readonly kind: 'lost'; readonly key: string }
  | { readonly kind: 'timer'; readonly key: string }
  /** A child saga has ended. */
  | { readonly kind: 'child'; readonly key: string; readonly trigger: Trigger; readonly undo?: Undo }
  | { readonly kind: 'operator'; readonly key?: string; readonly act: Resolution }
  | { readonly kind: 'cancel'; readonly reason: string }
  | { readonly kind: 'migrated'; readonly from: number; readonly to: number; readonly state: unknown }
  /** Whoever works on it has looked at what is due. */
  | { readonly kind: 'taken_up' };

export type TimerPurpose = 'wait' | 'sleep' | 'retry';

/** What followed. */
export type Consequence =
  | {
      readonly kind: 'attempt';
      readonly key: string;
      /** Of the activity; with its input where it is the first. */
      readonly activity: string;
      readonly input?: unknown;
      readonly attempt: number;
    }
  | {
      readonly kind: 'timer';
      readonly key: string;
      readonly at: number;
      readonly for: TimerPurpose;
      readonly type?: string;
    }
  | { readonly kind: 'timer_cancelled'; readonly key: string }
  /** What was waited for has come. */
  | { readonly kind: 'received'; readonly key: string; readonly type: string }
  | {
      readonly kind: 'child';
      readonly key: string;
      readonly saga: string;
      readonly id: string;
      /** Whether its end is not waited for. */
      readonly detached?: boolean;
      readonly undo?: Undo;
    }
  /** Gives up an effect that is not under way, but may have happened. */
  | { readonly kind: 'abandoned'; readonly key: string; readonly undo?: Undo }
  | { readonly kind: 'compensating'; readonly failure: Failure }
  | { readonly kind: 'stuck'; readonly key?: string; readonly failure: Failure }
  | Ended;

/** How an instance has ended, and who waits for that. */
export type Ended = { readonly kind: 'ended'; readonly parent?: Parent } & (
  | { readonly outcome: 'completed'; readonly result?: unknown }
  | { readonly outcome: 'compensated'; readonly failure: Failure }
);

export interface Step {
  readonly on: Occurrence;
  /** When it was noticed, by the clock of whoever recorded it, in ms since the epoch. */
  readonly at: number;
  readonly follows?: readonly Consequence[];
  /** Whether nothing is under way or due until something comes or a timer fires. */
  readonly rests?: boolean;
}

export function endOf({ follows = [] }: Step): Ended | undefined {
  const last = follows.at(-1);
  return last?.kind === 'ended' ? last : undefined;
}

/** @throws {EngineError} `data_unfaithful` */
export function stepDraft(step: Step, metadata: EventMetadata): Draft {
  return reservedDraft(sagaStepType, step, metadata);
}
