import type { Clock } from '../ground/clock.ts';
import type { ReplayProgress } from './options.ts';

/** How often somebody is told, at most. */
const everyMs = 100;

/** Tells how far something is, now and then. */
export class Teller {
  readonly #told: ((progress: ReplayProgress) => void) | undefined;
  readonly #clock: Clock;
  #at = -Infinity;

  constructor(told: ((progress: ReplayProgress) => void) | undefined, clock: Clock) {
    this.#told = told;
    this.#clock = clock;
  }

  tell(progress: () => ReplayProgress): void {
    if (this.#told === undefined) return;
    const now = this.#clock.now();
    // A clock that was set back must not silence it.
    if (Math.abs(now - this.#at) < everyMs) return;
    this.#at = now;
    this.#told(progress());
  }

  tellLast(progress: ReplayProgress): void {
    this.#told?.(progress);
  }
}
