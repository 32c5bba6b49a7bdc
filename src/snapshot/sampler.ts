import { timerMaxMs } from '../ground/clock.ts';
import type { StreamFold } from './snapshot.ts';

/** Streams whose snapshots were used lately. */
const usedMax = 256;

/** Verifies the snapshots of a stream now and then: of one of those whose snapshots were used. */
export class Sampler {
  readonly #everyMs: number;
  readonly #verify: (aggregate: StreamFold, stream: string, signal: AbortSignal) => Promise<unknown>;
  readonly #used = new Map<string, StreamFold>();
  readonly #closing = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    everyMs: number,
    verify: (aggregate: StreamFold, stream: string, signal: AbortSignal) => Promise<unknown>,
  ) {
    this.#everyMs = everyMs;
    this.#verify = verify;
  }

  used(aggregate: StreamFold, stream: string): void {
    if (this.#everyMs === Infinity || this.#closing.signal.aborted) return;
    if (this.#used.size < usedMax) this.#used.set(stream, aggregate);
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#running = this.#sample().finally(() => (this.#timer = undefined));
      },
      Math.min(this.#everyMs, timerMaxMs),
    );
    // Nobody who has nothing else to do is to wait for it.
    (this.#timer as { readonly unref?: () => void }).unref?.();
  }

  async #sample(): Promise<void> {
    const chosen = [...this.#used][Math.floor(Math.random() * this.#used.size)];
    this.#used.clear();
    if (chosen === undefined) return;
    const [stream, aggregate] = chosen;
    try {
      await this.#verify(aggregate, stream, this.#closing.signal);
    } catch {
      // What keeps it from being read, whoever loads it is told.
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing.abort();
    await this.#running;
  }
}
