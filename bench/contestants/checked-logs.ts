/** Whether every event of a log is what its schema says. */
import { setImmediate } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { defineAggregate, openEngine } from 'eventsrc';
import type { Contestant } from './contestant.ts';
import { openBenchLog } from './eventsrc.ts';
import { itemSchema } from './orders.ts';
import { rawSqlite } from './raw-sqlite.ts';
import { fill, rowsPerPage, selectPages, streams, timed, toEvent } from './read-all.ts';
import type { RawRow } from './read-all.ts';
import { sampleTypes } from './sample-events.ts';

const order = defineAggregate({
  name: 'order',
  events: Object.fromEntries(sampleTypes.map((type) => [type, itemSchema])),
  initialState: 0,
  evolve: Object.fromEntries(sampleTypes.map((type) => [type, (count: number) => count + 1])),
  commands: {},
});

/** On one thread, as raw. */
export const eventsrcChecks: Contestant = {
  name: 'eventsrc',
  async run(file, { eventsMax }) {
    await fill(file, eventsMax);
    await using log = await openBenchLog(file);
    await using engine = await openEngine({ store: log, aggregates: [order] });
    return await timed(async () => {
      const { events, failed } = await engine.schemas.checkLog({ until: eventsMax });
      if (failed > 0) throw new Error(`${failed} of ${events} events are not what they should be`);
      return events;
    });
  },
};

/** Rows page by page, their data parsed, and validated by the schema of their type. */
export const rawChecks: Contestant = {
  name: 'raw, paged select, JSON.parse and validate',
  async run(file, budget) {
    await rawSqlite(1_000, streams).run(file, budget);
    using db = new DatabaseSync(file, { readOnly: true });
    const select = selectPages(db);
    const schemas = new Map(sampleTypes.map((_, index) => [1 + index, itemSchema['~standard']]));
    return await timed(async () => {
      let [events, position] = [0, 0];
      while (events < budget.eventsMax) {
        const page = (select.all(position, rowsPerPage) as unknown as readonly RawRow[]).map(toEvent);
        if (page.length === 0) break;
        for (const { type, data } of page) {
          const result = schemas.get(type)?.validate(data);
          if (result === undefined || result instanceof Promise || result.issues !== undefined)
            throw new Error(`an event of type ${type} is not what it should be`);
        }
        position = page.at(-1)?.position ?? position;
        events += page.length;
        // As for any reader that shares its thread.
        await setImmediate();
      }
      return events;
    });
  },
};
