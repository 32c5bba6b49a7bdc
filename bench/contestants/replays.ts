import { DatabaseSync } from 'node:sqlite';
import { openEngine } from 'eventsrc';
import type { Contestant } from './contestant.ts';
import { openBenchLog } from './eventsrc.ts';
import { evolve, initial, order } from './load-streams.ts';
import type { Item, Order } from './load-streams.ts';
import { rawSqlite } from './raw-sqlite.ts';
import { selectPages, timed, toEvent } from './read-all.ts';
import type { RawRow } from './read-all.ts';
import { SampleFeed } from './sample-events.ts';

const streams = 1_000;
const rowsPerPage = 1_000;

/** Every event of every instance, folded into the state of its stream. */
export const eventsrcReplays: Contestant = {
  name: 'eventsrc',
  async run(file, { eventsMax }) {
    await using log = await openBenchLog(file);
    const feed = new SampleFeed();
    for (let done = 0; done < eventsMax; done += streams) {
      const writes = Array.from({ length: streams }, (_, stream) => ({
        stream: order.stream(String(stream)),
        events: feed.take(1),
      }));
      await log.append(writes);
    }
    await using engine = await openEngine({ store: log, aggregates: [order], freezeStates: false });
    return await timed(async () => {
      const { events, states } = await engine.replay({ aggregate: order }).run();
      if (states.size !== streams) throw new Error(`${states.size} states`);
      return events;
    });
  },
};

/** The same columns, page by page, the data parsed and folded. */
export const rawReplays: Contestant = {
  name: 'raw, select, JSON.parse and evolve',
  async run(file, budget) {
    await rawSqlite(1_000, streams).run(file, budget);
    using db = new DatabaseSync(file, { readOnly: true });
    const select = selectPages(db);
    return await timed(async () => {
      const states = new Map<number, Order>();
      let [events, position] = [0, 0];
      while (events < budget.eventsMax) {
        const page = select.all(position, rowsPerPage) as unknown as readonly RawRow[];
        if (page.length === 0) break;
        for (const row of page) {
          const event = toEvent(row);
          const stream = row[1];
          states.set(stream, evolve(states.get(stream) ?? initial, event.data as Item));
          position = event.position;
        }
        events += page.length;
        // As for any reader that shares its thread.
        await new Promise(setImmediate);
      }
      return events;
    });
  },
};
