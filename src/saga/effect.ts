/** What a saga wants done: data, each under a key of its own. */
import type { Command } from '../command/command.ts';
import type { RetryOptions } from './retry.ts';

/** What undoes an effect. */
export type Compensation = CommandEffect | ActivityEffect;

export interface Compensating<Result> {
  /**
   * What undoes the effect, should the saga fail later, or this effect itself; then there is no result. A command that was rejected has
   * changed nothing, and is not undone. Pure. Its own key does not matter.
   */
  readonly compensate?: Compensation | ((result: Result | undefined, context: UndoContext) => Compensation | undefined);
}

/** What is known, beside its result, of an effect that is to be undone. */
export interface UndoContext {
  /** That its attempts carried. */
  readonly idempotencyKey: string;
  /** Whether it has no result and may have happened all the same: an attempt timed out, say, or its worker died. */
  readonly isUnknown: boolean;
}

/** A command of an aggregate, or a decision. Its events and the saga's step are one append: it happens exactly once. */
export interface CommandEffect extends Compensating<CommandResult> {
  readonly kind: 'command';
  readonly key: string;
  readonly command: Command;
  /** When it could not be decided. A rejection is final, but for that of a compensation. */
  readonly retry?: RetryOptions;
}

/** What a command came to. */
export interface CommandResult {
  /** Events that it led to. */
  readonly eventCount: number;
  /** Of its stream; 0 where there is none. */
  readonly version: number;
}

export interface ActivityEffect {
  readonly kind: 'activity';
  readonly key: string;
  readonly activity: string;
  readonly input: unknown;
  readonly compensate?: Compensating<never>['compensate'];
}

/** Done with when an event or a signal of this type has come, before or after; failed when the time is up. */
export interface WaitEffect {
  readonly kind: 'wait';
  readonly key: string;
  readonly type: string;
  readonly timeoutMs: number;
}

export interface SleepEffect {
  readonly kind: 'sleep';
  readonly key: string;
  /** In ms, from when it is due; or until a time, in ms since the epoch. */
  readonly duration: { readonly ms: number } | { readonly until: number };
}

/** Another saga, done with when that has ended. */
export interface ChildEffect extends Compensating<unknown> {
  readonly kind: 'child';
  readonly key: string;
  readonly saga: string;
  readonly id: string;
  readonly input: unknown;
  /** Whether it is done with as soon as it is started. */
  readonly detached?: boolean;
}

export interface CompleteEffect {
  readonly kind: 'complete';
  readonly key: string;
  readonly result?: unknown;
}

export interface FailEffect {
  readonly kind: 'fail';
  readonly key: string;
  readonly reason: string;
  readonly details?: unknown;
}

export type Effect =
  | CommandEffect
  | ActivityEffect
  | WaitEffect
  | SleepEffect
  | ChildEffect
  | CompleteEffect
  | FailEffect;

/** Has a command executed. @param command for example `order.commands.ship('o-1', {})`. */
export function command(
  key: string,
  wanted: Command,
  options: Compensating<CommandResult> & { readonly retry?: RetryOptions } = {},
): CommandEffect {
  return { kind: 'command', key, command: wanted, ...options };
}

/** Waits for an event that the saga correlates, or a signal, of a type. @param options.timeoutMs finite: a saga always ends. */
export function waitFor(key: string, type: string, { timeoutMs }: { readonly timeoutMs: number }): WaitEffect {
  return { kind: 'wait', key, type, timeoutMs };
}

/** Sleeps, for hours or months: what wakes it is an event, not a process. */
export function sleep(key: string, duration: { readonly ms: number } | { readonly until: number | Date }): SleepEffect {
  if ('ms' in duration) return { kind: 'sleep', key, duration: { ms: duration.ms } };
  return { kind: 'sleep', key, duration: { until: Number(duration.until) } };
}

/**
 * Starts another saga and waits for its end. What it completed with is this effect's result.
 * @param saga one that is among the `children` of the definition.
 * @param options.detached does not wait: its end is nobody's business.
 */
export function child(
  key: string,
  { name }: { readonly name: string },
  id: string,
  input: unknown,
  options: Compensating<unknown> & { readonly detached?: boolean } = {},
): ChildEffect {
  return { kind: 'child', key, saga: name, id, input, ...options };
}

/** Ends the saga, once all other effects that `next` returns with it are done. */
export function complete(result?: unknown): CompleteEffect {
  return { kind: 'complete', key: '$complete', ...(result !== undefined && { result }) };
}

/** Ends the saga after all that it did has been compensated. */
export function fail(reason: string, details?: unknown): FailEffect {
  return { kind: 'fail', key: '$fail', reason, ...(details !== undefined && { details }) };
}
