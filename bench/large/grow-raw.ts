/** The same in raw SQLite, with indexes of its own kind. Arguments: file, events when small, events when large. */
import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { openRaw, rawRow } from '../contestants/raw-sqlite.ts';
import { toEvent } from '../contestants/read-all.ts';
import type { RawRow } from '../contestants/read-all.ts';
import { appendsMeasured, eventsPerStream, eventsPerWrite, loadsMeasured, someStreams, writesUntil } from './mix.ts';
import type { Grown, GrowthFigures } from './mix.ts';

const [file, small, large] = [process.argv[2] as string, Number(process.argv[3]), Number(process.argv[4])];
const rowsPerTransaction = 256;
let position = 0;

fill(0, small);
const figuresSmall = measure(small);
fill(small, large);
const bytes = statSync(file).size;
const grown: Grown = { small: figuresSmall, large: measure(large), bytesPerEvent: bytes / large };
console.log(JSON.stringify(grown));

/** 1,000 events a transaction, as many as ours. */
function fill(from: number, events: number): void {
  using db = openRaw(file);
  const insert = rawRow(db);
  db.exec('begin immediate');
  let rows = 0;
  for (const { stream, version } of writesUntil(events, from)) {
    for (let n = 1; n <= eventsPerWrite; n++) insert(++position, stream + 1, version + n);
    rows += eventsPerWrite;
    if (rows % 1_000 === 0) db.exec('commit; begin immediate');
  }
  db.exec('commit');
}

function measure(events: number): GrowthFigures {
  using db = openRaw(file);
  return { loadedEventsPerSecond: measureLoads(db, events), appendsPerSecond: measureAppends(db, events) };
}

function measureLoads(db: DatabaseSync, events: number): number {
  const select = db.prepare(
    'select position, stream, version, type, recorded_at, tags, data_length, payload from events where stream = ? and version <= ? order by version',
  );
  select.setReturnArrays(true);
  const startedAt = performance.now();
  for (const stream of someStreams(events, loadsMeasured)) {
    const rows = select.all(stream + 1, eventsPerStream) as unknown as readonly RawRow[];
    if (rows.map(toEvent).length !== eventsPerStream) throw new Error(`stream ${stream} has ${rows.length} events`);
  }
  return (loadsMeasured * eventsPerStream * 1_000) / (performance.now() - startedAt);
}

function measureAppends(db: DatabaseSync, events: number): number {
  const insert = rawRow(db);
  const version = db.prepare('select max(version) as version from events where stream = ?');
  const streams = someStreams(events, appendsMeasured);
  const versions = new Map(
    [...new Set(streams)].map((stream) => [stream, Number(version.get(stream + 1)?.['version'])]),
  );
  const startedAt = performance.now();
  for (let done = 0; done < appendsMeasured; done += rowsPerTransaction) {
    db.exec('begin immediate');
    for (const stream of streams.slice(done, done + rowsPerTransaction)) {
      const next = (versions.get(stream) ?? 0) + 1;
      versions.set(stream, next);
      insert(++position, stream + 1, next);
    }
    db.exec('commit');
  }
  return (appendsMeasured * 1_000) / (performance.now() - startedAt);
}
