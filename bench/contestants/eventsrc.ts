import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { warmUp } from './contestant.ts';
import type { Contestant } from './contestant.ts';
import { drive } from './drive.ts';
import type { Load } from './drive.ts';
import { SampleFeed } from './sample-events.ts';

/** A stream per caller, each append expecting the version that its caller knows, as commands do. */
export function eventsrc(load: Load): Contestant {
  return {
    name: 'eventsrc',
    async run(file, budget) {
      await using log = await openLog({
        store: sqlite(file),
        limits: { eventsPerStream: Infinity, streams: Infinity },
      });
      const feed = new SampleFeed();
      const versions = Array.from({ length: load.inFlight }, () => 0);
      const append = async (caller: number) => {
        const expected = versions[caller] ?? 0;
        const events = feed.take(load.eventsPerAppend);
        const result = await log.append([{ stream: `order-${caller}`, expected, events }]);
        if (result.kind !== 'appended') throw new Error(`eventsrc refused an append: ${result.kind}`);
        versions[caller] = expected + events.length;
      };
      await drive(append, load, warmUp(budget));
      return await drive(append, load, budget);
    },
  };
}
