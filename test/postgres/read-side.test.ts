/** The read side by the rights of a role that may only run. */
import { postgres } from 'eventsrc/postgres';
import pg from 'pg';
import { expect, test } from 'vitest';
import { openEngine } from '../../src/index.ts';
import { account } from '../command/account.ts';
import { balances } from '../projection/balances.ts';
import { PostgresServer } from '../support/postgres-server.ts';

test('projects, queries and rebuilds by what is granted, and can change no document itself', async () => {
  await using server = await PostgresServer.start();
  await server.query('create role owner login; create role app login; grant create on database postgres to owner');
  const owner = postgres(server.url('postgres', 'owner'), { schema: 'roles', grantTo: 'app' });
  await using migrated = await openEngine({ store: owner });
  const store = postgres(server.url('postgres', 'app'), { schema: 'roles', migrate: false });
  await using engine = await openEngine({ store, aggregates: [account], projections: [balances] });
  const { open, deposit } = account.commands;
  await engine.execute(open('1', { owner: 'Ada' }));
  await engine.execute(deposit('1', { amount: 5 }));
  await engine.settled();
  expect(await engine.view(balances).findMany({ where: { balance: 5 } })).toHaveLength(1);
  expect(await engine.consumers.rebuild(balances, { diff: true })).toMatchObject({ switched: true, differing: 0 });
  await engine.consumers.drop(balances, 1);
  expect(await engine.view(balances).get('1')).toMatchObject({ balance: 5 });
  const client = new pg.Client({ connectionString: server.url('postgres', 'app') });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    `select 'docs_' || id as name from roles.collections where name like 'view/%'`,
  );
  for (const table of [rows[0]?.name, 'checkpoints', 'leases'])
    await expect(client.query(`delete from roles.${table}`)).rejects.toMatchObject({ code: '42501' });
  await client.end();
  void migrated;
});
