import { eventsrcCatchUp } from '../contestants/catch-up.ts';
import type { Load } from '../contestants/drive.ts';
import { eventsrcCommands } from '../contestants/eventsrc-commands.ts';
import { eventsrc } from '../contestants/eventsrc.ts';
import { projectedAppends } from '../contestants/projected-appends.ts';
import { eventsrcReads } from '../contestants/read-all.ts';
import type { Row } from '../rows.ts';
import { emmettAppends, emmettPostgresCommands } from './emmett.ts';
import { fourProcesses } from './processes.ts';
import { emmettCatchUp, rawCatchUp } from './projections.ts';
import { rawInserts, rawReads } from './raw.ts';

const serial: Load = { inFlight: 1, eventsPerAppend: 1 };
const c32: Load = { inFlight: 32, eventsPerAppend: 1 };
const c256: Load = { inFlight: 256, eventsPerAppend: 1 };
const batch: Load = { inFlight: 1, eventsPerAppend: 100 };

/** A row of the table of PostgreSQL. */
export type PostgresRow = Omit<Row, 'id'> & { readonly id: string };

export const rows: readonly PostgresRow[] = [
  {
    id: 'postgres.append.serial',
    what: 'durable appends of one event, one at a time',
    ours: eventsrc(serial),
    against: [rawInserts(1, 1)],
    peers: ({ emmettPostgres }) => [emmettAppends(emmettPostgres, serial)],
    eventsMax: 3_000,
  },
  {
    id: 'postgres.append.c32',
    what: 'durable appends of one event, 32 at a time over 32 streams',
    ours: eventsrc(c32),
    against: [rawInserts(32, 32)],
    peers: ({ emmettPostgres }) => [emmettAppends(emmettPostgres, c32)],
    eventsMax: 40_000,
  },
  {
    id: 'postgres.append.c256',
    what: 'durable appends of one event, 256 at a time over 256 streams',
    ours: eventsrc(c256),
    against: [rawInserts(256, 256)],
    eventsMax: 80_000,
  },
  {
    id: 'postgres.append.batch100',
    what: 'durable appends of 100 events to one stream, one at a time',
    ours: eventsrc(batch),
    against: [rawInserts(100, 1)],
    peers: ({ emmettPostgres }) => [emmettAppends(emmettPostgres, batch)],
    eventsMax: 60_000,
  },
  {
    id: 'postgres.command.c256',
    what: 'commands, 256 at a time over 1,000 aggregates: validated, with a key and its receipt, decided, durably appended',
    ours: eventsrcCommands,
    against: [],
    peers: ({ emmett, emmettPostgres }) => [emmettPostgresCommands(emmett, emmettPostgres)],
    eventsMax: 40_000,
  },
  {
    id: 'postgres.read.all',
    what: 'the whole store in the order of positions, as recorded events',
    ours: eventsrcReads,
    against: [rawReads],
    eventsMax: 150_000,
  },
  {
    id: 'postgres.processes',
    what: 'durable appends of one event from four processes, 64 at a time each',
    ours: fourProcesses,
    against: [eventsrc(c256)],
    eventsMax: 80_000,
  },
  {
    id: 'postgres.append.projected',
    what: 'as postgres.append.c256, while a projection with a document for each stream follows',
    ours: projectedAppends(c256, 1),
    against: [projectedAppends(c256, 0), projectedAppends(c256, 10)],
    eventsMax: 60_000,
  },
  {
    id: 'postgres.projection.inline',
    what: 'as postgres.append.c256, each event folded into the document of its stream by the append itself',
    ours: projectedAppends(c256, 'inline'),
    against: [projectedAppends(c256, 0)],
    eventsMax: 40_000,
  },
  {
    id: 'postgres.projection.catchup',
    what: 'a projection into a document for every 20 events, from opening it until it has every event',
    ours: eventsrcCatchUp,
    against: [rawCatchUp],
    peers: ({ emmettPostgres }) => [
      emmettCatchUp(emmettPostgres, 'documented'),
      emmettCatchUp(emmettPostgres, 'tuned'),
    ],
    eventsMax: 200_000,
  },
];
