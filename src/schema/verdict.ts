/** What code declares, against what has been registered. Pure. */
import type { EventVersion } from '../event/event-versions.ts';
import { shapeOf } from '../event/json-schema.ts';
import { fingerprintOf } from '../event/schema-fingerprint.ts';
import { EngineError } from '../ground/errors.ts';
import { checkCompatibility } from './compatibility.ts';
import type { Compatibility, Verdict } from './compatibility.ts';
import { nameOf } from './declared.ts';
import type { DeclaredType } from './declared.ts';
import type { RegisteredSchema } from './registry.ts';
import { schemaChanges } from './schema-changes.ts';
import type { SchemaChange } from './schema-changes.ts';

export const compatibilities: readonly Compatibility[] = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
];

/** Which compatibility new versions must have. */
export interface CompatibilityOptions {
  /** Of all types but those named. Default `'NONE'`: what is stored is read through casts, so it need not be compatible as it is. */
  readonly compatibility?: Compatibility;
  /** By type, `OrderPlaced` or `order.OrderPlaced`. */
  readonly compatibilityOf?: Readonly<Record<string, Compatibility>>;
}

/** How one version of a type stands. */
export interface SchemaVerdict {
  readonly owner: string;
  readonly type: string;
  readonly version: number;
  /**
   * `registered`: as it was appended. `new`: nothing was appended as it yet. `changed`: it was appended with another schema.
   * `incompatible`: new, and not as compatible as is demanded. `opaque`: its library exports no JSON Schema, so nothing can be told.
   * `undeclared`: appended, and not declared any more, so its events cannot be read.
   */
  readonly kind: 'registered' | 'new' | 'changed' | 'incompatible' | 'opaque' | 'undeclared';
  readonly compatibility: Compatibility;
  readonly changes: readonly SchemaChange[];
  readonly problems: Verdict['problems'];
}

/** Of every version that is declared, and of those that were. */
export function schemaVerdicts(
  declared: readonly DeclaredType[],
  registered: readonly RegisteredSchema[],
  options: CompatibilityOptions,
): readonly SchemaVerdict[] {
  const owners = new Set(declared.map(({ owner }) => owner));
  const of = declared.flatMap((type) => {
    const own = registered.filter((one) => one.owner === type.owner && one.type === type.type);
    return type.versions.map((version) => verdictOf(type, version, own, compatibilityOf(type, options)));
  });
  const isDeclared = ({ owner, type, version }: RegisteredSchema) =>
    of.some((one) => one.owner === owner && one.type === type && one.version === version);
  // Of an aggregate that is not declared at all, others know.
  const gone = registered.filter((one) => owners.has(one.owner) && !isDeclared(one));
  return [
    ...of,
    ...gone.map(({ owner, type, version }) => ({ owner, type, version, kind: 'undeclared', ...nothing }) as const),
  ];
}

const nothing = { compatibility: 'NONE', changes: [], problems: [] } as const;

function verdictOf(
  { owner, type, retired }: DeclaredType,
  { version, schema }: EventVersion,
  registered: readonly RegisteredSchema[],
  compatibility: Compatibility,
): SchemaVerdict {
  const verdict = { owner, type, version, compatibility, changes: [], problems: [] };
  const shape = shapeOf(schema);
  const before = registered.find((one) => one.version === version);
  if (shape === undefined || before?.shape === null) return { ...verdict, kind: 'opaque' };
  if (before !== undefined) {
    if (before.fingerprint === fingerprintOf(shape)) return { ...verdict, kind: 'registered' };
    return { ...verdict, kind: 'changed', changes: changesBetween(before.shape, shape) };
  }
  const earlier = registered.flatMap((one) =>
    one.version < version && one.shape !== null ? [{ version: one.version, shape: one.shape }] : [],
  );
  if (retired || earlier.length === 0) return { ...verdict, kind: 'new' };
  const { compatible, problems } = checkCompatibility(compatibility, { version, shape }, earlier);
  return { ...verdict, kind: compatible ? 'new' : 'incompatible', problems };
}

/** Where only what it takes is another, that is said. */
function changesBetween(before: NonNullable<RegisteredSchema['shape']>, after: NonNullable<RegisteredSchema['shape']>) {
  const changes = schemaChanges(before.output, after.output);
  return changes.length > 0 ? changes : schemaChanges(before.input, after.input);
}

function compatibilityOf(type: DeclaredType, options: CompatibilityOptions): Compatibility {
  const { compatibility = 'NONE', compatibilityOf: byType = {} } = options;
  return byType[nameOf(type)] ?? byType[type.type] ?? compatibility;
}

/** @throws {EngineError} `schema_changed`, `schema_incompatible` */
export function requireSound(verdicts: readonly SchemaVerdict[]): void {
  for (const verdict of verdicts) {
    const { version: schemaVersion, kind, changes, problems, compatibility } = verdict;
    const type = nameOf(verdict);
    if (kind === 'changed') throw new EngineError('schema_changed', { type, schemaVersion, changes });
    if (kind === 'incompatible')
      throw new EngineError('schema_incompatible', { type, schemaVersion, compatibility, problems });
  }
}
