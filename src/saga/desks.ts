import { slotOf } from '../projection/consumer.ts';
import type { Standing } from './journal.ts';
import type { AnySaga } from './saga.ts';

/** Whoever works on a slot of a saga in this process. */
export interface Desk {
  readonly saga: AnySaga;
  readonly slot: number;
  /** Something has been added to an instance. */
  offer(id: string, standing: Standing): void;
}

/** Those who work in this process: what is added here need not be heard of through the store. */
export class Desks {
  readonly #desks = new Map<string, Desk>();

  open(desk: Desk): void {
    this.#desks.set(`${desk.saga.name}#${desk.slot}`, desk);
  }

  close(desk: Desk): void {
    const key = `${desk.saga.name}#${desk.slot}`;
    if (this.#desks.get(key) === desk) this.#desks.delete(key);
  }

  offer(saga: AnySaga, id: string, standing: Standing): void {
    this.#desks.get(`${saga.name}#${slotOf(id, saga.slots)}`)?.offer(id, standing);
  }
}
