/** How a query of documents is answered from rows: the filter and the order that the database did not see to. */
import { fromBase64, fromUtf8, toBase64, toUtf8 } from '../event/bytes.ts';
import type { Json } from '../event/json.ts';
import { EngineError } from '../ground/errors.ts';
import { fulfils } from './document-filter.ts';
import { DocumentSql } from './document-sql.ts';
import { compareRanks, sortKeys } from './document-value.ts';
import type { Rank } from './document-value.ts';
import type { Collection, Condition, Document, DocumentPage, DocumentQuery } from './state-port.ts';

/** As a store keeps a document: one of the two is null. */
export interface DocumentRow {
  readonly key: string;
  readonly revision: number;
  readonly json: string | null;
  readonly bytes: Uint8Array | null;
}

/** The same in the order of the columns: from a driver, arrays cost half of what objects do. */
export type DocumentTuple = [key: string, revision: number | string, json: string | null, bytes: Uint8Array | null];

export function toDocument({ key, revision, json, bytes }: DocumentRow): Document {
  return { key, revision, value: json === null ? new Uint8Array(bytes ?? []) : (JSON.parse(json) as Json) };
}

export function tupleToDocument([key, revision, json, bytes]: DocumentTuple): Document {
  return toDocument({ key, revision: Number(revision), json, bytes });
}

/** A statement's part behind `from`, and what is left to do with its rows. */
export interface DocumentPlan {
  readonly sql: string;
  readonly params: readonly (string | number)[];
  /** Whether rows have to be looked at that may not be asked for: then nobody knows how many. */
  readonly isOpen: boolean;
  readonly isSorted: boolean;
  readonly isFiltered: boolean;
  readonly scanned: boolean;
}

/** @throws {EngineError} `request_invalid` for a cursor of another query. */
export function planFind(
  collection: Collection,
  query: DocumentQuery,
  placeholder: (index: number) => string,
): DocumentPlan {
  const sql = new DocumentSql(collection, placeholder);
  const { sql: narrowed, isExact } = sql.narrow(query.where);
  const columns = sql.orderColumns(query);
  const start = startOf(query);
  const conditions = narrowed === undefined ? [] : [narrowed];
  let order = '';
  if (columns !== undefined) {
    if (start !== undefined) conditions.push(sql.behind(start, columns, query));
    const directed = columns.map((column, index) => `${column} ${query.orderBy[index]?.direction ?? 'asc'}`);
    order = ` order by ${[...directed, 'key'].join(', ')}`;
    if (isExact) order += ` limit ${sql.parameter(wantedOf(query))}`;
  }
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  return {
    sql: where + order,
    params: sql.params,
    isOpen: columns === undefined || !isExact,
    isSorted: columns !== undefined,
    isFiltered: isExact,
    scanned: !sql.isIndexed(query),
  };
}

/** As `planFind`, for counting. */
export function planCount(
  collection: Collection,
  where: Condition,
  placeholder: (index: number) => string,
): Pick<DocumentPlan, 'sql' | 'params' | 'isFiltered' | 'scanned'> {
  const sql = new DocumentSql(collection, placeholder);
  const { sql: narrowed, isExact } = sql.narrow(where);
  return {
    sql: narrowed === undefined ? '' : ` where ${narrowed}`,
    params: sql.params,
    isFiltered: isExact,
    scanned: !sql.isIndexed({ where, orderBy: [] }),
  };
}

/** One more where there may be a next page, to know whether there is one. */
function wantedOf({ limit, paged = true }: DocumentQuery): number {
  return paged ? limit + 1 : limit;
}

interface Ranked {
  readonly rank: Rank;
  readonly document: Document;
}

/** Gathers a page from the documents that a plan comes upon. */
export class PageOf {
  readonly #query: DocumentQuery;
  readonly #plan: Pick<DocumentPlan, 'isSorted' | 'isFiltered' | 'scanned'>;
  readonly #start: Rank | undefined;
  readonly #descending: readonly boolean[];
  readonly #wanted: number;
  /** In the order in which they came. */
  readonly #sorted: Document[] = [];
  /** The first of them, so far. */
  #unsorted: Ranked[] = [];

  constructor(query: DocumentQuery, plan: Pick<DocumentPlan, 'isSorted' | 'isFiltered' | 'scanned'>) {
    this.#query = query;
    this.#plan = plan;
    this.#start = startOf(query);
    this.#wanted = wantedOf(query);
    this.#descending = query.orderBy.map(({ direction }) => direction === 'desc');
  }

  /** @returns whether the page is complete. */
  add(document: Document): boolean {
    if (!this.#plan.isFiltered && !fulfils(this.#query.where, document.value)) return false;
    if (this.#plan.isSorted) {
      this.#sorted.push(document);
      return this.#sorted.length >= this.#wanted;
    }
    const rank = this.#rankOf(document);
    if (this.#start !== undefined && compareRanks(rank, this.#start, this.#descending) <= 0) return false;
    this.#unsorted.push({ rank, document });
    // Now and then, so that sorting costs little and memory stays bounded.
    if (this.#unsorted.length >= 2 * this.#wanted + 1_000) this.#sort();
    return false;
  }

  #rankOf({ key, value }: Document): Rank {
    const { orderBy } = this.#query;
    return {
      keys: sortKeys(
        value,
        orderBy.map(({ path }) => path),
      ),
      key,
    };
  }

  #sort(): void {
    this.#unsorted = this.#unsorted
      .toSorted((a, b) => compareRanks(a.rank, b.rank, this.#descending))
      .slice(0, this.#wanted);
  }

  page(): DocumentPage {
    if (!this.#plan.isSorted) this.#sort();
    const found = this.#plan.isSorted ? this.#sorted : this.#unsorted.map(({ document }) => document);
    const { limit } = this.#query;
    const last = found.length > limit ? found[limit - 1] : undefined;
    const page = { documents: found.slice(0, limit), scanned: this.#plan.scanned };
    // Not an accessor, to be made when asked for: to make that one costs twice as much as a cursor.
    return last === undefined ? page : { ...page, next: cursorOf(this.#query, this.#rankOf(last)) };
  }
}

function cursorOf({ orderBy }: DocumentQuery, { keys, key }: Rank): string {
  return toBase64(toUtf8(JSON.stringify([orderText(orderBy), keys, key])));
}

/** @throws {EngineError} `request_invalid` */
function startOf({ after, orderBy }: DocumentQuery): Rank | undefined {
  if (after === undefined) return undefined;
  const bytes = fromBase64(after);
  try {
    const [order, keys, key] = JSON.parse(fromUtf8(bytes ?? new Uint8Array())) as [unknown, string[], string];
    const isWhole =
      Array.isArray(keys) &&
      keys.length === orderBy.length &&
      keys.every((one) => typeof one === 'string') &&
      typeof key === 'string';
    if (order === orderText(orderBy) && isWhole) return { keys, key };
  } catch {
    // As one of another query.
  }
  throw new EngineError('request_invalid', { reason: 'The cursor is none of this query' });
}

function orderText(orderBy: DocumentQuery['orderBy']): string {
  return orderBy.map(({ path, direction }) => `${direction} ${path}`).join();
}
