import { actSqlite as act } from './contestants/act-sqlite.ts';
import { eventsrcChecks, rawChecks } from './contestants/checked-logs.ts';
import { eventsrcCatchUp, rawCatchUp } from './contestants/catch-up.ts';
import type { Contestant } from './contestants/contestant.ts';
import type { Load } from './contestants/drive.ts';
import { emmettCommands } from './contestants/emmett-commands.ts';
import { emmettCatchUp } from './contestants/emmett-projections.ts';
import { emmettSqlite as emmett } from './contestants/emmett-sqlite.ts';
import { agedCommands, eventsrcCommands } from './contestants/eventsrc-commands.ts';
import { eventsrc } from './contestants/eventsrc.ts';
import { eventsPerStream, eventsrcLoads, rawLoads } from './contestants/load-streams.ts';
import { projectedAppends } from './contestants/projected-appends.ts';
import { rawLog } from './contestants/raw-log.ts';
import { rawSqlite } from './contestants/raw-sqlite.ts';
import { eventsrcReads, rawReads } from './contestants/read-all.ts';
import { eventsrcReplays, rawReplays } from './contestants/replays.ts';
import { eventsrcSagas } from './contestants/sagas.ts';
import { agedLoads } from './contestants/snapshots.ts';
import type { Unit } from './measure-row.ts';
import type { Peers } from './peers.ts';

export const rowIds = [
  'append.serial',
  'append.c32',
  'append.c256',
  'append.c1024',
  'append.batch100',
  'append.any',
  'append.tagged',
  'command.c256',
  'command.snapshots',
  'load.cold',
  'load.snapshot',
  'load.full',
  'replay.full',
  'read.all',
  'append.projected',
  'projection.inline',
  'projection.catchup',
  'saga.throughput',
  'schema.check',
] as const;
export type RowId = (typeof rowIds)[number];

/** A row of the table: what eventsrc does, and what it is compared with. */
export interface Row {
  readonly id: RowId;
  readonly what: string;
  /** Default: events/s. */
  readonly unit?: Unit;
  readonly ours: Contestant;
  /** The raw limit, or ourselves at something simpler. */
  readonly against: readonly Contestant[];
  /** What a user might pick instead. */
  readonly peers?: (peers: Peers) => readonly Contestant[];
  /**
   * Events that a round of eventsrc and of raw SQLite writes or reads. Over 256 streams they are so many that the index on
   * (stream, version) has more pages than a group has events, as it has in a store of any age.
   */
  readonly eventsMax: number;
}

/** @param transactions sizes of raw SQLite's: ours at best, and what larger ones would give. */
function appends(id: RowId, what: string, load: Load, transactions: readonly number[], eventsMax: number): Row {
  const groupMax = load.inFlight * load.eventsPerAppend;
  const against = [...transactions.map((size) => rawSqlite(size, load.inFlight)), rawLog(groupMax)];
  return { id, what, ours: eventsrc(load), against, peers: appendingPeers(load.eventsPerAppend), eventsMax };
}

/** Whatever our load, they are called one at a time: emmett-behaviour.ts shows why, and of 32 of Act's 31 fail. */
function appendingPeers(eventsPerAppend: number): (peers: Peers) => readonly Contestant[] {
  return ({ emmettSqlite, actSqlite }) => [
    emmett(emmettSqlite, 'per_append', eventsPerAppend),
    emmett(emmettSqlite, 'kept', eventsPerAppend),
    act(actSqlite, eventsPerAppend),
  ];
}

const c256: Load = { inFlight: 256, eventsPerAppend: 1 };

export const rows: readonly Row[] = [
  appends(
    'append.serial',
    'durable appends of one event, one at a time',
    { inFlight: 1, eventsPerAppend: 1 },
    [1],
    6_000,
  ),
  appends(
    'append.c32',
    'durable appends of one event, 32 at a time over 32 streams',
    { inFlight: 32, eventsPerAppend: 1 },
    [32, 1_000],
    60_000,
  ),
  appends('append.c256', 'durable appends of one event, 256 at a time over 256 streams', c256, [256, 1_000], 150_000),
  {
    id: 'append.c1024',
    what: 'durable appends of one event, 1,024 at a time over 1,024 streams',
    ours: eventsrc({ inFlight: 1_024, eventsPerAppend: 1 }),
    against: [rawSqlite(1_000, 1_024)],
    eventsMax: 200_000,
  },
  appends(
    'append.batch100',
    'durable appends of 100 events to one stream, one at a time',
    { inFlight: 1, eventsPerAppend: 100 },
    [100, 1_000],
    100_000,
  ),
  {
    id: 'append.any',
    what: 'as append.c256, whatever the version of the stream',
    ours: eventsrc(c256, 'any'),
    against: [eventsrc(c256)],
    eventsMax: 150_000,
  },
  {
    id: 'append.tagged',
    what: 'as append.c256, two tags an event, on condition that none with its own tag has appeared',
    ours: eventsrc(c256, 'tagged'),
    against: [eventsrc(c256)],
    eventsMax: 150_000,
  },
  {
    id: 'command.c256',
    what: 'commands, 256 at a time over 1,000 aggregates: validated, with a key and its receipt, decided, durably appended',
    ours: eventsrcCommands,
    against: [],
    peers: (peers) =>
      (['memory', 'sqlite', 'sqlite, kept'] as const).map((keeping) =>
        emmettCommands(peers.emmett, peers.emmettSqlite, keeping),
      ),
    eventsMax: 60_000,
  },
  {
    id: 'command.snapshots',
    what: 'as command.c256, of aggregates of all ages: one command in a hundred makes a snapshot due',
    ours: agedCommands(true),
    against: [agedCommands(false)],
    eventsMax: 60_000,
  },
  {
    id: 'load.cold',
    what: 'states of aggregates of 100 events, each loaded once, one at a time',
    ours: eventsrcLoads,
    against: [rawLoads(eventsPerStream)],
    eventsMax: 200_000,
  },
  {
    id: 'load.snapshot',
    what: 'the state of an aggregate of 100,000 events that is in nobody’s memory, from its newest snapshot',
    unit: 'loads/s',
    ours: agedLoads('from a snapshot'),
    against: [agedLoads('of 100 events')],
    eventsMax: 99_950,
  },
  {
    id: 'load.full',
    what: 'the state of an aggregate of 100,000 events, from the first one',
    ours: agedLoads('from the first event'),
    against: [rawLoads(99_950)],
    eventsMax: 99_950,
  },
  {
    id: 'replay.full',
    what: 'every event of 1,000 aggregates, folded into their states',
    ours: eventsrcReplays,
    against: [rawReplays],
    eventsMax: 1_000_000,
  },
  {
    id: 'read.all',
    what: 'the whole store in the order of positions, as recorded events',
    ours: eventsrcReads,
    against: [rawReads],
    eventsMax: 300_000,
  },
  {
    id: 'append.projected',
    what: 'as append.c256, while a projection with a document for each stream follows',
    ours: projectedAppends(c256, 1),
    against: [projectedAppends(c256, 0), projectedAppends(c256, 10)],
    eventsMax: 100_000,
  },
  {
    id: 'projection.inline',
    what: 'as append.c256, each event folded into the document of its stream by the append itself',
    ours: projectedAppends(c256, 'inline'),
    against: [projectedAppends(c256, 0)],
    eventsMax: 60_000,
  },
  {
    id: 'projection.catchup',
    what: 'a projection into a document for every 20 events, from opening it until it has every event',
    ours: eventsrcCatchUp,
    against: [rawCatchUp],
    peers: ({ emmettSqlite }) => [emmettCatchUp(emmettSqlite, 'documented'), emmettCatchUp(emmettSqlite, 'tuned')],
    eventsMax: 200_000,
  },
  {
    id: 'saga.throughput',
    what: 'sagas of three steps (a command, an activity, a command), 256 at a time, each step durable; beside single events as in append.c256',
    unit: 'sagas/s',
    ours: eventsrcSagas,
    against: [eventsrc(c256)],
    eventsMax: 20_000,
  },
  {
    id: 'schema.check',
    what: 'every event of the store, whether it is what its schema (zod) says, on one thread',
    ours: eventsrcChecks,
    against: [rawChecks],
    eventsMax: 200_000,
  },
];
