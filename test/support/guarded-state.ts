/** Documents that are out of reach from a certain call on, as after a crash: whoever works with them can't even give back what it holds. */
import type { Backend, StateStore } from 'eventsrc';

/** Counts the calls, and says which of them is the last. */
export class Fuse {
  calls = 0;
  readonly #last: number;
  readonly #isDone: boolean;
  readonly #blown = Promise.withResolvers<void>();
  #isBlown = false;

  /** @param last after so many calls nothing is answered. @param isDone whether what that call asked for is done. */
  constructor(last: number, isDone: boolean) {
    this.#last = last;
    this.#isDone = isDone;
  }

  get blown(): Promise<void> {
    return this.#blown.promise;
  }

  get isBlown(): boolean {
    return this.#isBlown;
  }

  async pass<Result>(call: () => Promise<Result>): Promise<Result> {
    if (this.#isBlown) throw cutOff();
    this.calls += 1;
    if (this.calls !== this.#last) return this.#answered(await call());
    this.#isBlown = true;
    this.#blown.resolve();
    if (this.#isDone) await call();
    throw cutOff();
  }

  #answered<Result>(result: Result): Result {
    if (this.#isBlown) throw cutOff();
    return result;
  }
}

function cutOff(): Error {
  return new Error('cut off');
}

/** Stands before every call to the documents but `moved`, of which it is chance how many there are. */
export type Guard = <Result>(call: () => Promise<Result>, name: string, args: readonly unknown[]) => Promise<Result>;

/** A backend whose documents are reached through a guard. */
export function guarded(backend: Backend, guard: Guard): Backend {
  return {
    name: backend.name,
    openEvents: (options) => backend.openEvents(options),
    openState: async (events, options): Promise<StateStore> => {
      const state = await backend.openState?.(events, options);
      if (state === undefined) throw new Error(`${backend.name} keeps no documents`);
      return new Proxy(state, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          const call = (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args);
          if (name === 'moved' || typeof name === 'symbol') return call;
          return (...args: readonly unknown[]) => guard(async () => call(...args), name, args);
        },
      });
    },
  };
}
