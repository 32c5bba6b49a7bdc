/** Projections over a log on PostgreSQL: raw, and Emmett's into documents of Pongo. */
import type pg from 'pg';
import type { Contestant, Measurement } from '../contestants/contestant.ts';
import { rawBatch } from '../contestants/catch-up.ts';
import { noItems, orderAt, ordersOf, withSold } from '../contestants/order-totals.ts';
import type { OrderTotal, SoldItem } from '../contestants/order-totals.ts';
import { timed } from '../contestants/read-all.ts';
import { SampleFeed, sampleTypes } from '../contestants/sample-events.ts';
import type { EmmettPostgres, ProjectedEvent } from './emmett.ts';
import { insertRows, schema, withClient } from './raw.ts';

/** The columns of our documents, and the index. */
const rawDocuments = `
  create table totals (key text collate "C" primary key, revision bigint not null, json json, bytes bytea, total bigint not null);
  create index on totals (total, key);
  create table totals_checkpoint (position bigint not null);
  insert into totals_checkpoint values (0);
  set synchronous_commit = off`;

/** Pages of rows, parsed, folded, and for each page one statement for its documents and one for a checkpoint in one transaction. */
export const rawCatchUp: Contestant = {
  name: `raw, ${rawBatch.toLocaleString('en')} events a transaction`,
  async run(url, { eventsMax }) {
    const orders = ordersOf(eventsMax);
    await withClient(url, async (client) => {
      await client.query(schema);
      for (let done = 0; done < eventsMax; done += rawBatch) {
        const places = Array.from({ length: Math.min(rawBatch, eventsMax - done) }, (_, index) => ({
          position: done + index + 1,
          stream: orderAt(done + index, orders),
          version: 1 + Math.floor((done + index) / orders),
        }));
        await insertRows(client, places);
      }
    });
    return timed(() =>
      withClient(url, async (client) => {
        await client.query(rawDocuments);
        return catchUp(client);
      }),
    );
  },
};

async function catchUp(client: pg.Client): Promise<number> {
  const documents = new Map<string, OrderTotal>();
  for (let position = 0; ;) {
    const text = `select position, version, recorded_at, stream, type, tags, body_digest, metadata, data from events
      where position > $1 order by position limit ${rawBatch}`;
    const { rows } = await client.query<unknown[]>({ name: 'page', text, values: [position], rowMode: 'array' });
    if (rows.length === 0) return position;
    const changed = new Set<string>();
    for (const row of rows) {
      const key = row[3] as string;
      const data = JSON.parse((row[8] as Buffer).toString()) as SoldItem;
      documents.set(key, withSold(documents.get(key) ?? noItems, data));
      changed.add(key);
    }
    position = Number(rows.at(-1)?.[0]);
    const keys = [...changed].sort();
    const changedDocuments = keys.map((key) => documents.get(key) as OrderTotal);
    await client.query('begin');
    await client.query({
      name: 'put',
      text: `insert into totals as d select k, 1, j, null, t from unnest($1::text[], $2::json[], $3::bigint[]) as u(k, j, t)
        on conflict (key) do update set revision = d.revision + 1, json = excluded.json, total = excluded.total`,
      values: [
        keys,
        changedDocuments.map((document) => JSON.stringify(document)),
        changedDocuments.map(({ total }) => total),
      ],
    });
    await client.query({ name: 'move', text: 'update totals_checkpoint set position = $1', values: [position] });
    await client.query('commit');
  }
}

const eventsPerOrder = 20;
/** More than it gets through in a round of a peer; one event costs it the same however many there are. */
const eventsMost = 20_000;

/**
 * As its documentation shows: a projection of single streams into a collection of Pongo, run by a consumer from the beginning on.
 * - `documented`: batches of 100 events and 50 ms between them, which is its default
 * - `tuned`: as large batches as raw's, one after another
 */
export function emmettCatchUp(emmett: EmmettPostgres, pace: 'documented' | 'tuned'): Contestant {
  return {
    name: `emmett-postgresql and pongo${pace === 'tuned' ? ', in large batches' : ''}`,
    async run(url, { eventsMax, secondsMax }) {
      const events = Math.min(eventsMax, eventsMost);
      const store = emmett.getPostgreSQLEventStore(url);
      try {
        const feed = new SampleFeed();
        for (let done = 0; done < events; done += eventsPerOrder)
          await store.appendToStream(`order-${done / eventsPerOrder}`, feed.take(eventsPerOrder));
        const pulling = pace === 'tuned' ? { batchSize: rawBatch, pullingFrequencyInMs: 0 } : undefined;
        return await consume(emmett, store.consumer({ ...(pulling && { pulling }) }), { events, secondsMax });
      } finally {
        await store.close();
      }
    },
  };
}

async function consume(
  emmett: EmmettPostgres,
  consumer: ReturnType<ReturnType<EmmettPostgres['getPostgreSQLEventStore']>['consumer']>,
  { events, secondsMax }: { readonly events: number; readonly secondsMax: number },
): Promise<Measurement> {
  let seen = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + secondsMax * 1_000;
  consumer.projector({
    processorId: 'totals',
    projection: emmett.pongoSingleStreamProjection({
      collectionName: 'totals',
      canHandle: sampleTypes,
      initialState: () => noItems,
      evolve: (document: OrderTotal, { data }: ProjectedEvent) => withSold(document, data as SoldItem),
    }),
    stopAfter: () => (seen += 1) >= events || performance.now() >= endsAt,
  });
  await consumer.start();
  const seconds = (performance.now() - startedAt) / 1_000;
  await consumer.close();
  return { events: seen, seconds, latenciesMs: [], failures: 0 };
}
