-- The event store. It runs with the store's own schema as search_path, which each function keeps (`from current`).
-- Text is compared by code points (collate "C"), as on every backend.

-- One row: what the next append builds on. Whoever appends holds its lock until the commit.
create table head (
  id integer primary key check (id = 1),
  position bigint not null,
  recorded_at bigint not null,
  streams bigint not null,
  receipts bigint not null -- the last receipt's id: ids are not used again
) with (fillfactor = 10);
insert into head values (1, 0, 0, 0, 0);

create table streams (name text collate "C" primary key);

create table events (
  position bigint not null,
  version bigint not null,
  recorded_at bigint not null, -- ms since the epoch; never decreases along positions
  schema_version bigint not null,
  stream text collate "C" not null,
  type text collate "C" not null,
  encoding text collate "C" not null,
  tags text[] not null,
  id bytea not null, -- docs/reference/event-id.md
  body_digest bytea not null,
  metadata bytea not null,
  data bytea not null, -- the exact bytes that were hashed
  primary key (stream, version)
) partition by hash (stream);
create index on events (position);
create index on events (type, position);
create index on events (substr(id, 1, 8));

create table event_tags (
  position bigint not null,
  tag text collate "C" not null,
  type text collate "C" not null,
  primary key (tag, position) include (type)
) partition by hash (tag);

create table receipts (
  id bigint not null unique, -- in the order in which they were made
  key text collate "C" primary key,
  command_digest bytea not null,
  outcome bytea not null,
  expires_at bigint,
  owner text collate "C",
  recorded_at bigint not null,
  position bigint
);
create index on receipts (expires_at) where expires_at is not null;
create index on receipts (owner) where owner is not null;

-- What was answered to groups of late, so that a group whose answer was lost can be sent again.
create table answers (token bigint primary key, made_at timestamptz not null default now(), answer jsonb not null);
create index on answers (made_at);

do $$
begin
  for remainder in 0 .. current_setting('eventsrc.partitions')::integer - 1 loop
    execute format(
      'create table events_%1$s partition of events for values with (modulus %2$s, remainder %1$s)',
      remainder, current_setting('eventsrc.partitions'));
    execute format(
      'create table event_tags_%1$s partition of event_tags for values with (modulus %2$s, remainder %1$s)',
      remainder, current_setting('eventsrc.partitions'));
  end loop;
end $$;

-- In SQL and without settings, so that it becomes part of the statement that calls it.
create function event_id(stream text, version bigint, recorded_at bigint, body_digest bytea) returns bytea
language sql stable as $$
  select sha256(
    '\x0000000d6576656e747372632f69642f31'::bytea -- eventsrc/id/1, as all fields behind its length
    || int4send(octet_length(stream)) || convert_to(stream, 'UTF8')
    || '\x00000008'::bytea || int8send(version)
    || '\x00000008'::bytea || int8send(recorded_at)
    || int4send(octet_length(body_digest)) || body_digest
  )
$$;

-- The positions in (after, until] that one item of a query matches, `most` of them, from the nearest to the farthest.
create function search_item(types text[], tags text[], after bigint, until bigint, backwards boolean, most bigint)
returns setof bigint language plpgsql stable set search_path from current as $$
declare
  candidate bigint := case when backwards then until else after + 1 end;
  step integer := case when backwards then -1 else 1 end;
  found_position bigint;
  found_type text;
  agreeing integer := 0;
  turn integer := 0;
  matched bigint := 0;
begin
  if cardinality(tags) = 0 and cardinality(types) = 0 then
    for position in 1 .. least(most, until - after) loop
      return next case when backwards then until - position + 1 else after + position end;
    end loop;
    return;
  end if;
  if cardinality(tags) = 0 then
    if backwards then
      return query select e.position from unnest(types) t(type), lateral (
        select position from events where events.type = t.type and position > after and position <= until
        order by position desc limit most
      ) e order by 1 desc limit most;
    else
      return query select e.position from unnest(types) t(type), lateral (
        select position from events where events.type = t.type and position > after and position <= until
        order by position limit most
      ) e order by 1 limit most;
    end if;
    return;
  end if;
  if cardinality(tags) = 1 then
    if backwards then
      return query select e.position from event_tags e
        where e.tag = tags[1] and e.position > after and e.position <= until
          and (cardinality(types) = 0 or e.type = any (types))
        order by e.position desc limit most;
    else
      return query select e.position from event_tags e
        where e.tag = tags[1] and e.position > after and e.position <= until
          and (cardinality(types) = 0 or e.type = any (types))
        order by e.position limit most;
    end if;
    return;
  end if;
  -- Each tag in turn is asked for its next position; where all agree there is a match. So the rarest tag sets the pace.
  while matched < most loop
    if backwards then
      select e.position, e.type into found_position, found_type from event_tags e
        where e.tag = tags[turn + 1] and e.position <= candidate and e.position > after
        order by e.position desc limit 1;
    else
      select e.position, e.type into found_position, found_type from event_tags e
        where e.tag = tags[turn + 1] and e.position >= candidate and e.position <= until
        order by e.position limit 1;
    end if;
    if found_position is null then return; end if;
    agreeing := case when found_position = candidate then agreeing + 1 else 1 end;
    candidate := found_position;
    turn := (turn + 1) % cardinality(tags);
    if agreeing = cardinality(tags) then
      if cardinality(types) = 0 or found_type = any (types) then
        matched := matched + 1;
        return next candidate;
      end if;
      agreeing := 0;
      candidate := candidate + step;
    end if;
  end loop;
end $$;

-- The same of a whole query: a list of { types, tags }.
create function search(query jsonb, after bigint, until bigint, backwards boolean, most bigint)
returns setof bigint language sql stable set search_path from current as $$
  select found.position
  from jsonb_array_elements(query) item,
    lateral search_item(
      array(select jsonb_array_elements_text(item -> 'types')), array(select jsonb_array_elements_text(item -> 'tags')),
      after, until, backwards, most
    ) found(position)
  group by found.position
  order by case when backwards then - found.position else found.position end
  limit most
$$;

-- The last position whose event was recorded before a time: times don't decrease along positions.
create function last_before(moment bigint) returns bigint language plpgsql stable set search_path from current as $$
declare
  low bigint := 0;
  high bigint := (select position from head);
  middle bigint;
begin
  while low < high loop
    middle := (low + high + 1) / 2;
    if (select recorded_at from events where position = middle) < moment then low := middle; else high := middle - 1; end if;
  end loop;
  return low;
end $$;

-- The `number`th field of a payload; the first ends where the second of `ends` says, which begins with a 0.
create function field(payload bytea, ends integer[], number integer) returns bytea language sql immutable as $$
  select substr(payload, ends[number] + 1, ends[number + 1] - ends[number])
$$;

-- In PL/pgSQL, as all that appends call: a function in SQL that is not part of the calling statement is planned at each call.
create function field_texts(payload bytea, ends integer[], count integer) returns text[] language plpgsql stable as $$
begin
  return array(
    select convert_from(substr(payload, ends[i] + 1, ends[i + 1] - ends[i]), 'UTF8') from generate_series(1, count) i
  );
end $$;

-- The last version of each of these streams, 0 where there is none, and whether it ended with a tombstone.
create function stream_heads(names text[], out versions bigint[], out deleted boolean[])
language plpgsql stable set search_path from current set plan_cache_mode = force_generic_plan as $$
begin
  select array_agg(coalesce(e.version, 0) order by i), array_agg(coalesce(e.type = '$deleted', false) order by i)
    into versions, deleted
  from generate_series(1, cardinality(names)) i
    left join lateral (
      select events.version, events.type from events where events.stream = names[i] order by events.version desc limit 1
    ) e on true;
end $$;

-- Whether a stream is what a writer expects of it: isAsExpected of admission.ts.
-- Expectations: a version, -1 any, -2 no_stream, -3 stream_exists, -4 deleted.
create function is_as_expected(expected bigint, version bigint, deleted boolean) returns boolean language sql immutable as $$
  select case expected
    when -1 then true
    when -2 then version = 0
    when -3 then version > 0 and not deleted
    when -4 then deleted
    else version = expected
  end
$$;

-- Whoever writes begins here: under the lock, and durably, also where a role was set to lose what it commits.
create function lock_head() returns head language plpgsql set search_path from current as $$
declare
  current head%rowtype;
begin
  if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;
  select * into current from head for update;
  return current;
end $$;

-- Inserts those events of a payload that were given a position. Behind the `names`, each has three fields.
create function insert_events(
  payload bytea, ends integer[], names text[],
  streams integer[], versions bigint[], positions bigint[], times bigint[],
  types integer[], schema_versions bigint[], encodings integer[], tag_events integer[], tag_names integer[]
) returns void language plpgsql set search_path from current set plan_cache_mode = force_generic_plan as $$
declare
  name_count integer := cardinality(names);
begin
  insert into events (
    position, version, recorded_at, schema_version, stream, type, encoding, tags, id, body_digest, metadata, data
  )
  select e.position, e.version, e.time, e.schema_version, names[e.stream], names[e.type], names[e.encoding],
    coalesce(t.tags, '{}'),
    event_id(names[e.stream], e.version, e.time, substr(payload, ends[e.f] + 1, 32)),
    substr(payload, ends[e.f] + 1, ends[e.f + 1] - ends[e.f]),
    substr(payload, ends[e.f + 1] + 1, ends[e.f + 2] - ends[e.f + 1]),
    substr(payload, ends[e.f + 2] + 1, ends[e.f + 3] - ends[e.f + 2])
  from (
    select u.*, name_count + 3 * u.i::integer - 2 as f
    from unnest(streams, versions, positions, times, types, schema_versions, encodings)
      with ordinality as u(stream, version, position, time, type, schema_version, encoding, i)
    where u.position is not null
  ) e
  left join (
    select event, array_agg(names[name] order by ordinality) as tags
    from unnest(tag_events, tag_names) with ordinality as u(event, name, ordinality) group by event
  ) t on t.event = e.i;

  if cardinality(tag_events) > 0 then
    insert into event_tags (position, tag, type)
    select positions[event], names[name], names[types[event]]
    from unnest(tag_events, tag_names) as u(event, name)
    where positions[event] is not null;
  end if;
end $$;

-- Commits a group of independent requests, judged in order, each seeing those before it: the rules of admission.ts.
-- Streams are the first `stream_count` names.
-- Requests are refused by their number in `refusals`; the writes of the others begin at `versions`, their events follow each
-- other from `position` on.
create function append(
  token bigint, now bigint, events_per_stream_max bigint,
  payload bytea, ends integer[], name_count integer, stream_count integer,
  request_writes integer[], request_checks integer[], request_conditions integer[], request_receipts integer[],
  write_streams integer[], write_expected bigint[], write_events integer[], write_deletes boolean[],
  check_streams integer[], check_expected bigint[],
  condition_queries integer[], condition_afters bigint[], condition_rivals integer[],
  rival_requests integer[], rival_offsets integer[],
  receipt_keys integer[], receipt_fields integer[], receipt_owners integer[], receipt_expiries bigint[],
  event_writes integer[], event_offsets integer[], event_types integer[], event_schema_versions bigint[],
  event_encodings integer[], tag_events integer[], tag_names integer[]
) returns jsonb language plpgsql security definer set search_path from current set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_variable
declare
  current head%rowtype;
  answer jsonb;
  time bigint;
  next_position bigint;
  names text[];
  stream_versions bigint[];
  stream_deleted boolean[];
  stream_sizes bigint[];
  stream_judged integer[];
  new_streams text[] := '{}';
  live_receipts jsonb[];
  key_requests integer[];
  request_positions bigint[] := array_fill(null::bigint, array[cardinality(request_writes)]);
  write_versions bigint[] := array_fill(null::bigint, array[cardinality(write_streams)]);
  write_positions bigint[] := array_fill(null::bigint, array[cardinality(write_streams)]);
  -- Of those that are kept: the last event's of their request, 0 where it has none.
  receipt_positions bigint[] := array_fill(null::bigint, array[cardinality(receipt_keys)]);
  refusals jsonb[] := '{}';
  refusal jsonb;
  too_full jsonb;
  first_write integer := 1;
  first_check integer := 1;
  first_condition integer := 1;
  first_receipt integer := 1;
  first_rival integer := 1;
  next_rival integer;
  stream integer;
  expected bigint;
  version bigint;
  deleted boolean;
  match bigint;
begin
  current := lock_head();
  select a.answer into answer from answers a where a.token = token;
  if found then return answer; end if;

  time := greatest(now, current.recorded_at);
  next_position := current.position + 1;
  names := field_texts(payload, ends, name_count);
  if stream_count > 0 then
    select h.versions, h.deleted into stream_versions, stream_deleted from stream_heads(names[1:stream_count]) h;
    if 0 = any (stream_versions) then
      new_streams := array(select names[i] from generate_series(1, stream_count) i where stream_versions[i] = 0);
    end if;
    stream_sizes := stream_versions;
    stream_judged := array_fill(0, array[stream_count]);
  end if;
  if cardinality(receipt_keys) > 0 then
    key_requests := array_fill(0, array[name_count]);
    live_receipts := array(
      select (
        select jsonb_build_object(
          'key', r.key, 'commandDigest', encode(r.command_digest, 'hex'), 'outcome', encode(r.outcome, 'hex'),
          'expiresAt', r.expires_at, 'owner', r.owner, 'recordedAt', r.recorded_at, 'position', r.position)
        from receipts r where r.key = names[k] and (r.expires_at is null or r.expires_at > time)
      ) from unnest(receipt_keys) k
    );
  end if;

  for request in 1 .. cardinality(request_writes) loop
    refusal := null;
    too_full := null;
    for i in first_receipt .. first_receipt + request_receipts[request] - 1 loop
      if live_receipts[i] is not null then
        refusal := jsonb_build_object('kind', 'duplicate', 'receipt', live_receipts[i]);
      elsif key_requests[receipt_keys[i]] > 0 then
        refusal := jsonb_build_object('kind', 'duplicate_in_group', 'earlier', key_requests[receipt_keys[i]], 'key', receipt_keys[i]);
      end if;
      exit when refusal is not null;
    end loop;
    if refusal is null then
      for i in first_write .. first_write + request_writes[request] - 1 loop
        stream := write_streams[i];
        if stream_judged[stream] = request then
          stream_sizes[stream] := stream_sizes[stream] + write_events[i];
        else
          stream_judged[stream] := request;
          version := stream_versions[stream];
          deleted := stream_deleted[stream];
          expected := write_expected[i];
          stream_sizes[stream] := version + write_events[i];
          if deleted and expected <> -4 then
            refusal := jsonb_build_object('kind', 'stream_deleted', 'stream', stream, 'actual', version);
          elsif not is_as_expected(expected, version, deleted) then
            refusal := jsonb_build_object('kind', 'version_conflict', 'stream', stream, 'expected', expected, 'actual', version);
          end if;
        end if;
        exit when refusal is not null;
        if too_full is null and stream_sizes[stream] > events_per_stream_max then
          too_full := jsonb_build_object('kind', 'too_full', 'stream', stream, 'value', stream_sizes[stream]);
        end if;
      end loop;
    end if;
    if refusal is null then
      for i in first_check .. first_check + request_checks[request] - 1 loop
        stream := check_streams[i];
        version := stream_versions[stream];
        expected := check_expected[i];
        if not is_as_expected(expected, version, stream_deleted[stream]) then
          refusal := jsonb_build_object('kind', 'version_conflict', 'stream', stream, 'expected', expected, 'actual', version);
          exit;
        end if;
      end loop;
    end if;
    for i in first_condition .. first_condition + request_conditions[request] - 1 loop
      next_rival := first_rival + condition_rivals[i];
      if refusal is null then
        select s into match from search(
          convert_from(field(payload, ends, condition_queries[i]), 'UTF8')::jsonb,
          condition_afters[i], current.position, false, 1) s;
        if match is null then
          for rival in first_rival .. next_rival - 1 loop
            match := request_positions[rival_requests[rival]] + rival_offsets[rival];
            exit when match > condition_afters[i];
            match := null;
          end loop;
        end if;
        if match is not null then
          refusal := jsonb_build_object('kind', 'condition_conflict', 'condition', i - first_condition, 'position', match);
        end if;
      end if;
      first_rival := next_rival;
    end loop;

    refusal := coalesce(refusal, too_full);
    if refusal is null then
      request_positions[request] := next_position;
      for i in first_write .. first_write + request_writes[request] - 1 loop
        stream := write_streams[i];
        write_versions[i] := stream_versions[stream] + 1;
        write_positions[i] := next_position;
        stream_versions[stream] := stream_versions[stream] + write_events[i];
        stream_deleted[stream] := write_deletes[i];
        next_position := next_position + write_events[i];
      end loop;
      for i in first_receipt .. first_receipt + request_receipts[request] - 1 loop
        receipt_positions[i] := case when next_position > request_positions[request] then next_position - 1 else 0 end;
        if receipt_expiries[i] is null or receipt_expiries[i] > time then
          key_requests[receipt_keys[i]] := request;
        end if;
      end loop;
    else
      refusals := refusals || (refusal || jsonb_build_object('request', request));
    end if;
    first_write := first_write + request_writes[request];
    first_check := first_check + request_checks[request];
    first_condition := first_condition + request_conditions[request];
    first_receipt := first_receipt + request_receipts[request];
  end loop;

  answer := jsonb_build_object(
    'position', current.position, 'recordedAt', time, 'versions', to_jsonb(write_versions), 'refusals', to_jsonb(refusals));
  if next_position > current.position + 1 then
    perform insert_events(
      payload, ends, names,
      array(select write_streams[w] from unnest(event_writes) w),
      array(select write_versions[w] + o from unnest(event_writes, event_offsets) u(w, o)),
      array(select write_positions[w] + o from unnest(event_writes, event_offsets) u(w, o)),
      array_fill(time, array[cardinality(event_writes)]),
      event_types, event_schema_versions, event_encodings, tag_events, tag_names);
    if cardinality(new_streams) > 0 then
      insert into streams
      select names[i] from generate_series(1, stream_count) i
      where stream_versions[i] > 0 and names[i] = any (new_streams);
      get diagnostics match = row_count;
      current.streams := current.streams + match;
    end if;
    current.position := next_position - 1;
    current.recorded_at := time;
  end if;
  if cardinality(receipt_keys) > 0 then
    -- Of several with one key, all but the last of which have expired already, the last stays.
    insert into receipts as r (id, key, command_digest, outcome, expires_at, owner, recorded_at, position)
    select distinct on (receipt_keys[i]) current.receipts + i, names[receipt_keys[i]],
      substr(payload, ends[receipt_fields[i]] + 1, ends[receipt_fields[i] + 1] - ends[receipt_fields[i]]),
      substr(payload, ends[receipt_fields[i] + 1] + 1, ends[receipt_fields[i] + 2] - ends[receipt_fields[i] + 1]),
      receipt_expiries[i], names[receipt_owners[i]], time, nullif(receipt_positions[i], 0)
    from generate_series(1, cardinality(receipt_keys)) i
    where receipt_positions[i] is not null
    order by receipt_keys[i], i desc
    on conflict (key) do update set id = excluded.id, command_digest = excluded.command_digest,
      outcome = excluded.outcome, expires_at = excluded.expires_at, owner = excluded.owner,
      recorded_at = excluded.recorded_at, position = excluded.position;
    current.receipts := current.receipts + cardinality(receipt_keys);
  end if;
  update head set position = current.position, recorded_at = current.recorded_at, streams = current.streams,
    receipts = current.receipts;
  insert into answers (token, answer) values (token, answer);
  if token % 1000 = 0 then delete from answers where made_at < now() - interval '1 hour'; end if;
  return answer;
end $$;

-- Appends events recorded elsewhere, all or none; one that is there already is skipped. Receipts are taken as they are, but
-- for those of whose key there is one of the same time or later.
create function import(
  payload bytea, ends integer[], name_count integer, stream_count integer,
  event_streams integer[], event_versions bigint[], event_times bigint[],
  event_types integer[], event_schema_versions bigint[], event_encodings integer[],
  tag_events integer[], tag_names integer[],
  receipt_keys integer[], receipt_fields integer[], receipt_owners integer[], receipt_expiries bigint[],
  receipt_times bigint[], receipt_positions bigint[]
) returns jsonb language plpgsql security definer set search_path from current set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_variable
declare
  current head%rowtype;
  names text[] := field_texts(payload, ends, name_count);
  stream_versions bigint[];
  event_positions bigint[] := array_fill(null::bigint, array[cardinality(event_streams)]);
  present record;
  last_position bigint;
  last_time bigint;
  stream integer;
  fault text;
  new_streams bigint;
begin
  current := lock_head();
  last_position := current.position;
  last_time := current.recorded_at;
  if stream_count > 0 then
    select h.versions into stream_versions from stream_heads(names[1:stream_count]) h;
  end if;
  for i in 1 .. cardinality(event_streams) loop
    stream := event_streams[i];
    if event_versions[i] <= stream_versions[stream] then
      select e.recorded_at, e.body_digest into present from events e
        where e.stream = names[stream] and e.version = event_versions[i];
      -- What came earlier in this import is not there yet; it is as new as the stream's other versions here.
      if not found then
        select event_times[j] as recorded_at, substr(payload, ends[name_count + 3 * j - 2] + 1, 32) as body_digest
          into present from generate_series(1, i - 1) j
          where event_streams[j] = stream and event_versions[j] = event_versions[i] and event_positions[j] is not null;
      end if;
      if present.recorded_at <> event_times[i]
        or present.body_digest <> substr(payload, ends[name_count + 3 * i - 2] + 1, 32) then
        fault := 'the store has another event there';
      end if;
    elsif event_versions[i] <> stream_versions[stream] + 1 then
      fault := format('version %s is missing', stream_versions[stream] + 1);
    elsif event_times[i] < last_time then
      fault := 'it is older than the last event of the store';
    else
      last_position := last_position + 1;
      last_time := event_times[i];
      event_positions[i] := last_position;
      stream_versions[stream] := event_versions[i];
    end if;
    if fault is not null then return jsonb_build_object('refused', i, 'reason', fault); end if;
  end loop;

  if last_position > current.position then
    perform insert_events(
      payload, ends, names, event_streams, event_versions, event_positions, event_times,
      event_types, event_schema_versions, event_encodings, tag_events, tag_names);
    insert into streams
    select names[event_streams[i]] from generate_series(1, cardinality(event_streams)) i
    where event_versions[i] = 1 and event_positions[i] is not null;
    get diagnostics new_streams = row_count;
    current.streams := current.streams + new_streams;
  end if;
  insert into receipts as r (id, key, command_digest, outcome, expires_at, owner, recorded_at, position)
  select current.receipts + i, names[receipt_keys[i]],
    field(payload, ends, receipt_fields[i]), field(payload, ends, receipt_fields[i] + 1),
    receipt_expiries[i], names[receipt_owners[i]], receipt_times[i], receipt_positions[i]
  from generate_series(1, cardinality(receipt_keys)) i
  on conflict (key) do update set id = excluded.id, command_digest = excluded.command_digest,
    outcome = excluded.outcome, expires_at = excluded.expires_at, owner = excluded.owner,
    recorded_at = excluded.recorded_at, position = excluded.position
    where r.recorded_at < excluded.recorded_at;
  update head set position = last_position, recorded_at = last_time, streams = current.streams,
    receipts = current.receipts + cardinality(receipt_keys);
  return jsonb_build_object('imported', last_position - current.position);
end $$;

-- At most `most` of them: those expired at a time, or an owner's.
create function release_receipts(expired_at bigint, owner text, most bigint)
returns bigint language plpgsql security definer set search_path from current as $$
declare
  released bigint;
begin
  if owner is null then
    delete from receipts where key in (
      select key from receipts r where r.expires_at <= expired_at order by r.expires_at limit most for update skip locked);
  else
    delete from receipts where key in (
      select key from receipts r where r.owner = release_receipts.owner limit most for update skip locked);
  end if;
  get diagnostics released = row_count;
  return released;
end $$;

