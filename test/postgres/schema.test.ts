/** The schema: how it is made, by whom, who may do what in it, and how it lies in partitions. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasCode, openLog } from 'eventsrc';
import { postgres } from 'eventsrc/postgres';
import pg from 'pg';
import { selectEvents } from '../../src/postgres/select-events.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { temporaryFolder } from '../support/temporary.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await PostgresServer.start({ settings: ['max_connections = 100'] });
});
afterAll(() => server[Symbol.asyncDispose]());

const happened = { type: 'Happened', data: { text: 'a' }, tags: ['tag:1'] };

test.each([
  [undefined, {}, 'the first argument of postgres'],
  [5, {}, 'the first argument of postgres'],
  ['bank.db', {}, 'url'],
  ['http://db/bank', {}, 'url'],
  [{ max: 0 }, {}, 'max'],
  [{}, null, 'the options of postgres'],
  [{}, { partition: 3 }, 'partition of the options of postgres'],
  [{}, { partitions: 0 }, 'partitions'],
  [{}, { schema: 'a"b' }, 'schema'],
  [{}, { schema: 'pg_mine' }, 'schema'],
  [{}, { migrate: 'no' }, 'migrate'],
  [{}, { grantTo: '' }, 'grantTo'],
  [{}, { timeoutMs: 0 }, 'timeoutMs'],
])('postgres(%j, %j) is refused', (where, options, option) => {
  expect(() => postgres(where as string, options as object)).toThrow(`option_invalid: ${option} is`);
});

describe('migrations', () => {
  test('of many processes that start at once one makes the schema', async () => {
    const store = postgres(server.url(), { schema: 'at_once' });
    const logs = await Promise.all(Array.from({ length: 8 }, () => openLog({ store })));
    for (const [index, log] of logs.entries()) {
      expect((await log.append([{ stream: 'a-1', events: [happened] }])).kind).toBe('appended');
      expect((await log.head()).position).toBe(index + 1);
    }
    for (const log of logs) await log.close();
    const rows = await server.query('select number from at_once.migrations');
    expect(rows).toEqual([{ number: 1 }, { number: 2 }]);
  });

  test.each([
    ['a column', 'alter table SCHEMA.events add column extra text'],
    ['an index', 'drop index SCHEMA.events_type_position_idx'],
    [
      'a function',
      `create or replace function SCHEMA.event_id(stream text, version bigint, recorded_at bigint, body_digest bytea)
      returns bytea language sql stable as 'select body_digest'`,
    ],
    ['a rule', 'create rule forget as on delete to SCHEMA.head do instead nothing'],
    ['a shipped migration', `update SCHEMA.migrations set checksum = 'another'`],
  ])('%s that was changed by hand is noticed', async (what, change) => {
    const schema = `drift_${what.replaceAll(' ', '_')}`;
    const store = postgres(server.url(), { schema });
    await (await openLog({ store })).close();
    await server.query(change.replaceAll('SCHEMA', schema));
    await expect(openLog({ store })).rejects.toSatisfy((error) => hasCode(error, 'store_drifted'));
  });

  test('a schema of a later version is refused, and a missing one where none may be made', async () => {
    const store = postgres(server.url(), { schema: 'later' });
    await expect(openLog({ store: postgres(server.url(), { schema: 'later', migrate: false }) })).rejects.toSatisfy(
      (error) => hasCode(error, 'store_outdated'),
    );
    await (await openLog({ store })).close();
    await server.query(`insert into later.migrations (number, checksum) values (99, 'unheard of')`);
    await expect(openLog({ store })).rejects.toSatisfy((error) => hasCode(error, 'store_newer'));
  });

  test('a database in another encoding is refused', async () => {
    await server.query(`create database latin encoding 'LATIN1' template template0`);
    await expect(openLog({ store: postgres(server.url('latin')) })).rejects.toThrow(
      'the encoding LATIN1, expected UTF8',
    );
  });
});

describe('a role that only runs', () => {
  test('appends, reads and releases receipts by what is granted to it, and can do nothing else', async () => {
    await server.query('create role owner login; create role app login; grant create on database postgres to owner');
    const owner = postgres(server.url('postgres', 'owner'), { schema: 'roles', grantTo: 'app' });
    await (await openLog({ store: owner })).close();
    await using log = await openLog({ store: postgres(server.url('postgres', 'app'), { schema: 'roles' }) });
    const receipt = { key: 'k', commandDigest: new Uint8Array(32), outcome: new Uint8Array(1), expiresAt: 1 };
    const appended = await log.append([{ stream: 'a-1', events: [happened] }], { receipt });
    expect(appended.kind).toBe('appended');
    const [event] = (await log.read().next()).value as { id: string }[];
    expect(await log.find(event?.id as string)).toMatchObject({ stream: 'a-1' });
    expect((await log.read({ match: [{ tags: ['tag:1'] }] }).next()).value).toHaveLength(1);
    expect(await log.releaseReceipts({ expiredAt: Infinity }, 10)).toBe(1);

    const client = new pg.Client(server.url('postgres', 'app'));
    await client.connect();
    for (const sql of [
      `insert into roles.events select * from roles.events`,
      `update roles.events set data = ''`,
      'delete from roles.events',
      'delete from roles.events_0',
      'truncate roles.events',
      'update roles.head set position = 0',
      'drop table roles.events',
      'create table roles.mine ()',
      `select roles.insert_events('', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')`,
    ])
      await expect(client.query(sql), sql).rejects.toThrow(/permission denied|must be owner/);
    await client.end();
  });

  test('is told what it lacks', async () => {
    await server.query('create role stranger login');
    await (await openLog({ store: postgres(server.url(), { schema: 'strange' }) })).close();
    const refused = openLog({ store: postgres(server.url('postgres', 'stranger'), { schema: 'strange' }) });
    await expect(refused).rejects.toThrow(/^store_forbidden: .*permission denied for schema strange/);
  });
});

test('reading one stream touches one partition', async () => {
  const store = postgres(server.url(), { schema: 'parts', partitions: 8 });
  await using log = await openLog({ store });
  for (let index = 0; index < 20; index++) await log.append([{ stream: `s-${index}`, events: [happened] }]);
  const query = { stream: 's-7', match: [{ tags: ['tag:1'] }], backwards: true };
  const { text, values } = selectEvents('parts', query, { after: 0, until: 20 }, 10);
  const client = new pg.Client(server.url());
  await client.connect();
  const { rows: plan } = await client.query(`explain ${text}`, [...values]);
  await client.end();
  const touched = new Set(JSON.stringify(plan).match(/events_\d+(?=[ "])/g));
  expect(touched.size).toBe(1);
  const rows = await server.query(
    `select count(distinct tableoid) as used, (select count(*) from pg_inherits where inhparent = 'parts.events'::regclass) as made
      from parts.events`,
  );
  expect(rows[0]?.['made']).toBe('8');
  expect(Number(rows[0]?.['used'])).toBeGreaterThan(4);
});

test('ids in the database are those that everybody computes', async () => {
  await using log = await openLog({ store: postgres(server.url(), { schema: 'ids' }) });
  await log.append([
    { stream: 'a-1', events: [happened] },
    { stream: 'a-🎉', events: [happened] },
  ]);
  const rows = await server.query(
    `select encode(id, 'hex') as id, encode(ids.event_id(stream, version, recorded_at, body_digest), 'hex') as again
      from ids.events order by position`,
  );
  const events = (await log.read().next()).value as { id: string }[];
  expect(rows.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  expect(rows.map(({ again }) => again)).toEqual(events.map(({ id }) => id));
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const reason = hasOpenssl ? '' : ' (skipped: there is no openssl to make a certificate with)';

test.skipIf(!hasOpenssl)(`a connection is as encrypted as its options say${reason}`, async () => {
  const folder = await temporaryFolder();
  const ask = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost';
  execFileSync('openssl', [...ask.split(' '), '-keyout', 'server.key', '-out', 'server.crt'], {
    cwd: folder,
    stdio: 'ignore',
  });
  await using secure = await PostgresServer.create();
  for (const file of ['server.crt', 'server.key']) secure.write(file, readFileSync(join(folder, file), 'utf8'));
  secure.configure(['ssl = on']);
  await secure.start();
  const connection = { connectionString: secure.url() };
  const ca = readFileSync(join(folder, 'server.crt'), 'utf8');
  await using log = await openLog({ store: postgres({ ...connection, ssl: { ca, servername: 'localhost' } }) });
  await log.append([{ stream: 'a-1', events: [happened] }]);
  const rows = await secure.query(
    `select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'eventsrc'`,
  );
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.every(({ ssl }) => ssl === true)).toBe(true);
  await expect(openLog({ store: postgres({ ...connection, ssl: true }, { timeoutMs: 1_000 }) })).rejects.toThrow(
    /self.signed certificate/,
  );
});
