import { slotOf } from '../projection/consumer.ts';
import type { Wish } from './instance-worker.ts';
import type { Standing } from './journal.ts';
import type { AnySaga } from './saga.ts';

/** Whoever works on a slot of a saga in this process. */
export interface Desk {
  readonly saga: AnySaga;
  readonly slot: number;
  /** Whether it can do nothing any more: somebody else may work on the slot. */
  readonly hasStopped: boolean;
  /** Whether it is working on this instance, and will tell when that has ended or is stuck. */
  isAtWork(id: string): boolean;
  /** Records what has happened to an instance. @param isNew whether it is probably not there. @returns how it stands then. */
  deliver(id: string, wish: Wish, isNew: boolean): Promise<Standing | undefined>;
}

/** Those who work in this process: what is to be added to an instance of theirs they add themselves, and what follows from it. */
export class Desks {
  readonly #desks = new Map<string, Desk>();

  open(desk: Desk): void {
    this.#desks.set(`${desk.saga.name}#${desk.slot}`, desk);
  }

  close(desk: Desk): void {
    const key = `${desk.saga.name}#${desk.slot}`;
    if (this.#desks.get(key) === desk) this.#desks.delete(key);
  }

  /** Who works on this instance; undefined: somebody in another process, or nobody. */
  of(saga: AnySaga, id: string): Desk | undefined {
    return this.#desks.get(`${saga.name}#${slotOf(id, saga.slots)}`);
  }
}
