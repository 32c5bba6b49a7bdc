import { EngineError } from '../ground/errors.ts';
import { onAbort } from '../ground/on-abort.ts';
import type { Position } from './port.ts';

interface Waiter {
  readonly after: Position;
  readonly resolve: (position: Position) => void;
  readonly reject: (reason: unknown) => void;
}

/** Those who wait until the store has grown past a position. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();
  #closed = false;

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  wait(after: Position, signal: AbortSignal | undefined): Promise<Position> {
    if (this.#closed) return Promise.reject(new EngineError('store_closed', {}));
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter);
        settled();
      };
      const waiter: Waiter = {
        after,
        resolve: (position) => (leave(), resolve(position)),
        reject: (reason) => (leave(), reject(reason)),
      };
      const settled = onAbort(signal, () => waiter.reject(signal?.reason));
      this.#waiting.add(waiter);
    });
  }

  /** The store has reached `position`. */
  reached(position: Position): void {
    for (const waiter of [...this.#waiting]) if (position > waiter.after) waiter.resolve(position);
  }

  fail(error: EngineError): void {
    for (const waiter of [...this.#waiting]) waiter.reject(error);
  }

  close(): void {
    this.#closed = true;
    this.fail(new EngineError('store_closed', {}));
  }
}
