import { EngineError, hasCode } from '../ground/errors.ts';
import { onAbort } from '../ground/on-abort.ts';

/** How long a command may take, and the caller's signal, as one signal; and what to say when it fires. */
export class Deadline {
  readonly #timeoutMs: number;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #leaveOuter: () => void;

  /** @param timeoutMs also Infinity. */
  constructor(timeoutMs: number, outer: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs;
    const abort = () => this.#controller.abort(outer?.reason);
    if (outer?.aborted) abort();
    this.#leaveOuter = onAbort(outer, abort);
    if (!this.signal.aborted && timeoutMs <= timerMax)
      this.#timer = setTimeout(() => this.#controller.abort(expired), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** `work`, unless the deadline comes first. */
  wait<Result>(work: Promise<Result>): Promise<Result> {
    const { signal } = this;
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
    });
  }

  /** What a failure is to the caller: one that the deadline caused says whether something may have been written. */
  explain(error: unknown): unknown {
    const { aborted, reason } = this.signal;
    const isAbortedAppend = hasCode(error, 'append_aborted');
    if (!aborted || !(isAbortedAppend || error === reason)) return error;
    const outcome = isAbortedAppend ? error.details.outcome : 'not_written';
    return reason === expired
      ? new EngineError('command_timeout', { timeoutMs: this.#timeoutMs, outcome })
      : new EngineError('command_aborted', { outcome }, { cause: reason });
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#leaveOuter();
  }
}

const expired = Symbol('expired');
/** Longer timers fire at once. */
const timerMax = 2 ** 31 - 1;
