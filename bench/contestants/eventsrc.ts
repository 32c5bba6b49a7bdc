import { openLog } from 'eventsrc';
import type { AppendOptions, Backend, EventLog, ExpectedVersion, NewEvent, EventSchemas } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { sqlite } from 'eventsrc/sqlite';
import { warmUp } from './contestant.ts';
import type { Contestant } from './contestant.ts';
import { drive } from './drive.ts';
import type { Load } from './drive.ts';
import { SampleFeed } from './sample-events.ts';

/**
 * What an append demands.
 * - `version`: that its stream is as its caller knows it, as commands do
 * - `any`: nothing
 * - `tagged`: its events have two tags, and none with the caller's own has appeared since its last, as decisions do
 */
export type Demand = 'version' | 'any' | 'tagged';

const names: Readonly<Record<Demand, string>> = {
  version: 'eventsrc, expecting versions',
  any: 'eventsrc, any version',
  tagged: 'eventsrc, tagged, with a condition',
};

/** What a caller knows of its stream. */
interface Known {
  version: number;
  position: number;
}

export function eventsrc(load: Load, demand: Demand = 'version'): Contestant {
  return {
    name: names[demand],
    async run(file, budget) {
      await using log = await openBenchLog(file);
      const feed = new SampleFeed();
      const known = Array.from({ length: load.inFlight }, (): Known => ({ version: 0, position: 0 }));
      const append = async (caller: number) => {
        const own = known[caller] as Known;
        const { events, expected, options } = appendOf(demand, caller, own, feed.take(load.eventsPerAppend));
        const result = await log.append([{ stream: `order-${caller}`, expected, events }], options);
        if (result.kind !== 'appended') throw new Error(`eventsrc refused an append: ${result.kind}`);
        own.version += events.length;
        own.position = result.events.at(-1)?.position ?? 0;
      };
      await drive(append, load, warmUp(budget));
      return await drive(append, load, budget);
    },
  };
}

export function backendAt(place: string): Backend {
  return place.startsWith('postgres:') ? postgres(place) : sqlite(place);
}

export function openBenchLog(place: string): Promise<EventLog> {
  return openLog({
    store: backendAt(place),
    limits: { eventsPerStream: Infinity, streams: Infinity, eventsPerAppend: Infinity },
  });
}

interface Append {
  readonly events: readonly NewEvent<EventSchemas>[];
  readonly expected: ExpectedVersion;
  readonly options: AppendOptions;
}

function appendOf(
  demand: Demand,
  caller: number,
  { version, position }: Known,
  events: readonly NewEvent<EventSchemas>[],
): Append {
  if (demand === 'version') return { events, expected: version, options: {} };
  if (demand === 'any') return { events, expected: 'any', options: {} };
  const own = `order:${caller}`;
  const tags = [own, `region:${caller % 16}`];
  const condition = { failIfMatch: [{ tags: [own] }], after: position };
  return { events: events.map((event) => ({ ...event, tags })), expected: 'any', options: { conditions: [condition] } };
}
