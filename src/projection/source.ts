/** Where the events of a consumer come from, and their types. */
import { whyUnread } from '../event/casts.ts';
import type { EventDeclarations, Pins } from '../event/casts.ts';
import type { RecordedFields } from '../event/codec.ts';
import { newestVersions } from '../event/event-versions.ts';
import { deletedType } from '../event/event.ts';
import type { Recorded } from '../event/event.ts';
import { splitStreamName } from '../event/names.ts';
import type { EventQuery } from '../event/query.ts';
import type { SchemaOutput, StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';
import type { UnknownPolicy } from './consumer.ts';

/** What defines events: an aggregate, or one of which older versions are wanted (`pinned`). */
export interface EventSource extends EventDeclarations {
  readonly kind: 'aggregate';
  /** All that is known of its events, where only older versions are wanted. */
  readonly whole?: EventDeclarations | undefined;
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
  /** Versions that are read instead of the newest. */
  readonly pins?: Pins | undefined;
  /** Also what this code does not know: `require` says so. */
  has(event: Pick<Recorded, 'type' | 'stream'>): boolean;
}

/** Types of events that a consumer takes, and how it takes what it does not know. */
export class SourceInterest implements Interest {
  readonly query: EventQuery;
  readonly types: readonly string[];
  readonly from: readonly EventSource[];
  /** Of each of its sources, all types: what a source declares as the newest version is what is read. */
  readonly pins: Pins;
  readonly #handled: ReadonlySet<string>;
  readonly #onUnknown: UnknownPolicy;

  /** @param handled types that are not ignored, tombstones among them where they are handled. */
  constructor(from: readonly EventSource[], handled: ReadonlySet<string>, onUnknown: UnknownPolicy) {
    this.from = from;
    this.#handled = handled;
    this.#onUnknown = onUnknown;
    this.pins = new Map(from.map(({ name, events }) => [name, newestVersions(events)]));
    const types = [...handled].filter((type) => type !== unknownKey);
    const retired = from.flatMap((source) => Object.keys(source.retired ?? {}));
    this.query = [{ types: [...new Set([...types, ...retired])].sort() }];
    // An older deployment, which does not know a version that is read here, steps aside.
    const versioned = [...this.pins.values()].flatMap((newest) =>
      [...newest].filter(([type, version]) => version > 1 && handled.has(type)),
    );
    this.types = [...new Set([...types, ...versioned.map(([type, version]) => `${type} ${version}`)])].sort();
  }

  has({ type, stream }: Pick<Recorded, 'type' | 'stream'>): boolean {
    const newest = this.pins.get(splitStreamName(stream).aggregate);
    if (newest === undefined) return false;
    if (type === deletedType || newest.has(type)) return this.#handled.has(type);
    return !type.startsWith('$');
  }

  /**
   * To be asked before an event is taken.
   * @throws {EngineError} `event_newer`, `event_undeclared`; why it could not be cast.
   */
  require(event: RecordedFields): void {
    const { type, schemaVersion, stream, version, aggregate } = event;
    const unread = whyUnread(event);
    if (unread !== undefined) throw unread;
    const known = this.pins.get(aggregate)?.get(type);
    if (known !== undefined && schemaVersion > known && this.#onUnknown !== 'raw')
      throw new EngineError('event_newer', { stream, version, type, schemaVersion, known });
    if (known === undefined && type !== deletedType && !this.#handled.has(unknownKey))
      throw new EngineError('event_undeclared', { stream, version, type });
  }
}

/** The handler of what no source declares. */
const unknownKey = '$unknown';

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
    if (!known.has(type) && type !== deletedType && type !== unknownKey)
      throw refuse(`on.${type} is no event of what it is from`);
  const handlers = [...given].filter(([, handler]) => handler !== 'ignore');
  if (handlers.length === 0) throw refuse('it ignores every event');
  return new Map(handlers as [string, Handler][]);
}

/** Who deals with an event that is of interest. */
export function handlerOf<Handler>(handlers: Handlers<Handler>, { type }: RecordedFields): Handler {
  return (handlers.get(type) ?? handlers.get(unknownKey)) as Handler;
}
