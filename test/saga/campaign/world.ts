/**
 * The world outside, as sagas find it: it honours idempotency keys, and is unreliable in every way that an outside system may be. What it did is
 * written down, to be compared with what it was to do.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { FinalError } from 'eventsrc';
import type { Reconciled } from 'eventsrc';
import { seededRandom } from '../../support/random.ts';

/** What is asked of it: something, or that this be undone. */
export interface Call {
  readonly kind: 'do' | 'undo';
  readonly item: string;
  /** The idempotency key. */
  readonly key: string;
}

export interface Receipt {
  readonly receipt: string;
}

/** Where activities reach it: here, or from another process. */
export interface Outside {
  call(call: Call): Promise<Receipt>;
  /** What became of the calls with a key. */
  ask(key: string): Promise<Reconciled<Receipt>>;
}

/** How a call goes, but for repetitions of one that was done. */
type Fate =
  | 'done'
  /** It was not done, and will not be. */
  | 'refused'
  | 'failed'
  /** It was done; the caller hears of a failure. */
  | 'answer_lost'
  /** It was done; the caller hears of that when it has given up. */
  | 'answer_late'
  /** It is done when the caller has given up. */
  | 'done_late'
  | 'no_answer'
  /** It was done; the answer is not what was agreed. */
  | 'garbled';

/** By kind of call: how many of a hundred go so; the others are done. */
export type Weather = Readonly<Record<Call['kind'], Partial<Record<Fate, number>>>> & {
  /** All calls with a key but so many are done. Default: any may go wrong. */
  readonly wrongMax?: number;
};

const rough: Weather = {
  do: { refused: 3, failed: 8, answer_lost: 7, answer_late: 3, done_late: 3, no_answer: 2, garbled: 2 },
  undo: { refused: 4, failed: 10, answer_lost: 8, answer_late: 4, done_late: 3, no_answer: 2 },
};

export const fair: Weather = { do: {}, undo: {} };

/** How long an attempt may take; who is late is later than that. */
export const patienceMs = 25;
const lateMs = 40;

export class World implements Outside {
  /** In the order in which it did them. */
  readonly deeds: Call[] = [];
  readonly #seed: number;
  readonly #weather: Weather;
  readonly #done = new Map<string, Receipt>();
  readonly #refused = new Set<string>();
  /** Undone, perhaps before they were done. */
  readonly #undone = new Set<string>();
  readonly #calls = new Map<string, number>();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(seed: number, weather: Weather = rough) {
    this.#seed = seed;
    this.#weather = weather;
  }

  call(call: Call): Promise<Receipt> {
    return this.#track(this.#take(call));
  }

  ask(key: string): Promise<Reconciled<Receipt>> {
    return this.#track(this.#look(key));
  }

  /** How a call goes depends on nothing but the seed, its key, and how often that was called before. */
  #fate(kind: Call['kind'], key: string): Fate {
    const call = (this.#calls.get(key) ?? 0) + 1;
    this.#calls.set(key, call);
    if (call > (this.#weather.wrongMax ?? Infinity)) return 'done';
    let chance = 100 * seededRandom(hash(`${this.#seed} ${key} ${call}`))();
    for (const [fate, share] of Object.entries(this.#weather[kind])) {
      chance -= share;
      if (chance < 0) return fate as Fate;
    }
    return 'done';
  }

  async #take(call: Call): Promise<Receipt> {
    const fate = this.#fate(call.kind, call.key);
    await pause(0);
    switch (fate) {
      case 'done':
        return this.#do(call);
      case 'refused':
        if (!this.#done.has(call.key)) this.#refused.add(call.key);
        return this.#do(call);
      case 'failed':
        throw new Error('the line is bad');
      case 'answer_lost':
        this.#do(call);
        throw new Error('the line went dead');
      case 'answer_late': {
        const receipt = this.#do(call);
        await pause(lateMs);
        return receipt;
      }
      case 'done_late':
        await pause(lateMs);
        return this.#do(call);
      case 'no_answer':
        await pause(lateMs);
        throw new Error('nobody answered');
      case 'garbled':
        this.#do(call);
        return {} as Receipt;
      default:
        return fate satisfies never;
    }
  }

  /** Once for each key. What was undone is not done any more. */
  #do(call: Call): Receipt {
    const { kind, item, key } = call;
    const before = this.#done.get(key);
    if (before !== undefined) return before;
    if (this.#refused.has(key) || (kind === 'do' && this.#undone.has(item))) throw new FinalError('refused', { key });
    this.deeds.push(call);
    if (kind === 'undo') this.#undone.add(item);
    const receipt = { receipt: `receipt of ${key}` };
    this.#done.set(key, receipt);
    return receipt;
  }

  async #look(key: string): Promise<Reconciled<Receipt>> {
    const fate = this.#fate('do', `ask ${key}`);
    await pause(fate === 'no_answer' || fate === 'answer_late' ? lateMs : 0);
    if (fate === 'failed' || fate === 'answer_lost') throw new Error('the line is bad');
    const done = this.#done.get(key);
    if (done !== undefined) return { kind: 'completed', output: done };
    return this.#refused.has(key) ? { kind: 'failed', code: 'refused' } : { kind: 'not_found' };
  }

  #track<Result>(work: Promise<Result>): Promise<Result> {
    const tracked: Promise<unknown> = work.catch(() => undefined).finally(() => this.#underWay.delete(tracked));
    this.#underWay.add(tracked);
    return work;
  }

  /** Resolves when nothing is on its way any more. */
  async calm(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  wasDone(key: string): boolean {
    return this.#done.has(key);
  }

  /** Somebody makes sure that nothing comes of a key any more. */
  disown(key: string): void {
    this.#refused.add(key);
  }

  /** Somebody undoes it by hand. */
  undoByHand(item: string): void {
    this.deeds.push({ kind: 'undo', item, key: `by hand ${item}` });
    this.#undone.add(item);
  }
}

/** 32 bits of FNV-1a. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193);
  return sum >>> 0;
}
