/** The attempts of one instance that are under way in this process. */
import { makeAttempt, notFound } from './attempt.ts';
import type { AttemptEnd, AttemptParts } from './attempt.ts';
import { idempotencyKeyOf } from './agenda.ts';
import { streamOf } from './journal.ts';
import { isUndoKey } from './progress.ts';
import type { EffectProgress, Progress } from './progress.ts';
import { activityOf } from './runtime.ts';
import type { SagaRuntime } from './runtime.ts';
import type { AnySaga } from './saga.ts';
import type { Consequence } from './step.ts';

export interface AttemptsParts {
  readonly runtime: SagaRuntime;
  readonly saga: AnySaga;
  readonly id: string;
  /** Fires when somebody else may work on the instance from now on. */
  readonly signal: AbortSignal;
  /** Called when an attempt that found no permit can be made. */
  readonly onFree: () => void;
  /** Undefined: nobody knows how it ended, and need not. */
  readonly onEnd: (key: string, attempt: number, ended: AttemptEnd | undefined) => void;
}

interface UnderWay {
  readonly controller: AbortController;
  /** Whether it only asks what became of an earlier one. */
  readonly asks: boolean;
}

const brokenOff = new Error('the saga is being compensated');
const over = new Error('the work on the instance has ended');

export class Attempts {
  readonly #parts: AttemptsParts;
  readonly #underWay = new Map<string, UnderWay>();
  /** Activities for which permits were taken, for what is being recorded. */
  readonly #reserved: string[] = [];

  constructor(parts: AttemptsParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#underWay.size;
  }

  has(key: string): boolean {
    return this.#underWay.has(key);
  }

  /** Whether an attempt can be made now; then a permit is kept for it. */
  reserve({ activity }: Extract<Consequence, { readonly kind: 'attempt' }>): boolean {
    const { runtime, saga, onFree } = this.#parts;
    const max = activityOf(saga, activity)?.concurrency ?? Infinity;
    if (runtime.permits.take(activity, max)) {
      this.#reserved.push(activity);
      return true;
    }
    runtime.permits.whenFree(activity, onFree);
    return false;
  }

  /** Gives back what was kept for attempts that are not made. */
  release(): void {
    for (const activity of this.#reserved.splice(0)) this.#parts.runtime.permits.release(activity);
  }

  /** Makes an attempt that has been recorded, and for which a permit was kept. */
  begin(key: string, progress: Progress): void {
    const effect = progress.effects.get(key) as EffectProgress;
    const { name = '' } = effect;
    this.#reserved.splice(this.#reserved.indexOf(name), 1);
    const controller = new AbortController();
    // While all is undone nothing else is begun.
    const asks = progress.status === 'compensating' && !isUndoKey(key);
    this.#underWay.set(key, { controller, asks });
    void this.#see(effect, { controller, asks });
  }

  async #see(effect: EffectProgress, { controller, asks }: UnderWay): Promise<void> {
    const { key, attempt, name = '' } = effect;
    const ended = await this.#make(effect, asks, controller.signal);
    this.#underWay.delete(key);
    this.#parts.runtime.permits.release(name);
    this.#parts.onEnd(key, attempt, ended);
  }

  async #make(effect: EffectProgress, asks: boolean, broken: AbortSignal): Promise<AttemptEnd | undefined> {
    const { runtime, saga, id, signal } = this.#parts;
    const { key, name = '', attempt, generation, failures, lost, isUnknown, input } = effect;
    const activity = activityOf(saga, name);
    const implementation = runtime.implementations.get(name);
    if (activity === undefined || implementation === undefined) {
      const failure = { code: 'not_implemented', message: `there is no implementation of ${name}` };
      return { kind: 'failed', failure, final: false, unknown: false };
    }
    const keyOf = (which: number) => idempotencyKeyOf(streamOf(saga, id), key, which);
    const isFirst = failures + lost === 0;
    const parts: AttemptParts = {
      activity,
      implementation,
      input,
      context: { idempotencyKey: keyOf(generation), attempt, saga: saga.name, instance: id },
      reconcile: asks ? 'only' : isUnknown ? 'first' : 'no',
      // An operator has it tried under another key: what is asked about was done under the one before.
      askedKey: keyOf(isFirst && generation > 1 ? generation - 1 : generation),
      signals: [broken, signal],
      outputMax: runtime.log.limits.eventBytes,
    };
    const ended = await this.#attempt(parts, broken);
    if (ended?.kind !== 'failed' || !ended.unknown || asks || implementation.reconcile === undefined) return ended;
    const isLast = ended.final || failures + 1 >= activity.retry.attempts;
    return isLast ? this.#ask(parts, ended) : ended;
  }

  /** @returns undefined where nobody needs to know how it ended. */
  async #attempt(parts: AttemptParts, broken: AbortSignal): Promise<AttemptEnd | undefined> {
    try {
      return await makeAttempt(parts);
    } catch {
      if (this.#parts.signal.aborted || broken.reason !== brokenOff) return undefined;
      const failure = { code: 'aborted', message: 'it was broken off' };
      return { kind: 'failed', failure, final: true, unknown: true };
    }
  }

  /** There will be no further attempt: before it is decided what follows, the outside system says what became of this one. */
  async #ask(parts: AttemptParts, ended: AttemptEnd & { readonly kind: 'failed' }): Promise<AttemptEnd | undefined> {
    const { signal } = this.#parts;
    const askedKey = parts.context.idempotencyKey;
    const asked = await this.#attempt({ ...parts, askedKey, reconcile: 'only', signals: [signal] }, signal);
    if (asked === undefined || asked.kind === 'completed') return asked;
    // Why the attempt failed says more than that it did not happen.
    if (asked.failure.code === notFound) return { ...ended, unknown: false };
    return asked.unknown ? ended : asked;
  }

  /** What has been begun is to be undone now. */
  breakOff(): void {
    for (const [key, { controller, asks }] of this.#underWay) if (!isUndoKey(key) && !asks) controller.abort(brokenOff);
  }

  end(): void {
    for (const { controller } of this.#underWay.values()) controller.abort(over);
  }
}
