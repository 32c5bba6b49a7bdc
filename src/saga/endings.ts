/** What is to be recorded of an effect that has come to an end: with what undoes it, or when it is tried again. */
import type { Outcome } from '../command/outcome.ts';
import { toFaithfulJson } from '../event/json.ts';
import { describe } from '../ground/errors.ts';
import { idempotencyKeyOf, undoOf } from './agenda.ts';
import type { DueCommand } from './agenda.ts';
import { failureOf } from './attempt.ts';
import type { AttemptEnd } from './attempt.ts';
import type { Compensating, Effect } from './effect.ts';
import { streamOf } from './journal.ts';
import { isUndoKey } from './progress.ts';
import type { Progress } from './progress.ts';
import { backoffMs, retryDefaults } from './retry.ts';
import type { RetryPolicy } from './retry.ts';
import { activityOf } from './runtime.ts';
import type { SagaRuntime } from './runtime.ts';
import type { AnySaga } from './saga.ts';
import type { Consequence, Ended, Failure, Occurrence, Undo } from './step.ts';

/** What has happened, and what follows of itself. */
export interface Ending {
  readonly on: Occurrence;
  readonly first?: readonly Consequence[];
}

export interface EndingParts {
  readonly runtime: Pick<SagaRuntime, 'now' | 'random'>;
  readonly saga: AnySaga;
  readonly progress: Progress;
  /** The effect that was begun under a key. */
  readonly begun: (key: string) => Effect | undefined;
}

/** Of an attempt; undefined if somebody else has taken it over. */
export function endOfAttempt(parts: EndingParts, key: string, attempt: number, ended: AttemptEnd): Ending | undefined {
  const effect = parts.progress.effects.get(key);
  if (effect?.status !== 'attempting' || effect.attempt !== attempt) return undefined;
  if (ended.kind === 'failed') return failed(parts, key, ended.failure, ended);
  return completed(parts, key, ended.output, parts.begun(key));
}

/** Of a command that was decided. */
export function endOfCommand(
  parts: EndingParts,
  due: DueCommand,
  outcome: Outcome,
  effect: Effect | undefined,
): Ending {
  if (outcome.kind === 'accepted') {
    const { eventCount, version } = outcome;
    return completed(parts, due.key, { eventCount, version }, effect);
  }
  const { code, details } = outcome;
  const failure = failureOf(code, `the command was rejected: ${code}`, details);
  // What undoes something is tried again: what stands in its way may go away.
  return commandFailed(parts, due, failure, !isUndoKey(due.key));
}

export function commandFailed(parts: EndingParts, due: DueCommand, failure: Failure, final: boolean): Ending {
  return failed(parts, due.key, failure, { final, unknown: false }, { ...retryDefaults, ...due.retry });
}

/** Of a child saga, however it ended. */
export function endOfChild(parts: EndingParts, on: Extract<Occurrence, { readonly kind: 'child' }>): Ending {
  const end = on.trigger.data as Ended;
  const result = end.outcome === 'completed' ? (end.result ?? null) : undefined;
  const { undo, first } = undoFor(parts, on.key, result, parts.begun(on.key), false);
  return { on: { ...on, ...(undo !== undefined && { undo }) }, first };
}

function completed(parts: EndingParts, key: string, result: unknown, effect: Effect | undefined): Ending {
  const { undo, first } = undoFor(parts, key, result, effect, false);
  return { on: { kind: 'completed', key, result, ...(undo !== undefined && { undo }) }, first };
}

/** There may be another attempt. */
export function failed(
  parts: EndingParts,
  key: string,
  failure: Failure,
  { final, unknown }: { readonly final: boolean; readonly unknown: boolean },
  policy: RetryPolicy = policyOf(parts, key),
): Ending {
  const { progress, runtime } = parts;
  const before = progress.effects.get(key);
  const failures = (before?.failures ?? 0) + 1;
  const on = { kind: 'failed', key, failure, ...(unknown && { unknown }) } as const;
  if (!final && failures < policy.attempts) {
    const at = runtime.now() + backoffMs(policy, failures, runtime.random());
    return { on: { ...on, final: false }, first: [{ kind: 'timer', key, at, for: 'retry' }] };
  }
  // A command that failed has changed nothing.
  const effect = before?.kind === 'activity' ? parts.begun(key) : undefined;
  const { undo, first } = undoFor(parts, key, undefined, effect, unknown || before?.isUnknown === true);
  return { on: { ...on, final: true, ...(undo !== undefined && { undo }) }, first };
}

function policyOf({ progress, saga }: EndingParts, key: string): RetryPolicy {
  const name = progress.effects.get(key)?.name;
  return (name === undefined ? undefined : activityOf(saga, name)?.retry) ?? retryDefaults;
}

function undoFor(
  { progress, saga }: EndingParts,
  key: string,
  result: unknown,
  effect: Effect | undefined,
  isUnknown: boolean,
): { readonly undo?: Undo | undefined; readonly first: readonly Consequence[] } {
  if (isUndoKey(key) || effect === undefined || !('compensate' in effect)) return { first: [] };
  const { generation = 1 } = progress.effects.get(key) ?? {};
  const idempotencyKey = idempotencyKeyOf(streamOf(saga, progress.id), key, generation);
  try {
    const undo = undoOf(effect as Compensating<never>, result, { isUnknown, idempotencyKey });
    if (undo !== undefined) toFaithfulJson(undo, 'compensate');
    return { undo, first: [] };
  } catch (error) {
    const failure = failureOf('compensate_failed', `what undoes ${key} is not known: ${describe(error)}`);
    return { undo: { kind: 'unknown', failure }, first: [{ kind: 'stuck', failure }] };
  }
}
