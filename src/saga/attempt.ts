/** One attempt at an activity. */
import { toFaithfulJson } from '../event/json.ts';
import { validate } from '../event/standard-schema.ts';
import type { SchemaResult } from '../event/standard-schema.ts';
import { EngineError, describe } from '../ground/errors.ts';
import { LinkedSignal } from '../ground/linked-signal.ts';
import type { ActivityContext, AnyActivity, AnyImplementation, Reconciled } from './activity.ts';
import type { Failure } from './step.ts';

/** The code of an attempt of which the outside system knows nothing. */
export const notFound = 'not_found';

export type AttemptEnd =
  | { readonly kind: 'completed'; readonly output: unknown }
  | {
      readonly kind: 'failed';
      readonly failure: Failure;
      /** Whether another attempt would fail as well. */
      readonly final: boolean;
      /** Whether it may have happened all the same. */
      readonly unknown: boolean;
    };

export interface AttemptParts {
  readonly activity: AnyActivity;
  readonly implementation: AnyImplementation;
  readonly input: unknown;
  readonly context: Omit<ActivityContext, 'signal'>;
  /** The idempotency key about which `reconcile` asks. */
  readonly askedKey: string;
  /** `first`: ask what became of earlier attempts before another is made; `only`: make none in any case. */
  readonly reconcile: 'no' | 'first' | 'only';
  /** Any of them fires when nobody wants it any more. */
  readonly signals: readonly AbortSignal[];
  /** Bytes of UTF-8 that an output may have as JSON. */
  readonly outputMax: number;
}

/** @throws the signal's reason, when aborted: nobody knows what became of it. */
export async function makeAttempt(parts: AttemptParts): Promise<AttemptEnd> {
  const { activity, implementation, context, signals } = parts;
  const { timeoutMs } = activity;
  const tooLong = new Error(`it took longer than ${timeoutMs} ms`);
  using linked = new LinkedSignal(signals, { ms: timeoutMs, reason: tooLong });
  const within: ActivityContext = { ...context, signal: linked.signal };
  try {
    const validated = unlessAborted(validate(activity.input, parts.input, schemaFailed), linked.signal);
    const input = valueOf((await validated) as SchemaResult<unknown>, 'input_invalid');
    if (parts.reconcile !== 'no' && implementation.reconcile !== undefined) {
      const asked = implementation.reconcile(input, { ...within, idempotencyKey: parts.askedKey });
      const found = (await unlessAborted(asked, linked.signal)) as Reconciled<unknown>;
      if (found?.kind === 'completed') return await completed(parts, found.output, linked.signal);
      if (found?.kind === 'failed') {
        const { code, details } = found;
        return { kind: 'failed', failure: failureOf(code, code, details), final: true, unknown: false };
      }
      if (found?.kind !== 'not_found') throw new TypeError('`reconcile` says neither completed, failed nor not_found');
      if (parts.reconcile === 'only') {
        const failure = { code: notFound, message: 'it did not happen' };
        return { kind: 'failed', failure, final: true, unknown: false };
      }
    }
    const returned = await unlessAborted(implementation.run(input, within), linked.signal);
    return await completed(parts, returned, linked.signal);
  } catch (error) {
    for (const signal of signals) signal.throwIfAborted();
    if (error === tooLong)
      return { kind: 'failed', failure: failureOf('timed_out', tooLong.message), final: false, unknown: true };
    return endOfError(error, activity);
  }
}

/** Who does not look at the signal is not waited for. */
function unlessAborted(work: unknown, signal: AbortSignal): unknown {
  // Also what only looks like a promise, as the queries of some drivers do.
  const { then } = (work ?? {}) as Partial<PromiseLike<unknown>>;
  if (typeof then !== 'function') return work;
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
  ]);
}

/** What cannot be kept has happened all the same. */
async function completed(
  { activity, outputMax }: AttemptParts,
  returned: unknown,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  try {
    const validated = unlessAborted(validate(activity.output, returned, schemaFailed), signal);
    const output = valueOf((await validated) as SchemaResult<unknown>, 'output_invalid');
    const kept = output ?? null;
    const { length } = toFaithfulJson(kept, 'output');
    if (length > outputMax) throw new Refused('output_too_large', `its output has ${length} characters of JSON`);
    return { kind: 'completed', output: kept };
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw error;
    const failure =
      error instanceof Refused
        ? failureOf(error.code, error.message, error.details)
        : failureOf('output_invalid', describe(error));
    return { kind: 'failed', failure, final: true, unknown: true };
  }
}

/** Of an attempt that has thrown. */
export function endOfError(error: unknown, { retry }: AnyActivity): AttemptEnd {
  if (error instanceof Refused)
    return {
      kind: 'failed',
      failure: failureOf(error.code, error.message, error.details),
      final: true,
      unknown: false,
    };
  if (error instanceof Error && error.name === 'FinalError') {
    const { code, details, message } = error as Error & { readonly code?: unknown; readonly details?: unknown };
    const failure = failureOf(typeof code === 'string' ? code : 'failed', message, details);
    return { kind: 'failed', failure, final: true, unknown: false };
  }
  let final = false;
  try {
    final = retry.isFinal(error) === true;
  } catch {
    // What it would have said is not known, so there is another attempt.
  }
  return { kind: 'failed', failure: failureOf('error', describe(error)), final, unknown: true };
}

/** What a schema has refused. */
class Refused extends Error {
  readonly code: string;
  readonly details: unknown;

  constructor(code: string, message: string, details?: unknown) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

function valueOf(result: SchemaResult<unknown>, code: string): unknown {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ message, path = [] }) => ({
    path: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    message,
  }));
  throw new Refused(code, issues.map(({ path, message }) => `${path}: ${message}`).join('; '), issues);
}

function schemaFailed(reason: string, cause: unknown): EngineError {
  return new EngineError('definition_invalid', { name: 'activity', reason }, { cause });
}

const messageMax = 1_000;

/** What any store keeps. */
export function failureOf(code: string, message: string, details?: unknown): Failure {
  const failure = { code: keepable(code), message: keepable(message) };
  if (details === undefined) return failure;
  try {
    toFaithfulJson(details, 'details');
    return { ...failure, details };
  } catch {
    return failure;
  }
}

function keepable(text: string): string {
  return String(text).slice(0, messageMax).toWellFormed().replaceAll('\0', '\ufffd');
}
