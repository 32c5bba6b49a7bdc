/** A query of documents in SQL, as far as declared indexes go; in words that SQLite and PostgreSQL share. */
import { isOrderedWhole, sortKey } from './document-value.ts';
import type { Rank } from './document-value.ts';
import type { Collection, Condition, DocumentPath, DocumentQuery, Scalar } from './state-port.ts';

/** Places of a collection's indexed paths: the column `v<n>`, from 1, holds the sort key at the nth. */
export function indexedPaths({ indexes }: Collection): readonly DocumentPath[] {
  return [...new Set(indexes.flat())];
}

/** What the database can tell of a condition. It is true of all documents that are asked for, and of others unless it `isExact`. */
export interface Narrowing {
  /** Without it, all documents. */
  readonly sql: string | undefined;
  readonly isExact: boolean;
}

const lowers = ['gt', 'gte'] as const;
const uppers = ['lt', 'lte'] as const;

interface Range {
  readonly kind: 'gt' | 'gte' | 'lt' | 'lte';
  readonly path: DocumentPath;
  readonly value: Scalar;
}

const everything = { sql: undefined, isExact: true };
const nothing = { sql: '1 = 0', isExact: true };
const unknown = { sql: undefined, isExact: false };

/** How a collection's documents can be found. */
interface Indexed {
  readonly columns: ReadonlyMap<DocumentPath, string>;
  /** Paths that an index begins with. */
  readonly firsts: ReadonlySet<DocumentPath | undefined>;
}

/** Worked out once for each collection, which never changes: it took as long as the rest of a query's SQL. */
const indexed = new WeakMap<Collection, Indexed>();

function indexedOf(collection: Collection): Indexed {
  let known = indexed.get(collection);
  if (known === undefined) {
    known = {
      columns: new Map(indexedPaths(collection).map((path, index) => [path, `v${index + 1}`])),
      firsts: new Set(collection.indexes.map(([first]) => first)),
    };
    indexed.set(collection, known);
  }
  return known;
}

/** Builds SQL for one collection, and gathers its parameters. */
export class DocumentSql {
  readonly params: (string | number)[] = [];
  readonly #indexed: Indexed;
  readonly #placeholder: (index: number) => string;

  /** @param placeholder of the nth parameter, from 1. */
  constructor(collection: Collection, placeholder: (index: number) => string) {
    this.#indexed = indexedOf(collection);
    this.#placeholder = placeholder;
  }

  /** @param beside what must hold at the same time. */
  narrow(condition: Condition, beside: readonly Condition[] = []): Narrowing {
    switch (condition.kind) {
      case 'all': {
        const parts = condition.of.map((part) => this.narrow(part, condition.of));
        const told = parts.flatMap(({ sql }) => sql ?? []);
        return {
          sql: told.length === 0 ? undefined : `(${told.join(' and ')})`,
          isExact: parts.every(({ isExact }) => isExact),
        };
      }
      case 'any': {
        if (condition.of.length === 0) return nothing;
        // One part of which nothing is known may be true of any document.
        const before = this.params.length;
        const parts = condition.of.map((part) => this.narrow(part));
        const isExact = parts.every((part) => part.isExact);
        if (parts.every(({ sql }) => sql !== undefined))
          return { sql: `(${parts.map(({ sql }) => sql).join(' or ')})`, isExact };
        this.params.length = before;
        return isExact ? everything : unknown;
      }
      case 'not': {
        const before = this.params.length;
        const { sql, isExact } = this.narrow(condition.of);
        if (isExact) return sql === undefined ? nothing : { sql: `not ${sql}`, isExact };
        this.params.length = before;
        return unknown;
      }
      case 'contains':
      case 'some':
        return unknown;
      default: {
        const column = this.#indexed.columns.get(condition.path);
        return column === undefined ? unknown : this.#compare(column, condition, beside);
      }
    }
  }

  #compare(
    column: string,
    condition: Exclude<Condition, { kind: 'all' | 'any' | 'not' | 'contains' | 'some' }>,
    beside: readonly Condition[],
  ): Narrowing {
    switch (condition.kind) {
      case 'exists':
        return { sql: `${column} ${condition.value ? '<>' : '='} '0'`, isExact: true };
      case 'in': {
        if (condition.values.length === 0) return nothing;
        const list = condition.values.map((value) => this.parameter(sortKey(value))).join(', ');
        return { sql: `${column} in (${list})`, isExact: condition.values.every(isTold) };
      }
      case 'startsWith': {
        const key = sortKey(condition.value);
        const [first, behind] = [this.parameter(key), this.parameter(behindPrefix(key))];
        return { sql: `(${column} >= ${first} and ${column} < ${behind})`, isExact: isTold(condition.value) };
      }
      case 'eq':
        return { sql: `${column} = ${this.parameter(sortKey(condition.value))}`, isExact: isTold(condition.value) };
      case 'ne':
        if (!isTold(condition.value)) return unknown;
        return { sql: `${column} <> ${this.parameter(sortKey(condition.value))}`, isExact: true };
      default:
        return this.#range(column, { ...condition, kind: condition.kind }, beside);
    }
  }

  #range(column: string, { kind, path, value }: Range, beside: readonly Condition[]): Narrowing {
    const isExact = isTold(value);
    const key = this.parameter(sortKey(value));
    const [first, behind] = kindBounds(value);
    const isLower = kind === 'gt' || kind === 'gte';
    // The ends of its kind are left out where something ends it sooner: SQLite enters an index by whichever comes first.
    const isEnded = beside.some(
      (other) =>
        isRange(other, isLower ? uppers : lowers) && other.path === path && kindBounds(other.value)[0] === first,
    );
    // Of a string that is cut off, whatever is cut off to the same may be on either side.
    const isStrict = (kind === 'gt' || kind === 'lt') && isExact;
    const own = `${column} ${isLower ? '>' : '<'}${isStrict ? '' : '='} ${key}`;
    if (isEnded) return { sql: own, isExact };
    return { sql: `(${own} and ${column} ${isLower ? `< '${behind}'` : `>= '${first}'`})`, isExact };
  }

  parameter(value: string | number): string {
    this.params.push(value);
    return this.#placeholder(this.params.length);
  }

  /** The columns to order by; undefined if one of the paths has none. */
  orderColumns({ orderBy }: Pick<DocumentQuery, 'orderBy'>): readonly string[] | undefined {
    const columns = orderBy.map(({ path }) => this.#indexed.columns.get(path));
    return columns.every((column) => column !== undefined) ? columns : undefined;
  }

  /** What stands behind a document in an order: in the first column, or in the next where the first is equal, and so on. */
  behind(rank: Rank, columns: readonly string[], { orderBy }: Pick<DocumentQuery, 'orderBy'>): string {
    const steps = [
      ...columns.map((column, index) => ({ column, key: rank.keys[index] as string, order: orderBy[index] })),
    ];
    const last = `key > ${this.parameter(rank.key)}`;
    return steps.reduceRight((rest, { column, key, order }) => {
      const operator = order?.direction === 'desc' ? '<' : '>';
      const [bound, same] = [this.parameter(key), this.parameter(key)];
      // Said twice, so that an index is entered where it goes on.
      return `(${column} ${operator}= ${bound} and (${column} ${operator} ${same} or ${rest}))`;
    }, last);
  }

  /** Whether an index leads to what is asked for, or gives its order. Without a condition all are meant to be looked at. */
  isIndexed({ where, orderBy }: Pick<DocumentQuery, 'where' | 'orderBy'>): boolean {
    const { firsts } = this.#indexed;
    if (where.kind === 'all' && where.of.length === 0 && orderBy.length === 0) return true;
    return (
      leads(where, firsts) || (where.kind === 'all' && where.of.length === 0 && firsts.has(orderBy[0]?.path ?? ''))
    );
  }
}

/** Whether a condition can be looked up by one of these paths. */
function leads(condition: Condition, paths: ReadonlySet<DocumentPath | undefined>): boolean {
  switch (condition.kind) {
    case 'all':
      return condition.of.some((part) => leads(part, paths));
    case 'any':
      return condition.of.every((part) => leads(part, paths));
    case 'not':
    case 'ne':
    case 'exists':
    case 'contains':
    case 'some':
      return false;
    default:
      return paths.has(condition.path);
  }
}

function isRange(condition: Condition, kinds: readonly Range['kind'][]): condition is Range {
  return (kinds as readonly string[]).includes(condition.kind);
}

/** Whether a sort key tells a value from all others. */
function isTold(value: Scalar): boolean {
  return typeof value !== 'string' || isOrderedWhole(value);
}

/** Between which sort keys those of a value's kind lie: from the first, below the second. */
function kindBounds(value: Scalar): readonly [first: string, behind: string] {
  if (value === null) return ['1', '2'];
  if (typeof value === 'boolean') return ['2', '4'];
  return typeof value === 'number' ? ['4', '5'] : ['5', '6'];
}

/** The first text behind all that begin so. */
export function behindPrefix(prefix: string): string {
  const points = [...prefix];
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    const point = last.codePointAt(0) as number;
    if (point === 0x10ffff) continue;
    // Surrogates are no characters.
    return points.join('') + String.fromCodePoint(point === 0xd7ff ? 0xe000 : point + 1);
  }
  throw new RangeError('no text is behind this prefix');
}
