-- Documents beside the events, a table docs_<id> for each collection; what lies here can be made again from the events.
-- Those tables are no part of what migrations make: docs/postgres.md.

create sequence collection_ids;
create table collections (name text collate "C" primary key, id bigint not null unique, indexes text not null);
create table checkpoints (name text collate "C" primary key, position bigint not null) with (fillfactor = 50);
create table leases (
  name text collate "C" primary key,
  owner text not null,
  epoch bigint not null,
  expires_at timestamptz not null
);

-- Made once, by whoever is first. `indexes`: for each index the numbers of its columns, from 1.
create function define_collection(name text, paths text, width integer, indexes jsonb)
returns text language plpgsql security definer set search_path from current as $$
#variable_conflict use_variable
declare
  present text;
  id bigint;
  reader record;
begin
  lock table collections in share row exclusive mode;
  select c.indexes into present from collections c where c.name = define_collection.name;
  if found then return present; end if;
  id := nextval('collection_ids');
  execute format(
    'create table docs_%s (key text collate "C" primary key, revision bigint not null, json json, bytes bytea%s)',
    id, (select coalesce(string_agg(format(', v%s text collate "C" not null', i), '' order by i), '') from generate_series(1, width) i));
  for i in 0 .. jsonb_array_length(indexes) - 1 loop
    execute format('create index on docs_%s (%s, key)',
      id, (select string_agg('v' || column_number, ', ' order by place)
        from jsonb_array_elements_text(indexes -> i) with ordinality u(column_number, place)));
  end loop;
  -- Whoever may read the events may read documents.
  for reader in
    select distinct grantee from information_schema.role_table_grants
    where table_schema = current_schema() and table_name = 'collections' and privilege_type = 'SELECT'
  loop
    execute format('grant select on docs_%s to %s', id,
      case reader.grantee when 'PUBLIC' then 'public' else quote_ident(reader.grantee) end);
  end loop;
  insert into collections values (name, id, paths);
  return paths;
end $$;

create function drop_collection(name text) returns void language plpgsql security definer set search_path from current as $$
#variable_conflict use_variable
declare
  id bigint;
begin
  lock table collections in share row exclusive mode;
  delete from collections c where c.name = drop_collection.name returning c.id into id;
  if id is not null then execute format('drop table docs_%s', id); end if;
end $$;

-- All or nothing: what doesn't stand as expected is raised, which undoes the rest. Locks are taken in the order of names.
-- { fences: [[lease, epoch]], moves: [[checkpoint, from, to]],
--   collections: [{ name, width, puts: [[key, revision or null, json, bytes in hexadecimal, sort keys]], deletes: [[key, revision or null]] }] }
create function commit_state(change bytea)
returns text language plpgsql security definer set search_path from current as $$
declare
  given jsonb := convert_from(change, 'UTF8')::jsonb;
  part record;
  id bigint;
  named jsonb;
  is_expected boolean;
  changed bigint;
begin
  -- It can be made again from the events, so nobody waits for the disk.
  perform set_config('synchronous_commit', 'off', true);
  for part in select f ->> 0 as lease, (f ->> 1)::bigint as epoch from jsonb_array_elements(given -> 'fences') f order by 1 loop
    perform from leases l where l.name = part.lease and l.epoch = part.epoch for share;
    if not found then raise exception 'fenced' using errcode = 'ES001'; end if;
  end loop;
  for part in
    select m ->> 0 as name, (m ->> 1)::bigint as before, (m ->> 2)::bigint as after
    from jsonb_array_elements(given -> 'moves') m order by 1
  loop
    if part.before = 0 then
      insert into checkpoints as c values (part.name, part.after)
      on conflict (name) do update set position = excluded.position where c.position = 0;
    else
      update checkpoints c set position = part.after where c.name = part.name and c.position = part.before;
    end if;
    get diagnostics changed = row_count;
    if changed = 0 then raise exception 'checkpoint_moved' using errcode = 'ES002'; end if;
  end loop;
  for part in
    select d ->> 'name' as name, d -> 'puts' as puts, d -> 'deletes' as deletes, (d ->> 'width')::integer as width
    from jsonb_array_elements(given -> 'collections') d order by 1
  loop
    -- Kept until the end, so that it isn't dropped meanwhile.
    select c.id into id from collections c where c.name = part.name for key share;
    if not found then raise exception '%', part.name using errcode = 'ES004'; end if;
    named := part.puts || part.deletes;
    if exists (select from jsonb_array_elements(named) e where e ->> 1 is not null) then
      -- A document that isn't there can't be locked, so nobody else may write here.
      execute format('lock table docs_%s in share row exclusive mode', id);
      execute format(
        'select not exists (
          select from jsonb_array_elements($1) e left join docs_%s d on d.key = e ->> 0
          where coalesce(d.revision, 0) <> (e ->> 1)::bigint)', id)
        into is_expected using named;
      if not is_expected then raise exception 'revision_moved' using errcode = 'ES003'; end if;
    end if;
    if jsonb_array_length(part.deletes) > 0 then
      execute format('delete from docs_%s where key in (select e ->> 0 from jsonb_array_elements($1) e)', id) using part.deletes;
    end if;
    if jsonb_array_length(part.puts) > 0 then
      execute format(
        'insert into docs_%s as d select e ->> 0, 1, (e ->> 2)::json, decode(e ->> 3, ''hex'')%s
        from jsonb_array_elements($1) e order by (e ->> 0) collate "C"
        on conflict (key) do update set revision = d.revision + 1, json = excluded.json, bytes = excluded.bytes%s',
        id,
        (select string_agg(format(', e -> 4 ->> %s', i - 1), '' order by i) from generate_series(1, part.width) i),
        (select string_agg(format(', v%1$s = excluded.v%1$s', i), '' order by i) from generate_series(1, part.width) i))
        using part.puts;
    end if;
  end loop;
  return 'committed';
end $$;

-- By the server's clock. Another epoch with every new owner; null while it is another's.
create function take_lease(name text, owner text, ttl_ms double precision)
returns bigint language plpgsql security definer set search_path from current as $$
#variable_conflict use_variable
declare
  until timestamptz := clock_timestamp() + least(ttl_ms, 1e13) * interval '1 millisecond';
  taken bigint;
begin
  perform set_config('synchronous_commit', 'off', true);
  insert into leases as l values (name, owner, 1, until)
  on conflict on constraint leases_pkey do update
    set owner = excluded.owner, epoch = l.epoch + (l.owner <> excluded.owner)::integer, expires_at = excluded.expires_at
    where l.owner = excluded.owner or l.expires_at <= clock_timestamp()
  returning l.epoch into taken;
  return taken;
end $$;

-- The epoch is kept: it has to grow.
create function release_lease(name text, epoch bigint)
returns void language sql security definer set search_path from current as $$
  update leases l set owner = '', expires_at = '-infinity' where l.name = release_lease.name and l.epoch = release_lease.epoch
$$;
