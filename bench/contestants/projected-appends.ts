import { openEngine } from 'eventsrc';
import type { AnyProjection } from 'eventsrc';
import { warmUp } from './contestant.ts';
import type { Contestant } from './contestant.ts';
import { drive } from './drive.ts';
import type { Load } from './drive.ts';
import { backendAt } from './eventsrc.ts';
import { orderTotals } from './order-totals.ts';
import { SampleFeed } from './sample-events.ts';

const limits = { eventsPerStream: Infinity, streams: Infinity, eventsPerAppend: Infinity };

/** Appends as elsewhere, while so many projections follow them, or one is folded with them. */
export function projectedAppends(load: Load, projections: number | 'inline'): Contestant {
  return {
    name: projections === 'inline' ? 'eventsrc, one inline' : `eventsrc, ${projections} running`,
    async run(place, budget) {
      const all: readonly AnyProjection[] =
        projections === 'inline'
          ? [orderTotals('inline')]
          : Array.from({ length: projections }, (_, index) => orderTotals('async', `orderTotals${index}`));
      await using engine = await openEngine({ store: backendAt(place), projections: all, limits });
      const feed = new SampleFeed();
      const versions = new Map<number, number>();
      const append = async (caller: number) => {
        const expected = versions.get(caller) ?? 0;
        const events = feed.take(load.eventsPerAppend);
        const result = await engine.log.append([{ stream: `order-${caller}`, expected, events }]);
        if (result.kind !== 'appended') throw new Error(`eventsrc refused an append: ${result.kind}`);
        versions.set(caller, expected + events.length);
      };
      await drive(append, load, warmUp(budget));
      return await drive(append, load, budget);
    },
  };
}
