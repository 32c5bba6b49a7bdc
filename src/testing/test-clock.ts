import type { Clock } from '../ground/clock.ts';

/** A clock that stands still until it is told. */
export class TestClock implements Clock {
  #time: number;

  /** @param start in ms since the epoch. Default 2026-01-01. */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#time = start;
  }

  readonly now = (): number => this.#time;

  /** Moves by a number of ms; backwards, if it is negative. */
  advance(ms: number): void {
    this.#time += ms;
  }
}
