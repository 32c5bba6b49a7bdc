import type { RecordedFields } from '../event/codec.ts';
import { EngineError } from '../ground/errors.ts';
import type { SqlStatement } from '../store/state-port.ts';
import { checkConsumer } from './consumer.ts';
import type { Consumer, ConsumerOptions } from './consumer.ts';
import { handlerOf, handlersOf, SourceInterest } from './source.ts';
import type { DeletedEvent, EventFrom, EventSource, TypeOf } from './source.ts';

/** Tables of the user's own, whatever the types. */
export interface AnyTables extends Consumer {
  readonly kind: 'tables';
  readonly create: readonly SqlStatement[];
  statements(event: RecordedFields): readonly SqlStatement[];
}

type Writes<From extends readonly EventSource[]> = {
  readonly [Type in TypeOf<From>]: 'ignore' | ((event: EventFrom<From, Type>) => readonly SqlStatement[]);
} & {
  /** A tombstone. Default `'ignore'`. */
  readonly $deleted?: 'ignore' | ((event: DeletedEvent) => readonly SqlStatement[]);
  /** An event of a type that its aggregate does not declare. Default: `onUnknown` says. */
  readonly $unknown?: (event: RecordedFields) => readonly SqlStatement[];
};

/**
 * Declares what events do to SQL tables of your own: statements, as data, which are committed together with the place in the log that they
 * lead to, so each event counts exactly once. Placeholders are the database's: `?` for SQLite, `$1` for PostgreSQL.
 * @throws {EngineError} `definition_invalid`
 */
export function defineTables<const From extends readonly EventSource[]>(
  definition: Omit<ConsumerOptions, 'slots'> & {
    /** Matches `[a-z][A-Za-z0-9_]*`. */
    readonly name: string;
    /** Raised, it begins at the first event again: name other tables then. Default 1. */
    readonly version?: number;
    readonly from: From;
    /** Done once, before the first event: `create table …`. */
    readonly create: readonly string[];
    /** Pure. Every event of `from` has a function, or `'ignore'`. */
    readonly on: Writes<NoInfer<From>>;
  },
): AnyTables {
  const { name, version = 1, from, create, on } = definition;
  const checked = checkConsumer(name, version, definition);
  if (!Array.isArray(create) || create.some((sql) => typeof sql !== 'string'))
    throw new EngineError('definition_invalid', { name, reason: '`create` is a list of SQL statements' });
  const writes = handlersOf<AnyWrite>(name, from, on);
  const interest = new SourceInterest(from, new Set(writes.keys()), checked.onUnknown);
  return {
    kind: 'tables',
    name,
    version,
    mode: 'async',
    ...checked,
    interest,
    create: create.map((sql) => ({ sql, params: [] })),
    // One order for all: what its statements touch, nobody here knows.
    keysOf: (event) => {
      interest.require(event);
      return [name];
    },
    statements: (event) => {
      const statements = handlerOf(writes, event)(event);
      if (!Array.isArray(statements)) throw new TypeError(`on.${event.type} returned no list of statements`);
      return statements.map((statement) => checkStatement(event.type, statement));
    },
  };
}

function checkStatement(type: string, statement: unknown): SqlStatement {
  const { sql, params } = (statement ?? {}) as Partial<SqlStatement>;
  if (typeof sql === 'string' && Array.isArray(params) && params.every(isParameter)) return { sql, params };
  throw new TypeError(
    `on.${type} returned something else than { sql, params }, params being strings, numbers, null or bytes`,
  );
}

function isParameter(value: unknown): boolean {
  return value === null || typeof value === 'string' || typeof value === 'number' || value instanceof Uint8Array;
}

type AnyWrite = (event: RecordedFields) => unknown;
