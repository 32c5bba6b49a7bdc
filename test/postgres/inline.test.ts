/** A transaction that stays open between two messages: clients and servers die in it, and answers are lost. */
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { defaultLimits } from '../../src/ground/limits.ts';
import { postgres } from '../../src/postgres/index.ts';
import { InlineFoldFailed } from '../../src/store/inline.ts';
import type { AppendResult, EventStore, Inline } from '../../src/store/port.ts';
import type { StateStore } from '../../src/store/state-port.ts';
import { appendOne, appendTypes, draft, readNames, write } from '../../src/testing/drafts.ts';
import { TestClock } from '../../src/testing/test-clock.ts';
import { startProgram } from '../support/child.ts';
import { PostgresServer } from '../support/postgres-server.ts';
import { TcpProxy } from '../support/tcp-proxy.ts';

let server: PostgresServer;
beforeAll(async () => {
  // What is not synced at a commit is not soon synced by itself.
  server = await PostgresServer.start({ settings: ['wal_writer_delay = 10s', 'wal_writer_flush_after = 0'] });
});
afterAll(() => server[Symbol.asyncDispose]());

interface Opened extends AsyncDisposable {
  readonly store: EventStore;
  readonly state: StateStore;
}

async function open(schema: string, url = server.url()): Promise<Opened> {
  const backend = postgres(url, { schema });
  const options = { clock: new TestClock(), limits: defaultLimits };
  const store = await backend.openEvents(options);
  const state = (await backend.openState?.(store, options)) as StateStore;
  await state.define({ name: 'counts', indexes: [] });
  const close = async () => {
    await state[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };
  return { store, state, [Symbol.asyncDispose]: close };
}

const count = { puts: [{ collection: 'counts', key: 'all', value: 1 }], checkpoints: [{ name: 'c', from: 0, to: 1 }] };

function kinds(results: readonly AppendResult[]): readonly string[] {
  return results.map(({ kind }) => kind);
}

/** Ends the backends that have staged something. */
async function terminateStaged(): Promise<void> {
  const [row] = await server.query(
    `select count(pg_terminate_backend(pid)) as count from pg_stat_activity where state = 'idle in transaction'`,
  );
  expect(row).toEqual({ count: '1' });
}

test('a process that is killed while its group is staged leaves nothing of it, and others go on', async () => {
  const child = startProgram('stager', [server.url(), 'killed']);
  await child.nextLine();
  await using opened = await open('killed');
  const { store } = opened;
  let isAppended = false;
  const appending = appendTypes(store, 'a-1', 'B').then(() => (isAppended = true));
  await vi.waitUntil(async () => {
    const waiting = await server.query(`select from pg_stat_activity where wait_event_type = 'Lock'`);
    return waiting.length > 0;
  });
  expect(isAppended).toBe(false);
  child.process.kill('SIGKILL');
  await child.finished;
  await appending;
  expect(await readNames(store, { match: [{ types: ['B'] }] })).toEqual(['a-1@2']);
  expect(await store.receipt('key')).toBeUndefined();
});

test('a group whose backend is ended is staged and folded anew, upon what came between', async () => {
  await using opened = await open('ended');
  await using other = await open('ended');
  const { store, state } = opened;
  const seen: unknown[] = [];
  const inline: Inline = async ([result]) => {
    seen.push(result?.kind === 'appended' && result.position);
    if (seen.length > 1) return { ...count, checkpoints: [{ name: 'c', from: 0, to: 2 }] };
    await terminateStaged();
    await appendTypes(other.store, 'a-1', 'between');
    expect(await readNames(other.store)).toEqual(['a-1@1']);
    return count;
  };
  const receipt = { key: 'key', commandDigest: new Uint8Array(32), outcome: new Uint8Array(1), expiresAt: null };
  const request = write('a-1', 'any', [draft('A')], { receipts: [receipt] });
  expect(await store.append([request], inline)).toMatchObject([{ kind: 'appended', position: 2, versions: [2] }]);
  expect(seen).toEqual([1, 2]);
  expect(await readNames(store)).toEqual(['a-1@1', 'a-1@2']);
  expect(await state.checkpoints('')).toEqual([{ name: 'c', position: 2 }]);
  expect(await state.get('counts', ['all'])).toMatchObject([{ revision: 1 }]);
  expect((await store.receipt('key'))?.position).toBe(2);
});

test('a group whose backend is ended and that is then given up leaves nothing', async () => {
  await using opened = await open('given_up');
  const { store, state } = opened;
  const no = new InlineFoldFailed(0, 'no');
  const failing = store.append([write('a-1', 0, [draft('A')])], async () => {
    await terminateStaged();
    throw no;
  });
  await expect(failing).rejects.toBe(no);
  expect(await readNames(store)).toEqual([]);
  expect(await state.checkpoints('')).toEqual([]);
  expect(kinds(await store.append([write('a-1', 0, [draft('A')])], async () => count))).toEqual(['appended']);
});

test.each([
  ['with a change', { checkpoints: count.checkpoints }],
  ['without a change', undefined],
])('a commit %s whose answer is lost is answered again, and nothing is folded twice', async (what, change) => {
  const schema = what.replaceAll(' ', '_');
  await using network = await TcpProxy.to(server.port);
  await using opened = await open(schema, `postgres://postgres@127.0.0.1:${network.port}/postgres`);
  const { store, state } = opened;
  let folded = 0;
  const appending = store.append([write('a-1', 0, [draft('A')])], async () => {
    folded += 1;
    network.stallAfter('toClient', 0);
    return change;
  });
  await vi.waitUntil(async () => {
    const rows = await server.query(`select from ${schema}.events`);
    return rows.length > 0 && network.isStalled;
  });
  network.cut();
  network.resume();
  expect(await appending).toMatchObject([{ kind: 'appended', position: 1, versions: [1] }]);
  expect(folded).toBe(1);
  expect(await readNames(store)).toEqual(['a-1@1']);
  expect(await state.checkpoints('')).toHaveLength(change === undefined ? 0 : 1);
});

test('what is committed with a change is as durable as without one', async () => {
  await using opened = await open('durable');
  const { store, state } = opened;
  for (let n = 0; n < 3; n++) {
    const change = { puts: [{ collection: 'counts', key: 'all', value: n }] };
    await store.append([write('a-1', n, [draft('A')])], async () => change);
    await server.stop('immediate');
    await server.start();
    expect(await readNames(store)).toHaveLength(n + 1);
    expect(await state.get('counts', ['all'])).toMatchObject([{ value: n, revision: n + 1 }]);
  }
});

test('a client that stages and falls silent is cut off after some seconds', async () => {
  await using opened = await open('silent');
  const { store } = opened;
  await server.query('create table silent.settings (name text, value text)');
  const note = (name: string) => ({
    sql: `insert into silent.settings values ($1, current_setting($1))`,
    params: [name],
  });
  const statements = [note('idle_in_transaction_session_timeout'), note('transaction_isolation')];
  await store.append([write('a-1', 0, [draft('A')])], async () => ({ statements }));
  expect(await server.query('select value from silent.settings')).toEqual([
    { value: '10s' },
    { value: 'read committed' },
  ]);
});

test('what the server refuses fails alone, and the fold sees the whole group', async () => {
  await using opened = await open('refused');
  const { store, state } = opened;
  const receipt = { key: 'k', commandDigest: new Uint8Array(32), outcome: new Uint8Array(1), expiresAt: 1.5 };
  // The column takes integers only.
  const wrong = (stream: string) => write(stream, 'any', [draft('wrong')], { receipts: [receipt] });
  const group = [
    wrong('w-1'),
    ...Array.from({ length: 6 }, (_, n) => write('a-1', n, [draft('A')])),
    wrong('w-2'),
    write('a-1', 6, [draft('A')]),
  ];
  let seen: readonly AppendResult[] = [];
  const results = await store.append(group, async (judged) => {
    seen = judged;
    return count;
  });
  expect(kinds(results)).toEqual(['failed', ...Array.from({ length: 6 }, () => 'appended'), 'failed', 'appended']);
  expect(seen).toEqual(results);
  expect(await readNames(store)).toHaveLength(7);
  expect(await state.checkpoints('')).toEqual([{ name: 'c', position: 1 }]);
  expect(kinds(await store.append([wrong('w-3')], async () => count))).toEqual(['failed']);
});

test('a statement that fails leaves nothing, and says which it was', async () => {
  await using opened = await open('statement');
  const { store } = opened;
  const statements = [{ sql: 'insert into nowhere values (1)', params: [] }];
  const failing = store.append([write('a-1', 0, [draft('A')])], async () => ({ ...count, statements }));
  await expect(failing).rejects.toMatchObject({ code: 'statement_failed' });
  expect(await readNames(store)).toEqual([]);
  expect((await appendOne(store, write('a-1', 0, [draft('A')]))).kind).toBe('appended');
});

test('a role that only runs may do it', async () => {
  await server.query('create role app login');
  const owner = postgres(server.url(), { schema: 'roles', grantTo: 'app' });
  const options = { clock: new TestClock(), limits: defaultLimits };
  await (await owner.openEvents(options))[Symbol.asyncDispose]();
  await using opened = await open('roles', server.url('postgres', 'app'));
  const { store, state } = opened;
  expect(kinds(await store.append([write('a-1', 0, [draft('A')])], async () => count))).toEqual(['appended']);
  expect(await state.get('counts', ['all'])).toMatchObject([{ value: 1 }]);
});
