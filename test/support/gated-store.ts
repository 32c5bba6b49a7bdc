/** A store whose appends wait until they are let through, to look at what happens meanwhile. */
import type { AppendRequest, AppendResult, Backend, BackendOptions, EventStore, Inline } from '../../src/store/port.ts';
import type { StateStore } from '../../src/store/state-port.ts';

export class Gate {
  /** Groups that have reached the store. */
  arrived = 0;
  #open = Promise.withResolvers<void>();
  #arrival = Promise.withResolvers<void>();

  constructor() {
    this.#open.resolve();
  }

  shut(): void {
    this.#open = Promise.withResolvers();
    this.#arrival = Promise.withResolvers();
  }

  open(): void {
    this.#open.resolve();
  }

  /** Resolves when a group waits at the shut gate. */
  get arrival(): Promise<void> {
    return this.#arrival.promise;
  }

  async pass(): Promise<void> {
    this.arrived += 1;
    this.#arrival.resolve();
    await this.#open.promise;
  }
}

export function gated(backend: Backend, gate: Gate): Backend {
  return {
    name: `gated ${backend.name}`,
    openEvents: async (options: BackendOptions): Promise<EventStore> => {
      const store = await backend.openEvents(options);
      return new Proxy(store, {
        get(target, name) {
          if (name === 'append') {
            return async (group: readonly AppendRequest[], inline?: Inline): Promise<readonly AppendResult[]> => {
              await gate.pass();
              return target.append(group, inline);
            };
          }
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
}

/** A memory store that several logs or engines open, as several processes would a file. */
export function shared(backend: Backend): Backend {
  let events: Promise<EventStore> | undefined;
  let state: Promise<StateStore> | undefined;
  return {
    name: backend.name,
    openEvents: async (options) => lasting(await (events ??= backend.openEvents(options))),
    openState: async (_, options) => {
      const store = await (events ??= backend.openEvents(options));
      if (backend.openState === undefined) throw new Error(`${backend.name} keeps no documents`);
      return lasting(await (state ??= backend.openState(store, options)));
    },
  };
}

/** One that closing does not close. */
function lasting<Store extends object>(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === Symbol.asyncDispose) return async () => {};
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
