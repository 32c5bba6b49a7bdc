import { afterAll, beforeAll } from 'vitest';
import pg from 'pg';
import { PostgresServer } from './postgres-server.ts';
import type { PostgresVersion } from './postgres-server.ts';

/** A schema that nobody else uses, empty at first. */
export interface PostgresSchema {
  readonly url: string;
  readonly schema: string;
  readonly remove: () => Promise<void>;
}

/** A server that somebody else runs, to be used instead of the tests' own: a URL. */
const given = process.env['EVENTSRC_TEST_POSTGRES'];

/** New schemas, on a server that runs as long as the tests of the file. */
export function postgresSchemas(version?: PostgresVersion): () => Promise<PostgresSchema> {
  let server: PostgresServer | undefined;
  let url = given;
  let count = 0;
  beforeAll(async () => {
    if (given === undefined) url = (server = await PostgresServer.start({ ...(version && { version }) })).url();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());
  return async () => {
    if (url === undefined) throw new Error('The server is started before the tests, not while they are collected');
    const schema = `test_${process.pid}_${++count}`;
    const connectionString = url;
    return { url, schema, remove: () => dropSchema(connectionString, schema) };
  };
}

async function dropSchema(connectionString: string, schema: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`drop schema if exists ${schema} cascade`);
  await client.end();
}
