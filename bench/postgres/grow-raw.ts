/** Rows in PostgreSQL, measured few and many. Arguments: URL, events when small, events when large. */
import {
  appendsMeasured,
  eventsPerStream,
  eventsPerWrite,
  loadsMeasured,
  someStreams,
  writesUntil,
} from '../large/mix.ts';
import type { Grown, GrowthFigures } from '../large/mix.ts';
import { insertRows, schema, withClient } from './raw.ts';
import type { Place } from './raw.ts';

const [url, small, large] = [process.argv[2] as string, Number(process.argv[3]), Number(process.argv[4])];
const rowsPerStatement = 256;
let position = 0;

await withClient(url, async (client) => {
  await client.query(schema);
  await fill(0, small);
  const figuresSmall = await measure(small);
  await fill(small, large);
  const grown: Grown = { small: figuresSmall, large: await measure(large), bytesPerEvent: 0 };
  console.log(JSON.stringify(grown));

  async function fill(from: number, events: number): Promise<void> {
    let places: Place[] = [];
    for (const { stream, version } of writesUntil(events, from)) {
      for (let n = 1; n <= eventsPerWrite; n++) places.push({ position: ++position, stream, version: version + n });
      if (places.length < 1_000) continue;
      await insertRows(client, places);
      places = [];
    }
    if (places.length > 0) await insertRows(client, places);
  }

  async function measure(events: number): Promise<GrowthFigures> {
    return { loadedEventsPerSecond: await measureLoads(events), appendsPerSecond: await measureAppends(events) };
  }

  async function measureLoads(events: number): Promise<number> {
    const startedAt = performance.now();
    for (const stream of someStreams(events, loadsMeasured)) {
      const text = `select position, version, recorded_at, stream, type, tags, body_digest, metadata, data from events
        where stream = $1 and version <= $2 order by version`;
      const query = { name: 'load', text, values: [`order-${stream}`, eventsPerStream], rowMode: 'array' as const };
      const { rows } = await client.query<unknown[]>(query);
      for (const row of rows) JSON.parse((row[8] as Buffer).toString());
      if (rows.length !== eventsPerStream) throw new Error(`stream ${stream} has ${rows.length} events`);
    }
    return (loadsMeasured * eventsPerStream * 1_000) / (performance.now() - startedAt);
  }

  async function measureAppends(events: number): Promise<number> {
    const streams = someStreams(events, appendsMeasured);
    const versions = new Map<number, number>();
    const startedAt = performance.now();
    for (let done = 0; done < appendsMeasured; done += rowsPerStatement) {
      const places = streams.slice(done, done + rowsPerStatement).map((stream): Place => {
        // Past what the fill and the measurement before have written.
        const version = (versions.get(stream) ?? position + eventsPerStream) + 1;
        versions.set(stream, version);
        return { position: ++position, stream, version };
      });
      await insertRows(client, places);
    }
    return (appendsMeasured * 1_000) / (performance.now() - startedAt);
  }
});
