/** Lets those who share a key work one after another, in the order in which they came; all others at once. */
export class KeyedQueue {
  /** For each key, the end of the last that came. */
  readonly #tails = new Map<string, Promise<void>>();

  /** `work` must not throw. */
  async run(keys: readonly string[], work: () => Promise<void>): Promise<void> {
    const earlier = new Set(keys.map((key) => this.#tails.get(key)));
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    for (const key of keys) this.#tails.set(key, ended);
    try {
      await Promise.all(earlier);
      await work();
    } finally {
      for (const key of keys) if (this.#tails.get(key) === ended) this.#tails.delete(key);
      end();
    }
  }
}
