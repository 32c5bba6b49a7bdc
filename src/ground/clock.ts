/** Where time comes from. Everything that stamps, expires or waits takes one, so that tests can hold time still. */
export interface Clock {
  /** Milliseconds since the epoch. May jump: the store never lets recorded time run backwards. */
  readonly now: () => number;
}

export const systemClock: Clock = { now: () => Date.now() };
