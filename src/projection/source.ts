/** Where the events of a consumer come from, and their types. */
import type { EventSchemas, RecordedFields } from '../event/codec.ts';
import { deletedType } from '../event/event.ts';
import type { Recorded } from '../event/event.ts';
import { splitStreamName } from '../event/names.ts';
import type { EventQuery } from '../event/query.ts';
import type { SchemaOutput, StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';

/** What defines events: an aggregate. */
export interface EventSource {
  readonly kind: 'aggregate';
  readonly name: string;
  readonly events: EventSchemas;
}

type SchemasOf<From extends readonly EventSource[]> = From[number]['events'];
type KeyOfAny<Schemas> = Schemas extends unknown ? keyof Schemas & string : never;
type OutputAt<Schemas, Type extends string> = Schemas extends unknown
  ? Type extends keyof Schemas
    ? Schemas[Type] extends StandardSchemaV1
      ? SchemaOutput<Schemas[Type]>
      : never
    : never
  : never;

/** The types of all events of some sources. */
export type TypeOf<From extends readonly EventSource[]> = KeyOfAny<SchemasOf<From>>;

/** An event of one type, of whichever of the sources. */
export type EventFrom<From extends readonly EventSource[], Type extends TypeOf<From>> = RecordedFields<
  Type,
  OutputAt<SchemasOf<From>, Type>
>;

/** The tombstone of a stream. */
export type DeletedEvent = RecordedFields<typeof deletedType, unknown>;

/** Any event of some sources. */
export type AnyEventFrom<From extends readonly EventSource[]> =
  | { readonly [Type in TypeOf<From>]: EventFrom<From, Type> }[TypeOf<From>]
  | DeletedEvent;

/** Which events a consumer is for: by the aggregate of their streams, and by type. */
export interface Interest {
  /** In the terms of the log, which knows nothing of aggregates: matches all that is meant, and perhaps more. */
  readonly query: EventQuery;
  /** In order. */
  readonly types: readonly string[];
  readonly from: readonly EventSource[];
  has(event: Pick<Recorded, 'type' | 'stream'>): boolean;
}

/** @param handled types that are not ignored, tombstones among them where they are handled. */
export function interestIn(from: readonly EventSource[], handled: ReadonlySet<string>): Interest {
  const typesOf = new Map(
    from.map(({ name, events }) => {
      const own = [...Object.keys(events), deletedType].filter((type) => handled.has(type));
      return [name, new Set(own)];
    }),
  );
  const types = [...handled].sort();
  return {
    query: [{ types }],
    types,
    from,
    has: ({ type, stream }) => typesOf.get(splitStreamName(stream).aggregate)?.has(type) === true,
  };
}

/** What is declared for each type: a function, or that it is ignored. */
export type Handlers<Handler> = ReadonlyMap<string, Handler>;

/**
 * The functions of `on`, without what is ignored. Every type of the sources must be there.
 * @throws {EngineError} `definition_invalid`
 */
export function handlersOf<Handler>(name: string, from: readonly EventSource[], on: object): Handlers<Handler> {
  const refuse = (reason: string) => new EngineError('definition_invalid', { name, reason });
  if (!Array.isArray(from) || from.length === 0 || from.some((source) => source?.kind !== 'aggregate'))
    throw refuse('`from` is a list of at least one aggregate');
  const known = new Set(from.flatMap(({ events }) => Object.keys(events)));
  const given = new Map<string, unknown>(Object.entries(on));
  for (const type of known) {
    const handler = given.get(type);
    if (handler !== 'ignore' && typeof handler !== 'function')
      throw refuse(`on.${type} is neither a function nor 'ignore'`);
  }
  for (const type of given.keys())
    if (!known.has(type) && type !== deletedType) throw refuse(`on.${type} is no event of what it is from`);
  const handlers = [...given].filter(([, handler]) => handler !== 'ignore');
  if (handlers.length === 0) throw refuse('it ignores every event');
  return new Map(handlers as [string, Handler][]);
}
