import { EngineError } from './errors.ts';

/** Where time comes from. Everything that stamps, expires or waits takes one, so that tests can hold time still. */
export interface Clock {
  /** Milliseconds since the epoch. May jump: the store never lets recorded time run backwards. */
  readonly now: () => number;
}

/** A clock that can be waited by. */
export interface Timer extends Clock {
  /** Resolves when so many ms have passed. @throws the signal's reason, when aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Counts from the time at which the process began. When the system's clock is set, it goes on as before: it is there to measure by. */
export const systemTimer: Timer = {
  now: () => performance.timeOrigin + performance.now(),
  wait: async (ms, signal) => {
    for (let left = ms; left > 0; left -= timerMaxMs) await delay(Math.min(left, timerMaxMs), signal);
  },
};

/** What is set for longer than 24 days ends at once. */
export const timerMaxMs: number = 2 ** 31 - 1;

/** Resolves when so many ms have passed. @throws the signal's reason, when aborted. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** The clock's time in whole milliseconds. @throws {EngineError} `option_invalid` if what it says is no time. */
export function readClock(clock: Clock): number {
  const now = Math.floor(clock.now());
  if (Number.isSafeInteger(now)) return now;
  throw new EngineError('option_invalid', { option: 'clock', value: now, expected: 'milliseconds since the epoch' });
}
