import { DatabaseSync } from 'node:sqlite';
import { warmUp } from './contestant.ts';
import type { Contestant } from './contestant.ts';
import { drive } from './drive.ts';
import { SampleFeed } from './sample-events.ts';
import type { SampleEvent } from './sample-events.ts';

interface Connection {
  query(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
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
}

interface StoreOptions {
  readonly fileName: string;
  readonly hooks?: {
    readonly onBeforeCommit: (messages: unknown, context: { readonly connection: Connection }) => Promise<void>;
  };
}

/** What the bench uses of `@event-driven-io/emmett-sqlite`, whose own types are there only once it is installed. */
export interface EmmettSqlite {
  getSQLiteEventStore(options: StoreOptions): Store;
}

/**
 * Each of its appends opens a connection and asks for WAL without waiting for the answer; on a file that is not in WAL
 * mode yet that races with the transaction, and now and then kills the process. So the file is given to it in WAL mode.
 */
function openStore(emmett: EmmettSqlite, options: StoreOptions): Store {
  using db = new DatabaseSync(options.fileName);
  db.exec('pragma journal_mode = wal');
  return emmett.getSQLiteEventStore(options);
}

/** For the appends that it fails with SQLITE_BUSY. */
const attemptsMax = 10;

/** One caller and one stream, expecting the version that the last append returned. */
export function emmettSqlite(emmett: EmmettSqlite, eventsPerAppend: number): Contestant {
  return {
    name: eventsPerAppend === 1 ? 'emmett-sqlite, one at a time' : `emmett-sqlite, ${eventsPerAppend} events a call`,
    async run(file, budget) {
      const store = openStore(emmett, { fileName: file });
      const feed = new SampleFeed();
      let version: bigint | undefined;
      let failures = 0;
      const append = async () => {
        const events = feed.take(eventsPerAppend);
        const options = version === undefined ? undefined : { expectedStreamVersion: version };
        for (let attempt = 1; ; attempt++) {
          try {
            const appended = await store.appendToStream('order-1', events, options);
            version = appended.nextExpectedStreamVersion;
            return;
          } catch (error) {
            if (attempt === attemptsMax) throw error;
            failures += 1;
          }
        }
      };
      const load = { inFlight: 1, eventsPerAppend };
      return silently(async () => {
        await drive(append, load, warmUp(budget));
        failures = 0;
        return { ...(await drive(append, load, budget)), failures };
      });
    },
  };
}

/** How it treats the disk, as its own connection says while it appends. */
export async function emmettDurability(emmett: EmmettSqlite, file: string): Promise<string> {
  let found: readonly unknown[] = [];
  const onBeforeCommit = async (_messages: unknown, { connection }: { readonly connection: Connection }) => {
    const rows = [];
    for (const sql of ['pragma journal_mode', 'pragma synchronous', 'select sqlite_version()']) {
      rows.push(...(await connection.query(sql)));
    }
    found = rows.map((row) => Object.values(row)[0]);
  };
  const store = openStore(emmett, { fileName: file, hooks: { onBeforeCommit } });
  await store.appendToStream('order-1', new SampleFeed().take(1));
  const [journalMode, synchronous, version] = found;
  const level = ['OFF', 'NORMAL', 'FULL', 'EXTRA'][Number(synchronous)] ?? String(synchronous);
  return `journal_mode=${String(journalMode)}, synchronous=${level}, SQLite ${String(version)}`;
}

/** How many of so many appends made at once, to as many streams, fail, and with what. */
export async function emmettConcurrency(emmett: EmmettSqlite, file: string, inFlight: number): Promise<string> {
  const store = openStore(emmett, { fileName: file });
  const feed = new SampleFeed();
  await store.appendToStream('order-0', feed.take(1));
  const results = await silently(() =>
    Promise.allSettled(
      Array.from({ length: inFlight }, (_, index) => store.appendToStream(`order-${index + 1}`, feed.take(1))),
    ),
  );
  const failed = results.filter(({ status }) => status === 'rejected').length;
  return `of ${inFlight} appends made at once to ${inFlight} streams, ${failed} failed`;
}

/** It logs each error of a transaction to the console before it throws. */
async function silently<Result>(work: () => Promise<Result>): Promise<Result> {
  const { log } = console;
  console.log = () => undefined;
  try {
    return await work();
  } finally {
    console.log = log;
  }
}
