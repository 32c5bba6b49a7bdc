/** Appends to URL from 64 callers, as one of several processes: COUNT events within SECONDS. Its parent says when. */
import { once } from 'node:events';
import { drive } from '../contestants/drive.ts';
import { openBenchLog } from '../contestants/eventsrc.ts';
import { SampleFeed } from '../contestants/sample-events.ts';

const [url = '', name = '', count = '0', seconds = '0'] = process.argv.slice(2);
const log = await openBenchLog(url);
const feed = new SampleFeed();
const versions = new Map<number, number>();

async function append(caller: number): Promise<void> {
  const expected = versions.get(caller) ?? 0;
  const result = await log.append([{ stream: `order-${name}-${caller}`, expected, events: feed.take(1) }]);
  if (result.kind !== 'appended') throw new Error(`eventsrc refused an append: ${result.kind}`);
  versions.set(caller, expected + 1);
}

const load = { inFlight: 64, eventsPerAppend: 1 };
await drive(append, load, { eventsMax: 2_000, secondsMax: 5 });
process.send?.('ready');
await once(process, 'message');
process.send?.(await drive(append, load, { eventsMax: Number(count), secondsMax: Number(seconds) }));
await log.close();
