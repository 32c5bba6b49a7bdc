import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { EventQuery, EventQueryItem } from '../event/query.ts';
import type { EventIndex } from './event-index.ts';
import { kinds } from './index-runs.ts';
import type { Kind } from './index-runs.ts';
import { AllOf, AnyOf, Every, take } from './postings.ts';
import type { Postings } from './postings.ts';

/** Which part of the store, in which direction, and how many at most. */
export interface SearchRange {
  readonly after: number;
  readonly until: number;
  readonly backwards: boolean;
  readonly limit: number;
}

/** Finds the positions of events that a query matches, once the index has caught up. */
export class Search {
  readonly #index: EventIndex;
  readonly #selectTag: StatementSync;
  readonly #selectTypes: StatementSync;

  constructor(db: DatabaseSync, index: EventIndex) {
    this.#index = index;
    this.#selectTag = db.prepare('select id from tags where name = ?');
    this.#selectTypes = db.prepare('select id from types where name = ?');
  }

  positions(query: EventQuery, { after, until, backwards, limit }: SearchRange): readonly number[] {
    if (until <= after) return [];
    const matching = new AnyOf(query.map((item) => this.#matching(item, backwards)));
    if (!backwards) return take(matching, after + 1, until, limit);
    return take(matching, -until, -after - 1, limit).map((position) => -position);
  }

  #matching({ types = [], tags = [] }: EventQueryItem, backwards: boolean): Postings {
    const having = (kind: Kind, id: unknown) => this.#index.postings(kind, Number(id), backwards);
    const wanted = tags.map((tag) => {
      const id = this.#selectTag.get(tag)?.id;
      return id === undefined ? new AnyOf([]) : having(kinds.tag, id);
    });
    if (types.length > 0) {
      const ids = types.flatMap((type) => this.#selectTypes.all(type).map(({ id }) => id));
      wanted.push(new AnyOf(ids.map((id) => having(kinds.type, id))));
    }
    return wanted.length > 0 ? new AllOf(wanted) : new Every(-Infinity, Infinity);
  }
}
