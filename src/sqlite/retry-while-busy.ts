import { EngineError } from '../ground/errors.ts';
import { isBusy } from './failures.ts';

/**
 * SQLite's own waiting backs off up to 100 ms a step, which starves some of several busy writers; this one asks
 * about every millisecond.
 * @throws {EngineError} `store_locked` after the time-out; whatever else `action` throws, at once.
 */
export function retryWhileBusy<Result>(file: string, timeoutMs: number, action: () => Result): Result {
  const started = performance.now();
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (!isBusy(error)) throw error;
      const waitedMs = Math.round(performance.now() - started);
      if (waitedMs > timeoutMs) throw new EngineError('store_locked', { file, waitedMs }, { cause: error });
      pause(0.2 + Math.random());
    }
  }
}

const pauseCell = new Int32Array(new SharedArrayBuffer(4));

function pause(ms: number): void {
  Atomics.wait(pauseCell, 0, 0, ms);
}
