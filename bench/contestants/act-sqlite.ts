import { warmUp } from './contestant.ts';
import type { Contestant } from './contestant.ts';
import { drive } from './drive.ts';
import { SampleFeed } from './sample-events.ts';

interface Message {
  readonly name: string;
  readonly data: unknown;
}

interface Store {
  seed(): Promise<void>;
  commit(
    stream: string,
    messages: readonly Message[],
    meta: { readonly correlation: string; readonly causation: object },
    expectedVersion?: number,
  ): Promise<readonly { readonly version: number }[]>;
  dispose(): Promise<void>;
}

/** What the bench uses of `@rotorsoft/act-sqlite`, whose own types are there only once it is installed. */
export interface ActSqlite {
  readonly SqliteStore: new (options: { readonly url: string }) => Store;
}

/** One caller and one stream, expecting the version that the last commit returned. */
export function actSqlite(act: ActSqlite, eventsPerAppend: number): Contestant {
  return {
    name: `act-sqlite, ${eventsPerAppend === 1 ? 'one at a time' : `${eventsPerAppend} events a call`}`,
    async run(file, budget) {
      const store = new act.SqliteStore({ url: `file:${file}` });
      await store.seed();
      const feed = new SampleFeed();
      let version: number | undefined;
      const append = async () => {
        const messages = feed.take(eventsPerAppend).map(({ type, data }) => ({ name: type, data }));
        const committed = await store.commit('order-1', messages, { correlation: 'bench', causation: {} }, version);
        version = committed.at(-1)?.version;
      };
      const load = { inFlight: 1, eventsPerAppend };
      await drive(append, load, warmUp(budget));
      const measured = await drive(append, load, budget);
      await store.dispose();
      return measured;
    },
  };
}
