/** Between events as people write them and events as backends keep them. */
import { EngineError } from '../ground/errors.ts';
import type { InvalidIssue } from '../ground/errors.ts';
import type { LimitWatch } from '../ground/limits.ts';
import { DecodedEvent } from './decoded-event.ts';
import type { RecordedAs } from './decoded-event.ts';
import { bodyDigest } from './digests.ts';
import type { Draft, EventKind, EventMetadata, Recorded } from './event.ts';
import { deletedType, jsonEncoding } from './event.ts';
import { newestOf } from './event-versions.ts';
import type { EventVersion } from './event-versions.ts';
import { pathStep, toFaithfulJson } from './json.ts';
import { checkEventType, normalizeTags } from './names.ts';
import { validate } from './standard-schema.ts';
import type { SchemaInput, SchemaIssue, SchemaOutput, SchemaResult, StandardSchemaV1 } from './standard-schema.ts';
import { toSharedUtf8, utf8Length } from './bytes.ts';

/** Event types and their schemas (anything that implements Standard Schema). */
export type EventSchemas = Readonly<Record<string, StandardSchemaV1>>;

/** Ends a stream; it can be re-created by an append that expects `'deleted'`. */
export interface Tombstone {
  readonly type: typeof deletedType;
  /** For example the reason. Default null. */
  readonly data?: unknown;
  readonly metadata?: EventMetadata;
  readonly tags?: readonly string[];
}

/** An event to append. */
export type NewEvent<Schemas extends EventSchemas> =
  | Tombstone
  | {
      [Type in keyof Schemas & string]: {
        readonly type: Type;
        readonly data: SchemaInput<Schemas[Type]>;
        readonly metadata?: EventMetadata;
        /** For queries and conditions; stored as a sorted set; never encrypted, so not for personal data. */
        readonly tags?: readonly string[];
      };
    }[keyof Schemas & string];

/** What a fold may look at: all that stays the same wherever the event is kept, and is known before it is recorded. */
export interface PastEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  /** Of the version that the data are of: as it was recorded, or cast to. */
  readonly schemaVersion: number;
  readonly metadata: EventMetadata;
  readonly tags: readonly string[];
  /** `<aggregate>-<aggregateId>` */
  readonly stream: string;
  readonly aggregate: string;
  readonly aggregateId: string;
  /** Milliseconds since the epoch; never decreases along positions. */
  readonly recordedAt: number;
}

/** What the fold of one stream may look at. */
export interface StreamEvent<Type extends string = string, Data = unknown> extends PastEvent<Type, Data> {
  /** Place in the stream, 1 for the first. */
  readonly version: number;
  readonly kind: EventKind;
}

/** An event of one type that has happened, with its place. */
export interface RecordedFields<Type extends string = string, Data = unknown> extends StreamEvent<Type, Data> {
  /** Place in the store, 1 for the first, without gaps. */
  readonly position: number;
  /** The content address: 64 hexadecimal digits, computed when asked for (docs/reference/event-id.md). */
  readonly id: string;
  /** Only of what is read as an event of another type; several that one is read as share position, version and id. */
  readonly recordedAs?: RecordedAs;
}

/** An event that has happened. */
export type RecordedEvent<Schemas extends EventSchemas = EventSchemas> =
  | RecordedFields<typeof deletedType, unknown>
  | { [Type in keyof Schemas & string]: RecordedFields<Type, SchemaOutput<Schemas[Type]>> }[keyof Schemas & string];

/** An event to append, whatever its types. */
export interface UntypedEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly metadata?: EventMetadata;
  readonly tags?: readonly string[];
}

/** What goes with an event's data. */
type Envelope = Pick<Draft, 'type' | 'schemaVersion' | 'tags' | 'metadata'>;

const noBytes = new Uint8Array(0);
/** Shared by all, so frozen. */
const noTags: readonly string[] = Object.freeze([]);

/** Sees to it that a type is registered before its first event is appended: `Registration.of`. */
export interface TypeRegistration {
  /** A promise until it is. */
  register(type: string): Promise<void> | undefined;
}

/** Checks and encodes events for appending, as the newest version of their types. Without schemas any type and any JSON is taken. */
export class EventEncoder {
  readonly #newest: ReadonlyMap<string, EventVersion> | undefined;
  readonly #watch: LimitWatch;
  readonly #registration: TypeRegistration | undefined;

  constructor(schemas: EventSchemas | undefined, watch: LimitWatch, registration?: TypeRegistration) {
    for (const type of Object.keys(schemas ?? {})) checkEventType(type);
    this.#newest =
      schemas && new Map(Object.entries(schemas).map(([type, declared]) => [type, newestOf(declared)] as const));
    this.#watch = watch;
    this.#registration = registration;
  }

  /**
   * A promise only if a schema is asynchronous, or its type is still to be registered. What the caller changes meanwhile is not what is encoded, but for the
   * data themselves, which are the schema's until it has spoken.
   */
  encode(event: UntypedEvent): Draft | Promise<Draft> {
    const { type, data } = event;
    const newest = this.#newestOf(type);
    const tags = this.#tags(event.tags, type);
    const metadata = encodeMetadata(event.metadata);
    const envelope = { type, schemaVersion: newest?.version ?? 1, tags, metadata };
    if (newest === undefined) return this.#toDraft(envelope, type === deletedType ? (data ?? null) : data);
    const draft = this.#validated(newest.schema, envelope, data);
    return draft instanceof Promise ? draft.then((valid) => this.#registered(valid)) : this.#registered(draft);
  }

  /** Only what is valid, and so may be appended, has its schema registered. */
  #registered(draft: Draft): Draft | Promise<Draft> {
    const registered = this.#registration?.register(draft.type);
    return registered === undefined ? draft : registered.then(() => draft);
  }

  /**
   * @internal As a version of its type that somebody else has checked it against: its data are stored as they are.
   * @throws {EngineError} `name_invalid`, `data_unfaithful`, `limit_exceeded`
   */
  encodeAs(schemaVersion: number, { type, data, ...event }: UntypedEvent): Draft {
    if (type !== deletedType) checkEventType(type);
    const [tags, metadata] = [this.#tags(event.tags, type), encodeMetadata(event.metadata)];
    return this.#toDraft({ type, schemaVersion, tags, metadata }, type === deletedType ? (data ?? null) : data);
  }

  #validated(schema: StandardSchemaV1, envelope: Envelope, data: unknown): Draft | Promise<Draft> {
    const { type } = envelope;
    const result = validated(schema, type, data);
    if (result instanceof Promise) return result.then((settled) => this.#toDraft(envelope, validValue(settled, type)));
    return this.#toDraft(envelope, validValue(result, type));
  }

  /** @throws {EngineError} `event_type_unknown`, `name_invalid` */
  #newestOf(type: string): EventVersion | undefined {
    if (type === deletedType) return undefined;
    const newest = this.#newest?.get(type);
    if (this.#newest === undefined) checkEventType(type);
    else if (newest === undefined)
      throw new EngineError('event_type_unknown', { type: String(type), known: [...this.#newest.keys()] });
    return newest;
  }

  #toDraft({ type, schemaVersion, tags, metadata }: Envelope, value: unknown): Draft {
    const data = toSharedUtf8(toFaithfulJson(value, 'data'));
    this.#watch.refuseAbove('eventBytes', data.length + metadata.length, type);
    const body = { type, schemaVersion, encoding: jsonEncoding, tags, data, metadata };
    return { ...body, bodyDigest: bodyDigest(body) };
  }

  #tags(given: readonly string[] | undefined, type: string): readonly string[] {
    if (given === undefined || given.length === 0) return noTags;
    const tags = normalizeTags(given);
    this.#watch.refuseAbove('tagsPerEvent', tags.length, type);
    for (const tag of tags) this.#watch.refuseAbove('tagBytes', utf8Length(tag), type);
    return Object.freeze(tags);
  }
}

/**
 * @internal An event of a type of the engine's own, which no schema is asked about, and which may be longer than others: it may hold one.
 * @throws {EngineError} `data_unfaithful`
 */
export function reservedDraft(type: string, value: unknown, metadata: EventMetadata): Draft {
  const data = toSharedUtf8(toFaithfulJson(value, 'data'));
  const body = {
    type,
    schemaVersion: 1,
    encoding: jsonEncoding,
    tags: noTags,
    data,
    metadata: encodeMetadata(metadata),
  };
  return { ...body, bodyDigest: bodyDigest(body) };
}

function encodeMetadata(metadata: EventMetadata | undefined): Uint8Array {
  if (metadata === undefined) return noBytes;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
    throw new EngineError('data_unfaithful', { path: 'metadata', found: 'anything but an object' });
  }
  const json = toFaithfulJson(metadata, 'metadata');
  return json === '{}' ? noBytes : toSharedUtf8(json);
}

/** What a schema made of the data of an event. @throws {EngineError} `event_invalid` */
export function validValue(result: SchemaResult<unknown>, type: string): unknown {
  if (result.issues === undefined) return result.value;
  throw eventInvalid(type, result.issues.map(toInvalidIssue));
}

/** With its path from `data` on. */
export function toInvalidIssue({ message, path = [] }: SchemaIssue): InvalidIssue {
  return { path: `data${path.map((step) => pathStep(typeof step === 'object' ? step.key : step)).join('')}`, message };
}

/** @internal What a schema says of the data of an event. @throws {EngineError} `event_invalid` if it fails, rather than to say something. */
export function validated(
  schema: StandardSchemaV1,
  type: string,
  data: unknown,
): SchemaResult<unknown> | Promise<SchemaResult<unknown>> {
  return validate(schema, data, (reason, cause) => eventInvalid(type, [{ path: 'data', message: reason }], cause));
}

function eventInvalid(type: string, issues: readonly InvalidIssue[], cause?: unknown): EngineError {
  return new EngineError('event_invalid', { type, issues }, cause === undefined ? {} : { cause });
}

/** An event as it is stored, whatever versions of its type there are. The one boundary where stored bytes are taken to have the types declared for them. */
export function decodeEvent<Schemas extends EventSchemas>(recorded: Recorded): RecordedEvent<Schemas> {
  return new DecodedEvent(recorded) as unknown as RecordedEvent<Schemas>;
}
