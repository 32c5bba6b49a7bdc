import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import type { Contestant, Measurement } from './contestant.ts';
import { openBenchLog } from './eventsrc.ts';
import { digestBytes, rawSqlite } from './raw-sqlite.ts';
import { SampleFeed } from './sample-events.ts';

export const streams = 256;
export const rowsPerPage = 256;

/** Decoded events, page by page. */
export const eventsrcReads: Contestant = {
  name: 'eventsrc',
  async run(file, { eventsMax }) {
    await fill(file, eventsMax);
    await using log = await openBenchLog(file);
    return await timed(async () => {
      let events = 0;
      for await (const page of log.read({ limit: eventsMax })) events += page.length;
      return events;
    });
  },
};

/** Events of 256 streams, ten at a time. */
export async function fill(file: string, eventsMax: number): Promise<void> {
  await using log = await openBenchLog(file);
  const feed = new SampleFeed();
  for (let done = 0; done < eventsMax; done += streams * 10) {
    const writes = Array.from({ length: streams }, (_, stream) => ({
      stream: `order-${stream}`,
      events: feed.take(10),
    }));
    await log.append(writes);
  }
}

/** The same columns of the same table, page by page, and the data parsed: the least that an event needs. */
export const rawReads: Contestant = {
  name: 'raw, paged select and JSON.parse',
  async run(file, budget) {
    await rawSqlite(1_000, streams).run(file, budget);
    using db = new DatabaseSync(file, { readOnly: true });
    const select = selectPages(db);
    return await timed(async () => {
      let [events, position] = [0, 0];
      while (events < budget.eventsMax) {
        const page = (select.all(position, rowsPerPage) as unknown as readonly RawRow[]).map(toEvent);
        if (page.length === 0) break;
        position = page.at(-1)?.position ?? position;
        events += page.length;
        // As for any reader that shares its thread.
        await new Promise(setImmediate);
      }
      return events;
    });
  },
};

/** Rows behind a position, at most so many. */
export function selectPages(db: DatabaseSync): StatementSync {
  const select = db.prepare(
    'select position, stream, version, type, recorded_at, tags, data_length, payload from events where position > ? order by position limit ?',
  );
  select.setReturnArrays(true);
  return select;
}

export type RawRow = readonly [
  position: number,
  stream: number,
  version: number,
  type: number,
  recordedAt: number,
  tags: null,
  dataLength: number,
  payload: Uint8Array,
];

const decoder = new TextDecoder();

export function toEvent(row: RawRow): { readonly position: number; readonly type: number; readonly data: unknown } {
  const [position, stream, version, type, recordedAt, tags, dataLength, payload] = row;
  const data: unknown = JSON.parse(decoder.decode(payload.subarray(digestBytes, digestBytes + dataLength)));
  return { position, stream, version, type, recordedAt, tags, data } as {
    position: number;
    type: number;
    data: unknown;
  };
}

export async function timed(work: () => Promise<number>): Promise<Measurement> {
  const startedAt = performance.now();
  const events = await work();
  return { events, seconds: (performance.now() - startedAt) / 1_000, latenciesMs: [], failures: 0 };
}
