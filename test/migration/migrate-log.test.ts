import { join } from 'node:path';
import { bodyDigest, copyLog, defineAggregate, eventId, memory, migrateLog, openEngine, versions } from 'eventsrc';
import type { Backend, EventLog, Migration, StoredEvent } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { contents, eventsOf, fill, hex, migrated, open, recorder, shortly, small } from './shop.ts';

const newPostgres = postgresStores();
const stores: Readonly<Record<string, () => Promise<Backend>>> = {
  memory: async () => memory(),
  sqlite: async () => sqlite(join(await temporaryFolder(), 'store.db')),
  postgres: async () => newPostgres(),
};
const openKind = async (kind = '') => open(await (stores[kind] as () => Promise<Backend>)());

type Priced = StoredEvent<'Priced', { readonly index: number; readonly euros: number }>;
type Noted = StoredEvent<'Noted' | '$deleted', { readonly index: number }>;

/** Euros become cents; every sixth note is left out; every seventh price is split in two. */
const tidied: Migration<Priced | Noted> = (event) => {
  if (event.type !== 'Priced') return event.type === 'Noted' && event.data.index % 6 === 1 ? null : 'keep';
  const { index, euros } = event.data;
  const priced = { ...event, data: { index, cents: euros * 100 }, schemaVersion: 2 };
  return index % 7 === 0 ? [priced, { type: 'Checked', data: { index } }] : priced;
};

describe.each(['memory to memory', 'sqlite to sqlite', 'sqlite to memory', 'sqlite to postgres', 'postgres to sqlite'])(
  '%s',
  (ways) => {
    const both = async () => {
      const [from, to] = ways.split(' to ');
      return [await openKind(from), await openKind(to)] as const;
    };

    test('what is kept is what copying gives, byte for byte', async () => {
      const [from, to] = await both();
      await using copied = await open();
      await fill(from, 0, 60);
      const { entries, record } = recorder();
      expect(await migrateLog(from, to, () => 'keep', { record })).toEqual({
        ...{ events: 60, kept: 60, leftOut: 0, sagaSteps: 0 },
        ...{ written: 60, skipped: 0, receipts: 60 },
      });
      await copyLog(from, copied);
      expect(await contents(to)).toEqual(await contents(from));
      expect(await contents(to)).toEqual(await contents(copied));
      expect(entries).toEqual([]);
      await Promise.all([from.close(), to.close()]);
    });

    test('events are changed, split and left out, in every backend alike; the old store stays as it was', async () => {
      const [from, to] = await both();
      await using model = await open();
      await fill(from, 0, 60);
      const before = await contents(from);
      const result = await migrateLog(from, to, tidied);
      expect(result).toMatchObject({ events: 60, leftOut: 10, written: 54, receipts: 60 });
      await migrateLog(from, model, tidied);
      expect(await contents(to)).toEqual(await contents(model));
      expect(await contents(from)).toEqual(before);
      // The first event is two now, the second is left out.
      for (const [key, position] of Object.entries({ 'key 0': 2, 'key 1': 2, 'key 2': 3 }))
        expect(await to.receipt(key)).toMatchObject({ position });
      // And the new store goes on.
      expect(await to.append([{ stream: 'order-9', events: [{ type: 'Noted', data: {} }] }])).toMatchObject({
        events: [{ position: 55 }],
      });
      await Promise.all([from.close(), to.close()]);
    });

    test('goes on where it was interrupted, and where the source has grown', async () => {
      const [from, to] = await both();
      await fill(from, 0, 50);
      const controller = new AbortController();
      const onProgress = () => controller.abort(new Error('enough'));
      await expect(migrateLog(from, to, tidied, { signal: controller.signal, onProgress })).rejects.toThrow('enough');
      const first = await migrateLog(from, to, tidied);
      expect(first.written + first.skipped).toBe((await to.head()).position);
      await fill(from, 50, 10);
      const second = await migrateLog(from, to, tidied);
      expect(second).toMatchObject({ skipped: first.written + first.skipped, receipts: 60 });
      await using whole = await open();
      await migrateLog(from, whole, tidied);
      expect(await contents(to)).toEqual(await contents(whole));
      await Promise.all([from.close(), to.close()]);
    });
  },
);

describe('what a function can say', () => {
  const at =
    (position: number, said: ReturnType<Migration>): Migration =>
    (event) =>
      event.position === position ? said : 'keep';

  test('one or several events, in the order of the list, among them the old one', async () => {
    expect(await migrated(at(2, [{ type: 'X', data: 1 }, 'keep', { type: 'Y', data: null }]))).toEqual([
      'a-1@1 A {"type":"A"}',
      'b-1@1 X 1',
      'b-1@2 B {"type":"B"}',
      'b-1@3 Y null',
      'a-1@2 C {"type":"C"}',
      'b-1@4 D {"type":"D"}',
      'a-1@3 $deleted {"type":"$deleted"}',
    ]);
  });

  test('nothing, of a whole stream too', async () => {
    const rest = ['a-1@1 A {"type":"A"}', 'a-1@2 C {"type":"C"}', 'a-1@3 $deleted {"type":"$deleted"}'];
    expect(await migrated(({ stream }) => (stream === 'b-1' ? [] : 'keep'))).toEqual(rest);
    expect(await migrated(({ stream }) => (stream === 'b-1' ? null : 'keep'))).toEqual(rest);
    expect(await migrated(() => null)).toEqual([]);
  });

  test('another stream: its events come behind those that are there by then, and go on behind them', async () => {
    expect(await migrated(({ stream, ...event }) => ({ ...event, stream: stream === 'a-1' ? 'b-1' : 'c-1' }))).toEqual([
      'b-1@1 A {"type":"A"}',
      'c-1@1 B {"type":"B"}',
      'b-1@2 C {"type":"C"}',
      'c-1@2 D {"type":"D"}',
      'b-1@3 $deleted {"type":"$deleted"}',
    ]);
    expect(await migrated((event) => (event.position === 3 ? { ...event, stream: 'b-1' } : 'keep'))).toEqual([
      'a-1@1 A {"type":"A"}',
      'b-1@1 B {"type":"B"}',
      'b-1@2 C {"type":"C"}',
      'b-1@3 D {"type":"D"}',
      'a-1@2 $deleted {"type":"$deleted"}',
    ]);
  });

  test('tags, metadata and schema version are those of the old event, unless it says otherwise', async () => {
    await using from = await small();
    await using to = await open();
    await migrateLog(from, to, (event) => {
      if (event.position === 1) return { type: 'A', data: 1 };
      if (event.position === 2) return { type: 'Other', tags: [], metadata: {}, data: 2, schemaVersion: 7 };
      return null;
    });
    const [first, second] = await eventsOf(to);
    expect(first).toMatchObject({ tags: ['a', 't'], schemaVersion: 1 });
    expect(new TextDecoder().decode(first?.metadata)).toBe('{"actor":"Ada"}');
    expect(second).toMatchObject({ tags: [], schemaVersion: 7, metadata: new Uint8Array(0) });
  });

  test('what it says without a change is as good as kept', async () => {
    await using from = await small();
    await using to = await open();
    expect(await migrateLog(from, to, (event) => ({ ...event }))).toMatchObject({ kept: 5 });
    await using other = await open();
    expect(await migrateLog(from, other, (event) => event)).toMatchObject({ kept: 5 });
    await using mutated = await open();
    const spoils: Migration = (event) => {
      Object.assign(event, { data: 'spoilt', stream: 'z-9', version: 99 });
      return 'keep';
    };
    expect(await migrateLog(from, mutated, spoils)).toMatchObject({ kept: 5 });
    expect(await contents(mutated)).toEqual(await contents(from));
  });

  test('times stay, and so do the ids of a stream up to the first event that is numbered otherwise', async () => {
    await using from = await small();
    await using to = await open();
    const { entries, record } = recorder();
    await migrateLog(from, to, at(3, null), { record });
    const [old, now] = [await eventsOf(from), await eventsOf(to)];
    expect(now.map(({ recordedAt }) => recordedAt)).toEqual(old.toSpliced(2, 1).map(({ recordedAt }) => recordedAt));
    const [a, b, c, d, end] = old.map(({ id }) => hex(id));
    expect(now.slice(0, 3).map(({ id }) => hex(id))).toEqual([a, b, d]);
    expect(entries).toEqual([
      { old: { position: 3, stream: 'a-1', version: 2, id: c }, new: [] },
      {
        old: { position: 5, stream: 'a-1', version: 3, id: end },
        new: [{ position: 4, stream: 'a-1', version: 2, id: hex(now[3]?.id as Uint8Array) }],
      },
    ]);
  });
});

describe('what is declared', () => {
  const shop = defineAggregate({
    name: 'a',
    events: {
      A: versions(z.object({ type: z.string() })).next(z.object({ kind: z.string() }), {
        up: ({ type }) => ({ kind: type }),
      }),
      C: z.object({ type: z.string() }),
    },
    retired: { Gone: { schema: z.object({}), as: () => ({ type: 'C' as const, data: { type: 'gone' } }) } },
    initialState: 0,
    evolve: { A: (count) => count + 1, C: (count) => count + 1 },
    commands: {},
  });
  const options = { aggregates: [shop] };

  test('events can be written as the newest version, and say so', async () => {
    await using from = await small();
    await using to = await open();
    const result = await migrateLog(from, to, (_, { newest }) => newest(), options);
    expect(result).toMatchObject({ events: 5, kept: 4 });
    expect((await shortly(to))[0]).toBe('a-1@1 A {"kind":"A"}');
    expect((await eventsOf(to))[0]).toMatchObject({ schemaVersion: 2 });
  });

  test('the fold of what was written as the newest version is the fold of what was there', async () => {
    const now = { store: memory(), aggregates: [shop] };
    await using engine = await openEngine(now);
    await using to = await openEngine({ ...now, store: memory() });
    await engine.log.append([{ stream: 'a-1', events: ['A', 'Gone', 'C'].map((type) => ({ type, data: { type } })) }]);
    await migrateLog(engine.log, to.log, (_, { newest }) => newest(), options);
    expect((await to.load(shop, '1')).state).toEqual((await engine.load(shop, '1')).state);
    expect(await shortly(to.log)).toEqual(['a-1@1 A {"kind":"A"}', 'a-1@2 C {"type":"gone"}', 'a-1@3 C {"type":"C"}']);
  });

  test.each<[string, ReturnType<Migration>, string | RegExp]>([
    ['data that are not what the newest version takes', { type: 'A', data: { kind: 7 } }, /data\.kind/],
    ['data that are not what their version takes', { type: 'A', data: {}, schemaVersion: 1 }, /data\.type/],
    ['the bad one of several', ['keep', { type: 'A', data: {} }], /event 2 of 2: .*data\.kind/],
    ['a version that nobody declares', { type: 'A', data: {}, schemaVersion: 3 }, 'only 1, 2'],
    ['a type that nobody declares', { type: 'B', data: {} }, 'No schema was declared for the event type "B"'],
    ['a type of a name that objects have', { type: 'constructor', data: {} }, 'No schema was declared'],
  ])('%s: refused, with position and path', async (_, said, reason) => {
    await using from = await small();
    await using to = await open();
    const error = await migrateLog(from, to, (event) => (event.position === 3 ? said : 'keep'), options).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({
      code: 'migration_failed',
      details: { position: 3, stream: 'a-1', version: 2, reason: expect.stringMatching(reason) },
    });
  });

  test('streams of others are free, unless their events are declared too', async () => {
    const free: Migration = (event) => (event.position === 2 ? { type: 'Z', data: {} } : 'keep');
    expect(await migrated(free, options)).toContain('b-1@1 Z {}');
    const strict = { ...options, events: { B: z.object({}), D: z.object({}) } };
    await expect(migrated(free, strict)).rejects.toMatchObject({ code: 'migration_failed' });
  });

  test('a schema may take its time, and data are stored as they were returned', async () => {
    const slow = z.object({ kind: z.string().default('none') }).refine(async () => true);
    const events = { B: slow, D: slow };
    expect(
      await migrated((event) => (event.position === 2 ? { type: 'B', data: { more: 1 } } : 'keep'), { events }),
    ).toContain('b-1@1 B {"more":1}');
  });
});

describe('steps of sagas', () => {
  /** An order, and an instance that it started. */
  async function withSteps(): Promise<EventLog> {
    const log = await open();
    const events = ['order-1', 'payout-1', 'order-1', 'payout-1'].map((stream, index) => {
      const type = stream === 'order-1' ? 'A' : '$saga_step';
      const data = new TextEncoder().encode(JSON.stringify({ index }));
      const body = { type, schemaVersion: 1, encoding: 'json', tags: [], data, metadata: new Uint8Array(0) };
      const place = { stream, version: index < 2 ? 1 : 2, recordedAt: 7, bodyDigest: bodyDigest(body) };
      return { ...body, ...place, id: eventId(place) };
    });
    await log.import(events);
    return log;
  }

  test('are kept, whatever the function does with everything else', async () => {
    await using from = await withSteps();
    await using to = await open();
    expect(await migrateLog(from, to, () => null)).toMatchObject({ events: 4, kept: 2, leftOut: 2, sagaSteps: 2 });
    expect(await shortly(to)).toEqual(['payout-1@1 $saga_step {"index":1}', 'payout-1@2 $saga_step {"index":3}']);
    const before = await eventsOf(from);
    expect((await eventsOf(to)).map(({ id }) => hex(id))).toEqual(
      [before[1], before[3]].map((one) => hex(one?.id as Uint8Array)),
    );
  });

  test('are left out, moved or changed only where the function is asked about them', async () => {
    await using from = await withSteps();
    const asked = async (migrate: Migration) => {
      await using to = await open();
      await migrateLog(from, to, migrate, { sagaSteps: true });
      return shortly(to);
    };
    expect(await asked(({ kind }) => (kind === 'saga_step' ? null : 'keep'))).toHaveLength(2);
    const moved = await asked((event) =>
      event.kind === 'saga_step' ? { ...event, stream: 'payout-2', data: 7 } : null,
    );
    expect(moved).toEqual(['payout-2@1 $saga_step 7', 'payout-2@2 $saga_step 7']);
    await expect(asked((event) => ({ ...event, type: 'A' }))).rejects.toMatchObject({
      code: 'migration_failed',
      details: { position: 2, reason: expect.stringContaining('a step of a saga stays one') },
    });
  });
});

test('a command that is repeated is answered by what its events have become', async () => {
  const counter = defineAggregate({
    name: 'counter',
    events: { Added: z.object({ by: z.int() }) },
    initialState: 0,
    evolve: { Added: (sum, { data }) => sum + data.by },
    commands: {
      add: {
        input: z.object({ each: z.array(z.int()) }),
        decide: (_, { each }) => each.map((by) => ({ type: 'Added' as const, data: { by } })),
      },
    },
  });
  await using from = await openEngine({ store: memory(), aggregates: [counter] });
  await using to = await openEngine({ store: memory(), aggregates: [counter] });
  const command = (key: string, each: number[]) =>
    [counter.commands.add('1', { each }), { idempotencyKey: key }] as const;
  await from.execute(...command('one', [1, 2]));
  // Together: one append, a receipt for each.
  await Promise.all([from.execute(...command('two', [3])), from.execute(...command('three', [4, 5]))]);
  await from.execute(...command('none', [2]));
  await migrateLog<StoredEvent<string, { by: number }>>(from.log, to.log, (event) => {
    const { by } = event.data;
    if (by === 2) return null;
    return by === 3 ? ['keep', { type: 'Added', data: { by: 30 } }] : 'keep';
  });
  const again = async (key: string, each: number[]) => {
    const said = await to.execute(...command(key, each));
    if (said.kind !== 'accepted') throw new Error(said.kind);
    return [said.duplicate, said.position, said.events.map(({ data }) => (data as { by: number }).by)];
  };
  expect(await again('one', [1, 2])).toEqual([true, 1, [1]]);
  expect(await again('two', [3])).toEqual([true, 3, [3, 30]]);
  expect(await again('three', [4, 5])).toEqual([true, 5, [4, 5]]);
  expect(await again('none', [2])).toMatchObject([true, expect.anything(), []]);
  expect((await to.load(counter, '1')).state).toBe(1 + 3 + 30 + 4 + 5);
});
