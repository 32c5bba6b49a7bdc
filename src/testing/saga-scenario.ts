/** Given / when / then for sagas: what is due after what has happened, without an engine, without a store, at once. */
import { toCanonicalJson } from '../event/json.ts';
import type { Effect } from '../saga/effect.ts';
import { isUndoKey } from '../saga/progress.ts';
import type { AnySaga, InferSagaState } from '../saga/saga.ts';
import type { Failure } from '../saga/step.ts';
import { complain, requireSame } from './complaint.ts';
import { sagaHappenings } from './saga-happenings.ts';
import type { SagaActivityName, SagaEvent, SagaHappening, SagaHappenings } from './saga-happenings.ts';
import { SagaRun } from './saga-run.ts';
import type { DueEffect } from './saga-run.ts';
import { take } from './take-happening.ts';
import type { UntypedSagaEvent } from './take-happening.ts';

export interface SagaScenarioOptions<S extends AnySaga> {
  /** Of the instance. Default: what the `id` of the definition says of the first event; `1` for one that is started. */
  readonly id?: string;
  /** When it begins, in ms since the epoch. Default 2026-01-01. */
  readonly now?: number;
  /** Activities whose implementations have a `reconcile`. Default: none. */
  readonly reconciles?: readonly SagaActivityName<S>[];
}

/** What can be said of an effect beside what makes it. */
export interface ExpectedProgress {
  /** The attempt that is under way, or the last one: 1 for the first. */
  readonly attempt?: number;
  /** In how many ms a timer of its fires, by the scenario's clock: a deadline, the end of a sleep, another attempt. */
  readonly inMs?: number;
}

/** An effect, made as in the definition, or its key and whatever else matters. What is left out is not compared; nor is `compensate`. */
export type ExpectedEffect =
  | (Effect & ExpectedProgress)
  | ({ readonly key: string; readonly kind?: Effect['kind'] } & ExpectedProgress);

/** An instance after what has happened so far. Each call gives another one; this one stays as it is. All fail with an AssertionError. */
export interface SagaMoment<S extends AnySaga> {
  /** All of this has happened, in order: events, and what the functions of the scenario say. */
  given(...past: readonly (SagaHappening | SagaEvent<S>)[]): SagaMoment<S>;
  /** And now this happens. */
  when(what: SagaHappening | SagaEvent<S>): SagaMoment<S>;
  /**
   * These effects, and no others, are asked for and not done, whether they have been begun before or not. While it is compensated: those
   * that are still to be undone, in order, each under the key `~` and that of what it undoes. What is done with at once counts as well, just after what it
   * was asked for by: `complete`, `fail`, a child that is detached.
   */
  thenEffects(expected: readonly ExpectedEffect[]): SagaMoment<S>;
  thenState(expected: InferSagaState<S>): SagaMoment<S>;
  /** It has ended. @param result compared only if it is given. */
  thenCompleted(...result: readonly [result?: unknown]): SagaMoment<S>;
  /** It is being compensated, and these effects are still to be undone, the next one first. */
  thenCompensating(keys: readonly string[]): SagaMoment<S>;
  /** It has ended, and everything is undone. @param failure what of it matters. */
  thenCompensated(failure?: Partial<Failure>): SagaMoment<S>;
  /** It gets no further until an operator acts. @param key at which effect, `~key` for what undoes it; null: at none. Default: any. */
  thenStuck(key?: string | null): SagaMoment<S>;
}

export type SagaScenario<S extends AnySaga> = SagaMoment<S> & SagaHappenings<S>;

/**
 * A scenario of a saga: on the fold and the agenda of the engine, with a clock that only moves when it is told, without a store.
 *
 *     const { given, completed, failed } = sagaScenario(fulfilment);
 *     given({ type: 'OrderPlaced', data: { orderId: 'o-1', total: 10 } })
 *       .when(failed('charge', { code: 'card_declined' }))
 *       .thenCompensated({ code: 'card_declined' });
 */
export function sagaScenario<S extends AnySaga>(saga: S, options: SagaScenarioOptions<S> = {}): SagaScenario<S> {
  const { id, now = Date.UTC(2026, 0, 1), reconciles = [] } = options;
  const begun = new Moment(new SagaRun(saga, { id, now, reconciles }));
  const { given, when, thenEffects, thenState, thenCompleted, thenCompensating, thenCompensated, thenStuck } = begun;
  const moment = { given, when, thenEffects, thenState, thenCompleted, thenCompensating, thenCompensated, thenStuck };
  return { ...sagaHappenings, ...moment } as SagaScenario<S>;
}

class Moment implements SagaMoment<AnySaga> {
  readonly #run: SagaRun;

  constructor(run: SagaRun) {
    this.#run = run;
  }

  readonly given = (...past: readonly (SagaHappening | UntypedSagaEvent)[]): Moment => {
    const run = this.#run.fork();
    for (const one of past) take(run, one);
    return new Moment(run);
  };

  readonly when = (what: SagaHappening | UntypedSagaEvent): Moment => this.given(what);

  readonly thenEffects = (expected: readonly ExpectedEffect[]): this => {
    const { started, who } = this.#run;
    const due = this.#run.due();
    // Those that run side by side are in no order.
    const wanted = started.status === 'running' ? inOrderOf(due, expected) : expected;
    const actual = due.map((one, index) => described(one, this.#run.now, wanted[index]));
    requireSame(`${who}: other effects are due than expected`, actual, wanted.map(comparable));
    return this;
  };

  readonly thenState = (expected: unknown): this => {
    const { started, who } = this.#run;
    requireSame(`${who}: its state is another one than expected`, started.state, expected);
    return this;
  };

  readonly thenCompleted = (...result: readonly [result?: unknown]): this => {
    const { started } = this.#run;
    this.#requireStatus('completed');
    if (result.length > 0) requireSame('It completed with another result than expected', started.result, result[0]);
    return this;
  };

  readonly thenCompensating = (keys: readonly string[]): this => {
    this.#requireStatus('compensating');
    const undone = this.#run.due().flatMap(({ effect: { key } }) => (isUndoKey(key) ? [key.slice(1)] : []));
    requireSame(`${this.#run.who}: other effects are to be undone than expected`, undone, keys);
    return this;
  };

  readonly thenCompensated = (failure: Partial<Failure> = {}): this => {
    this.#requireStatus('compensated');
    const actual = Object.fromEntries(
      Object.entries(this.#run.started.failure ?? {}).filter(([key]) => key in failure),
    );
    requireSame('It was compensated for another reason than expected', actual, failure);
    return this;
  };

  readonly thenStuck = (key?: string | null): this => {
    this.#requireStatus('stuck');
    const { stuck } = this.#run.started;
    if (key !== undefined) requireSame(`${this.#run.who}: not where expected`, stuck?.key ?? null, key);
    return this;
  };

  #requireStatus(expected: string): void {
    const { status } = this.#run.started;
    if (status !== expected) complain(`Expected it to be ${expected}, but ${this.#run.who}`);
  }
}

type Shown = Readonly<Record<string, unknown>>;

/** What is expected in the order of what is due; what is not due comes last. */
function inOrderOf(due: readonly DueEffect[], expected: readonly ExpectedEffect[]): readonly ExpectedEffect[] {
  const keys = due.map(({ effect }) => effect.key);
  const place = ({ key }: ExpectedEffect) => (keys.includes(key) ? keys.indexOf(key) : keys.length);
  return [...expected].sort((a, b) => place(a) - place(b));
}

/** An effect that is due, in what is expected of it, or in all that can be said of it where another one is expected. */
function described({ effect, progress }: DueEffect, now: number, expected: ExpectedEffect | undefined): Shown {
  const { timer, attempt } = progress ?? {};
  const all: Shown = {
    ...comparable(effect),
    ...(timer !== undefined && { inMs: timer.at - now }),
    ...(timer?.for === 'wait' && { timeoutMs: timer.at - now }),
    ...(timer?.for === 'sleep' && { ms: timer.at - now, until: timer.at }),
    ...(effect.kind === 'activity' && { attempt }),
  };
  if (expected?.key !== effect.key) return all;
  const wanted = comparable(expected);
  return Object.fromEntries(Object.entries(all).filter(([field]) => field in wanted));
}

/** What can be compared of an effect: as JSON, without what undoes it and how it is retried. */
function comparable(effect: ExpectedEffect | DueEffect['effect']): Shown {
  const {
    compensate: _,
    retry: __,
    duration,
    ...rest
  } = effect as ExpectedEffect & {
    readonly compensate?: unknown;
    readonly retry?: unknown;
    readonly duration?: object;
  };
  return JSON.parse(toCanonicalJson({ ...rest, ...duration }, 'effect')) as Shown;
}
