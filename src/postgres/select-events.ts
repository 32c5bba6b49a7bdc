import type { EventQuery } from '../event/query.ts';
import type { Position, ReadQuery } from '../store/port.ts';

export const eventColumns =
  'position, stream, version, type, schema_version, encoding, recorded_at, tags, body_digest, metadata, data';

/** Positions after the first up to and with the second. */
export interface Range {
  readonly after: Position;
  readonly until: Position;
}

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The next `count` events of a query in a range. */
export function selectEvents(schema: string, query: ReadQuery, { after, until }: Range, count: number): Statement {
  const { stream, match, backwards = false, afterVersion = 0, untilVersion = Infinity } = query;
  const values: unknown[] = [after, until, count];
  const add = (value: unknown): string => `$${values.push(value)}`;
  const conditions = ['position > $1', 'position <= $2'];
  if (stream !== undefined) {
    conditions.push(`stream = ${add(stream)}`);
    if (afterVersion > 0) conditions.push(`version > ${add(afterVersion)}`);
    if (untilVersion < Infinity) conditions.push(`version <= ${add(untilVersion)}`);
    if (match !== undefined) conditions.push(matchCondition(match, add));
  } else if (match !== undefined) {
    const search = `${schema}.search(${add(queryJson(match))}, $1, $2, ${add(backwards)}, $3)`;
    conditions.push(`position = any (array(select ${search}))`);
  } else {
    // Positions have no gaps: a range instead of a limit, which a plan might come to only after sorting all the rest.
    conditions.push(backwards ? 'position > $2 - $3' : 'position <= $1 + $3');
  }
  const order = `${stream === undefined ? 'position' : 'version'} ${backwards ? 'desc' : 'asc'}`;
  const text = `select ${eventColumns} from ${schema}.events where ${conditions.join(' and ')} order by ${order} limit $3`;
  return { text, values };
}

/** For the events of one stream, which are few: they are looked at one by one. */
function matchCondition(match: EventQuery, add: (value: unknown) => string): string {
  const items = possibleItems(match).map(({ types, tags }) => {
    const conditions = ['true'];
    if (types.length > 0) conditions.push(`type = any (${add(types)})`);
    if (tags.length > 0) conditions.push(`tags @> ${add(tags)}::text[]`);
    return conditions.join(' and ');
  });
  return `(${['false', ...items].join(' or ')})`;
}

/** As the function `search` takes it. */
export function queryJson(query: EventQuery): string {
  return JSON.stringify(possibleItems(query));
}

interface Item {
  readonly types: readonly string[];
  readonly tags: readonly string[];
}

/** Without what can match nothing: a name that holds NUL is not even text for PostgreSQL. */
function possibleItems(query: EventQuery): readonly Item[] {
  return query.flatMap(({ types = [], tags = [] }) => {
    const possible = types.filter((type) => !type.includes('\0'));
    const isImpossible = (types.length > 0 && possible.length === 0) || tags.some((tag) => tag.includes('\0'));
    return isImpossible ? [] : [{ types: possible, tags }];
  });
}
