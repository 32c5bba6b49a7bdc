import { checkKeys } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';

/** Which events, in the terms of the Dynamic Consistency Boundary specification: types OR, tags AND. */
export interface EventQueryItem {
  /** Any of these types. Absent or empty: every type. */
  readonly types?: readonly string[] | undefined;
  /** All of these tags. Absent or empty: whatever the tags. */
  readonly tags?: readonly string[] | undefined;
}

/** Matches an event that any of its items matches; without items, nothing. */
export type EventQuery = readonly EventQueryItem[];

export function matches(
  query: EventQuery,
  event: { readonly type: string; readonly tags: readonly string[] },
): boolean {
  return query.some(
    ({ types = [], tags = [] }) =>
      (types.length === 0 || types.includes(event.type)) && tags.every((tag) => event.tags.includes(tag)),
  );
}

/** Tags of an item: a search joins as many indexes. */
const tagsMax = 60;
const itemsMax = 1_000;
const shape = 'An event query is a list of { types, tags }, both lists of well-formed strings';
const itemKeys = ['types', 'tags'] satisfies (keyof EventQueryItem)[];
/** Types and tags in all. */
const namesMax = 10_000;

/**
 * A copy of a query, each name once and in order: queries that say the same become the same.
 * @throws {EngineError} `request_invalid` for anything but a list of { types, tags }, or one that is too long;
 * `option_invalid` for another key.
 */
export function checkEventQuery(query: EventQuery): EventQuery {
  if (!Array.isArray(query)) throw invalid(shape);
  if (query.length > itemsMax) throw invalid(`An event query has ${query.length} items, at most ${itemsMax} are taken`);
  let nameCount = 0;
  const checked = (query as readonly EventQueryItem[]).map((item) => {
    if (typeof item !== 'object' || item === null) throw invalid(shape);
    checkKeys('an item of an event query', item, itemKeys);
    const [types, tags] = [distinctNames(item.types), distinctNames(item.tags)];
    if (tags.length > tagsMax)
      throw invalid(`An item of an event query has ${tags.length} tags, at most ${tagsMax} are taken`);
    nameCount += types.length + tags.length;
    return { types, tags };
  });
  if (nameCount > namesMax)
    throw invalid(`An event query has ${nameCount} types and tags, at most ${namesMax} are taken`);
  return checked;
}

function distinctNames(names: unknown): readonly string[] {
  if (names === undefined) return [];
  if (Array.isArray(names) && names.every((name) => typeof name === 'string' && name.isWellFormed()))
    return [...new Set<string>(names)].sort();
  throw invalid(shape);
}

function invalid(reason: string): EngineError {
  return new EngineError('request_invalid', { reason });
}
