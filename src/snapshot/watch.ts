/** Which types of events each stream has brought that too few samples of the code have. */

/**
 * Streams of an aggregate that are noted, the latest: as many as there are states in memory, by default. Others are read again
 * before they grow, and noted again.
 */
const streamsMax = 20_000;

export class Watch {
  /** Types that no sample needs any more. */
  readonly #enough = new Set<string>();
  /** Others, by stream, the latest last. */
  readonly #wanted = new Map<string, Set<string>>();

  note(stream: string, type: string): void {
    if (this.#enough.has(type)) return;
    const types = this.#wanted.get(stream) ?? new Set();
    this.#wanted.delete(stream);
    this.#wanted.set(stream, types.add(type));
    const [oldest] = this.#wanted.size > streamsMax ? this.#wanted.keys() : [];
    if (oldest !== undefined) this.#wanted.delete(oldest);
  }

  /** What was noted of a stream, to be noted no longer. */
  take(stream: string): ReadonlySet<string> {
    const types = this.#wanted.get(stream) ?? new Set();
    this.#wanted.delete(stream);
    return types;
  }

  /** Types that need not be noted any more. */
  enough(types: readonly string[]): void {
    const more = types.filter((type) => !this.#enough.has(type));
    if (more.length === 0) return;
    for (const type of more) this.#enough.add(type);
    for (const [stream, wanted] of this.#wanted) {
      for (const type of more) wanted.delete(type);
      if (wanted.size === 0) this.#wanted.delete(stream);
    }
  }
}
