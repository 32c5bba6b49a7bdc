/** What snapshots are worth, and what they cost. */
import { openEngine } from 'eventsrc';
import { openBenchLog } from './eventsrc.ts';
import type { Contestant } from './contestant.ts';
import { eventsPerStream, order } from './load-streams.ts';
import { SampleFeed } from './sample-events.ts';

/** In a round, if the budget is large. */
const loadsMax = 300;
/** With a cache for one state, whoever loads these in turn finds none of them in it. */
const ids = ['a', 'b', 'c', 'd'];

type Aged = 'from a snapshot' | 'from the first event' | 'of 100 events';

/** Loads an aggregate that is in nobody's memory, again and again; it has as many events as the budget, unless it has 100. */
export function agedLoads(aged: Aged): Contestant {
  return {
    name: `eventsrc, ${aged}`,
    async run(file, { eventsMax }) {
      const version = aged === 'of 100 events' ? eventsPerStream : eventsMax;
      const mode = aged === 'from a snapshot' ? 'from_snapshot' : 'full';
      const rounds = aged === 'from the first event' ? 5 : Math.min(loadsMax, Math.ceil(eventsMax / 100));
      const [loaded = '', ...others] = ids;
      await using log = await openBenchLog(file);
      await grow(log, loaded, version);
      for (const id of others) await grow(log, id, eventsPerStream);
      if (mode === 'from_snapshot') await keepSnapshots(log, ids);
      await using engine = await openEngine({ store: log, aggregates: [order], cachedStates: 1, snapshots: false });
      // What is done once in a process: whether its code is the one that wrote the snapshots.
      await engine.load(order, loaded);
      let seconds = 0;
      for (let round = 0; round < rounds; round++) {
        for (const id of others) await engine.load(order, id);
        const startedAt = performance.now();
        const found = await engine.load(order, loaded, { mode });
        seconds += (performance.now() - startedAt) / 1_000;
        if (found.version !== version) throw new Error(`it is at version ${found.version}`);
      }
      const events = aged === 'from the first event' ? rounds * version : rounds;
      return { events, seconds, latenciesMs: [], failures: 0 };
    },
  };
}

type Log = Awaited<ReturnType<typeof openBenchLog>>;

async function grow(log: Log, id: string, version: number): Promise<void> {
  const feed = new SampleFeed();
  for (let done = 0; done < version; done += 1_000)
    await log.append([{ stream: order.stream(id), events: feed.take(Math.min(1_000, version - done)) }]);
}

/** As they would have been while it grew. */
async function keepSnapshots(log: Log, all: readonly string[]): Promise<void> {
  await using engine = await openEngine({ store: log, aggregates: [order] });
  for (const id of all) await engine.load(order, id);
  await engine.snapshots.settled();
}
