import { DatabaseSync } from 'node:sqlite';
import { defineAggregate, openEngine } from 'eventsrc';
import type { StandardSchemaV1 } from 'eventsrc';
import type { Contestant } from './contestant.ts';
import { openBenchLog } from './eventsrc.ts';
import { rawSqlite } from './raw-sqlite.ts';
import { timed, toEvent } from './read-all.ts';
import type { RawRow } from './read-all.ts';
import { SampleFeed, sampleTypes } from './sample-events.ts';

export const eventsPerStream = 100;

export interface Order {
  readonly items: number;
  readonly total: number;
}

export interface Item {
  readonly quantity: number;
  readonly unitPrice: number;
}

export function evolve(state: Order, { quantity, unitPrice }: Item): Order {
  return { items: state.items + quantity, total: state.total + quantity * unitPrice };
}

export const initial: Order = { items: 0, total: 0 };

const item: StandardSchemaV1<Item> = {
  '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value: value as Item }) },
};

export const order = defineAggregate({
  name: 'order',
  events: Object.fromEntries(sampleTypes.map((type) => [type, item])),
  initialState: initial,
  evolve: Object.fromEntries(
    sampleTypes.map((type) => [type, (state: Order, { data }: { readonly data: Item }) => evolve(state, data)]),
  ),
  commands: {},
});

/** Every state is kept nowhere before: each is folded from the store. */
export const eventsrcLoads: Contestant = {
  name: 'eventsrc',
  async run(file, { eventsMax }) {
    const streams = Math.ceil(eventsMax / eventsPerStream);
    await fill(file, streams);
    await using log = await openBenchLog(file);
    await using engine = await openEngine({ store: log, aggregates: [order], cachedStates: 1, snapshots: false });
    return await timed(async () => {
      for (let id = 0; id < streams; id++) {
        const { version } = await engine.load(order, String(id));
        if (version !== eventsPerStream) throw new Error(`order-${id} is at version ${version}`);
      }
      return streams * eventsPerStream;
    });
  },
};

/** Interleaved, as events of many instances are. */
async function fill(file: string, streams: number): Promise<void> {
  await using log = await openBenchLog(file);
  const feed = new SampleFeed();
  for (let round = 0; round < eventsPerStream; round++)
    for (let first = 0; first < streams; first += 250) {
      const length = Math.min(250, streams - first);
      await log.append(
        Array.from({ length }, (_, index) => ({ stream: `order-${first + index}`, events: feed.take(1) })),
      );
    }
}

/** The rows of streams by their index, parsed and folded. */
export function rawLoads(perStream: number): Contestant {
  return {
    name: 'raw, select, JSON.parse and evolve',
    async run(file, budget) {
      const streams = Math.ceil(budget.eventsMax / perStream);
      await rawSqlite(1_000, streams).run(file, budget);
      using db = new DatabaseSync(file, { readOnly: true });
      const select = db.prepare(
        'select position, stream, version, type, recorded_at, tags, data_length, payload from events where stream = ? and version <= ? order by version',
      );
      select.setReturnArrays(true);
      return await timed(async () => {
        let events = 0;
        for (let stream = 1; stream <= streams; stream++) {
          let state = initial;
          for (const row of select.all(stream, perStream) as unknown as readonly RawRow[]) {
            state = evolve(state, toEvent(row).data as Item);
            events += 1;
          }
          if (state.items === 0) throw new Error(`stream ${stream} is empty`);
        }
        return events;
      });
    },
  };
}
