import type { HistoryLog } from './events.ts';

const streamsPerLookup = 1_000;

/**
 * The versions of streams as they will be once every append in flight is done. What the store says is asked for once
 * per stream and then counted along, so appends can be sent without waiting for one another.
 */
export class PathVersions {
  readonly #log: HistoryLog;
  readonly #versions = new Map<string, number>();

  constructor(log: HistoryLog) {
    this.#log = log;
  }

  /** Looks up those that are not known yet. A stream that an append in flight writes is always known. */
  async load(streams: readonly string[]): Promise<void> {
    const unknown = streams.filter((stream) => !this.#versions.has(stream));
    for (let start = 0; start < unknown.length; start += streamsPerLookup) {
      const heads = await this.#log.heads(unknown.slice(start, start + streamsPerLookup));
      for (const { stream, version } of heads) this.#versions.set(stream, version);
    }
  }

  /** The version of a loaded stream, to which one event is about to be appended. */
  take(stream: string): number {
    const version = this.#versions.get(stream);
    if (version === undefined) throw new Error(`${stream} was not loaded`);
    this.#versions.set(stream, version + 1);
    return version;
  }

  get size(): number {
    return this.#versions.size;
  }

  /** Only when no append is in flight: what is not known is taken from the store. */
  clear(): void {
    this.#versions.clear();
  }
}
