import { DatabaseSync } from 'node:sqlite';
import { warmUp } from './contestant.ts';
import type { Contestant } from './contestant.ts';
import { drive } from './drive.ts';
import { SampleFeed } from './sample-events.ts';
import type { SampleEvent } from './sample-events.ts';

interface Connection {
  command(sql: string): Promise<unknown>;
  query(sql: string, parameters?: readonly unknown[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  close(): void;
}

interface Appended {
  readonly nextExpectedStreamVersion: bigint;
}

interface Store {
  appendToStream(
    stream: string,
    events: readonly SampleEvent[],
    options?: { readonly expectedStreamVersion: bigint },
  ): Promise<Appended>;
  consumer(options: { readonly pulling?: Pulling }): Consumer;
}

/** How a consumer asks for events: so many at once, and how long it waits then. */
export interface Pulling {
  readonly batchSize: number;
  readonly pullingFrequencyInMs: number;
}

interface Consumer {
  processor(options: {
    readonly processorId: string;
    readonly projection: Projection;
    readonly stopAfter: (event: ProjectedEvent) => boolean;
  }): unknown;
  /** Resolves once its processors have stopped. */
  start(): Promise<void>;
  close(): Promise<void>;
}

interface ProjectedEvent {
  readonly data: unknown;
  readonly metadata: { readonly streamName: string };
}

interface Projection {
  readonly canHandle: readonly string[];
}

interface StoreOptions {
  readonly fileName: string;
  readonly connectionOptions?: { readonly singleton: true; readonly connection: Connection };
  readonly hooks?: {
    readonly onBeforeCommit: (messages: unknown, context: { readonly connection: Connection }) => Promise<void>;
  };
}

/** What the bench uses of `@event-driven-io/emmett-sqlite`, whose own types are there only once it is installed. */
export interface EmmettSqlite {
  getSQLiteEventStore(options: StoreOptions): Store;
  sqliteConnection(options: { readonly fileName: string }): Connection;
  sqliteRawSQLProjection(options: {
    readonly canHandle: readonly string[];
    readonly evolve: (event: ProjectedEvent) => string;
  }): Projection;
}

/**
 * How it is opened.
 * - `per_append`: by the file's name, as its documentation shows; each append then opens a connection of its own
 * - `kept`: with a connection for all appends, an option that its types have and its documentation does not mention
 */
export type Connecting = 'per_append' | 'kept';

interface OpenStore extends Disposable {
  readonly store: Store;
}

/**
 * A new connection asks for WAL without waiting for the answer; on a file that is not in WAL mode yet that races with the
 * transaction, and now and then kills the process. So the file is given to it in WAL mode.
 */
export function openEmmett(
  emmett: EmmettSqlite,
  connecting: Connecting,
  options: Omit<StoreOptions, 'connectionOptions'>,
): OpenStore {
  const { fileName } = options;
  makeWalFile(fileName);
  if (connecting === 'per_append') {
    return { store: emmett.getSQLiteEventStore(options), [Symbol.dispose]: () => undefined };
  }
  const connection = emmett.sqliteConnection({ fileName });
  const connectionOptions = { singleton: true, connection } as const;
  return {
    store: emmett.getSQLiteEventStore({ ...options, connectionOptions }),
    [Symbol.dispose]: () => connection.close(),
  };
}

/**
 * Closed before the peer opens the file: it brings a SQLite library of its own, and two of them with one file open in one
 * process drop each other's locks (https://www.sqlite.org/howtocorrupt.html, "multiple copies of SQLite").
 */
function makeWalFile(file: string): void {
  using db = new DatabaseSync(file);
  db.exec('pragma journal_mode = wal');
}

/** For the appends that it fails with SQLITE_BUSY. */
const attemptsMax = 10;

/** One caller and one stream, expecting the version that the last append returned. */
export function emmettSqlite(emmett: EmmettSqlite, connecting: Connecting, eventsPerAppend: number): Contestant {
  const how = eventsPerAppend === 1 ? 'one at a time' : `${eventsPerAppend} events a call`;
  return {
    name: `emmett-sqlite${connecting === 'kept' ? ', kept' : ''}, ${how}`,
    async run(file, budget) {
      using open = openEmmett(emmett, connecting, { fileName: file });
      const feed = new SampleFeed();
      let version: bigint | undefined;
      let failures = 0;
      const append = async () => {
        const events = feed.take(eventsPerAppend);
        const options = version === undefined ? undefined : { expectedStreamVersion: version };
        for (let attempt = 1; ; attempt++) {
          try {
            const appended = await open.store.appendToStream('order-1', events, options);
            version = appended.nextExpectedStreamVersion;
            return;
          } catch (error) {
            if (attempt === attemptsMax) throw error;
            failures += 1;
          }
        }
      };
      const load = { inFlight: 1, eventsPerAppend };
      return await silently(async () => {
        await drive(append, load, warmUp(budget));
        failures = 0;
        return { ...(await drive(append, load, budget)), failures };
      });
    },
  };
}

/** It logs each error of a transaction to the console before it throws. */
export async function silently<Result>(work: () => Promise<Result>): Promise<Result> {
  const { log } = console;
  console.log = () => undefined;
  try {
    return await work();
  } finally {
    console.log = log;
  }
}
