/**
 * Fetches in one go what several ask for by key: whoever asks while others are being fetched is served next, with all who do. Nothing
 * that is found is older than its question.
 */
export class SharedFetch<Key, Value> {
  readonly #fetch: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>;
  #running = 0;
  #startedAt = -Infinity;
  #waiting: Group<Key, Value> | undefined;

  constructor(fetch: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>) {
    this.#fetch = fetch;
  }

  async ask(key: Key): Promise<Value | undefined> {
    const group = this.#waiting ?? this.#begin();
    group.keys.add(key);
    return (await group.found.promise).get(key);
  }

  #begin(): Group<Key, Value> {
    const group = { keys: new Set<Key>(), found: Promise.withResolvers<ReadonlyMap<Key, Value>>() };
    this.#waiting = group;
    this.#startSoon();
    return group;
  }

  #startSoon(): void {
    if (this.#waiting === undefined || this.#running >= atOnce) return;
    // Whoever asks in the same breath comes along.
    if (this.#running === 0) queueMicrotask(() => this.#start());
    else setTimeout(() => this.#start(), Math.max(0, this.#startedAt + slowMs - performance.now()));
  }

  #start(): void {
    const group = this.#waiting;
    if (group === undefined || this.#running >= atOnce) return;
    this.#waiting = undefined;
    this.#running += 1;
    this.#startedAt = performance.now();
    void this.#serve(group);
  }

  async #serve({ keys, found }: Group<Key, Value>): Promise<void> {
    try {
      found.resolve(await this.#fetch([...keys]));
    } catch (error) {
      found.reject(error);
    }
    this.#running -= 1;
    this.#startSoon();
  }
}

interface Group<Key, Value> {
  readonly keys: Set<Key>;
  readonly found: PromiseWithResolvers<ReadonlyMap<Key, Value>>;
}

/** One that is slow, which has not come back after so many ms, does not hold up all others. */
const atOnce = 2;
const slowMs = 5;
