import { EngineError } from './errors.ts';

/** Where time comes from. Everything that stamps, expires or waits takes one, so that tests can hold time still. */
export interface Clock {
  /** Milliseconds since the epoch. May jump: the store never lets recorded time run backwards. */
  readonly now: () => number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** The clock's time in whole milliseconds. @throws {EngineError} `option_invalid` if what it says is no time. */
export function readClock(clock: Clock): number {
  const now = Math.floor(clock.now());
  if (Number.isSafeInteger(now)) return now;
  throw new EngineError('option_invalid', { option: 'clock', value: now, expected: 'milliseconds since the epoch' });
}
