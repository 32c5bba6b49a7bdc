import { hash } from 'node:crypto';
import pg from 'pg';
import { warmUp } from '../contestants/contestant.ts';
import type { Budget, Contestant, Measurement } from '../contestants/contestant.ts';
import { timed } from '../contestants/read-all.ts';
import { sampleEvents } from '../contestants/sample-events.ts';

/** The columns and indexes of the events in src/postgres/migrations, in one table. */
export const schema = `create table events (
  position bigint not null, version bigint not null, recorded_at bigint not null, schema_version bigint not null,
  stream text collate "C" not null, type text collate "C" not null, encoding text collate "C" not null,
  tags text[] not null, id bytea not null, body_digest bytea not null, metadata bytea not null, data bytea not null,
  primary key (stream, version)
);
create index on events (position);
create index on events (type, position);
create index on events (substr(id, 1, 8));`;

/** Bytes as eventsrc stores them. */
const rows = sampleEvents.map(({ type, data }) => {
  const json = JSON.stringify(data);
  return { type, data: Buffer.from(json), digest: hash('sha256', json, 'buffer') };
});

/** What node-postgres can do at best with finished bytes: one statement and one commit for so many rows, one at a time. */
export function rawInserts(rowsPerStatement: number, streams: number): Contestant {
  return {
    name: rowsPerStatement === 1 ? 'raw, one-row inserts' : `raw, unnest of ${rowsPerStatement} rows`,
    async run(url, budget) {
      return withClient(url, async (client) => {
        await client.query(schema);
        const insert = inserter(client, rowsPerStatement, streams);
        await insertUpTo(insert, rowsPerStatement, warmUp(budget));
        return insertUpTo(insert, rowsPerStatement, budget);
      });
    },
  };
}

/** The same columns of the same table, page by page, and the data parsed: the least that an event needs. */
export const rawReads: Contestant = {
  name: 'raw, paged select and JSON.parse',
  async run(url, { eventsMax }) {
    return withClient(url, async (client) => {
      await client.query(schema);
      await insertUpTo(inserter(client, 1_000, 256), 1_000, { eventsMax, secondsMax: Infinity });
      return timed(async () => {
        for (let [events, last] = [0, '0']; ;) {
          const text = `select position, version, recorded_at, stream, type, tags, body_digest, metadata, data from events
            where position > $1 order by position limit 1000`;
          const { rows: page } = await client.query<unknown[]>({ text, values: [last], rowMode: 'array' });
          if (page.length === 0) return events;
          for (const row of page) JSON.parse((row[8] as Buffer).toString());
          events += page.length;
          last = page.at(-1)?.[0] as string;
        }
      });
    });
  },
};

type Insert = () => Promise<void>;

function inserter(client: pg.Client, count: number, streams: number): Insert {
  let position = 0;
  return async () => {
    const positions = Array.from({ length: count }, () => ++position);
    const places = positions.map((at) => ({ position: at, stream: at % streams, version: Math.floor(at / streams) }));
    await insertRows(client, places);
  };
}

export interface Place {
  readonly position: number;
  readonly stream: number;
  readonly version: number;
}

/** In one statement. */
export async function insertRows(client: pg.Client, places: readonly Place[]): Promise<void> {
  const samples = places.map(({ position }) => rows[position % rows.length] as (typeof rows)[number]);
  await client.query({
    name: 'insert',
    text: `insert into events select p, v, 1800000000000, 1, s, t, 'json', '{}', i, i, '', d
      from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bytea[]) as u(p, v, s, t, i, d)`,
    values: [
      places.map(({ position }) => position),
      places.map(({ version }) => version),
      places.map(({ stream }) => `order-${stream}`),
      samples.map(({ type }) => type),
      // Every row's own, as ids are: the digest is found by its beginning, which is as random as theirs.
      samples.map(({ digest }, index) => hash('sha256', `${places[index]?.position}${digest[0]}`, 'buffer')),
      samples.map(({ data }) => data),
    ],
  });
}

async function insertUpTo(insert: Insert, count: number, { eventsMax, secondsMax }: Budget): Promise<Measurement> {
  const startedAt = performance.now();
  let events = 0;
  for (; events < eventsMax && performance.now() < startedAt + secondsMax * 1_000; events += count) await insert();
  return { events, seconds: (performance.now() - startedAt) / 1_000, latenciesMs: [], failures: 0 };
}

export async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
