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

/** @throws {EngineError} `request_invalid` for anything but a list of { types, tags }. */
export function checkEventQuery(query: EventQuery): void {
  const isNames = (names: unknown) =>
    names === undefined || (Array.isArray(names) && names.every((name) => typeof name === 'string'));
  const isItem = (item: unknown) =>
    typeof item === 'object' &&
    item !== null &&
    isNames((item as EventQueryItem).types) &&
    isNames((item as EventQueryItem).tags);
  if (Array.isArray(query) && query.every(isItem)) return;
  throw new EngineError('request_invalid', {
    reason: 'An event query is a list of { types, tags }, both lists of strings',
  });
}
