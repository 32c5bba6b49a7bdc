/** The primary dies under load and a synchronous standby takes its place: nothing that was acknowledged is lost. */
import { expect, test } from 'vitest';
import { openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import { expectExactly, Load } from '../support/load.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

/** A copy of a server that follows it; the server is started again and waits for it with every commit. */
async function withStandby(primary: PostgresServer): Promise<PostgresServer> {
  await primary.stop();
  const standby = await PostgresServer.create({
    copyOf: primary,
    settings: [`primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=postgres application_name=standby'`],
  });
  standby.write('standby.signal', '');
  primary.configure([`synchronous_standby_names = 'standby'`]);
  await primary.start();
  await standby.start();
  return standby;
}

test('a synchronous standby is promoted under load', async () => {
  await using primary = await PostgresServer.start();
  await using standby = await withStandby(primary);
  // What an address that moves is in a data centre.
  await using address = await TcpProxy.to(primary.port);
  await using log = await openLog({ store: postgres(`postgres://postgres@127.0.0.1:${address.port}/postgres`) });

  const load = new Load(log);
  await load.reaches(500);
  await primary.stop('immediate');
  await standby.promote();
  address.target = standby.port;
  address.cut();
  await load.reaches(500);
  await load.stop();
  await expectExactly(log, load.acknowledged);
  const [row] = await standby.query('select pg_is_in_recovery() as recovering');
  expect(row).toEqual({ recovering: false });
});
