/** A projection of emmett-sqlite over a log that is there already: by a consumer, in the background, as its documentation calls it. */
import type { Contestant, Measurement } from './contestant.ts';
import { openEmmett, silently } from './emmett-sqlite.ts';
import type { EmmettSqlite, Pulling } from './emmett-sqlite.ts';
import type { SoldItem } from './order-totals.ts';
import { SampleFeed, sampleTypes } from './sample-events.ts';

/**
 * - `documented`: batches of 100 events and 50 ms between them, which is its default
 * - `tuned`: one connection for all, and as large batches as raw SQLite's, one after another
 */
export type Pace = 'documented' | 'tuned';

const pulling: Readonly<Record<Pace, Pulling | undefined>> = {
  documented: undefined,
  tuned: { batchSize: 2_000, pullingFrequencyInMs: 0 },
};

const eventsPerOrder = 20;
/** More than it gets through in a round of a peer; one event costs it the same however many there are. */
const eventsMost = 40_000;

/** Version 0.42 has no documents for SQLite: a projection gives SQL, which is done event by event. */
export function emmettCatchUp(emmett: EmmettSqlite, pace: Pace): Contestant {
  return {
    name: `emmett-sqlite${pace === 'tuned' ? ', kept, in large batches' : ''}`,
    async run(file, { eventsMax, secondsMax }) {
      const events = Math.min(eventsMax, eventsMost);
      return silently(async () => {
        await fill(emmett, file, events);
        using open = openEmmett(emmett, pace === 'tuned' ? 'kept' : 'per_append', { fileName: file });
        return await catchUp(emmett, open.store.consumer({ ...(pulling[pace] && { pulling: pulling[pace] }) }), {
          events,
          secondsMax,
        });
      });
    },
  };
}

/** And makes the table, since only projections that are inline make theirs. */
async function fill(emmett: EmmettSqlite, file: string, events: number): Promise<void> {
  using open = openEmmett(emmett, 'kept', { fileName: file });
  const feed = new SampleFeed();
  for (let done = 0; done < events; done += eventsPerOrder)
    await open.store.appendToStream(`order-${done / eventsPerOrder}`, feed.take(eventsPerOrder));
  const connection = emmett.sqliteConnection({ fileName: file });
  await connection.command('create table totals (key text primary key, items integer, total integer, changes integer)');
  await connection.command('create index totals_by_total on totals (total, key)');
  connection.close();
}

async function catchUp(
  emmett: EmmettSqlite,
  consumer: ReturnType<ReturnType<EmmettSqlite['getSQLiteEventStore']>['consumer']>,
  { events, secondsMax }: { readonly events: number; readonly secondsMax: number },
): Promise<Measurement> {
  let seen = 0;
  const startedAt = performance.now();
  const endsAt = startedAt + secondsMax * 1_000;
  consumer.processor({
    processorId: 'totals',
    projection: emmett.sqliteRawSQLProjection({
      canHandle: sampleTypes,
      evolve: ({ data, metadata }) => {
        const { quantity, unitPrice } = data as SoldItem;
        return `insert into totals values ('${metadata.streamName}', ${quantity}, ${quantity * unitPrice}, 1)
          on conflict do update set items = items + excluded.items, total = total + excluded.total, changes = changes + 1`;
      },
    }),
    stopAfter: () => (seen += 1) >= events || performance.now() >= endsAt,
  });
  await consumer.start();
  const seconds = (performance.now() - startedAt) / 1_000;
  await consumer.close();
  return { events: seen, seconds, latenciesMs: [], failures: 0 };
}
