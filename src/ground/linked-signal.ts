import { onAbort } from './on-abort.ts';

/** Longer timers fire at once. */
const timerMax = 2 ** 31 - 1;

/** Why a signal fires whose owner has ended. */
const ended = new Error('nobody waits any more');

/**
 * A signal of one's own, for as long as one waits: fires with any of others, and when the time is up. Disposed of, it fires for whatever
 * still waits for it, and listens to nobody any more. To be held by `using`.
 */
export class LinkedSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #leave: readonly (() => void)[];
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param timeout `ms` may be Infinity; `reason` is what the signal then gives. */
  constructor(
    outers: readonly (AbortSignal | undefined)[],
    timeout?: { readonly ms: number; readonly reason: unknown },
  ) {
    this.#leave = outers.map((outer) => {
      if (outer?.aborted) this.#controller.abort(outer.reason);
      return onAbort(outer, () => this.#controller.abort(outer?.reason));
    });
    if (timeout !== undefined && timeout.ms <= timerMax)
      this.#timer = setTimeout(() => this.#controller.abort(timeout.reason), timeout.ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const leave of this.#leave) leave();
    this.#controller.abort(ended);
  }
}
