import { delay } from '../ground/clock.ts';
import { onAbort } from '../ground/on-abort.ts';
import type { EventLog } from '../store/log.ts';
import type { Desks } from './desks.ts';
import { readInstance } from './journal.ts';
import type { Standing } from './journal.ts';
import { hasEnded } from './progress.ts';
import type { AnySaga } from './saga.ts';

interface Waiter {
  readonly saga: AnySaga;
  readonly id: string;
  standing: Standing;
  /** Whether nothing has been missed: what was told before it was waited for was not heard. */
  isSeen: boolean;
  readonly resolve: (standing: Standing) => void;
  readonly reject: (error: unknown) => void;
}

/** How often it is looked whether somebody else has added steps. */
const lookMs = 100;
/** Every so many times also at those of which it would be told: they may have been worked on elsewhere before. */
const looksPerRound = 10;
const streamsMax = 10_000;

/** Those who wait for instances to end or to be stuck: told by whoever works on them in this process, or by looking at the store. */
export class EndWatch {
  readonly #log: EventLog;
  readonly #desks: Desks;
  /** By stream. */
  readonly #waiting = new Map<string, Set<Waiter>>();
  #isLooking = false;

  constructor(log: EventLog, desks: Desks) {
    this.#log = log;
    this.#desks = desks;
  }

  /** Whether it is what is waited for. */
  static isOver({ progress }: Standing): boolean {
    return hasEnded(progress) || progress.status === 'stuck';
  }

  /** @param standing how far it is known to have come. @throws the signal's reason, when aborted; what the store fails with. */
  wait(saga: AnySaga, id: string, standing: Standing, signal: AbortSignal | undefined): Promise<Standing> {
    if (EndWatch.isOver(standing)) return Promise.resolve(standing);
    const isSeen = this.#desks.of(saga, id)?.isAtWork(id) === true;
    const stream = saga.stream(id);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        const waiting = this.#waiting.get(stream);
        waiting?.delete(waiter);
        if (waiting?.size === 0) this.#waiting.delete(stream);
        settled();
      };
      const waiter: Waiter = {
        saga,
        id,
        standing,
        isSeen,
        resolve: (found) => (leave(), resolve(found)),
        reject: (error) => (leave(), reject(error)),
      };
      const settled = onAbort(signal, () => waiter.reject(signal?.reason));
      const waiting = this.#waiting.get(stream) ?? new Set();
      this.#waiting.set(stream, waiting.add(waiter));
      if (!this.#isLooking) void this.#look();
    });
  }

  /** It has ended, or is stuck. */
  tell(stream: string, standing: Standing): void {
    for (const waiter of [...(this.#waiting.get(stream) ?? [])]) waiter.resolve(standing);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    for (let looks = 1; this.#waiting.size > 0; looks += 1) {
      await delay(lookMs, never);
      const streams = this.#toLookAt(looks % looksPerRound === 0);
      try {
        if (streams.length > 0) await this.#lookAt(streams);
      } catch (error) {
        for (const stream of streams) for (const waiter of [...(this.#waiting.get(stream) ?? [])]) waiter.reject(error);
      }
    }
    this.#isLooking = false;
  }

  /** Those that are worked on elsewhere, and those that were not looked at yet. */
  #toLookAt(all: boolean): readonly string[] {
    const streams: string[] = [];
    for (const [stream, waiters] of this.#waiting) {
      const isUnheardOf = ({ saga, id, isSeen }: Waiter) => !isSeen || this.#desks.of(saga, id) === undefined;
      if (all || [...waiters].some(isUnheardOf)) streams.push(stream);
      if (streams.length === streamsMax) break;
    }
    return streams;
  }

  async #lookAt(streams: readonly string[]): Promise<void> {
    for (const { stream, version } of await this.#log.heads(streams)) {
      for (const waiter of [...(this.#waiting.get(stream) ?? [])]) {
        waiter.isSeen = true;
        if (waiter.standing.progress.streamVersion >= version) continue;
        waiter.standing = (await readInstance(this.#log, waiter.saga, waiter.id, {
          since: waiter.standing,
        })) as Standing;
        if (EndWatch.isOver(waiter.standing)) waiter.resolve(waiter.standing);
      }
    }
  }
}

const never = new AbortController().signal;
