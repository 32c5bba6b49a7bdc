import { EngineError } from '../ground/errors.ts';

/** What is done when an attempt fails. */
export interface RetryOptions {
  /** In all: an integer, at least 1. Default 5. */
  readonly attempts?: number;
  /** Before the second attempt, in ms. Default 200. */
  readonly backoffMs?: number;
  /** How much longer each wait is than the one before. Default 2. */
  readonly factor?: number;
  /** No wait is longer, in ms. Default 60,000. */
  readonly backoffMaxMs?: number;
  /** Whether each wait is a random share, at least half, of what it would be, so that those who failed together do not come back together. Default true. */
  readonly jitter?: boolean;
  /** Whether what was thrown would be thrown again. A `FinalError` is final in any case. */
  readonly isFinal?: (error: unknown) => boolean;
}

export type RetryPolicy = Required<RetryOptions>;

export const retryDefaults: RetryPolicy = {
  attempts: 5,
  backoffMs: 200,
  factor: 2,
  backoffMaxMs: 60_000,
  jitter: true,
  isFinal: () => false,
};

/** @throws {EngineError} `definition_invalid` */
export function retryPolicy(name: string, options: RetryOptions = {}): RetryPolicy {
  const policy = { ...retryDefaults, ...options };
  const refuse = (reason: string) => new EngineError('definition_invalid', { name, reason });
  if (!(Number.isSafeInteger(policy.attempts) && policy.attempts >= 1))
    throw refuse('retry.attempts is an integer of at least 1');
  for (const option of ['backoffMs', 'backoffMaxMs'] as const)
    if (!(Number.isFinite(policy[option]) && policy[option] >= 0))
      throw refuse(`retry.${option} is a number of ms, at least 0`);
  if (!(policy.factor >= 1)) throw refuse('retry.factor is a number of at least 1');
  if (typeof policy.isFinal !== 'function') throw refuse('retry.isFinal is not a function');
  return policy;
}

/** How long to wait after a failure, in ms. @param failures so far, at least 1. @param random from 0 to 1. */
export function backoffMs(policy: RetryPolicy, failures: number, random: number): number {
  // No wait at all stays none, however often it is doubled.
  const longer = Math.min(Number.MAX_VALUE, policy.factor ** (failures - 1));
  const wholeMs = Math.min(policy.backoffMaxMs, policy.backoffMs * longer);
  return Math.round(policy.jitter ? wholeMs * (0.5 + random / 2) : wholeMs);
}
