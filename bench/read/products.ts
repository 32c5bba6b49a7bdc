/** A large view to be queried: so many products, and the same in a table of raw SQLite. */
import { DatabaseSync } from 'node:sqlite';
import { defineAggregate, defineProjection, openEngine } from 'eventsrc';
import type { Engine, StandardSchemaV1 } from 'eventsrc';
import { openBenchLog, backendAt } from '../contestants/eventsrc.ts';
import { openRaw } from '../contestants/raw-sqlite.ts';

interface Product {
  readonly name: string;
  readonly region: string;
  readonly price: number;
  readonly stock: number;
  readonly note: string;
}

interface Listed {
  readonly id: string;
  readonly product: Product;
}

const listed: StandardSchemaV1<Listed> = {
  '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value: value as Listed }) },
};

const shop = defineAggregate({
  name: 'shop',
  events: { ProductListed: listed },
  initialState: {},
  evolve: { ProductListed: (state) => state },
  commands: {},
});

const initial: Product = { name: '', region: '', price: 0, stock: 0, note: '' };

export const products = defineProjection({
  name: 'products',
  from: [shop],
  key: (event) => (event.data as Listed).id,
  initial,
  indexes: [['region', 'price'], 'price'],
  on: { ProductListed: (_document, { data }) => data.product },
});

/** So many products share a region. */
export const perRegion = 1_000;

/** Prices in cents, in no order, hardly one twice. */
export function priceOf(index: number): number {
  return (index * 7_919) % 10_000_019;
}

export function regionOf(index: number, count: number): string {
  return `region-${index % Math.max(1, Math.floor(count / perRegion))}`;
}

function productAt(index: number, count: number): Product {
  return {
    name: `Product ${index}`,
    region: regionOf(index, count),
    price: priceOf(index),
    stock: index % 100,
    note: 'delivered within three days, returned within thirty',
  };
}

const appendedAtOnce = 2_000;

/** With a view that has every product. To be closed. */
export async function openProducts(file: string, count: number): Promise<Engine> {
  await using log = await openBenchLog(file);
  for (let done = 0; done < count; done += appendedAtOnce) {
    const events = Array.from({ length: Math.min(appendedAtOnce, count - done) }, (_, index) => ({
      type: 'ProductListed',
      data: { id: keyOf(done + index), product: productAt(done + index, count) },
    }));
    await log.append([{ stream: `shop-${done / appendedAtOnce}`, events }]);
  }
  await log.close();
  const open = () => openEngine({ store: backendAt(file), projections: [products], limits: { streams: Infinity } });
  const engine = await open();
  await engine.settled({ timeoutMs: Infinity });
  // As raw SQLite is: what was written is in the database, not in the log beside it.
  await engine.close();
  return open();
}

function keyOf(index: number): string {
  return `product-${index}`;
}

const rawTable = `
  create table products (key text primary key, revision integer not null, json text, bytes blob, region text not null,
    price integer not null) strict;
  create index products_by_region on products (region, price, key);
  create index products_by_price on products (price, key)
`;

/** The columns of our documents, but for what is indexed as it is. To be closed. */
export function openRawProducts(file: string, count: number): DatabaseSync {
  const db = openRaw(file);
  db.exec(rawTable);
  const insert = db.prepare('insert into products values (?, 1, ?, null, ?, ?)');
  for (let done = 0; done < count;) {
    db.exec('begin immediate');
    for (const end = Math.min(count, done + appendedAtOnce); done < end; done++) {
      const product = productAt(done, count);
      insert.run(keyOf(done), JSON.stringify(product), product.region, product.price);
    }
    db.exec('commit');
  }
  db.close();
  const reader = new DatabaseSync(file, { readOnly: true });
  // As much as eventsrc gives itself for reading documents: the inner pages of such tables want more than SQLite's own 2 MiB.
  reader.exec('pragma cache_size = -16384');
  return reader;
}
