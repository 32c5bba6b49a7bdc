/** The types of events that code declares, with all their versions. */
import type { EventDeclarations } from '../event/casts.ts';
import { versionsOf } from '../event/event-versions.ts';
import type { EventVersion } from '../event/event-versions.ts';
import type { StandardSchemaV1 } from '../event/standard-schema.ts';

export interface DeclaredType {
  /** The aggregate in whose streams it is; empty: of no aggregate. */
  readonly owner: string;
  readonly type: string;
  /** As it was declared. */
  readonly schema: StandardSchemaV1;
  /** In order. The newest is what is appended, unless it is retired. */
  readonly versions: readonly EventVersion[];
  /** Whether it is read as other types, and appended no more. */
  readonly retired: boolean;
}

/**
 * What aggregates declare, and what others, such as decisions, add to it.
 * @param others whose events are mostly those of aggregates: which of them, their schemas say.
 */
export function declaredTypes(
  aggregates: readonly EventDeclarations[],
  others: readonly Pick<EventDeclarations, 'events'>[],
): readonly DeclaredType[] {
  const own = aggregates.flatMap(({ name: owner, events, retired = {} }) => [
    ...Object.entries(events).map(([type, schema]) => typeOf(owner, type, schema, false)),
    ...Object.entries(retired).map(([type, { schema }]) => typeOf(owner, type, schema, true)),
  ]);
  const known = new Set(aggregates.flatMap(({ events }) => Object.values(events)));
  const further = new Map<string, DeclaredType>();
  for (const { events } of others)
    for (const [type, schema] of Object.entries(events))
      if (!known.has(schema)) further.set(type, typeOf('', type, schema, false));
  return [...own, ...further.values()];
}

function typeOf(owner: string, type: string, schema: StandardSchemaV1, retired: boolean): DeclaredType {
  return { owner, type, schema, versions: versionsOf(schema), retired };
}

/** For people: `order.OrderPlaced`. */
export function nameOf({ owner, type }: Pick<DeclaredType, 'owner' | 'type'>): string {
  return owner === '' ? type : `${owner}.${type}`;
}
