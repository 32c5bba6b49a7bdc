/** What is told of sagas while they are worked on. */
import { describe } from '../ground/errors.ts';
import type { Progress } from './progress.ts';
import type { Failure, Step } from './step.ts';

export type SagaNotice = { readonly saga: string; readonly instance: string } & (
  | { readonly kind: 'started' }
  | {
      readonly kind: 'ended';
      readonly outcome: 'completed' | 'compensated';
      /** Why it was compensated. */
      readonly failure?: Failure;
      /** Since it was started, in ms. */
      readonly ms: number;
    }
  /** It gets no further until somebody acts: retry, skip, resolve. Without a key it is stuck at no effect. */
  | { readonly kind: 'stuck'; readonly key?: string; readonly failure: Failure }
  /** An attempt failed, and there will be another one. */
  | { readonly kind: 'attempt_failed'; readonly key: string; readonly attempt: number; readonly failure: Failure }
  /** It runs on a version of its definition that this process does not know. */
  | { readonly kind: 'version_absent'; readonly version: number }
  /** Working on it failed for a reason that is not its own, and is begun again. */
  | { readonly kind: 'restarted'; readonly error: unknown }
);

export function announce(notice: SagaNoticeTaker, progress: Progress, { on }: Step): void {
  const { saga, id: instance, status, failure, startedAt, changedAt } = progress;
  const who = { saga, instance };
  if (on.kind === 'started') notice({ kind: 'started', ...who });
  if (on.kind === 'failed' && !on.final) {
    const attempt = progress.effects.get(on.key)?.attempt ?? 1;
    notice({ kind: 'attempt_failed', ...who, key: on.key, attempt, failure: on.failure });
  }
  if (status === 'stuck') notice({ kind: 'stuck', ...who, ...(progress.stuck as { readonly failure: Failure }) });
  if (status !== 'completed' && status !== 'compensated') return;
  const why = status === 'compensated' && failure !== undefined ? { failure } : {};
  notice({ kind: 'ended', ...who, outcome: status, ms: changedAt - startedAt, ...why });
}

export type SagaNoticeTaker = (notice: SagaNotice) => void;

/** What a person is to be told where nobody listens; undefined for what is no trouble. */
export function sagaWarningOf(notice: SagaNotice): string | undefined {
  const who = `${notice.saga} ${notice.instance}`;
  switch (notice.kind) {
    case 'stuck': {
      const { key, failure } = notice;
      const act = key === undefined ? 'retry or cancel' : 'retry, skip or resolve';
      return `${who} is stuck${key === undefined ? '' : ` at ${key}`}: ${failure.message} (${failure.code}). Use ${act}.`;
    }
    case 'version_absent':
      return `${who} runs on version ${notice.version}, which is not among \`previous\`: it is left as it is.`;
    case 'restarted':
      return `${who} is taken up again: ${describe(notice.error)}`;
    case 'started':
    case 'ended':
    case 'attempt_failed':
      return undefined;
    default:
      notice satisfies never;
      return undefined;
  }
}
