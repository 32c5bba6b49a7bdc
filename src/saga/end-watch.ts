import type { Standing } from './journal.ts';

/** Those who wait for instances to get somewhere, told by whoever works on them in this process. */
export class EndWatch {
  readonly #waiting = new Map<string, Set<(standing: Standing) => void>>();

  /** @returns what ends it. */
  on(stream: string, tell: (standing: Standing) => void): () => void {
    const waiting = this.#waiting.get(stream) ?? new Set();
    this.#waiting.set(stream, waiting);
    waiting.add(tell);
    return () => {
      waiting.delete(tell);
      if (waiting.size === 0) this.#waiting.delete(stream);
    };
  }

  /** It has ended, or is stuck. */
  tell(stream: string, standing: Standing): void {
    for (const tell of this.#waiting.get(stream) ?? []) tell(standing);
  }
}
