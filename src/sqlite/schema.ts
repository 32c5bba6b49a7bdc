/**
 * The file's format. A migration is never edited once it has shipped: a change is a new one at the end, and
 * `user_version` says how many a file has had.
 *
 * Names (of streams, event types, tags) are interned. Every row that is served carries a CRC-32 of what it means,
 * so that a damaged page is noticed where SQLite itself would not notice (checksum.ts).
 */
import type { DatabaseSync } from 'node:sqlite';

/** `PRAGMA application_id`: "evsr". */
export const applicationId = 0x65767372;

const migrations: readonly string[] = [
  `
  -- One row: what the next append builds on, and how many of each name there are (their ids are 1 to that).
  create table head (
    id integer primary key check (id = 1),
    position integer not null,
    recorded_at integer not null,
    streams integer not null,
    types integer not null,
    tags integer not null,
    receipts integer not null, -- the last receipt's id: ids are not used again
    id_runs integer not null, -- complete runs in event_ids
    crc integer not null
  ) strict;

  create table streams (id integer primary key, name text not null unique, crc integer not null) strict;
  create table tags (id integer primary key, name text not null unique, crc integer not null) strict;
  create table types (
    id integer primary key,
    name text not null,
    schema_version integer not null,
    encoding text not null,
    crc integer not null,
    unique (name, schema_version, encoding)
  ) strict;

  create table events (
    position integer primary key,
    stream integer not null,
    version integer not null,
    type integer not null,
    recorded_at integer not null,
    tags text, -- ids separated by commas, in the order of their names
    data_length integer not null,
    payload blob not null, -- body digest (32 bytes), data, metadata; the digest alone once the rest is in a segment
    segment integer, -- the archive segment that holds data and metadata; null while they are here
    crc integer not null
  ) strict;
  create unique index events_by_stream on events (stream, version);
  create index events_by_type on events (type);
  create table event_tags (tag integer not null, position integer not null, primary key (tag, position)) strict, without rowid;

  -- From id to position: runs of 16,384 events, each sorted by the first 48 bits of the id (id-index.ts).
  create table event_ids (
    run integer not null,
    prefix integer not null,
    position integer not null,
    primary key (run, prefix, position)
  ) strict, without rowid;

  create table receipts (
    id integer primary key,
    key text not null,
    command_digest blob not null,
    outcome blob not null,
    expires_at integer,
    owner text,
    recorded_at integer not null,
    position integer,
    crc integer not null
  ) strict;
  create index receipts_by_expiry on receipts (expires_at) where expires_at is not null;
  create index receipts_by_owner on receipts (owner) where owner is not null;
  `,
  `
  -- One index instead of four, which is not written row by row (event-index.ts).
  drop index events_by_stream;
  drop index events_by_type;
  drop table event_tags;
  drop table event_ids;
  alter table head rename column id_runs to index_changes; -- how often index_runs has changed

  -- Which events are indexed by which run: each begins behind the one before it.
  create table index_runs (first integer primary key, last integer not null, crc integer not null) strict;
  -- The runs in pieces (index-block.ts): key and position are those of the first entry.
  create table index_blocks (
    first integer not null, -- of the run
    last integer not null,
    kind integer not null, -- of the keys: 0 stream, 1 type, 2 tag, 3 the first 32 bits of the id
    key integer not null,
    position integer not null,
    bytes blob not null
  ) strict;
  create unique index index_blocks_by_entry on index_blocks (first, last, kind, key, position);
  `,
  `
  -- Documents, a table docs_<id> for each collection (collections.ts); what lies here can be made again from the events.
  create table collections (id integer primary key autoincrement, name text not null unique, indexes text not null) strict;
  create table checkpoints (name text primary key, position integer not null) strict, without rowid;
  create table leases (
    name text primary key,
    owner text not null,
    epoch integer not null,
    expires_at integer not null,
    taken_at integer not null
  ) strict, without rowid;
  `,
];

/** The newest format that this code knows. */
export const formatVersion: number = migrations.length;

/** Brings a file from `from` to the newest format; inside the caller's transaction. */
export function migrate(db: DatabaseSync, from: number): void {
  for (const sql of migrations.slice(from)) db.exec(sql);
  db.exec(`pragma user_version = ${formatVersion}`);
  db.exec(`pragma application_id = ${applicationId}`);
}
