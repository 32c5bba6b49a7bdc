/** A projection over a log that is there already, from opening it until the view has every event. */
import { setImmediate } from 'node:timers/promises';
import type { DatabaseSync } from 'node:sqlite';
import { openEngine } from 'eventsrc';
import type { Contestant } from './contestant.ts';
import { backendAt, openBenchLog } from './eventsrc.ts';
import { noItems, orderAt, orderTotals, ordersOf, withSold } from './order-totals.ts';
import type { OrderTotal, SoldItem } from './order-totals.ts';
import { openRaw, rawRow } from './raw-sqlite.ts';
import { timed, toEvent } from './read-all.ts';
import type { RawRow } from './read-all.ts';
import { SampleFeed } from './sample-events.ts';

const limits = { eventsPerStream: Infinity, streams: Infinity, eventsPerAppend: Infinity };

export const eventsrcCatchUp: Contestant = {
  name: 'eventsrc',
  async run(place, { eventsMax }) {
    const orders = ordersOf(eventsMax);
    await fill(place, eventsMax, orders);
    return timed(async () => {
      const totals = orderTotals();
      await using engine = await openEngine({ store: backendAt(place), projections: [totals], limits });
      await engine.settled({ timeoutMs: Infinity });
      const count = await engine.view(totals).count();
      if (count !== orders) throw new Error(`${count} of ${orders} documents are there`);
      return eventsMax;
    });
  },
};

const appendedAtOnce = 2_000;

async function fill(place: string, events: number, orders: number): Promise<void> {
  await using log = await openBenchLog(place);
  const feed = new SampleFeed();
  for (let done = 0; done < events; done += appendedAtOnce) {
    const samples = feed.take(Math.min(appendedAtOnce, events - done));
    // Several writes of one append may not be to the same stream.
    const writes = new Map<number, (typeof samples)[number][]>();
    for (const [index, sample] of samples.entries()) {
      const stream = orderAt(done + index, orders);
      const write = writes.get(stream);
      if (write === undefined) writes.set(stream, [sample]);
      else write.push(sample);
    }
    await log.append([...writes].map(([stream, own]) => ({ stream: `order-${stream}`, events: own })));
  }
}

/** Events in a batch of raw's: as many as eventsrc takes while it is far behind. */
export const rawBatch = 2_000;

/** The columns of our documents, and the index. */
const rawDocuments = `
  create table totals (key text primary key, revision integer not null, json text, bytes blob, total integer not null) strict;
  create index totals_by_total on totals (total, key);
  create table checkpoints (name text primary key, position integer not null) strict, without rowid;
  pragma synchronous = normal
`;

/** Pages of rows, parsed, folded, and for each page the documents that it changed and a checkpoint in one transaction. */
export const rawCatchUp: Contestant = {
  name: `raw, ${rawBatch.toLocaleString('en')} events a transaction`,
  async run(file, { eventsMax }) {
    const orders = ordersOf(eventsMax);
    fillRaw(file, eventsMax, orders);
    return timed(async () => {
      using db = openRaw(file);
      db.exec(rawDocuments);
      return await catchUpRaw(db);
    });
  },
};

function fillRaw(file: string, events: number, orders: number): void {
  using db = openRaw(file);
  const insert = rawRow(db);
  for (let done = 0; done < events;) {
    db.exec('begin immediate');
    for (const end = Math.min(events, done + appendedAtOnce); done < end; done++)
      insert(done + 1, 1 + orderAt(done, orders), 1 + Math.floor(done / orders));
    db.exec('commit');
  }
}

async function catchUpRaw(db: DatabaseSync): Promise<number> {
  const select = db.prepare(
    `select position, stream, version, type, recorded_at, tags, data_length, payload from events
    where position > ? order by position limit ${rawBatch}`,
  );
  select.setReturnArrays(true);
  const put = db.prepare(
    `insert into totals values (?, 1, ?, null, ?)
    on conflict do update set revision = revision + 1, json = excluded.json, total = excluded.total`,
  );
  const move = db.prepare('insert or replace into checkpoints values (?, ?)');
  const documents = new Map<string, OrderTotal>();
  for (let position = 0; ;) {
    const page = select.all(position) as unknown as readonly RawRow[];
    if (page.length === 0) return position;
    const changed = new Set<string>();
    for (const row of page) {
      const { data } = toEvent(row);
      const key = String(row[1]);
      documents.set(key, withSold(documents.get(key) ?? noItems, data as SoldItem));
      changed.add(key);
    }
    position += page.length;
    db.exec('begin immediate');
    for (const key of changed) {
      const document = documents.get(key) as OrderTotal;
      put.run(key, JSON.stringify(document), document.total);
    }
    move.run('totals', position);
    db.exec('commit');
    // As for anybody who shares the thread.
    await setImmediate();
  }
}
