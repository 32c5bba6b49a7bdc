/** The server is killed, restarted, made read-only, or has no room: calls wait and go on, and nothing is done twice. */
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hasCode, openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import pg from 'pg';
import { expectExactly, Load } from '../support/load.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

let server: PostgresServer;
beforeEach(async () => {
  server = await PostgresServer.start();
});
afterEach(() => server[Symbol.asyncDispose]());

describe('under load', () => {
  test('the server dies and comes back, again and again: every append is answered and done once', async () => {
    await using log = await openLog({ store: postgres(server.url()) });
    const load = new Load(log);
    for (let round = 0; round < 5; round++) {
      await load.reaches(200 + Math.floor(Math.random() * 200));
      await server.stop('immediate');
      await server.start();
    }
    await load.reaches(200);
    await load.stop();
    await expectExactly(log, load.acknowledged);
  });

  test('backends are ended one after the other: every append is answered and done once', async () => {
    await using log = await openLog({ store: postgres(server.url()) });
    const load = new Load(log);
    for (let round = 0; round < 25; round++) {
      await load.reaches(1 + Math.floor(Math.random() * 40));
      await server.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'eventsrc%'`,
      );
    }
    await load.reaches(100);
    await load.stop();
    await expectExactly(log, load.acknowledged);
  });

  test('the network breaks at any byte: every append is answered and done once', async () => {
    await using network = await TcpProxy.to(server.port);
    await using log = await openLog({ store: postgres(`postgres://postgres@127.0.0.1:${network.port}/postgres`) });
    const load = new Load(log);
    for (let round = 0; round < 40; round++) {
      await load.reaches(1 + Math.floor(Math.random() * 20));
      network.stallAfter(round % 2 === 0 ? 'toServer' : 'toClient', Math.floor(Math.random() * 4_000));
      await vi.waitUntil(() => network.isStalled, { timeout: 20_000, interval: 1 });
      network.cut();
      network.resume();
    }
    await load.reaches(100);
    await load.stop();
    await expectExactly(log, load.acknowledged);
  });

  test('a server that has become read-only is waited for', async () => {
    await using log = await openLog({ store: postgres(server.url()) });
    const load = new Load(log);
    await load.reaches(50);
    server.configure(['default_transaction_read_only = on']);
    await server.query('select pg_reload_conf()');
    await setTimeout(300);
    server.configure(['default_transaction_read_only = off']);
    await server.query('select pg_reload_conf()');
    await load.reaches(50);
    await load.stop();
    await expectExactly(log, load.acknowledged);
  });
});

test('what waits for events is woken by those that come after the server was gone', async () => {
  await using log = await openLog({ store: postgres(server.url()) });
  const woken = log.appended(0);
  await vi.waitUntil(async () => (await listeners()) === 1, { timeout: 20_000 });
  await server.stop('immediate');
  await server.start();
  await using other = await openLog({ store: postgres(server.url()) });
  await other.append([{ stream: 'a-1', events: [{ type: 'Happened', data: null }] }]);
  expect(await woken).toBe(1);

  async function listeners(): Promise<number> {
    const rows = await server.query(`select from pg_stat_activity where application_name = 'eventsrc listener'`);
    return rows.length;
  }
});

test('a server that stays away: the error says what may have been written, and closing does not wait', async () => {
  const log = await openLog({ store: postgres(server.url(), { timeoutMs: 500 }) });
  await log.append([{ stream: 'a-1', events: [{ type: 'Happened', data: null }] }]);
  await server.stop('immediate');
  const failure = await log.append([{ stream: 'a-1', events: [{ type: 'Happened', data: null }] }]).catch(String);
  expect(failure).toMatch(/^EngineError: connection_failed: .* could not be reached/);
  await expect(log.head()).rejects.toSatisfy((error) => hasCode(error, 'connection_failed'));
  const reading = log.head().catch((error: unknown) => error);
  await log.close();
  expect(await reading).toSatisfy((error) => hasCode(error, 'store_closed') || hasCode(error, 'connection_failed'));
  await server.start();
});

test('all connections in use: callers wait for as long as they may, then hear about it; afterwards all is well', async () => {
  const store = postgres({ connectionString: server.url(), max: 2 }, { timeoutMs: 1_000 });
  await using log = await openLog({ store });
  await log.append([{ stream: 'a-1', events: [{ type: 'Happened', data: null }] }]);
  const blocker = new pg.Client(server.url());
  await blocker.connect();
  await blocker.query('begin; lock table eventsrc.head in access exclusive mode');
  // Each needs a connection of its own.
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, (_, index) => log.receipt(`key-${index}`)));
  const codes = outcomes.map((outcome) => (outcome as { reason?: { code: string } }).reason?.code);
  expect(codes.filter((code) => code === 'connections_exhausted').length).toBeGreaterThan(0);
  expect(codes.filter((code) => code === undefined)).toEqual([]);
  await blocker.query('rollback');
  await blocker.end();
  expect((await log.head()).position).toBe(1);
});

test('closing: what has begun is answered, what waits for a connection hears that the store is closed', async () => {
  const log = await openLog({ store: postgres({ connectionString: server.url(), max: 2 }) });
  await log.append([{ stream: 'a-1', events: [{ type: 'Happened', data: null }] }]);
  const blocker = new pg.Client(server.url());
  await blocker.connect();
  await blocker.query('begin; lock table eventsrc.head in access exclusive mode');
  const reads = Promise.allSettled(Array.from({ length: 6 }, (_, index) => log.receipt(`key-${index}`)));
  const blocked = `select from pg_stat_activity where wait_event_type = 'Lock'`;
  await vi.waitUntil(async () => (await server.query(blocked)).length === 2, { timeout: 20_000 });
  const closing = log.close();
  await blocker.query('rollback');
  await closing;
  await blocker.end();
  const outcomes = (await reads).map((read) => (read.status === 'fulfilled' ? 'read' : (read.reason as Error).message));
  expect(outcomes.map((outcome) => outcome.slice(0, 12))).toEqual(['read', 'read', ...Array(4).fill('store_closed')]);
});

test('a server that has no connection left is waited for', async () => {
  const clients = Array.from({ length: 57 }, () => new pg.Client(server.url()));
  await Promise.all(clients.map((client) => client.connect()));
  const opening = openLog({ store: postgres(server.url()) });
  await setTimeout(200);
  await Promise.all(clients.map((client) => client.end()));
  await using log = await opening;
  expect((await log.head()).position).toBe(0);
});

test('what the server itself refuses fails alone, not the group in which it travels', async () => {
  await using log = await openLog({ store: postgres(server.url()) });
  await server.query(`create function public.refuse() returns trigger language plpgsql as
    $$ begin if new.type = 'Bad' then raise 'refused'; end if; return new; end $$`);
  await server.query(
    'create trigger refuse before insert on eventsrc.events for each row execute function public.refuse()',
  );
  const types = Array.from({ length: 40 }, (_, index) => (index % 13 === 5 ? 'Bad' : 'Good'));
  const outcomes = await Promise.allSettled(
    types.map((type, index) => log.append([{ stream: `s-${index}`, events: [{ type, data: null }] }])),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(
    types.map((type) => (type === 'Bad' ? 'rejected' : 'fulfilled')),
  );
  expect((await log.head()).position).toBe(types.filter((type) => type === 'Good').length);
});

test('an answer that was lost stays unknown, whatever is said by a server that cannot write', async () => {
  await using network = await TcpProxy.to(server.port);
  const url = `postgres://postgres@127.0.0.1:${network.port}/postgres`;
  await using log = await openLog({ store: postgres(url, { timeoutMs: 1_500 }) });
  await log.append([{ stream: 'a-1', events: [{ type: 'Happened', data: null }] }]);
  network.stallAfter('toClient', 0);
  const appending = log.append([{ stream: 'a-1', events: [{ type: 'Happened', data: null }] }]).catch((error) => error);
  await vi.waitUntil(() => network.isStalled, { timeout: 20_000, interval: 1 });
  server.configure(['default_transaction_read_only = on']);
  await server.query('select pg_reload_conf()');
  network.cut();
  network.resume();
  expect(await appending).toMatchObject({ code: 'connection_failed', details: { outcome: 'unknown' } });
  expect(await server.query('select position from eventsrc.head')).toEqual([{ position: '2' }]);
});
