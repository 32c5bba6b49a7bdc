/** The schema's format: numbered SQL files, never edited once they have shipped; a change is a new one. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ClientBase } from 'pg';
import { EngineError } from '../ground/errors.ts';
import type { Connections } from './connections.ts';
import type { ResolvedOptions } from './options.ts';

const files: readonly string[] = ['001-event-store.sql', '002-state-store.sql'];
const oldestVersion = 140_000;

interface Migration {
  readonly number: number;
  readonly sql: string;
  readonly checksum: string;
}

const migrations: readonly Migration[] = files.map((file, index) => {
  const sql = readFileSync(new URL(`migrations/${file}`, import.meta.url), 'utf8');
  return { number: index + 1, sql, checksum: sha256(sql) };
});

/**
 * Makes sure that the schema is what this version needs; makes or updates it where it is not, if that is allowed.
 * @throws {EngineError} `store_unsupported`, `store_newer`, `store_outdated`, `store_drifted`, `store_forbidden`
 */
export async function prepareSchema(connections: Connections, options: ResolvedOptions): Promise<void> {
  await connections.patiently(async (client) => {
    await checkServer(client, options);
    const present = await presentMigrations(client, options);
    if (present.length < migrations.length) {
      if (!options.migrate) throw outdated(present.length, options);
      await migrate(client, options);
    }
    await checkDrift(client, options);
    if (options.migrate && options.grantTo !== undefined) await client.query(grants(options.schema, options.grantTo));
  });
}

async function checkServer(client: ClientBase, { name: store }: ResolvedOptions): Promise<void> {
  const { rows } = await client.query<{ version: string; number: number; encoding: string }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::integer as number,
      current_setting('server_encoding') as encoding`,
  );
  const [server] = rows;
  if (server === undefined || server.number < oldestVersion)
    throw new EngineError('store_unsupported', {
      store,
      found: `PostgreSQL ${server?.version}`,
      required: '14 or later',
    });
  if (server.encoding !== 'UTF8')
    throw new EngineError('store_unsupported', { store, found: `the encoding ${server.encoding}`, required: 'UTF8' });
}

async function presentMigrations(client: ClientBase, options: ResolvedOptions): Promise<readonly string[]> {
  const { name: store, schema } = options;
  const { rows } = await client.query<{ found: boolean }>(
    `select exists (
      select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = $1 and c.relname = 'migrations'
    ) as found`,
    [schema],
  );
  if (rows[0]?.found !== true) return [];
  const { rows: present } = await client.query<{ checksum: string }>(
    `select checksum from "${schema}".migrations order by number`,
  );
  if (present.length > migrations.length)
    throw new EngineError('store_newer', { file: store, found: present.length, supported: migrations.length });
  for (const [index, { checksum }] of present.entries()) {
    if (checksum !== migrations[index]?.checksum)
      throw new EngineError('store_drifted', { store, found: `migration ${index + 1} was another one` });
  }
  return present.map(({ checksum }) => checksum);
}

/** Under a lock, so that of several processes that start at once one does it. */
async function migrate(client: ClientBase, options: ResolvedOptions): Promise<void> {
  const { schema, partitions } = options;
  await client.query('begin isolation level read committed');
  await client.query(`select pg_advisory_xact_lock(hashtextextended('eventsrc:' || $1, 0))`, [schema]);
  const present = await presentMigrations(client, options);
  if (present.length === 0) {
    await client.query(`create schema if not exists "${schema}"`);
    await client.query(
      `create table "${schema}".migrations (
        number integer primary key, checksum text not null, fingerprint text not null default '',
        applied_at timestamptz not null default now()
      )`,
    );
  }
  await client.query(`set local search_path to "${schema}", pg_temp`);
  await client.query(`select set_config('eventsrc.partitions', $1, true)`, [String(partitions)]);
  for (const { number, sql, checksum } of migrations.slice(present.length)) {
    await client.query(sql);
    await client.query('insert into migrations (number, checksum) values ($1, $2)', [number, checksum]);
  }
  await client.query(`revoke execute on all functions in schema "${schema}" from public`);
  await client.query('update migrations set fingerprint = $1 where number = $2', [
    await fingerprint(client, schema),
    migrations.length,
  ]);
  await client.query('commit');
}

/** What a process needs that only runs: it changes tables by these functions alone. */
function grants(schema: string, role: string): string {
  const events = ['append', 'import', 'release_receipts', 'search', 'search_item', 'last_before', 'stream_heads'];
  const state = ['define_collection', 'drop_collection', 'commit_state', 'take_lease', 'release_lease'];
  const functions = [...events, ...state];
  const list = functions.map((name) => `"${schema}".${name}`).join(', ');
  return `grant usage on schema "${schema}" to "${role}";
    grant select on all tables in schema "${schema}" to "${role}";
    grant execute on function ${list} to "${role}"`;
}

async function checkDrift(client: ClientBase, { name: store, schema }: ResolvedOptions): Promise<void> {
  const { rows } = await client.query<{ fingerprint: string }>(
    `select fingerprint from "${schema}".migrations order by number desc limit 1`,
  );
  if (rows[0]?.fingerprint !== (await fingerprint(client, schema)))
    throw new EngineError('store_drifted', {
      store,
      found: 'a table, an index, a function or a trigger was added, changed or removed',
    });
}

/** Of all that the schema's migrations made (which tables of documents are not), in terms that no version of PostgreSQL words differently. */
async function fingerprint(client: ClientBase, schema: string): Promise<string> {
  const { rows } = await client.query<{ part: string }>(
    `with relation as (
      select c.oid, c.relname, c.relkind::text from pg_catalog.pg_class c
      join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname not like 'docs\\_%'
    )
    select concat_ws(' ', 'column', r.relname, r.relkind, a.attname, a.atttypid::regtype, a.attnotnull) as part
      from relation r join pg_catalog.pg_attribute a on a.attrelid = r.oid
      where r.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
    union all select concat_ws(' ', 'index', r.relname, i.indkey, i.indisunique, i.indisvalid, t.relname)
      from relation r join pg_catalog.pg_index i on i.indexrelid = r.oid join relation t on t.oid = i.indrelid
    union all select concat_ws(' ', 'trigger', r.relname, g.tgname)
      from relation r join pg_catalog.pg_trigger g on g.tgrelid = r.oid where not g.tgisinternal
    union all select concat_ws(' ', 'rule', r.relname, w.rulename)
      from relation r join pg_catalog.pg_rewrite w on w.ev_class = r.oid
    union all select concat_ws(' ', 'function', p.proname, p.prosecdef, array_to_string(p.proconfig, ','), p.prosrc)
      from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace where n.nspname = $1`,
    [schema],
  );
  return sha256(
    rows
      .map(({ part }) => part)
      .sort()
      .join('\n'),
  );
}

function outdated(found: number, { name: store }: ResolvedOptions): EngineError {
  return new EngineError('store_outdated', { store, found, required: migrations.length });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
