/** What a migration says of each event, and what that is in bytes. */
import { Casts } from '../event/casts.ts';
import type { EventDeclarations } from '../event/casts.ts';
import { decodeEvent, reservedDraft, validValue, validated } from '../event/codec.ts';
import type { EventEncoder, EventSchemas, RecordedEvent, RecordedFields } from '../event/codec.ts';
import { DecodedEvent } from '../event/decoded-event.ts';
import type { Draft, EventMetadata, Recorded } from '../event/event.ts';
import { deletedType, sagaStepType } from '../event/event.ts';
import { versionsOf } from '../event/event-versions.ts';
import { checkStreamName, splitStreamName } from '../event/names.ts';
import { ownDraft } from '../event/recorded-draft.ts';
import type { StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError, describe } from '../ground/errors.ts';

/** An event as it is stored: of the version that it was recorded as, whatever versions there are by now. */
export type StoredEvent<Type extends string = string, Data = unknown> = Omit<RecordedFields<Type, Data>, 'recordedAs'>;

/** An event that stands where another one stood. `{ ...event, data }` is one, too. */
export interface MigratedEvent {
  /** One of the user's own, or `$deleted`, which ends its stream. */
  readonly type: string;
  /** JSON. */
  readonly data?: unknown;
  /** Default: the newest that is declared of its type; where none is, that of the old event if the type is the same, else 1. */
  readonly schemaVersion?: number;
  /** Default: those of the old event. */
  readonly tags?: readonly string[];
  /** Default: that of the old event. */
  readonly metadata?: EventMetadata;
  /** Default: that of the old event. In another stream it comes behind what is there by then. */
  readonly stream?: string;
}

export interface MigrationContext {
  /** The event as reading gives it: of the newest version that is declared, or as those that its type is read as. @throws {EngineError} `cast_failed` */
  newest(): readonly RecordedEvent[];
}

/** `'keep'`: byte for byte. */
export type MigratedTo = 'keep' | MigratedEvent;

/**
 * What becomes of an event: it is kept, changed, replaced by several in order, or left out (`null`, `[]`). Pure: it is called at least
 * twice for each event, and must say the same each time. Whatever it returns is recorded when the old event was.
 */
export type Migration<Event extends StoredEvent = StoredEvent> = (
  event: Event,
  context: MigrationContext,
) => MigratedTo | readonly MigratedTo[] | null;

/** An event on its way. */
export interface Moved {
  readonly stream: string;
  readonly draft: Draft;
}

export interface MigrationRules {
  readonly aggregates: readonly EventDeclarations[];
  readonly events: EventSchemas | undefined;
  readonly sagaSteps: boolean;
  /** Events that one may be replaced by, at most. */
  readonly eventsMax: number;
}

/** Keys that an event has and a migration cannot say, but may leave as they are. */
const fixed = ['version', 'position', 'recordedAt', 'aggregate', 'aggregateId'] as const;
/** Those of them that follow from what it says. */
const derived = ['kind', 'recordedAs'];
const sayable = ['type', 'data', 'schemaVersion', 'tags', 'metadata', 'stream'] satisfies (keyof MigratedEvent)[];
const known: ReadonlySet<string> = new Set([...fixed, ...derived, ...sayable]);

/** Asks a migration, and encodes what it says. */
export class Migrator {
  readonly #migrate: Migration;
  readonly #encoder: EventEncoder;
  readonly #sagaSteps: boolean;
  readonly #eventsMax: number;
  readonly #casts = new Casts();
  readonly #declared: ReadonlyMap<string, EventSchemas>;
  readonly #events: EventSchemas | undefined;

  /** @param encoder without schemas, under the limits of the target. */
  constructor(migrate: Migration, encoder: EventEncoder, { aggregates, events, sagaSteps, eventsMax }: MigrationRules) {
    this.#migrate = migrate;
    this.#encoder = encoder;
    this.#sagaSteps = sagaSteps;
    this.#eventsMax = eventsMax;
    this.#events = events;
    for (const one of aggregates) this.#casts.declare(one);
    if (events !== undefined) this.#casts.declare({ name: '', events });
    this.#declared = new Map(aggregates.map((one) => [one.name, schemasOf(one)]));
  }

  /** @throws {EngineError} `migration_failed` */
  async apply(recorded: Recorded): Promise<readonly Moved[]> {
    const keep = { stream: recorded.stream, draft: recorded };
    if (recorded.type === sagaStepType && !this.#sagaSteps) return [keep];
    const said = this.#ask(recorded);
    const moved: Moved[] = [];
    for (const [index, one] of said.entries()) {
      try {
        moved.push(one === 'keep' ? keep : await this.#encode(one, recorded));
      } catch (error) {
        const which = said.length === 1 ? '' : `event ${index + 1} of ${said.length}: `;
        throw failed(recorded, `${which}${error instanceof EngineError ? error.summary : describe(error)}`, error);
      }
    }
    return moved;
  }

  #ask(recorded: Recorded): readonly MigratedTo[] {
    let said: unknown;
    try {
      said = this.#migrate(decodeEvent(recorded), { newest: () => this.#newest(recorded) });
    } catch (error) {
      throw failed(recorded, `the function failed: ${describe(error)}`, error);
    }
    if (said === null) return [];
    if (said instanceof Promise) {
      // What becomes of it is nobody's concern.
      said.catch(() => {});
      throw failed(recorded, 'the function returned a promise');
    }
    if (said === undefined)
      throw failed(recorded, "the function returned undefined: 'keep' keeps an event, null leaves it out");
    if (Array.isArray(said) && said.length > this.#eventsMax)
      throw failed(recorded, `the function returned ${said.length} events, and eventsPerAppend is ${this.#eventsMax}`);
    // Checked one by one as they are encoded.
    return (Array.isArray(said) ? Array.from(said) : [said]) as readonly MigratedTo[];
  }

  #newest(recorded: Recorded): readonly RecordedEvent[] {
    const events: RecordedEvent[] = [];
    this.#casts.read(recorded, events);
    return events;
  }

  async #encode(given: MigratedEvent, recorded: Recorded): Promise<Moved> {
    const old = new DecodedEvent(recorded);
    checkGiven(given, old);
    const { type, data, tags = old.tags, metadata = old.metadata, schemaVersion, stream = old.stream } = { ...given };
    checkStreamName(stream);
    if ((type === sagaStepType) !== (recorded.type === sagaStepType))
      throw new TypeError('a step of a saga stays one, and nothing else becomes one');
    if (type === sagaStepType) return { stream, draft: reservedDraft(type, data, metadata) };
    const version = await this.#checked({ type, data }, schemaVersion, stream, recorded);
    // What the schema takes; not what it makes of it, for what is stored has been through it before.
    return { stream, draft: ownDraft(this.#encoder.encodeAs(version, { type, data, tags, metadata })) };
  }

  /** @returns the version that the data are of. */
  async #checked(
    { type, data }: MigratedEvent,
    schemaVersion: number | undefined,
    stream: string,
    old: Recorded,
  ): Promise<number> {
    if (type === deletedType) return 1;
    if (schemaVersion !== undefined && !(Number.isSafeInteger(schemaVersion) && schemaVersion >= 1))
      throw new TypeError(`its schemaVersion is ${describe(schemaVersion)}, expected an integer of at least 1`);
    const schemas = this.#declared.get(splitStreamName(stream).aggregate) ?? this.#events;
    if (schemas === undefined) return schemaVersion ?? (type === old.type ? old.schemaVersion : 1);
    const declared: StandardSchemaV1 | undefined = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
    if (declared === undefined) throw new EngineError('event_type_unknown', { type, known: Object.keys(schemas) });
    const versions = versionsOf(declared);
    const one = schemaVersion === undefined ? versions.at(-1) : versions.find((each) => each.version === schemaVersion);
    if (one === undefined) {
      const all = versions.map(({ version }) => version).join(', ');
      throw new TypeError(`schema version ${schemaVersion} of ${type} is not declared, only ${all}`);
    }
    const result = validated(one.schema, type, data);
    validValue(result instanceof Promise ? await result : result, type);
    return one.version;
  }
}

function checkGiven(given: MigratedEvent, old: DecodedEvent): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new TypeError(`what the function returned is neither 'keep' nor an event, but ${shown(given)}`);
  for (const key of Object.keys(given))
    if (!known.has(key)) throw new TypeError(`nobody looks at ${key}; an event has ${sayable.join(', ')}`);
  for (const key of fixed)
    if (key in given && (given as Partial<DecodedEvent>)[key] !== old[key])
      throw new TypeError(`${key} cannot be changed; an event has ${sayable.join(', ')}`);
}

function shown(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'a list' : (JSON.stringify(value) ?? String(value));
}

/** Types that are appended no more may still be written: as what they were. */
function schemasOf({ events, retired = {} }: EventDeclarations): EventSchemas {
  const old = Object.entries(retired).map(([type, { schema }]) => [type, schema] as const);
  return { ...Object.fromEntries(old), ...events };
}

function failed(
  { stream, version, position, type, schemaVersion }: Recorded,
  reason: string,
  cause?: unknown,
): EngineError {
  return new EngineError(
    'migration_failed',
    { stream, version, position, type, schemaVersion, reason },
    cause === undefined ? {} : { cause },
  );
}
