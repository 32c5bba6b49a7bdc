import { checkKeys } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';

/** How to reach a server: what node-postgres takes for a pool; what isn't named here is passed on as it is. */
export interface PostgresConnection {
  readonly connectionString?: string;
  readonly host?: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  readonly password?: string | (() => string | Promise<string>);
  /** TLS: true, or the options of Node's `tls.connect`. Default: what the connection string says, else none. */
  readonly ssl?: boolean | object;
  /** Connections for reading, at most. Default 10. Beside them there is one for writing, and one that listens once somebody has waited for events. */
  readonly max?: number;
  readonly [option: string]: unknown;
}

export interface PostgresOptions {
  /** The schema that holds the store: a tenant is a schema. Default: the URL's `schema` parameter, else `eventsrc`. */
  readonly schema?: string;
  /** Hash partitions of the events, by stream, of a store that is made: from 1 to 256. Default 8. */
  readonly partitions?: number;
  /** Whether a schema that is missing or older is made or updated when the store is opened. Default true. */
  readonly migrate?: boolean;
  /**
   * A role that may read, append and release receipts, and do nothing else: granted that whenever a user who may grant it
   * opens the store. Default: nobody but the schema's owner.
   */
  readonly grantTo?: string;
  /** How long a call goes on trying to reach the server, and waits for its answer, in ms. Default 30,000; also Infinity. */
  readonly timeoutMs?: number;
}

export interface ResolvedOptions {
  readonly connection: PostgresConnection;
  /** For people: without a password. */
  readonly name: string;
  readonly schema: string;
  readonly partitions: number;
  readonly migrate: boolean;
  readonly grantTo: string | undefined;
  readonly timeoutMs: number;
}

const partitionsMax = 256;
const optionKeys = ['schema', 'partitions', 'migrate', 'grantTo', 'timeoutMs'] satisfies (keyof PostgresOptions)[];

/** @throws {EngineError} `option_invalid` */
export function resolveOptions(where: string | PostgresConnection, options: PostgresOptions): ResolvedOptions {
  checkKeys('the options of postgres', options, optionKeys);
  if (typeof where !== 'string' && (typeof where !== 'object' || where === null))
    throw invalid('the first argument of postgres', where, 'a URL or the options of a pool');
  const { connection, schema: named } = typeof where === 'string' ? readUrl(where) : { connection: where };
  const { schema = named ?? 'eventsrc', partitions = 8, migrate = true, grantTo, timeoutMs = 30_000 } = options;
  const { max = 1 } = connection;
  if (!Number.isInteger(max) || max < 1) throw invalid('max', max, 'an integer of at least 1');
  // A schema's name is an identifier of at most 63 bytes.
  if (typeof schema !== 'string' || !/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema.startsWith('pg_'))
    throw invalid(
      'schema',
      schema,
      'small letters, digits and _, at most 63 of them, not beginning with a digit or pg_',
    );
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax)
    throw invalid('partitions', partitions, `an integer from 1 to ${partitionsMax}`);
  if (typeof migrate !== 'boolean') throw invalid('migrate', migrate, 'true or false');
  if (grantTo !== undefined && (typeof grantTo !== 'string' || !/^[^"\0]{1,63}$/.test(grantTo)))
    throw invalid('grantTo', grantTo, 'the name of a role');
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0)) throw invalid('timeoutMs', timeoutMs, 'a number above 0');
  return { connection, name: nameOf(connection, schema), schema, partitions, migrate, grantTo, timeoutMs };
}

function readUrl(text: string): { readonly connection: PostgresConnection; readonly schema: string | undefined } {
  const url = /^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw invalid('url', 'not one', 'postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=SCHEMA');
  const schema = url.searchParams.get('schema') ?? undefined;
  url.searchParams.delete('schema');
  return { connection: { connectionString: url.href }, schema };
}

function nameOf({ connectionString, host, port, database }: PostgresConnection, schema: string): string {
  const url = connectionString !== undefined && URL.canParse(connectionString) ? new URL(connectionString) : undefined;
  const server = url?.host || [host ?? 'localhost', ...(port === undefined ? [] : [port])].join(':');
  const path = url === undefined ? `/${database ?? ''}` : url.pathname;
  return `postgres://${server}${path}?schema=${schema}`;
}

function invalid(option: string, value: unknown, expected: string): EngineError {
  return new EngineError('option_invalid', { option, value, expected });
}
