/** What can happen to an instance of a saga, as a test tells it; typed by its definition. */
import type { SchemaOutput, StandardSchemaV1 } from '../event/standard-schema.ts';
import type { Activity } from '../saga/activity.ts';
import type { CommandResult } from '../saga/effect.ts';
import type { InferSagaInput, Saga } from '../saga/define-saga.ts';
import type { AnySaga, InferSagaSignals } from '../saga/saga.ts';

type ActivityIn<S> = S extends Saga<infer Types> ? Types['activities'][keyof Types['activities'] & string] : never;
/** The names of the activities of a saga. */
export type SagaActivityName<S extends AnySaga> = ActivityIn<S>['name'];
type ReturnedBy<S, Name> =
  Extract<ActivityIn<S>, { readonly name: Name }> extends Activity<infer Types> ? Types['returned'] : never;

/** An event that the saga takes. */
export type SagaEvent<S extends AnySaga> = {
  readonly [Type in keyof S['events'] & string]: {
    readonly type: Type;
    readonly data: SchemaOutput<S['events'][Type] & StandardSchemaV1>;
    /** `<aggregate>-<id>`. Default: one whose id is that of the instance. */
    readonly stream?: string;
    readonly tags?: readonly string[];
  };
}[keyof S['events'] & string];

/** Why an attempt failed: a `FinalError` with this code, or whatever else is thrown, which is tried again. */
export type AttemptFailure = Error | { readonly code: string; readonly details?: unknown };

/** Which of several. */
export interface OfKey {
  /** Of the effect. Needed only where several of one activity are under way. */
  readonly key?: string;
}

/** What has happened, as data. Made by the functions of a scenario. */
export type SagaHappening =
  | { readonly kind: 'started'; readonly input: unknown }
  | { readonly kind: 'signal'; readonly type: string; readonly data: unknown }
  | { readonly kind: 'completed'; readonly activity: string; readonly returned: unknown; readonly key?: string }
  | { readonly kind: 'failed'; readonly activity: string; readonly failure: AttemptFailure; readonly key?: string }
  | { readonly kind: 'lost'; readonly activity: string; readonly key?: string }
  | { readonly kind: 'accepted'; readonly key: string; readonly result: CommandResult }
  | { readonly kind: 'rejected'; readonly key: string; readonly code: string; readonly details?: unknown }
  | { readonly kind: 'child_completed'; readonly key: string; readonly result: unknown }
  | { readonly kind: 'child_failed'; readonly key: string; readonly code: string; readonly details?: unknown }
  | { readonly kind: 'timed_out'; readonly key: string }
  | { readonly kind: 'woke'; readonly key: string }
  | { readonly kind: 'passed'; readonly ms: number }
  | { readonly kind: 'cancelled'; readonly reason: string }
  | { readonly kind: 'retried' }
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'resolved'; readonly result: unknown };

/** Says what has happened; they can be taken out of the scenario that they are of: `const { given, completed } = sagaScenario(…)`. */
export interface SagaHappenings<S extends AnySaga> {
  /** It was started, by `engine.start` or as a child. */
  started(input: InferSagaInput<S>): SagaHappening;
  signal<Type extends keyof InferSagaSignals<S> & string>(type: Type, data: InferSagaSignals<S>[Type]): SagaHappening;
  /** An attempt at this activity that is under way has succeeded, also one that undoes something. @param returned by the implementation. */
  completed<Name extends SagaActivityName<S>>(
    activity: Name,
    returned: ReturnedBy<S, Name>,
    which?: OfKey,
  ): SagaHappening;
  /** An attempt that is under way has failed; there may be another one, after a backoff without jitter. */
  failed(activity: SagaActivityName<S>, failure: AttemptFailure, which?: OfKey): SagaHappening;
  /** Nobody knows what became of an attempt: its worker is gone. */
  lost(activity: SagaActivityName<S>, which?: OfKey): SagaHappening;
  /** The command that is due next was accepted. @param key of the effect; `~key` for what undoes it. */
  accepted(key: string, result?: Partial<CommandResult>): SagaHappening;
  /** It was rejected. */
  rejected(key: string, code: string, details?: unknown): SagaHappening;
  /** A child has completed. */
  childCompleted(key: string, result?: unknown): SagaHappening;
  /** A child has failed, and has undone whatever it did. */
  childFailed(key: string, code: string, details?: unknown): SagaHappening;
  /** The deadline of a wait has passed, or an attempt has taken too long: the clock moves that far. */
  timedOut(key: string): SagaHappening;
  /** A sleep is over, or the wait before another attempt: the clock moves that far. */
  woke(key: string): SagaHappening;
  /** Time has passed, in ms: timers that are due by then fire, the earliest first. */
  passed(ms: number): SagaHappening;
  /** It was cancelled, by `cancel` or by its parent. */
  cancelled(reason: string): SagaHappening;
  /** An operator had what it is stuck at tried again. */
  retried(): SagaHappening;
  /** An operator had what it is stuck at passed over. */
  skipped(reason: string): SagaHappening;
  /** An operator said what became of what it is stuck at. */
  resolved(result: unknown): SagaHappening;
}

/** What they do does not depend on the saga; what they take does. */
export const sagaHappenings: SagaHappenings<AnySaga> = {
  started: (input) => ({ kind: 'started', input }),
  signal: (type, data) => ({ kind: 'signal', type, data }),
  completed: (activity, returned, which) => ({ kind: 'completed', activity, returned, ...which }),
  failed: (activity, failure, which) => ({ kind: 'failed', activity, failure, ...which }),
  lost: (activity, which) => ({ kind: 'lost', activity, ...which }),
  accepted: (key, { eventCount = 1, version = 1 } = {}) => ({ kind: 'accepted', key, result: { eventCount, version } }),
  rejected: (key, code, details) => ({ kind: 'rejected', key, code, ...(details !== undefined && { details }) }),
  childCompleted: (key, result = null) => ({ kind: 'child_completed', key, result }),
  childFailed: (key, code, details) => ({ kind: 'child_failed', key, code, ...(details !== undefined && { details }) }),
  timedOut: (key) => ({ kind: 'timed_out', key }),
  woke: (key) => ({ kind: 'woke', key }),
  passed: (ms) => ({ kind: 'passed', ms }),
  cancelled: (reason) => ({ kind: 'cancelled', reason }),
  retried: () => ({ kind: 'retried' }),
  skipped: (reason) => ({ kind: 'skipped', reason }),
  resolved: (result) => ({ kind: 'resolved', result }),
};
