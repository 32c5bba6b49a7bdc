import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EventQuery, EventQueryItem } from '../event/query.ts';

/** Which part of the store, in which direction, and how many at most. */
export interface SearchRange {
  readonly after: number;
  readonly until: number;
  readonly backwards: boolean;
  readonly limit: number;
}

/** One select of ascending positions, and its parameters. */
interface Term {
  readonly sql: string;
  readonly parameters: readonly number[];
}

/** SQLite takes 500 selects in a compound; fewer keep it quick to prepare. */
const termsPerSelect = 100;
const statementsMax = 200;
/** Beyond it a tag counts as frequent: how frequent does not matter for the choice of where to begin. */
const tagCountMax = 256;

/** Finds the positions of events that a query matches, through the indexes of types and tags. */
export class Search {
  readonly #db: DatabaseSync;
  readonly #selectTag: StatementSync;
  readonly #selectTypes: StatementSync;
  readonly #countTag: StatementSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#selectTag = db.prepare('select id from tags where name = ?');
    this.#selectTypes = db.prepare('select id from types where name = ?');
    this.#countTag = db.prepare(
      `select count(*) as count from (select 1 from event_tags where tag = ? and position > ? and position <= ? limit ${tagCountMax})`,
    );
  }

  positions(query: EventQuery, range: SearchRange): readonly number[] {
    const terms = query.flatMap((item) => this.#terms(item, range));
    const found: number[] = [];
    for (let start = 0; start < terms.length; start += termsPerSelect) {
      found.push(...this.#run(terms.slice(start, start + termsPerSelect), range));
    }
    if (terms.length <= termsPerSelect) return found;
    // The first of all are among the first of each part.
    const ordered = [...new Set(found)].sort((a, b) => (range.backwards ? b - a : a - b));
    return ordered.slice(0, range.limit);
  }

  #terms({ types = [], tags = [] }: EventQueryItem, range: SearchRange): readonly Term[] {
    const typeIds = types.flatMap((name) => this.#selectTypes.all(name).map(({ id }) => Number(id)));
    const tagIds = tags.map((name) => this.#selectTag.get(name)?.id as number | undefined);
    const isUnknown = (types.length > 0 && typeIds.length === 0) || tagIds.includes(undefined);
    if (isUnknown) return [];
    const within = 'position > ? and position <= ?';
    const bounds = [range.after, range.until];
    if (tagIds.length > 0) return [this.#tagged(this.#rarestFirst(tagIds as number[], range), typeIds, bounds)];
    if (typeIds.length === 0) return [{ sql: `select position from events where ${within}`, parameters: bounds }];
    return typeIds.map((id) => ({
      sql: `select position from events where type = ? and ${within}`,
      parameters: [id, ...bounds],
    }));
  }

  /** `cross join` keeps the order as written: begin with the rarest tag, look the others up. */
  #tagged([first, ...others]: readonly number[], typeIds: readonly number[], bounds: readonly number[]): Term {
    const joins = others.map(
      (_, index) => `cross join event_tags t${index} on t${index}.tag = ? and t${index}.position = t.position`,
    );
    const placeholders = typeIds.map(() => '?').join(', ');
    if (typeIds.length > 0)
      joins.push(`cross join events e on e.position = t.position and e.type in (${placeholders})`);
    return {
      sql: `select t.position as position from event_tags t ${joins.join(' ')} where t.tag = ? and t.position > ? and t.position <= ?`,
      parameters: [...others, ...typeIds, first as number, ...bounds],
    };
  }

  #rarestFirst(tags: readonly number[], { after, until }: SearchRange): readonly number[] {
    if (tags.length === 1) return tags;
    const counted = tags.map((tag) => ({ tag, count: Number(this.#countTag.get(tag, after, until)?.count) }));
    return counted.sort((a, b) => a.count - b.count).map(({ tag }) => tag);
  }

  /** Selects ordered alike are merged as they are read, so the limit ends them early. */
  #run(terms: readonly Term[], { backwards, limit }: SearchRange): readonly number[] {
    if (terms.length === 0) return [];
    const sql = `${terms.map((term) => term.sql).join(' union ')} order by position ${backwards ? 'desc' : 'asc'} limit ?`;
    const rows = this.#prepare(sql).all(...terms.flatMap(({ parameters }) => parameters), limit);
    return (rows as unknown as [number][]).map(([position]) => position);
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= statementsMax) this.#statements.clear();
    const statement = this.#db.prepare(sql);
    statement.setReturnArrays(true);
    this.#statements.set(sql, statement);
    return statement;
  }
}
