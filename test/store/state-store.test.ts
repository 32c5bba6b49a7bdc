import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/ground/clock.ts';
import { resolveLimits } from '../../src/ground/limits.ts';
import { postgres } from '../../src/postgres/index.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import { planFind } from '../../src/store/find-documents.ts';
import { memory } from '../../src/store/memory.ts';
import type { Backend } from '../../src/store/port.ts';
import type { Collection, DocumentQuery, StateStore } from '../../src/store/state-port.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const newSchema = postgresSchemas(18);

async function withState(backend: Backend, work: (state: StateStore) => Promise<void>): Promise<void> {
  const options = { clock: systemClock, limits: resolveLimits() };
  await using events = await backend.openEvents(options);
  await using state = (await backend.openState?.(events, options)) as StateStore;
  await work(state);
}

const collection: Collection = { name: 'accounts', indexes: [['city', 'balance'], ['balance']] };

/** What is asked, and the index that is to lead to it. */
const queries: readonly (readonly [query: DocumentQuery, index: 1 | 2])[] = [
  [{ where: { kind: 'eq', path: 'city', value: 'c7' }, orderBy: [], limit: 10 }, 1],
  [
    {
      where: {
        kind: 'all',
        of: [
          { kind: 'eq', path: 'city', value: 'c7' },
          { kind: 'gte', path: 'balance', value: 19_000 },
        ],
      },
      orderBy: [{ path: 'balance', direction: 'desc' }],
      limit: 10,
    },
    1,
  ],
  [{ where: { kind: 'gt', path: 'balance', value: 19_990 }, orderBy: [], limit: 10 }, 2],
  [{ where: { kind: 'all', of: [] }, orderBy: [{ path: 'balance', direction: 'desc' }], limit: 10 }, 2],
];

async function fill(state: StateStore): Promise<void> {
  await state.define(collection);
  const puts = Array.from({ length: 20_000 }, (_, index) => ({
    collection: 'accounts',
    key: `account-${index}`,
    value: { city: `c${index % 2_000}`, balance: index },
  }));
  for (let start = 0; start < puts.length; start += 5_000)
    await state.commit({ puts: puts.slice(start, start + 5_000) });
}

describe('a declared index is an index of the database, and is used', () => {
  test('sqlite', async () => {
    const file = join(await temporaryFolder(), 'store.db');
    await withState(sqlite(file), async (state) => {
      await fill(state);
      using db = new DatabaseSync(file);
      for (const [query, index] of queries) {
        const { sql, params } = planFind(collection, query, (number) => `?${number}`);
        const plan = db.prepare(`explain query plan select * from docs_1${sql}`).all(...params);
        expect(plan.map(({ detail }) => String(detail)).join('; ')).toContain(`docs_1_by_${index}`);
        expect((await state.find('accounts', query)).scanned).toBe(false);
      }
    });
  });

  test('postgres', async () => {
    const { url, schema } = newSchema();
    await withState(postgres(url, { schema }), async (state) => {
      await fill(state);
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query(`set search_path to ${schema}; analyze docs_1`);
      for (const [query, index] of queries) {
        const { sql, params } = planFind(collection, query, (number) => `$${number}`);
        const { rows } = await client.query(`explain select * from docs_1${sql}`, [...params]);
        const plan = rows.map((row) => Object.values(row as object)[0]).join('\n');
        expect(plan).toContain(index === 1 ? 'docs_1_v1_v2_key_idx' : 'docs_1_v2_key_idx');
      }
      await client.end();
    });
  });
});

describe('statements of the user’s own', () => {
  const move = (from: number, to: number) => ({ checkpoints: [{ name: 'p', from, to }] });

  async function check(state: StateStore, [first, second]: readonly [string, string]): Promise<void> {
    const insert = (id: number) => ({ sql: `insert into totals values (${first}, ${second})`, params: [id, 'x'] });
    await state.commit({
      statements: [{ sql: 'create table totals (id integer primary key, name text)', params: [] }],
    });
    expect(await state.commit({ ...move(0, 1), statements: [insert(1), insert(2)] })).toBe('committed');
    expect(await state.commit({ ...move(0, 1), statements: [insert(3)] })).toBe('checkpoint_moved');
    await expect(state.commit({ ...move(1, 2), statements: [insert(4), insert(1)] })).rejects.toMatchObject({
      code: 'statement_failed',
    });
    for (const sql of ['commit', ' /* … */ COMMIT', '-- …\nrollback', ';begin', 'pragma journal_mode = delete'])
      await expect(state.commit({ ...move(1, 2), statements: [{ sql, params: [] }] })).rejects.toMatchObject({
        code: 'request_invalid',
      });
    expect(await state.checkpoints('')).toEqual([{ name: 'p', position: 1 }]);
  }

  test('sqlite: in the same commit', async () => {
    const file = join(await temporaryFolder(), 'store.db');
    await withState(sqlite(file), (state) => check(state, ['?', '?']));
    using db = new DatabaseSync(file);
    expect(db.prepare('select id from totals').all()).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  test('postgres: in the same commit', async () => {
    const { url, schema } = newSchema();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await withState(postgres(url, { schema }), (state) => check(state, ['$1', '$2']));
    expect((await client.query('select id from totals order by id')).rows).toEqual([{ id: 1 }, { id: 2 }]);
    await client.end();
  });

  test('memory: speaks no SQL', async () => {
    await withState(memory(), async (state) => {
      const change = { statements: [{ sql: 'select 1', params: [] }] };
      await expect(state.commit(change)).rejects.toMatchObject({ code: 'request_invalid' });
    });
  });
});

test('the state of a file is opened beside its own events', async () => {
  const options = { clock: systemClock, limits: resolveLimits() };
  await using events = await memory().openEvents(options);
  for (const backend of [sqlite(join(await temporaryFolder(), 'store.db')), postgres(newSchema().url)])
    await expect(backend.openState?.(events, options)).rejects.toMatchObject({ code: 'request_invalid' });
});
