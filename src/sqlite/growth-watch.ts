import type { Position } from '../store/port.ts';
import { Waiters } from '../store/waiters.ts';
import { isBusy, toEngineError } from './failures.ts';

/** How often other processes are looked for while somebody waits: a read of shared memory, some microseconds. */
const lookMs = 5;

/** What grows, and whether anything has changed since. */
export interface Watched {
  head(): { readonly position: Position };
  dataVersion(): number;
}

/**
 * Notices that the store, or something in it, has grown. This process's own appends are told at once; SQLite has no way of telling other
 * processes, so theirs are looked for, but only while somebody waits.
 */
export class GrowthWatch {
  readonly #reader: Watched;
  readonly #file: string;
  readonly #waiters = new Waiters();
  #timer: NodeJS.Timeout | undefined;
  #dataVersion = 0;
  /** As far as it is known to have grown: it never shrinks. */
  #position: Position = 0;

  constructor(reader: Watched, file: string) {
    this.#reader = reader;
    this.#file = file;
  }

  async past(after: Position, signal: AbortSignal | undefined): Promise<Position> {
    signal?.throwIfAborted();
    if (this.#timer === undefined) {
      // The version first: what is committed between the two looks is noticed by the next one. While somebody waits, it is anyhow.
      this.#dataVersion = this.#reader.dataVersion();
      this.#reached(this.#reader.head().position);
    }
    if (this.#position > after) return this.#position;
    const reached = this.#waiters.wait(after, signal);
    this.#timer ??= setInterval(() => this.#look(), lookMs);
    return reached.finally(() => this.#restIfAlone());
  }

  /** This process has appended. A failure to look is told to those who wait, not to who appended. */
  notice(): void {
    this.#tell(() => {
      if (this.#timer !== undefined) this.#reached(this.#reader.head().position);
    });
  }

  #reached(position: Position): void {
    if (position <= this.#position) return;
    this.#position = position;
    this.#waiters.reached(position);
  }

  #look(): void {
    this.#tell(() => {
      const dataVersion = this.#reader.dataVersion();
      if (dataVersion === this.#dataVersion) return;
      this.#reached(this.#reader.head().position);
      // Only now: whoever was busy is looked at again.
      this.#dataVersion = dataVersion;
    });
  }

  #tell(look: () => void): void {
    try {
      look();
    } catch (error) {
      if (!isBusy(error)) this.#waiters.fail(toEngineError(error, this.#file));
    }
  }

  #restIfAlone(): void {
    if (!this.#waiters.isEmpty) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  close(): void {
    this.#waiters.close();
    clearInterval(this.#timer);
  }
}
