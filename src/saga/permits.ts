/** How many attempts of each activity may run at the same time in this process. Who must wait is named, and told. */
export class Permits {
  readonly #taken = new Map<string, number>();
  /** By activity: whom to tell, in the order in which they came. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /** @param max also Infinity. */
  take(activity: string, max: number): boolean {
    const taken = this.#taken.get(activity) ?? 0;
    if (taken >= max) return false;
    this.#taken.set(activity, taken + 1);
    return true;
  }

  release(activity: string): void {
    this.#taken.set(activity, (this.#taken.get(activity) ?? 1) - 1);
    const waiting = this.#waiting.get(activity);
    const [next] = waiting ?? [];
    if (next === undefined) return;
    waiting?.delete(next);
    next();
  }

  /** Calls back once when one is free; it may have been taken by somebody else by then. */
  whenFree(activity: string, tell: () => void): void {
    const waiting = this.#waiting.get(activity) ?? new Set();
    this.#waiting.set(activity, waiting);
    waiting.add(tell);
  }
}
