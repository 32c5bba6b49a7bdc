/** A store that gets out of reach: nothing that was under way is answered, and nothing is let through any more, as if the process had died. */
import type { Backend, EventStore, StateCommit } from 'eventsrc';
import type { Gate } from '../support/gated-store.ts';
import { guarded } from '../support/guarded-state.ts';

/** Where a store is cut off: from one append on, which is done all the same or is not; or from one call on to what keeps the documents. */
export interface CutPlace {
  readonly at: 'append' | 'document';
  /** 1 for the first. */
  readonly count: number;
  readonly isDone: boolean;
}

export class Cut {
  /** So far, or since it was armed. */
  appends = 0;
  #documents = 0;
  #place: CutPlace | undefined;
  readonly #made = Promise.withResolvers<void>();
  isMade = false;
  /** Whether it can neither renew a lease nor say that it is there, so that others take over while it goes on. */
  isDisplaced = false;

  /** Through which appends go. */
  readonly #gate: Gate | undefined;

  /** @param place undefined: only when `now` is called. */
  constructor(place?: CutPlace, gate?: Gate) {
    this.#place = place;
    this.#gate = gate;
  }

  get made(): Promise<void> {
    return this.#made.promise;
  }

  /** Counts from now on. */
  arm(place: CutPlace): void {
    this.#place = place;
    this.appends = this.#documents = 0;
  }

  now(): void {
    this.isMade = true;
    this.#made.resolve();
  }

  async append<Result>(call: () => Promise<Result>): Promise<Result> {
    await this.#gate?.pass();
    if (!this.isMade) this.appends += 1;
    return this.#pass(call, this.#place?.at === 'append' && this.#place.count === this.appends);
  }

  document<Result>(call: () => Promise<Result>, name: string, args: readonly unknown[]): Promise<Result> {
    if (this.isDisplaced && isPresence(name, args)) throw new Error('displaced');
    if (!this.isMade) this.#documents += 1;
    return this.#pass(call, this.#place?.at === 'document' && this.#place.count === this.#documents);
  }

  check(): void {
    if (this.isMade) throw new Error('cut off');
  }

  async #pass<Result>(call: () => Promise<Result>, isLast: boolean): Promise<Result> {
    this.check();
    if (isLast) {
      this.now();
      if (this.#place?.isDone === true) await call();
    }
    this.check();
    const result = await call();
    this.check();
    return result;
  }
}

function isPresence(name: string, [given]: readonly unknown[]): boolean {
  if (name === 'lease') return true;
  return name === 'commit' && ((given as StateCommit).puts ?? []).some(({ collection }) => collection === '$workers');
}

/** A backend that is cut off there. */
export function cutBy(backend: Backend, cut: Cut): Backend {
  const originals = new WeakMap<EventStore, EventStore>();
  const events: Backend = {
    name: backend.name,
    openEvents: async (options) => {
      const store = await backend.openEvents(options);
      const reached = new Proxy(store, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          const call = (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args);
          if (name === 'append') return (...args: readonly unknown[]) => cut.append(async () => call(...args));
          // Closing and waiting are nothing that a dead process does.
          if (typeof name === 'symbol' || name === 'appended') return call;
          return (...args: readonly unknown[]) => {
            cut.check();
            return call(...args);
          };
        },
      });
      originals.set(reached, store);
      return reached;
    },
    openState: async (store, options) => {
      const state = await backend.openState?.(originals.get(store) ?? store, options);
      if (state === undefined) throw new Error(`${backend.name} keeps no documents`);
      return state;
    },
  };
  return guarded(events, (call, name, args) => cut.document(call, name, args));
}
