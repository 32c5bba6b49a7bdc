import type { Timer } from '../ground/clock.ts';

interface Waiter {
  readonly at: number;
  readonly resolve: () => void;
}

/** A clock that stands still until it is told; who waits by it waits until it has been moved that far. */
export class TestClock implements Timer {
  #time: number;
  readonly #waiters = new Set<Waiter>();

  /** @param start in ms since the epoch. Default 2026-01-01. */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#time = start;
  }

  readonly now = (): number => this.#time;

  readonly wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (ms <= 0) {
        resolve();
        return;
      }
      const waiter = { at: this.#time + ms, resolve };
      this.#waiters.add(waiter);
      const abort = () => {
        this.#waiters.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener('abort', abort, { once: true });
    });

  /** When the first of those who wait has waited long enough; undefined where nobody waits. */
  get waitedFor(): number | undefined {
    return this.#waiters.size === 0 ? undefined : Math.min(...[...this.#waiters].map(({ at }) => at));
  }

  /** Moves by a number of ms; backwards, if it is negative. */
  advance(ms: number): void {
    this.#time += ms;
    for (const waiter of this.#waiters) {
      if (waiter.at > this.#time) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }
}
