/** Timers are events; this fires them, by the view of what is due. */
import { LinkedSignal } from '../ground/linked-signal.ts';
import { Waiters } from '../store/waiters.ts';
import type { InstanceDocument } from './instance-document.ts';

export interface DueTimersOptions {
  /** Instances whose next timer is due after one time and up to another, the earliest first. */
  readonly find: (
    after: number,
    until: number,
    limit: number,
  ) => Promise<readonly Pick<InstanceDocument, 'id' | 'dueAt'>[]>;
  /** Whose timer is due. Resolves when more may be handed over. */
  readonly hand: (id: string) => Promise<void> | void;
  /** In ms since the epoch. */
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The clock is looked at so often: it may be set while one waits. Nothing else is. */
const lookMs = 1_000;
const pageSize = 500;

export class DueTimers {
  readonly #options: DueTimersOptions;
  /** Up to here they have been handed over. */
  #handed = -Infinity;
  /** When the next one is due; undefined: that is to be looked up. */
  #next: number | undefined;
  readonly #bell = new Waiters();
  #rings = 0;

  constructor(options: DueTimersOptions) {
    this.#options = options;
  }

  /** These have changed in the view. */
  changed(documents: Iterable<Pick<InstanceDocument, 'id' | 'dueAt'>>): void {
    const now = this.#options.now();
    for (const { id, dueAt } of documents) {
      if (dueAt === undefined) continue;
      if (dueAt <= now && dueAt <= this.#handed) void this.#options.hand(id);
      else if (dueAt <= this.#handed) this.#goBack(dueAt - 1);
      else if (this.#next !== undefined && dueAt < this.#next) this.#wake(dueAt);
    }
  }

  #wake(next: number | undefined): void {
    this.#next = next;
    this.#rings += 1;
    this.#bell.reached(this.#rings);
  }

  /** The clock was set back, or a timer is due before those that were handed over. */
  #goBack(handed: number): void {
    this.#handed = handed;
    this.#wake(undefined);
  }

  /** @throws the signal's reason, when aborted; what looking fails with. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const rings = this.#rings;
      this.#next ??= await this.#lookAhead();
      const now = this.#options.now();
      if (this.#next <= now) {
        await this.#handOver(now);
        continue;
      }
      if (rings !== this.#rings) continue;
      using linked = new LinkedSignal([signal]);
      await Promise.race([
        this.#bell.wait(rings, linked.signal),
        this.#options.wait(Math.min(lookMs, this.#next - now), linked.signal),
      ]);
    }
  }

  async #lookAhead(): Promise<number> {
    const [first] = await this.#options.find(this.#handed, Number.MAX_SAFE_INTEGER, 1);
    return first?.dueAt ?? Infinity;
  }

  async #handOver(now: number): Promise<void> {
    const found = await this.#options.find(this.#handed, now, pageSize);
    this.#handed = found.length < pageSize ? now : (found.at(-1)?.dueAt ?? now);
    this.#next = undefined;
    for (const { id } of found) await this.#options.hand(id);
  }
}
