/** How stored events are read: as the newest version of their type that is declared, or as one that somebody is pinned to. */
import { EngineError, describe } from '../ground/errors.ts';
import type { EventSchemas, RecordedEvent } from './codec.ts';
import { DecodedEvent, typed } from './decoded-event.ts';
import { eventKind } from './event.ts';
import type { Recorded } from './event.ts';
import { versionsOf } from './event-versions.ts';
import type { AnyCast, EventVersion } from './event-versions.ts';
import type { EventQuery } from './query.ts';
import type { AnyRetired, RetiredEvents } from './retired.ts';
import type { StandardSchemaV1 } from './standard-schema.ts';

/** Who declares events: an aggregate, of its streams. */
export interface EventDeclarations {
  /** Of the aggregate; empty: of whatever streams no aggregate declares. */
  readonly name: string;
  readonly events: EventSchemas;
  readonly retired?: RetiredEvents | undefined;
}

/** Which versions somebody wants that are not the newest: by aggregate, and by type. */
export type Pins = ReadonlyMap<string, ReadonlyMap<string, number>>;

const unread = new WeakMap<object, unknown>();

/** Why an event could not be cast, if it could not. */
export function whyUnread(event: object): unknown {
  return unread.get(event);
}

/** All that is declared, put together. It is asked for every event that is read. */
export class Casts {
  /** By type; mostly one aggregate declares it. */
  readonly #byType = new Map<string, TypeCasts[]>();
  readonly #retired = new Set<string>();

  /** Of two declarations of one type the one that knows more versions counts. */
  declare({ name, events, retired = {} }: EventDeclarations): void {
    for (const [type, schema] of Object.entries(events)) this.#add(new TypeCasts(name, type, schema));
    for (const [type, { schema, as }] of Object.entries(retired)) {
      this.#add(new TypeCasts(name, type, schema, as));
      this.#retired.add(type);
    }
  }

  #add(casts: TypeCasts): void {
    const known = this.#byType.get(casts.type) ?? [];
    const before = known.findIndex(({ owner }) => owner === casts.owner);
    if (before === -1) known.push(casts);
    else if ((known[before] as TypeCasts).newest < casts.newest) known[before] = casts;
    this.#byType.set(casts.type, known);
  }

  /** A query that matches also what is read as events that it matches. */
  widened(query: EventQuery): EventQuery {
    if (this.#retired.size === 0) return query;
    return query.map(({ types = [], tags = [] }) => ({
      types: types.length === 0 ? types : [...new Set([...types, ...this.#retired])].sort(),
      tags,
    }));
  }

  /** The events that a page is read as. One whose type is not declared, or whose version is not known yet, is read as it is. @throws {EngineError} `cast_failed` */
  readAll(page: readonly Recorded[], pins?: Pins): RecordedEvent[] {
    const events: RecordedEvent[] = [];
    for (const recorded of page) this.read(recorded, events, pins);
    return events;
  }

  /** Adds what a stored event is read as; one that cannot be cast as it is stored: `whyUnread` says so. */
  readOrMark(recorded: Recorded, into: RecordedEvent[], pins: Pins | undefined): void {
    const before = into.length;
    try {
      this.read(recorded, into, pins);
    } catch (error) {
      const event = new DecodedEvent(recorded);
      unread.set(event, error);
      into.splice(before, Infinity, typed(event));
    }
  }

  /** Whether somebody declares a type, of whatever aggregate. */
  declares(type: string): boolean {
    return this.#byType.has(type);
  }

  /** Whether a type is read as others in the streams of an aggregate. */
  isRetired(type: string, aggregate: string): boolean {
    return this.#retired.has(type) && this.#castsOf(type, aggregate)?.as !== undefined;
  }

  /** The newest version of a type that is known in the streams of an aggregate. */
  newest(type: string, aggregate: string): number | undefined {
    return this.#castsOf(type, aggregate)?.newest;
  }

  /** The schema of that version. */
  newestSchema(type: string, aggregate: string): StandardSchemaV1 | undefined {
    return this.#castsOf(type, aggregate)?.newestSchema;
  }

  /** Adds what a stored event is read as. @throws {EngineError} `cast_failed` */
  read(recorded: Recorded, into: RecordedEvent[], pins?: Pins): void {
    const event = new DecodedEvent(recorded);
    const casts = this.#castsOf(event.type, event.aggregate);
    if (casts === undefined || event.schemaVersion > casts.newest) into.push(typed(event));
    else if (casts.as === undefined) into.push(typed(casts.cast(event, casts.wanted(pins))));
    else for (const part of this.#parts(recorded, event, casts, casts.as)) into.push(typed(part.cast(pins)));
  }

  #castsOf(type: string, aggregate: string): TypeCasts | undefined {
    const known = this.#byType.get(type);
    if (known === undefined) return undefined;
    const first = known[0] as TypeCasts;
    if (first.owner === aggregate) return first;
    return known.find(({ owner }) => owner === aggregate) ?? known.find(({ owner }) => owner === '');
  }

  *#parts(recorded: Recorded, event: DecodedEvent, casts: TypeCasts, as: AnyRetired) {
    const { data: last } = casts.cast(event, casts.newest);
    const readAs = called(event, () => given(event, as(last, event)));
    const list = (Array.isArray(readAs) ? readAs : [readAs]) as readonly ({
      readonly type: string;
      readonly data: unknown;
    } | null)[];
    if (list.length === 0) throw failed(event, 'it is read as no event, but its place in the stream must stay taken');
    for (const [index, one] of list.entries()) {
      const { type, data } = one ?? {};
      if (typeof type !== 'string' || data === undefined)
        throw failed(event, 'what it is read as is no event with a type and data');
      const target = this.#castsOf(type, event.aggregate);
      if (target === undefined || target.as !== undefined)
        throw failed(event, `it is read as ${type}, which is not declared`);
      const part = new DecodedEvent(recorded);
      Object.assign(part, { type, data, schemaVersion: target.newest, kind: eventKind(type, part.version) });
      Object.assign(part, { recordedAs: { type: event.type, index, of: list.length } });
      yield { cast: (pins: Pins | undefined) => target.cast(part, target.wanted(pins)) };
    }
  }
}

/** The versions of one type in the streams of one aggregate. */
class TypeCasts {
  readonly owner: string;
  readonly type: string;
  readonly newest: number;
  readonly newestSchema: StandardSchemaV1;
  readonly as: AnyRetired | undefined;
  readonly #versions: readonly EventVersion[];
  readonly #first: number;
  /** Put together once, by where they lead from and to. */
  readonly #chains = new Map<number, Map<number, readonly AnyCast[]>>();

  constructor(owner: string, type: string, schema: StandardSchemaV1, as?: AnyRetired) {
    this.owner = owner;
    this.type = type;
    this.as = as;
    this.#versions = versionsOf(schema);
    const [first, newest] = [this.#versions[0], this.#versions.at(-1)] as [EventVersion, EventVersion];
    this.#first = first.version;
    this.newest = newest.version;
    this.newestSchema = newest.schema;
  }

  wanted(pins: Pins | undefined): number {
    return pins?.get(this.owner)?.get(this.type) ?? this.newest;
  }

  /** @throws {EngineError} `cast_failed` */
  cast(event: DecodedEvent, to: number): DecodedEvent {
    const from = event.schemaVersion;
    if (from === to) return event;
    const chain = this.#chains.get(from)?.get(to) ?? this.#chain(event, from, to);
    event.data = called(event, () => {
      let { data } = event;
      for (const cast of chain) data = given(event, cast(data, event));
      return data;
    });
    event.schemaVersion = to;
    return event;
  }

  #chain(event: DecodedEvent, from: number, to: number): readonly AnyCast[] {
    if (from < this.#first)
      throw failed(event, `its version ${from} is not declared any more, only ${this.#first} and later`);
    const steps = stepsOf(this.#versions, from, to);
    const missing = steps.find(({ cast }) => cast === undefined);
    if (missing !== undefined) throw failed(event, `version ${missing.version} has no \`down\``);
    const chain = steps.map(({ cast }) => cast as AnyCast);
    const fromHere = this.#chains.get(from) ?? new Map<number, readonly AnyCast[]>();
    this.#chains.set(from, fromHere.set(to, chain));
    return chain;
  }
}

/** The casts that lead from one version to another. */
function stepsOf(
  versions: readonly EventVersion[],
  from: number,
  to: number,
): readonly { readonly version: number; readonly cast: AnyCast | undefined }[] {
  const between = versions.filter(({ version }) => version > Math.min(from, to) && version <= Math.max(from, to));
  if (from < to) return between.map(({ version, up }) => ({ version, cast: up }));
  return between.reverse().map(({ version, down }) => ({ version, cast: down }));
}

/** @throws {EngineError} `cast_failed` */
function called<Result>(event: DecodedEvent, cast: () => Result): Result {
  try {
    return cast();
  } catch (error) {
    throw error instanceof EngineError ? error : failed(event, describe(error), error);
  }
}

/** What a cast returned: looked at before the next one of its chain may make something of it. @throws {EngineError} `cast_failed` */
function given(event: DecodedEvent, result: unknown): unknown {
  if (result === undefined) throw failed(event, 'the cast returned undefined');
  if (result instanceof Promise) throw failed(event, 'the cast returned a promise');
  return result;
}

function failed(
  { stream, version, position, type, schemaVersion }: DecodedEvent,
  reason: string,
  cause?: unknown,
): EngineError {
  const details = { stream, version, position, type, schemaVersion, reason };
  return new EngineError('cast_failed', details, cause === undefined ? {} : { cause });
}
