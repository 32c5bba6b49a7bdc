/** The versions of one type of event, each with its schema, and how data of one become data of its neighbours. */
import { EngineError } from '../ground/errors.ts';
import type { PastEvent } from './codec.ts';
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from './standard-schema.ts';

/** What a cast may look at, besides the data: the event as it was recorded, with them. */
export type CastContext = Omit<PastEvent, 'data'>;

/** Pure functions between the data of neighbouring versions. */
export interface EventCasts<Before, After> {
  /** Data of the version before, as data of this one. */
  readonly up: (data: Before, event: CastContext) => After;
  /** Data of this version, as data of the one before: for those who are pinned to it. */
  readonly down?: (data: After, event: CastContext) => Before;
}

export type AnyCast = (data: unknown, event: CastContext) => unknown;

/** One version of a type of event. */
export interface EventVersion {
  readonly version: number;
  readonly schema: StandardSchemaV1;
  /** From the version before; of the first there is none. */
  readonly up?: AnyCast | undefined;
  readonly down?: AnyCast | undefined;
}

/** The schema of one version; of versions that do not begin with 1, nobody can say at compile time. */
export type SchemaAt<Declared extends StandardSchemaV1, Version> =
  Declared extends EventVersions<infer Schemas>
    ? Version extends keyof [never, ...Schemas]
      ? [never, ...Schemas][Version] extends infer Schema extends StandardSchemaV1
        ? Schema
        : StandardSchemaV1
      : StandardSchemaV1
    : Declared;

type Last<Schemas extends readonly StandardSchemaV1[]> = Schemas extends readonly [
  ...unknown[],
  infer Schema extends StandardSchemaV1,
]
  ? Schema
  : never;

/** A type of event that has had several versions. It is the schema of the newest. */
export interface EventVersions<
  Schemas extends readonly StandardSchemaV1[] = readonly StandardSchemaV1[],
> extends StandardSchemaV1<SchemaInput<Last<Schemas>>, SchemaOutput<Last<Schemas>>> {
  /** In order, without gaps. */
  readonly versions: readonly EventVersion[];
  /** @internal Carries the types. */
  readonly schemas?: Schemas;
  /**
   * The next version: what is appended from now on.
   * @throws {EngineError} `definition_invalid`
   */
  next<const Schema extends StandardSchemaV1>(
    schema: Schema,
    casts: EventCasts<SchemaOutput<Last<Schemas>>, SchemaOutput<Schema>>,
  ): EventVersions<readonly [...Schemas, Schema]>;
}

/**
 * The first version of a type of event; `.next(schema, { up, down })` adds each further one. A schema that stands alone is version 1.
 * @param options.first its number, where older ones are gone from the store. Default 1.
 * @throws {EngineError} `definition_invalid`
 */
export function versions<const Schema extends StandardSchemaV1>(schema: Schema): EventVersions<readonly [Schema]>;
export function versions<const Schema extends StandardSchemaV1>(
  schema: Schema,
  options: { readonly first: number },
): EventVersions<readonly [...StandardSchemaV1[], Schema]>;
export function versions(schema: StandardSchemaV1, { first = 1 }: { readonly first?: number } = {}): EventVersions {
  if (!Number.isSafeInteger(first) || first < 1) throw invalid('`first` is an integer of at least 1');
  return chain([{ version: first, schema: checked(schema) }]);
}

/** The one place where the types of versions are set aside: from here on they are looked up by number. */
function chain(all: readonly EventVersion[]): EventVersions {
  const newest = all.at(-1) as EventVersion;
  const chained: Pick<EventVersions<readonly [StandardSchemaV1]>, '~standard' | 'versions'> & {
    readonly next: unknown;
  } = {
    '~standard': newest.schema['~standard'],
    versions: all,
    next: (schema: StandardSchemaV1, casts: { readonly up?: AnyCast; readonly down?: AnyCast }) => {
      const version = newest.version + 1;
      const { up, down } = casts ?? {};
      if (typeof up !== 'function')
        throw invalid(`version ${version} has no \`up\`, so older events cannot be read as it`);
      if (down !== undefined && typeof down !== 'function')
        throw invalid(`\`down\` of version ${version} is no function`);
      return chain([...all, { version, schema: checked(schema), up, down }]);
    },
  };
  return chained as unknown as EventVersions;
}

function checked(schema: StandardSchemaV1): StandardSchemaV1 {
  if (typeof schema?.['~standard']?.validate !== 'function') throw invalid('what is given is no schema');
  return schema;
}

function invalid(reason: string): EngineError {
  return new EngineError('definition_invalid', { name: 'versions', reason });
}

/** What is declared of a type, as if a version of it were the newest. @throws {EngineError} `definition_invalid` */
export function atVersion(declared: StandardSchemaV1, version: number): EventVersions {
  const all = versionsOf(declared);
  const wanted = all.filter((one) => one.version <= version);
  if (wanted.at(-1)?.version !== version) throw invalid(`there is no version ${version}`);
  const uncast = all.find((one) => one.version > version && one.down === undefined);
  if (uncast !== undefined)
    throw invalid(`version ${uncast.version} has no \`down\`, so its events cannot be read as version ${version}`);
  return chain(wanted);
}

/** All versions of what is declared of a type: a schema alone is version 1. */
export function versionsOf(declared: StandardSchemaV1): readonly EventVersion[] {
  const { versions: all } = declared as Partial<EventVersions>;
  return Array.isArray(all) ? (all as readonly EventVersion[]) : [{ version: 1, schema: declared }];
}

/** The version that is appended, and that reading gives. */
export function newestOf(declared: StandardSchemaV1): EventVersion {
  return versionsOf(declared).at(-1) as EventVersion;
}

/** By type. */
export function newestVersions(events: Readonly<Record<string, StandardSchemaV1>>): ReadonlyMap<string, number> {
  return new Map(Object.entries(events).map(([type, declared]) => [type, newestOf(declared).version]));
}

/** @throws {EngineError} `event_newer`: what newer code has appended, this one cannot fold. */
export function requireKnown(
  newest: ReadonlyMap<string, number>,
  event: PastEvent & { readonly version?: number },
): void {
  const { type, schemaVersion, stream, version = 0 } = event;
  const known = newest.get(type);
  if (known !== undefined && schemaVersion > known)
    throw new EngineError('event_newer', { stream, version, type, schemaVersion, known });
}
