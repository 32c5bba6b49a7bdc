import { drive } from '../contestants/drive.ts';
import type { Load } from '../contestants/drive.ts';
import { warmUp } from '../contestants/contestant.ts';
import type { Contestant } from '../contestants/contestant.ts';
import { driveCommands } from '../contestants/emmett-commands.ts';
import type { Emmett } from '../contestants/emmett-commands.ts';
import { SampleFeed } from '../contestants/sample-events.ts';
import type { SampleEvent } from '../contestants/sample-events.ts';

interface Store {
  appendToStream(
    stream: string,
    events: readonly SampleEvent[],
    options?: { readonly expectedStreamVersion: bigint },
  ): Promise<{ readonly nextExpectedStreamVersion: bigint }>;
  consumer(options: {
    readonly pulling?: { readonly batchSize: number; readonly pullingFrequencyInMs: number };
  }): Consumer;
  close(): Promise<void>;
}

interface Consumer {
  projector(options: {
    readonly processorId: string;
    readonly projection: object;
    readonly stopAfter: (event: ProjectedEvent) => boolean;
  }): unknown;
  /** Resolves once its projectors have stopped. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface ProjectedEvent {
  readonly data: unknown;
}

/** What the bench uses of `@event-driven-io/emmett-postgresql`. */
export interface EmmettPostgres {
  getPostgreSQLEventStore(url: string): Store;
  pongoSingleStreamProjection<Document>(options: {
    readonly collectionName: string;
    readonly canHandle: readonly string[];
    readonly initialState: () => Document;
    readonly evolve: (document: Document, event: ProjectedEvent) => Document;
  }): object;
}

/** As its documentation opens it: by a URL, with a pool of its own. Each caller has a stream, and expects its version. */
export function emmettAppends({ getPostgreSQLEventStore }: EmmettPostgres, load: Load): Contestant {
  const how = load.inFlight === 1 ? 'one at a time' : `${load.inFlight} in flight`;
  return {
    name: `emmett-postgresql, ${how}`,
    async run(url, budget) {
      const store = getPostgreSQLEventStore(url);
      try {
        const feed = new SampleFeed();
        const versions = new Map<number, bigint>();
        const append = async (caller: number) => {
          const version = versions.get(caller);
          const options = version === undefined ? undefined : { expectedStreamVersion: version };
          const events = feed.take(load.eventsPerAppend);
          const appended = await store.appendToStream(`order-${caller}`, events, options);
          versions.set(caller, appended.nextExpectedStreamVersion);
        };
        await append(0);
        await drive(append, load, warmUp(budget));
        return await drive(append, load, budget);
      } finally {
        await store.close();
      }
    },
  };
}

/** As its documentation shows: a handler reads the stream, decides, and appends. Nothing is validated, no key is kept. */
export function emmettPostgresCommands(emmett: Emmett, { getPostgreSQLEventStore }: EmmettPostgres): Contestant {
  const inFlight = 256;
  return {
    name: 'emmett-postgresql, 256 in flight',
    async run(url, budget) {
      const store = getPostgreSQLEventStore(url);
      try {
        return await driveCommands(emmett, store, inFlight, budget);
      } finally {
        await store.close();
      }
    },
  };
}
