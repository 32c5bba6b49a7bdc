/** Timers are events; this fires them, by the view of what is due. */
import { LinkedSignal } from '../ground/linked-signal.ts';
import { Waiters } from '../store/waiters.ts';
import type { InstanceDocument } from './instance-document.ts';

type Due = Pick<InstanceDocument, 'id' | 'dueAt'> & Partial<Pick<InstanceDocument, 'streamVersion'>>;

export interface DueTimersOptions {
  /** Instances whose next timer is due after one time and up to another, the earliest first. */
  readonly find: (query: {
    readonly after: number;
    readonly until: number;
    readonly limit: number;
    /** `next` of the page before. */
    readonly page?: string | undefined;
  }) => Promise<{ readonly due: readonly Due[]; readonly next?: string | undefined }>;
  /** Whose timer is due, and which step set it or is behind that. Resolves when more may be handed over. */
  readonly hand: (id: string, version: number | undefined) => Promise<void> | void;
  /** In ms since the epoch. */
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The clock is looked at so often: it may be set while one waits. Nothing else is. */
const lookMs = 1_000;
const pageSize = 500;

export class DueTimers {
  readonly #options: DueTimersOptions;
  /** Up to here they have been handed over, or are being. */
  #handed = -Infinity;
  /** When the next one is due; undefined: that is to be looked up. */
  #next: number | undefined;
  /** The earliest of those that were set while it was looked up: they may not have been seen. */
  #earliest = Infinity;
  readonly #bell = new Waiters();
  #rings = 0;

  constructor(options: DueTimersOptions) {
    this.#options = options;
  }

  /** These have changed in the view. */
  changed(documents: Iterable<Due>): void {
    const now = this.#options.now();
    for (const { id, dueAt, streamVersion } of documents) {
      if (dueAt === undefined) continue;
      if (dueAt <= now && dueAt <= this.#handed) {
        void this.#options.hand(id, streamVersion);
        continue;
      }
      this.#earliest = Math.min(this.#earliest, dueAt);
      if (this.#next === undefined || dueAt >= this.#next) continue;
      this.#next = dueAt;
      this.#rings += 1;
      this.#bell.reached(this.#rings);
    }
  }

  /** @throws the signal's reason, when aborted; what looking fails with. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const rings = this.#rings;
      this.#next ??= await this.#lookAhead();
      const now = this.#options.now();
      if (now < this.#handed) {
        // It was set back: what was handed over may not have been due any more when it was looked at.
        this.#handed = -Infinity;
        this.#next = undefined;
        continue;
      }
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
    this.#earliest = Infinity;
    const { due } = await this.#options.find({ after: this.#handed, until: Number.MAX_SAFE_INTEGER, limit: 1 });
    return Math.min(due[0]?.dueAt ?? Infinity, this.#earliest);
  }

  /** One that is set meanwhile is handed over as soon as it is heard of. */
  async #handOver(now: number): Promise<void> {
    const after = this.#handed;
    this.#handed = now;
    try {
      let page: string | undefined;
      do {
        const { due, next } = await this.#options.find({ after, until: now, limit: pageSize, page });
        for (const { id, streamVersion } of due) await this.#options.hand(id, streamVersion);
        page = next;
      } while (page !== undefined);
    } catch (error) {
      this.#handed = after;
      throw error;
    }
    this.#next = undefined;
  }
}
