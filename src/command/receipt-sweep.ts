import type { EventLog } from '../store/log.ts';

/** How often expired receipts are removed, while keys are used. */
const sweepEveryMs = 10_000;
/** Receipts removed in one transaction, so that no append waits long for it. */
const sweptMax = 1_000;

/** Removes expired receipts in the background: none is answered from, so there is no hurry. */
export class ReceiptSweep {
  readonly #log: Pick<EventLog, 'releaseReceipts'>;
  readonly #now: () => number;
  /** So that the first use of a key removes what was left by earlier runs. */
  #sweptAt = -Infinity;
  #running: Promise<void> | undefined;

  /** @param now in ms since the epoch. */
  constructor(log: Pick<EventLog, 'releaseReceipts'>, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** A key was used. */
  touch(): void {
    const now = this.#now();
    if (this.#running !== undefined || now - this.#sweptAt < sweepEveryMs) return;
    this.#sweptAt = now;
    this.#running = this.#sweep(now).finally(() => (this.#running = undefined));
  }

  async #sweep(expiredAt: number): Promise<void> {
    try {
      while ((await this.#log.releaseReceipts({ expiredAt }, sweptMax)) === sweptMax);
    } catch {
      // The store says so to the next command; what is left is removed by the next sweep.
    }
  }

  /** Waits for the sweep that runs. */
  async end(): Promise<void> {
    await this.#running;
  }
}
