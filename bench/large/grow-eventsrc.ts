/** Fills a store of eventsrc and measures it small and large. Arguments: file or URL, events when small, events when large. */
import { statSync } from 'node:fs';
import { defineAggregate, openEngine } from 'eventsrc';
import type { EventLog } from 'eventsrc';
import { z } from 'zod';
import { drive } from '../contestants/drive.ts';
import { openBenchLog } from '../contestants/eventsrc.ts';
import { SampleFeed, sampleTypes } from '../contestants/sample-events.ts';
import { appendsMeasured, eventsPerStream, eventsPerWrite, loadsMeasured, someStreams, writesUntil } from './mix.ts';
import type { Grown, GrowthFigures } from './mix.ts';

const [place, small, large] = [process.argv[2] as string, Number(process.argv[3]), Number(process.argv[4])];
const writesPerAppend = 200;
const inFlight = 256;
const feed = new SampleFeed();
let [fifthBytes, wholeBytes] = [0, 0];

const order = defineAggregate({
  name: 'order',
  events: Object.fromEntries(sampleTypes.map((type) => [type, z.any()])),
  initialState: 0,
  evolve: Object.fromEntries(sampleTypes.map((type) => [type, (count: number) => count + 1])),
  commands: {},
});

await fill(0, small);
const figuresSmall = await measure(small);
await fill(small, large);
await readAll();
const bytes = statSync(place, { throwIfNoEntry: false })?.size ?? 0;
const figuresLarge = await measure(large);
const grown: Grown = {
  small: figuresSmall,
  large: figuresLarge,
  memoryMiB: { fifth: fifthBytes / 2 ** 20, whole: wholeBytes / 2 ** 20 },
  bytesPerEvent: bytes / large,
};
console.log(JSON.stringify(grown));

async function fill(from: number, events: number): Promise<void> {
  await using log = await openBenchLog(place);
  const append = async (writes: readonly { readonly stream: number; readonly version: number }[]) => {
    await log.append(writes.map(({ stream }) => ({ stream: `order-${stream}`, events: feed.take(eventsPerWrite) })));
    lookAtMemory((await log.head()).position);
  };
  let writes: { stream: number; version: number }[] = [];
  for (const write of writesUntil(events, from)) {
    if (writes.push(write) < writesPerAppend) continue;
    await append(writes);
    writes = [];
  }
  if (writes.length > 0) await append(writes);
}

async function measure(events: number): Promise<GrowthFigures> {
  await using log = await openBenchLog(place);
  const loads = await measureLoads(log, events);
  const streams = someStreams(events, appendsMeasured);
  let next = 0;
  const append = async () => {
    const stream = `order-${streams[next++ % streams.length]}`;
    const result = await log.append([{ stream, events: feed.take(1) }]);
    if (result.kind !== 'appended') throw new Error(`eventsrc refused an append: ${result.kind}`);
  };
  const budget = { eventsMax: appendsMeasured, secondsMax: 60 };
  const { events: appended, seconds } = await drive(append, { inFlight, eventsPerAppend: 1 }, budget);
  return { appendsPerSecond: appended / seconds, loadedEventsPerSecond: loads };
}

async function measureLoads(log: EventLog, events: number): Promise<number> {
  await using engine = await openEngine({ store: log, aggregates: [order], cachedStates: 1 });
  const startedAt = performance.now();
  for (const stream of someStreams(events, loadsMeasured)) {
    const { version } = await engine.load(order, String(stream));
    if (version < eventsPerStream) throw new Error(`order-${stream} is at version ${version}`);
  }
  return (loadsMeasured * eventsPerStream * 1_000) / (performance.now() - startedAt);
}

async function readAll(): Promise<void> {
  await using log = await openBenchLog(place);
  let events = 0;
  for await (const page of log.read({ until: large })) {
    events += page.length;
    lookAtMemory(large);
  }
  if (events !== large) throw new Error(`read ${events} of ${large} events`);
}

function lookAtMemory(position: number): void {
  const bytesNow = process.memoryUsage.rss();
  if (position <= large / 5) fifthBytes = Math.max(fifthBytes, bytesNow);
  wholeBytes = Math.max(wholeBytes, bytesNow);
}
