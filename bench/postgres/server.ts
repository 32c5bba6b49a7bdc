import { PostgresServer } from '../../test/support/postgres-server.ts';
import type { InNewPlace } from '../measure-row.ts';

/** A server for the bench, as initdb makes it, but for the shared memory of a machine that serves nothing else. */
export async function startServer(): Promise<PostgresServer> {
  return PostgresServer.start({ settings: ['shared_buffers = 512MB', 'max_wal_size = 4GB', 'max_connections = 150'] });
}

/** New databases on it. */
export function inNewDatabase(server: PostgresServer): InNewPlace {
  let count = 0;
  return async (work) => {
    const name = `bench_${++count}`;
    await server.query(`create database ${name}`);
    const result = await work(server.url(name));
    // So that nobody's round pays for what the one before has written. The database goes with the server: peers may still
    // have connections to it.
    await server.query('checkpoint');
    return result;
  };
}
