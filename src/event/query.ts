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
