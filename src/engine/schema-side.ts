/** The schemas of events: what is declared against what has been appended, and how what is stored is read. */
import type { AnyAggregate } from '../command/aggregate.ts';
import type { AnyDecision } from '../command/decision.ts';
import type { TypeRegistration } from '../event/codec.ts';
import { checkKeys, optionInvalid } from '../ground/check-options.ts';
import type { AnyConsumer } from '../projection/registry.ts';
import type { AnySaga } from '../saga/saga.ts';
import { checkLog } from '../schema/check-log.ts';
import type { CheckLogOptions } from '../schema/check-log.ts';
import type { LogCheck } from '../schema/log-checker.ts';
import type { Compatibility } from '../schema/compatibility.ts';
import { declaredTypes } from '../schema/declared.ts';
import type { DeclaredType } from '../schema/declared.ts';
import { Registrations, SchemaRegistry } from '../schema/registry.ts';
import type { RegisteredSchema } from '../schema/registry.ts';
import { compatibilities, requireSound, schemaVerdicts } from '../schema/verdict.ts';
import type { CompatibilityOptions, SchemaVerdict } from '../schema/verdict.ts';
import type { EventLog } from '../store/log.ts';

interface SchemaDefinitions {
  readonly aggregates?: readonly AnyAggregate[];
  readonly decisions?: readonly AnyDecision[];
}

interface SchemaParts extends SchemaDefinitions {
  readonly schemas?: CompatibilityOptions;
  readonly sagas?: readonly AnySaga[];
  readonly consumers: readonly Pick<AnyConsumer, 'interest'>[];
  readonly now: () => number;
}

/** Which schemas events were appended with, and whether what is declared goes with them. */
export class EngineSchemas {
  readonly #log: EventLog;
  readonly #registry: SchemaRegistry | undefined;
  readonly #declared: readonly DeclaredType[];
  readonly #options: CompatibilityOptions;
  readonly #registrations: Registrations | undefined;

  private constructor(
    log: EventLog,
    declared: readonly DeclaredType[],
    options: CompatibilityOptions,
    registry: SchemaRegistry | undefined,
    registrations: Registrations | undefined,
  ) {
    this.#log = log;
    this.#registry = registry;
    this.#declared = declared;
    this.#options = options;
    this.#registrations = registrations;
  }

  /** @internal @throws {EngineError} `schema_changed`, `schema_incompatible`, `option_invalid` */
  static async open(log: EventLog, parts: SchemaParts): Promise<EngineSchemas> {
    const { schemas = {}, now } = parts;
    checkCompatibilityOptions(schemas);
    const declared = declareAll(log, parts);
    const state = declared.length === 0 ? undefined : await log.state();
    if (state === undefined) return new EngineSchemas(log, declared, schemas, undefined, undefined);
    const registry = new SchemaRegistry(state, now);
    const registered = await registry.all();
    requireSound(schemaVerdicts(declared, registered, schemas));
    return new EngineSchemas(log, declared, schemas, registry, new Registrations(registry, declared, registered));
  }

  /** @internal As `open`, for who only looks: what is not sound is not refused. @throws {EngineError} `option_invalid` */
  static async look(log: EventLog, parts: SchemaParts): Promise<EngineSchemas> {
    const { schemas = {}, now } = parts;
    checkCompatibilityOptions(schemas);
    const state = await log.state();
    const registry = state && new SchemaRegistry(state, now);
    return new EngineSchemas(log, declareAll(log, parts), schemas, registry, undefined);
  }

  /** @internal What it was opened with, in the order of definitions. */
  get declared(): readonly DeclaredType[] {
    return this.#declared;
  }

  /** @internal Sees to it that what a definition emits is registered. */
  registrationOf({ kind, name, events }: AnyAggregate | AnyDecision): TypeRegistration | undefined {
    if (kind === 'aggregate') return this.#registrations?.of(() => name);
    const owners = new Map(
      Object.entries(events).map(([type, schema]) => {
        const known = this.#declared.find((one) => one.type === type && one.schema === schema);
        return [type, known?.owner ?? ''] as const;
      }),
    );
    return this.#registrations?.of((type) => owners.get(type) ?? '');
  }

  /** What was appended so far, by owner, type and version; nothing of a store that keeps no documents. @throws {EngineError} `store_closed` */
  async registered(): Promise<readonly RegisteredSchema[]> {
    return (await this.#registry?.all()) ?? [];
  }

  /** How each version that this engine was opened with stands. @param options Default: those of the engine. @throws {EngineError} `option_invalid` */
  async check(options: CompatibilityOptions = this.#options): Promise<readonly SchemaVerdict[]> {
    checkCompatibilityOptions(options);
    return schemaVerdicts(this.#declared, await this.registered(), options);
  }

  /**
   * Looks whether every event that is stored can be read: through casts, and by the newest schema of whatever it is read as. On this thread, with
   * turns for others between pages; the command line does it on several.
   * @throws {EngineError} `option_invalid`, `name_invalid`, `store_corrupt`, `store_closed`; the signal's reason, when aborted.
   */
  async checkLog(options: CheckLogOptions = {}): Promise<LogCheck> {
    return checkLog(this.#log, options);
  }
}

function declareAll({ casts }: EventLog, parts: SchemaParts): readonly DeclaredType[] {
  const { aggregates = [], decisions = [], sagas = [], consumers } = parts;
  for (const aggregate of aggregates) casts.declare(aggregate);
  for (const { interest } of consumers) for (const source of interest.from) casts.declare(source.whole ?? source);
  for (const { events } of [...decisions, ...sagas.flatMap((saga) => [saga, ...saga.previous])])
    casts.declare({ name: '', events });
  return declaredTypes(aggregates, decisions);
}

/** @throws {EngineError} `option_invalid` */
function checkCompatibilityOptions(options: CompatibilityOptions): void {
  checkKeys('schemas', options, ['compatibility', 'compatibilityOf']);
  const { compatibility, compatibilityOf = {} } = options;
  const given: readonly unknown[] = [
    ...(compatibility === undefined ? [] : [compatibility]),
    ...Object.values(compatibilityOf),
  ];
  for (const one of given)
    if (!compatibilities.includes(one as Compatibility))
      throw optionInvalid('compatibility', one, compatibilities.join(', '));
}
