import type { Load } from './contestants/drive.ts';

export const rowIds = ['append.serial', 'append.c32', 'append.c256', 'append.batch100'] as const;
export type RowId = (typeof rowIds)[number];

/** A row of the table: a load for eventsrc, and what it is compared with. */
export interface Row {
  readonly id: RowId;
  readonly what: string;
  readonly load: Load;
  /** Sizes of the transactions in which raw SQLite writes the same events: ours at best, and what larger ones would give. */
  readonly rawTransactions: readonly number[];
  /**
   * Events that a round of eventsrc and of raw SQLite writes. Over 256 streams they are so many that the index on
   * (stream, version) has more pages than a group has events, as it has in a store of any age.
   */
  readonly eventsMax: number;
}

export const rows: readonly Row[] = [
  {
    id: 'append.serial',
    what: 'durable appends of one event, one at a time',
    load: { inFlight: 1, eventsPerAppend: 1 },
    rawTransactions: [1],
    eventsMax: 6_000,
  },
  {
    id: 'append.c32',
    what: 'durable appends of one event, 32 at a time over 32 streams',
    load: { inFlight: 32, eventsPerAppend: 1 },
    rawTransactions: [32, 1_000],
    eventsMax: 60_000,
  },
  {
    id: 'append.c256',
    what: 'durable appends of one event, 256 at a time over 256 streams',
    load: { inFlight: 256, eventsPerAppend: 1 },
    rawTransactions: [256, 1_000],
    eventsMax: 150_000,
  },
  {
    id: 'append.batch100',
    what: 'durable appends of 100 events to one stream, one at a time',
    load: { inFlight: 1, eventsPerAppend: 100 },
    rawTransactions: [100, 1_000],
    eventsMax: 100_000,
  },
];
