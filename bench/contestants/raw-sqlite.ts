import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { warmUp } from './contestant.ts';
import type { Budget, Contestant, Measurement } from './contestant.ts';
import { sampleEvents, sampleTypes } from './sample-events.ts';

/** The table of events of src/sqlite/schema.ts with its two indexes. */
const schema = `
  create table if not exists events (
    position integer primary key,
    stream integer not null,
    version integer not null,
    type integer not null,
    recorded_at integer not null,
    tags text,
    data_length integer not null,
    payload blob not null,
    segment integer,
    crc integer not null
  ) strict;
  create unique index if not exists events_by_stream on events (stream, version);
  create index if not exists events_by_type on events (type);
`;

export const digestBytes = 32;

/** Bytes as eventsrc stores them: a digest, then the data. */
export const payloads: readonly { readonly dataLength: number; readonly payload: Buffer }[] = sampleEvents.map(
  ({ data }) => {
    const json = JSON.stringify(data);
    return {
      dataLength: Buffer.byteLength(json),
      payload: Buffer.concat([hash('sha256', json, 'buffer'), Buffer.from(json)]),
    };
  },
);

/**
 * What `node:sqlite` can do at best: finished bytes into the same columns and indexes, by one prepared statement on
 * the main thread, committed with the same durability. No encoding, hashing, checks, or callers to answer.
 */
export function rawSqlite(rowsPerTransaction: number, streams: number): Contestant {
  return {
    name:
      rowsPerTransaction === 1
        ? 'raw, one-row commits'
        : `raw, ${rowsPerTransaction.toLocaleString('en')}-row transactions`,
    async run(file, budget) {
      using db = openRaw(file);
      const insert = insertRows(db, streams);
      const commitRows =
        rowsPerTransaction === 1
          ? insert
          : (count: number) => {
              db.exec('begin immediate');
              insert(count);
              db.exec('commit');
            };
      write(commitRows, rowsPerTransaction, warmUp(budget));
      return write(commitRows, rowsPerTransaction, budget);
    },
  };
}

export function openRaw(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  const mode = db.prepare('pragma journal_mode = wal').get()?.['journal_mode'];
  if (mode !== 'wal') throw new Error(`raw SQLite is in journal mode ${String(mode)}: it can't be compared`);
  // As durable as eventsrc, on macOS too (fullfsync), and with a cache as large.
  db.exec('pragma synchronous = full; pragma fullfsync = on; pragma checkpoint_fullfsync = on');
  db.exec('pragma cache_size = -32768');
  db.exec(schema);
  return db;
}

/** Inserts the next so many rows, which go round the streams. */
function insertRows(db: DatabaseSync, streams: number): (count: number) => void {
  const insert = rawRow(db);
  let position = 0;
  return (count) => {
    for (const end = position + count; position < end; position++)
      insert(position + 1, 1 + (position % streams), 1 + Math.floor(position / streams));
  };
}

/** Inserts one row, whose content follows from its position. */
export function rawRow(db: DatabaseSync): (position: number, stream: number, version: number) => void {
  const statement = db.prepare('insert into events values (?, ?, ?, ?, ?, null, ?, ?, null, ?)');
  const recordedAt = 1_800_000_000_000;
  return (position, stream, version) => {
    const { dataLength, payload } = payloads[position % payloads.length] as (typeof payloads)[number];
    const type = 1 + (position % sampleTypes.length);
    statement.run(position, stream, version, type, recordedAt, dataLength, payload, 0x7fff_ffff - position);
  };
}

function write(
  commitRows: (count: number) => void,
  rowsPerTransaction: number,
  { eventsMax, secondsMax }: Budget,
): Measurement {
  const startedAt = performance.now();
  const endsAt = startedAt + secondsMax * 1_000;
  let events = 0;
  while (events < eventsMax && performance.now() < endsAt) {
    commitRows(rowsPerTransaction);
    events += rowsPerTransaction;
  }
  return { events, seconds: (performance.now() - startedAt) / 1_000, latenciesMs: [], failures: 0 };
}
