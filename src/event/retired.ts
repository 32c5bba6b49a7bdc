/** Types of events that are appended no more: renamed, split into several, or merged into one. */
import type { EventSchemas } from './codec.ts';
import type { CastContext } from './event-versions.ts';
import type { SchemaOutput, StandardSchemaV1 } from './standard-schema.ts';

/** An event that a stored one is read as. */
type ReadAs<Events extends EventSchemas> = {
  [Type in keyof Events & string]: { readonly type: Type; readonly data: SchemaOutput<Events[Type]> };
}[keyof Events & string];

/** What becomes of a type of event that is appended no more. */
export interface RetiredEvent<Schema extends StandardSchemaV1, Events extends EventSchemas> {
  /** Of its data; `versions(…)` where there were several. */
  readonly schema: Schema;
  /** What it is read as: one event, or several in order; of the newest version of their types. Pure. */
  readonly as: (data: SchemaOutput<Schema>, event: CastContext) => ReadAs<Events> | readonly ReadAs<Events>[];
}

export type AnyRetired = (data: unknown, event: CastContext) => unknown;

export type RetiredEvents = Readonly<Record<string, { readonly schema: StandardSchemaV1; readonly as: AnyRetired }>>;
