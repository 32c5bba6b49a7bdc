import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';
import type { ActivityEffect, Compensating } from './effect.ts';
import { retryPolicy } from './retry.ts';
import type { RetryOptions, RetryPolicy } from './retry.ts';

/** What an attempt gets beside its input. */
export interface ActivityContext {
  /**
   * The same in every attempt of this effect, whoever makes it, and in no other: for the outside system to drop repetitions by.
   * Only an operator's `retry` makes another one.
   */
  readonly idempotencyKey: string;
  /** 1 at first. */
  readonly attempt: number;
  /** Fires when the attempt has taken too long, the saga is being compensated, its slot was lost or the engine is closing. */
  readonly signal: AbortSignal;
  /** Of which saga, and of which of its instances. */
  readonly saga: string;
  readonly instance: string;
}

/** What the outside system says became of an attempt. */
export type Reconciled<Output> =
  /** It was done. */
  | { readonly kind: 'completed'; readonly output: Output }
  /** It was refused, and will be. */
  | { readonly kind: 'failed'; readonly code: string; readonly details?: unknown }
  /** Nothing is known of it: another attempt can be made. */
  | { readonly kind: 'not_found' };

/** How an activity is done: what `openEngine` is given. Made by `activity.implement`. */
export interface AnyImplementation {
  readonly kind: 'implementation';
  readonly activity: string;
  /** @internal */
  readonly run: (input: unknown, context: ActivityContext) => unknown;
  /** @internal */
  readonly reconcile: ((input: unknown, context: ActivityContext) => unknown) | undefined;
}

/** An activity, whatever its types. */
export interface AnyActivity {
  readonly kind: 'activity';
  readonly name: string;
  readonly input: StandardSchemaV1;
  readonly output: StandardSchemaV1;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly concurrency: number;
}

/** What the types know of an activity. */
export interface ActivityTypes {
  readonly name: string;
  /** What the effect is made of, and what its schema makes of that. */
  readonly given: unknown;
  readonly input: unknown;
  /** What its implementation returns, and what its schema makes of that. */
  readonly returned: unknown;
  readonly output: unknown;
}

/** Something that is done in the world outside. Called with a key and its input, it is the effect of a saga. */
export interface Activity<Types extends ActivityTypes> extends AnyActivity {
  readonly name: Types['name'];
  /** Carries the type; never there. */
  readonly result?: Types['output'];
  (key: string, input: Types['given'], options?: Compensating<Types['output']>): ActivityEffect;
  /**
   * How it is done: for `openEngine({ activities: [...] })`. Tests give a fake.
   * @param run may be attempted more than once, always with the same `idempotencyKey`. What it throws is tried again; a
   * `FinalError` is not.
   * @param options.reconcile asks the outside system what became of an attempt whose end nobody knows, before another one is made.
   */
  implement(
    run: (input: Types['input'], context: ActivityContext) => Types['returned'] | Promise<Types['returned']>,
    options?: {
      readonly reconcile?: (
        input: Types['input'],
        context: ActivityContext,
      ) => Reconciled<Types['returned']> | Promise<Reconciled<Types['returned']>>;
    },
  ): AnyImplementation;
}

const namePattern = /^[a-z][A-Za-z0-9_]{0,63}$/;
const timeoutMaxMs = 2 ** 31 - 1;

/**
 * Declares an activity.
 * @throws {EngineError} `definition_invalid`
 */
export function activity<
  const Name extends string,
  Input extends StandardSchemaV1,
  Output extends StandardSchemaV1,
>(definition: {
  /** Matches `[a-z][A-Za-z0-9_]*`. */
  readonly name: Name;
  readonly input: Input;
  readonly output: Output;
  /** How long an attempt may take, in ms. Default 30,000. */
  readonly timeoutMs?: number;
  /** What is done when an attempt fails. */
  readonly retry?: RetryOptions;
  /** Attempts of it that may run at the same time in one process; also Infinity. Default 100. */
  readonly concurrency?: number;
}): Activity<{
  name: Name;
  given: SchemaInput<Input>;
  input: SchemaOutput<Input>;
  returned: SchemaInput<Output>;
  output: SchemaOutput<Output>;
}> {
  const { name, input, output, timeoutMs = 30_000, concurrency = 100 } = definition;
  const refuse = (reason: string) => new EngineError('definition_invalid', { name: String(name), reason });
  if (typeof name !== 'string' || !namePattern.test(name))
    throw refuse('the name of an activity must match [a-z][A-Za-z0-9_]*, with at most 64 characters');
  if (reserved.has(name)) throw refuse(`${name} is the name of another effect`);
  for (const [what, schema] of Object.entries({ input, output }))
    if (typeof schema?.['~standard']?.validate !== 'function') throw refuse(`${what} is no Standard Schema`);
  if (!(timeoutMs >= 1 && timeoutMs <= timeoutMaxMs)) throw refuse(`timeoutMs is a number from 1 to ${timeoutMaxMs}`);
  if (!(concurrency === Infinity || (Number.isSafeInteger(concurrency) && concurrency >= 1)))
    throw refuse('concurrency is an integer of at least 1, or Infinity');
  const effect = (key: string, given: unknown, options: Compensating<unknown> = {}): ActivityEffect => ({
    kind: 'activity',
    key,
    activity: name,
    input: given,
    ...options,
  });
  const implement = (
    run: AnyImplementation['run'],
    { reconcile }: { readonly reconcile?: NonNullable<AnyImplementation['reconcile']> } = {},
  ): AnyImplementation => {
    if (typeof run !== 'function') throw refuse('its implementation is not a function');
    return { kind: 'implementation', activity: name, run, reconcile };
  };
  const retry = retryPolicy(name, definition.retry);
  // A function has a name already, which is not to be written but can be defined.
  Object.defineProperty(effect, 'name', { value: name });
  return Object.assign(effect, {
    kind: 'activity',
    input,
    output,
    timeoutMs,
    concurrency,
    retry,
    implement,
  } as const) as never;
}

/** Other effects, whose results have types that begin with these. */
const reserved: ReadonlySet<string> = new Set(['command', 'wait', 'sleep', 'child', 'saga']);

/** An outside system's refusal, which another attempt would not change. Thrown by an activity; its saga sees `code` and `details`. */
export class FinalError extends Error {
  override readonly name = 'FinalError';
  readonly code: string;
  /** JSON. */
  readonly details: unknown;

  constructor(code: string, details?: unknown, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
    this.details = details;
  }
}
