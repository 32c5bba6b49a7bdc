import { afterAll, beforeAll } from 'vitest';
import { postgres } from 'eventsrc/postgres';
import type { Backend } from 'eventsrc';
import pg from 'pg';
import { PostgresServer } from './postgres-server.ts';
import type { PostgresVersion } from './postgres-server.ts';

/** A schema that nobody else uses, not made yet. */
export interface PostgresSchema {
  readonly url: string;
  readonly schema: string;
}

/** A server that somebody else runs, to be used instead of the tests' own: a URL. */
const given = process.env['EVENTSRC_TEST_POSTGRES'];

/** New schemas, on a server that runs as long as the tests of the file; call the result within tests. */
export function postgresSchemas(version?: PostgresVersion): () => PostgresSchema {
  let server: PostgresServer | undefined;
  let url = given;
  const schemas: string[] = [];
  beforeAll(async () => {
    if (given === undefined) url = (server = await PostgresServer.start({ ...(version && { version }) })).url();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    if (given !== undefined) await dropSchemas(given, schemas);
  });
  return () => {
    if (url === undefined) throw new Error('The server is started before the tests, not while they are collected');
    const schema = `test_${process.pid}_${schemas.length + 1}`;
    schemas.push(schema);
    return { url, schema };
  };
}

/** The same, as stores. */
export function postgresStores(version?: PostgresVersion): () => Backend {
  const newSchema = postgresSchemas(version);
  return () => {
    const { url, schema } = newSchema();
    return postgres(url, { schema, partitions: 3 });
  };
}

async function dropSchemas(connectionString: string, schemas: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  for (const schema of schemas) await client.query(`drop schema if exists ${schema} cascade`);
  await client.end();
}
