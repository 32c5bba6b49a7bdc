const chunkMax = 64;

/** A set of ids that grows into another one, with most of it shared. */
export class IdSet {
  static readonly empty: IdSet = new IdSet([]);
  /** All but the last one are full. */
  readonly #chunks: readonly ReadonlySet<string>[];

  private constructor(chunks: readonly ReadonlySet<string>[]) {
    this.#chunks = chunks;
  }

  has(id: string): boolean {
    return this.#chunks.some((chunk) => chunk.has(id));
  }

  with(id: string): IdSet {
    const last = this.#chunks.at(-1);
    if (last === undefined || last.size >= chunkMax) return new IdSet([...this.#chunks, new Set([id])]);
    return new IdSet([...this.#chunks.slice(0, -1), new Set(last).add(id)]);
  }
}
