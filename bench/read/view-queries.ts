/** Pages of twenty documents of a large view, and the same from a table of raw SQLite. */
import type { DatabaseSync } from 'node:sqlite';
import type { Engine } from 'eventsrc';
import { warmUp } from '../contestants/contestant.ts';
import type { Contestant } from '../contestants/contestant.ts';
import { drive } from '../contestants/drive.ts';
import { measureRow } from '../measure-row.ts';
import type { InNewPlace, Pace, RowResult } from '../measure-row.ts';
import { openProducts, openRawProducts, perRegion, priceOf, products, regionOf } from './products.ts';
import type { ReadId } from './reads.ts';

export interface QueryPace extends Pace {
  readonly documents: number;
}

const queriesPerRound = 20_000;
const pageSize = 20;
const oneAtATime = { inFlight: 1, eventsPerAppend: 1 };

/** Returns how many documents it found. */
type Query = (turn: number) => Promise<number>;

export async function measureQueries(
  ids: readonly ReadId[],
  pace: QueryPace,
  inNewPlace: InNewPlace,
): Promise<readonly RowResult[]> {
  const { documents } = pace;
  return inNewPlace((file) =>
    inNewPlace(async (rawFile) => {
      await using engine = await openProducts(file, documents);
      using db = openRawProducts(rawFile, documents);
      const measure = (id: ReadId, what: string, ours: Query, raw: Query): Promise<RowResult> => {
        const row = {
          id,
          what: `${what}, pages of ${pageSize} out of ${documents.toLocaleString('en')} documents`,
          unit: 'queries/s',
          ours: asking('eventsrc', ours),
          against: [asking('raw, select and JSON.parse', raw)],
          eventsMax: queriesPerRound,
        } as const;
        return measureRow(row, { kind: 'not asked for' }, pace, (work) => work(''));
      };
      const results: RowResult[] = [];
      if (ids.includes('view.query'))
        results.push(
          await measure(
            'view.query',
            'the dearest of one region',
            dearest(engine, documents),
            rawDearest(db, documents),
          ),
        );
      if (ids.includes('view.range'))
        results.push(
          await measure(
            'view.range',
            'the cheapest between two prices',
            between(engine, documents),
            rawBetween(db, documents),
          ),
        );
      return results;
    }),
  );
}

/** One query after another. A page that is not full is a mistake of the bench. */
function asking(name: string, query: Query): Contestant {
  return {
    name,
    async run(_place, budget) {
      let turn = 0;
      const ask = async () => {
        const found = await query(turn++);
        if (found !== pageSize) throw new Error(`${name}: a page has ${found} documents`);
      };
      await drive(ask, oneAtATime, warmUp(budget));
      return drive(ask, oneAtATime, budget);
    },
  };
}

/** Somewhere else with every turn. */
function place(turn: number, documents: number): number {
  return (turn * 104_729) % documents;
}

function dearest(engine: Engine, documents: number): Query {
  const view = engine.view(products);
  return async (turn) => {
    const region = regionOf(place(turn, documents), documents);
    return (await view.findMany({ where: { region }, orderBy: { price: 'desc' }, limit: pageSize })).length;
  };
}

function rawDearest(db: DatabaseSync, documents: number): Query {
  const select = db.prepare(
    `select key, revision, json, bytes from products where region = ? order by price desc, key limit ${pageSize}`,
  );
  return async (turn) => parsed(select.all(regionOf(place(turn, documents), documents)));
}

/** Wide enough for a page, whatever the prices between. */
function width(documents: number): number {
  return Math.ceil((10_000_019 / documents) * perRegion);
}

function between(engine: Engine, documents: number): Query {
  const view = engine.view(products);
  return async (turn) => {
    const gte = lowest(turn, documents);
    const where = { price: { gte, lt: gte + width(documents) } };
    return (await view.findMany({ where, orderBy: { price: 'asc' }, limit: pageSize })).length;
  };
}

function rawBetween(db: DatabaseSync, documents: number): Query {
  const select = db.prepare(
    `select key, revision, json, bytes from products where price >= ? and price < ? order by price, key limit ${pageSize}`,
  );
  return async (turn) => {
    const from = lowest(turn, documents);
    return parsed(select.all(from, from + width(documents)));
  };
}

function lowest(turn: number, documents: number): number {
  return Math.floor(priceOf(place(turn, documents)) * 0.8);
}

function parsed(rows: readonly Readonly<Record<string, unknown>>[]): number {
  return rows.map(({ json }) => JSON.parse(json as string) as unknown).length;
}
