import type { Timer } from '../ground/clock.ts';
import { onAbort } from '../ground/on-abort.ts';

const woken = new Error('somebody has changed how it goes on');

/** Waits of one who goes on when the time is up, or somebody else has changed something; never two at once. */
export class Interruption {
  #wake: () => void = () => {};

  /** Ends what is being waited for, if anything is. */
  wake(): void {
    this.#wake();
  }

  /** Until it is woken. @throws the signal's reason, when aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const leave = onAbort(signal, resolve);
    await promise;
    leave();
    signal.throwIfAborted();
  }

  /** The same, or until the time is up. @throws the signal's reason, when aborted. */
  async waitFor(ms: number, timer: Timer, signal: AbortSignal): Promise<void> {
    const waiting = new AbortController();
    this.#wake = () => waiting.abort(woken);
    const leave = onAbort(signal, () => waiting.abort(signal.reason));
    try {
      await timer.wait(ms, waiting.signal);
    } catch (error) {
      // Some timers throw an error of their own for a signal that fires, as those of Node do.
      if (!waiting.signal.aborted) throw error;
    } finally {
      leave();
    }
    signal.throwIfAborted();
  }
}
