/** The schemas that events were appended with: each version of each type, from before its first event on. */
import type { TypeRegistration } from '../event/codec.ts';
import type { EventVersion } from '../event/event-versions.ts';
import type { Json } from '../event/json.ts';
import { shapeOf } from '../event/json-schema.ts';
import { fingerprintOf } from '../event/schema-fingerprint.ts';
import type { SchemaShape } from '../event/json-schema.ts';
import { EngineError, hasCode } from '../ground/errors.ts';
import type { Document, StateStore } from '../store/state-port.ts';
import { nameOf } from './declared.ts';
import type { DeclaredType } from './declared.ts';
import { schemaChanges } from './schema-changes.ts';

const schemasCollection = '$schemas';

/** A version of a type, as it was first appended. */
export interface RegisteredSchema {
  /** The aggregate in whose streams it is; empty: of no aggregate. */
  readonly owner: string;
  readonly type: string;
  readonly version: number;
  /** The library that made the schema. */
  readonly vendor: string;
  /** What it takes and what it gives, as JSON Schema; null where its library exports none. */
  readonly shape: SchemaShape | null;
  /** SHA-256 over what of that matters, 64 hexadecimal digits; null where there is none. */
  readonly fingerprint: string | null;
  /** In ms since the epoch. */
  readonly registeredAt: number;
}

const pageSize = 1_000;

export class SchemaRegistry {
  readonly #state: StateStore;
  readonly #now: () => number;

  constructor(state: StateStore, now: () => number) {
    this.#state = state;
    this.#now = now;
  }

  /** All that is registered, by owner, type and version. A store to which nothing was ever appended has none. */
  async all(): Promise<readonly RegisteredSchema[]> {
    const found: RegisteredSchema[] = [];
    let after: string | undefined;
    try {
      do {
        const everything = { where: { kind: 'all', of: [] }, orderBy: [], limit: pageSize } as const;
        const page = await this.#state.find(schemasCollection, { ...everything, after });
        for (const { value } of page.documents) found.push(value as unknown as RegisteredSchema);
        after = page.next;
      } while (after !== undefined);
    } catch (error) {
      if (!hasCode(error, 'collection_unknown')) throw error;
    }
    return found.sort(inOrder);
  }

  /**
   * Registers a version, unless it is.
   * @throws {EngineError} `schema_changed` if somebody else registered it with another schema.
   */
  async register(type: Pick<DeclaredType, 'owner' | 'type'>, { version, schema }: EventVersion): Promise<void> {
    const value = toRegister(type, { version, schema }, this.#now());
    const key = keyOf(value);
    await this.#state.define({ name: schemasCollection, indexes: [] });
    const put = { collection: schemasCollection, key, value: value as unknown as Json, ifRevision: 0 };
    if ((await this.#state.commit({ puts: [put] })) === 'committed') return;
    const [before] = await this.#state.get(schemasCollection, [key]);
    requireSame(value, before);
  }
}

function toRegister(
  { owner, type }: Pick<DeclaredType, 'owner' | 'type'>,
  { version, schema }: EventVersion,
  registeredAt: number,
): RegisteredSchema {
  const { vendor } = schema['~standard'];
  const shape = shapeOf(schema) ?? null;
  return { owner, type, version, vendor, shape, fingerprint: shape && fingerprintOf(shape), registeredAt };
}

/** @throws {EngineError} `schema_changed` */
function requireSame(wanted: RegisteredSchema, before: Document | undefined): void {
  const registered = before?.value as unknown as RegisteredSchema | undefined;
  const shape = registered?.shape ?? null;
  if (shape === null || wanted.shape === null || registered?.fingerprint === wanted.fingerprint) return;
  const changes = schemaChanges(shape.output, wanted.shape.output);
  throw new EngineError('schema_changed', { type: nameOf(wanted), schemaVersion: wanted.version, changes });
}

function keyOf({ owner, type, version }: RegisteredSchema): string {
  return `${owner}/${type}@${version}`;
}

function inOrder(a: RegisteredSchema, b: RegisteredSchema): number {
  return compare(a.owner, b.owner) || compare(a.type, b.type) || a.version - b.version;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Registers what an engine appends, right before the first event of each type. */
export class Registrations {
  readonly #registry: SchemaRegistry;
  /** By owner and type: those of which it is not known that they are registered. */
  readonly #pending = new Map<
    string,
    Map<string, { readonly type: DeclaredType; promise?: Promise<void> | undefined }>
  >();

  constructor(registry: SchemaRegistry, declared: readonly DeclaredType[], registered: readonly RegisteredSchema[]) {
    this.#registry = registry;
    const known = new Set(registered.map(keyOf));
    for (const type of declared) {
      const { version } = type.versions.at(-1) as EventVersion;
      if (type.retired || known.has(`${type.owner}/${type.type}@${version}`)) continue;
      const pending = this.#pending.get(type.owner) ?? new Map();
      this.#pending.set(type.owner, pending.set(type.type, { type }));
    }
  }

  /** For whoever encodes events. @param ownerOf whose each type is. */
  of(ownerOf: (type: string) => string): TypeRegistration {
    return { register: (type) => this.#register(ownerOf(type), type) };
  }

  #register(owner: string, type: string): Promise<void> | undefined {
    const one = this.#pending.get(owner)?.get(type);
    if (one === undefined) return undefined;
    return (one.promise ??= this.#registry.register(one.type, one.type.versions.at(-1) as EventVersion).then(
      () => void this.#pending.get(owner)?.delete(type),
      (error: unknown) => {
        one.promise = undefined;
        // Documents that cannot be written keep no event from being appended: it is tried again with the next one.
        if (hasCode(error, 'schema_changed')) throw error;
      },
    ));
  }
}
