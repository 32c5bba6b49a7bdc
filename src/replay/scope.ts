import type { RecordedEvent } from '../event/codec.ts';
import { checkEventQuery, matches } from '../event/query.ts';
import type { EventQuery } from '../event/query.ts';
import { checkKeys, optionInvalid } from '../ground/check-options.ts';
import type { AnyProjection } from '../projection/projection.ts';
import { checkStreamNames } from '../store/read-query.ts';
import type { About } from './about.ts';
import { foldFailed } from './documents.ts';
import type { Selection } from './options.ts';
import type { Named, Scope } from './timeline.ts';

const selectKeys = ['types', 'tags', 'streams', 'where'] satisfies (keyof Selection)[];

/** Which events a subject is about. */
export function scopeOf(about: About): Scope {
  switch (about.kind) {
    case 'instance':
      return { range: { stream: about.boundary.stream } };
    case 'aggregate': {
      // Not by type: one that the aggregate does not declare must not go unnoticed.
      const prefix = `${about.aggregate.name}-`;
      return { range: {}, has: ({ stream }) => stream.startsWith(prefix) };
    }
    case 'documents':
      return { range: {}, wanted: about.projection.interest };
    case 'document':
      return { range: {}, wanted: about.projection.interest, where: concerning(about.projection, about.key) };
    case 'fold':
    case 'events':
      return { range: about.range };
    default:
      return about satisfies never;
  }
}

/** @throws {EngineError} `fold_failed` for an event that has no keys. */
function concerning(projection: AnyProjection, key: string): (event: RecordedEvent) => boolean {
  return (event) => {
    try {
      return projection.keysOf(event).includes(key);
    } catch (error) {
      throw foldFailed(projection.name, event, error);
    }
  };
}

/** Of these events those that are selected. @throws {EngineError} `option_invalid`, `request_invalid`, `name_invalid` */
export function selected(scope: Scope, selection: Selection): Scope {
  checkKeys('select', selection, selectKeys);
  const { types, tags, streams, where } = selection;
  if (where !== undefined && typeof where !== 'function') throw optionInvalid('select.where', where, 'a function');
  const match = checkEventQuery([{ types, tags }]);
  const names = streams && new Set(checkStreamNames(streams));
  const isSelected = (event: Named) => (names === undefined || names.has(event.stream)) && matches(match, event);
  const isMeant = conjunction(scope.has, isSelected);
  const rest = { range: scope.range, where: conjunction(scope.where, where) };
  const [only] = streams ?? [];
  if (streams?.length === 1 && only !== undefined && scope.range.stream === undefined) {
    const { wanted } = scope;
    const has = wanted === undefined ? isMeant : conjunction((event) => wanted.has(event), isMeant);
    return { ...rest, range: { ...scope.range, stream: only }, has, pins: wanted?.pins };
  }
  const wanted = wantedOf(scope, match, isMeant);
  return wanted === undefined ? { ...rest, has: isMeant } : { ...rest, wanted };
}

/** What an index may lead to: by type and tag, where there is no range to keep to. */
function wantedOf({ range, wanted }: Scope, match: EventQuery, isMeant: (event: Named) => boolean): Scope['wanted'] {
  if (wanted !== undefined) {
    const [{ types = [], tags = [] } = {}] = match;
    const query = wanted.query.map((item) => {
      const both = item.types?.filter((type) => types.includes(type)) ?? [];
      // An item without types would be about all of them.
      return { types: both.length > 0 ? both : item.types, tags };
    });
    return { query, has: conjunction((event) => wanted.has(event), isMeant), pins: wanted.pins };
  }
  const isNarrow = match.some(({ types = [], tags = [] }) => types.length + tags.length > 0);
  return isNarrow && Object.keys(range).length === 0 ? { query: match, has: isMeant } : undefined;
}

function conjunction<Value>(
  first: ((value: Value) => boolean) | undefined,
  second: (value: Value) => boolean,
): (value: Value) => boolean;
function conjunction<Value>(
  first: ((value: Value) => boolean) | undefined,
  second: ((value: Value) => boolean) | undefined,
): ((value: Value) => boolean) | undefined;
function conjunction<Value>(
  first: ((value: Value) => boolean) | undefined,
  second: ((value: Value) => boolean) | undefined,
): ((value: Value) => boolean) | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (value) => first(value) && second(value);
}
