/** What callers, folds and deployments do that nobody expects of them. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineProjection, defineTables, memory, openEngine, openLog } from '../../src/index.ts';
import type { AnyProjection, Backend, Engine, EngineOptions, Where } from '../../src/index.ts';
import { shared } from '../support/gated-store.ts';
import { temporaryFolder } from '../support/temporary.ts';

const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

const thing = defineAggregate({
  name: 'thing',
  events: { Added: z.object({ n: z.number() }), Renamed: z.object({ to: z.string() }) },
  initialState: {},
  evolve: { Added: (state) => state, Renamed: (state) => state },
  commands: {
    add: { input: z.object({ n: z.number() }), decide: (_state, { n }) => [{ type: 'Added', data: { n } }] },
    rename: { input: z.object({ to: z.string() }), decide: (_state, { to }) => [{ type: 'Renamed', data: { to } }] },
  },
});
const { add, rename } = thing.commands;

async function engineOn(store: Backend, options: Partial<EngineOptions>): Promise<Engine> {
  const engine = await openEngine({
    store,
    aggregates: [thing],
    limits: { streams: Infinity },
    hooks: { consumer: () => {} },
    leaseMs: 300,
    ...options,
  });
  opened.push(engine);
  return engine;
}

/** Sums; `bad` says what the fold of a number does that it must not. */
function sums(
  options: { mode?: 'async' | 'inline'; onFailure?: 'stop' | 'park'; name?: string; key?: (id: string) => string } = {},
  bad: (n: number) => unknown = () => undefined,
) {
  const { mode = 'async', onFailure = 'stop', name = 'sums', key = (id: string) => id } = options;
  return defineProjection({
    name,
    mode,
    onFailure,
    attempts: 1,
    from: [thing],
    key: (event) => key(event.aggregateId),
    initial: { sum: 0 },
    on: {
      Added: ({ sum }, { data }) => {
        const value = bad(data.n);
        return value === undefined ? { sum: sum + data.n } : (value as { sum: number });
      },
      Renamed: 'ignore',
    },
  });
}

const throwing = (error: unknown) => (n: number) => {
  if (n === 13) throw error;
};

describe('an event at which a fold fails stands still or is put aside, whatever it fails with', () => {
  const unprintable = Object.assign(Object.create(null) as object, {});
  test.each<[string, (n: number) => unknown]>([
    ['a message that no store keeps', throwing(new Error('\0 and \ud800'))],
    ['something that cannot be shown', throwing(unprintable)],
    ['nothing at all', throwing(undefined)],
    ['a document that no store keeps', (n) => (n === 13 ? { sum: NaN } : undefined)],
    ['a promise', (n) => (n === 13 ? Promise.resolve({ sum: 1 }) : undefined)],
  ])('%s', async (_, bad) => {
    const stopping = sums({ name: 'stopping' }, bad);
    const parking = sums({ name: 'parking', onFailure: 'park' }, bad);
    const engine = await engineOn(memory(), { projections: [stopping, parking] });
    for (const n of [1, 13, 2]) await engine.execute(add(String(n), { n }));
    await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted', details: { position: 2 } });
    await engine.view(parking).fresh({ atLeast: 3 });
    expect(await Array.fromAsync(engine.consumers.parked('parking'))).toMatchObject([{ key: '13', position: 2 }]);
    expect(await engine.view(parking).count()).toBe(2);
  });

  test.each(['', 'a\0b', '\ud800', 'x'.repeat(2_000)])('a key that is none: %j', async (key) => {
    const keyed = sums({ onFailure: 'park', key: (id) => (id === '13' ? key : id) });
    const engine = await engineOn(memory(), { projections: [keyed] });
    for (const n of [1, 13, 2]) await engine.execute(add(String(n), { n }));
    await engine.settled();
    expect(await Array.fromAsync(engine.consumers.parked('sums'))).toMatchObject([{ key: '', position: 2 }]);
  });

  test('a read of a view that stands still says so at once, and not when its time is up', async () => {
    const engine = await engineOn(memory(), { projections: [sums({}, throwing(new Error('unlucky')))] });
    await engine.execute(add('1', { n: 13 }));
    await expect(engine.view(sums()).get('1', { atLeast: 1, timeoutMs: Infinity })).rejects.toMatchObject({
      code: 'stale',
      details: { fault: { position: 1, reason: 'unlucky' } },
    });
  });
});

describe('folded inline', () => {
  test.each<[string, (n: number) => unknown]>([
    ['a document that cannot be kept', (n) => (n === 13 ? { sum: NaN } : undefined)],
    ['a fold that throws', throwing(new Error('unlucky'))],
  ])('only the request with %s is refused', async (_, bad) => {
    const engine = await engineOn(memory(), { projections: [sums({ mode: 'inline' }, bad)] });
    const settled = await Promise.allSettled([1, 13, 2].map((n) => engine.execute(add(`t${n}`, { n }))));
    expect(settled.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'done'))).toEqual([
      'done',
      'projection_failed',
      'done',
    ]);
  });

  test('what was refused leaves nothing behind that the next opening stumbles over', async () => {
    const store = shared(memory());
    const projections = [
      sums({ mode: 'inline', name: 'first' }),
      sums({ mode: 'inline', name: 'second' }, throwing(new Error('unlucky'))),
    ];
    const engine = await engineOn(store, { projections });
    await expect(engine.execute(add('1', { n: 13 }))).rejects.toMatchObject({ code: 'projection_failed' });
    await engine.execute(add('2', { n: 5 }));
    await engine.close();
    const again = await engineOn(store, { projections });
    expect(await again.view(projections[0] as ReturnType<typeof sums>).findMany()).toEqual([{ sum: 5 }]);
  });

  test('also where the process does no other work for it', async () => {
    const store = shared(memory());
    const inline = sums({ mode: 'inline' }, throwing(new Error('unlucky')));
    const worker = await engineOn(store, { projections: [inline] });
    await worker.execute(add('1', { n: 1 }));
    const web = await engineOn(store, { projections: [inline], run: 'none' });
    await worker.close();
    await expect(web.execute(add('1', { n: 13 }))).rejects.toMatchObject({ code: 'projection_failed' });
    await web.execute(add('1', { n: 2 }));
    expect(await web.view(inline).get('1')).toEqual({ sum: 3 });
  });

  test('by several engines on one log, each until it is closed', async () => {
    await using log = await openLog({ store: memory() });
    const one = sums({ mode: 'inline', name: 'one' }, throwing(new Error('unlucky')));
    const two = sums({ mode: 'inline', name: 'two' }, (n) => (n === 14 ? NaN : undefined));
    const options = { store: log, aggregates: [thing], hooks: { consumer: () => {} } };
    const first = await openEngine({ ...options, projections: [one] });
    opened.push(first);
    const second = await openEngine({ ...options, projections: [two] });
    await first.execute(add('1', { n: 1 }));
    expect([await first.view(one).get('1'), await second.view(two).get('1')]).toEqual([{ sum: 1 }, { sum: 1 }]);
    for (const n of [13, 14])
      await expect(first.execute(add('1', { n }))).rejects.toMatchObject({ code: 'projection_failed' });
    await second.close();
    await first.execute(add('1', { n: 14 }));
    await expect(first.execute(add('1', { n: 13 }))).rejects.toMatchObject({ code: 'projection_failed' });
    await expect(openEngine({ ...options, projections: [one] })).rejects.toMatchObject({ code: 'request_invalid' });
  });
});

describe('a deployment that handles a further type under the same version', () => {
  const older = sums();
  const newer: AnyProjection = defineProjection({
    name: 'sums',
    from: [thing],
    key: (event) => event.aggregateId,
    initial: { sum: 0 },
    on: { Added: ({ sum }, { data }) => ({ sum: sum + data.n }), Renamed: ({ sum }) => ({ sum: sum + 100 }) },
  });

  test('takes over from the one that knows nothing of it: no event is passed by', async () => {
    const store = shared(memory());
    const old = await engineOn(store, { projections: [older] });
    await old.execute(add('1', { n: 1 }));
    await old.settled();
    const now = await engineOn(store, { projections: [newer] });
    for (let count = 0; count < 5; count++) {
      await now.execute(rename('1', { to: `name ${count}` }));
      await old.execute(add('1', { n: 1 }));
    }
    expect(await now.view(newer).get('1', { atLeast: 11 })).toEqual({ sum: 506 });
    await now.close();
    // What the older one could not deal with is waited for, not passed by.
    await old.execute(add('1', { n: 1 }));
    const stale = await old.view(older).safeGet('1', { atLeast: 12, timeoutMs: 500 });
    expect(stale.kind).toBe('stale');
    const again = await engineOn(store, { projections: [newer] });
    expect(await again.view(newer).get('1', { atLeast: 12 })).toEqual({ sum: 507 });
  });

  test('is refused where one has been passed by', async () => {
    const store = shared(memory());
    const old = await engineOn(store, { projections: [older] });
    await old.execute(rename('1', { to: 'x' }));
    await old.execute(add('1', { n: 1 }));
    await old.settled();
    await expect(engineOn(store, { projections: [newer] })).rejects.toMatchObject({
      code: 'definition_changed',
      details: { consumer: 'sums', version: 1 },
    });
    await old.execute(add('1', { n: 1 }));
    expect(await old.view(older).get('1', { atLeast: 3 })).toEqual({ sum: 2 });
  });
});

describe('what waits ends', () => {
  test('settled, when its time is up, however much is appended meanwhile', async () => {
    const engine = await engineOn(memory(), { projections: [sums()] });
    const done = new AbortController();
    const busy = (async () => {
      for (; !done.signal.aborted; await setImmediate()) await engine.execute(add('1', { n: 1 }));
    })();
    await engine.settled({ timeoutMs: 300 }).catch((error: unknown) => expect(error).toMatchObject({ code: 'stale' }));
    done.abort();
    await busy;
    for (const timeoutMs of [NaN, -1])
      await expect(engine.settled({ timeoutMs })).rejects.toMatchObject({ code: 'option_invalid' });
  });

  test('a rebuild whose generation is dropped, and one whose engine is closed', async () => {
    const store = shared(memory());
    const broken = sums({}, throwing(new Error('unlucky')));
    const engine = await engineOn(store, { projections: [broken] });
    await engine.execute(add('1', { n: 1 }));
    await engine.settled();
    const outsider = await engineOn(store, { projections: [broken], run: 'none' });
    await engine.close();
    // Nobody works on it, so it takes for ever.
    const rebuilding = outsider.consumers.rebuild(broken);
    await expect(
      (async () => {
        while ((await outsider.consumers.status())[0]?.building === undefined) await setImmediate();
        await outsider.consumers.drop(broken, 2);
        await rebuilding;
      })(),
    ).rejects.toMatchObject({ code: 'consumer_refused' });
    const [ended] = await Promise.allSettled([
      outsider.consumers.rebuild(broken),
      (async () => {
        while ((await outsider.consumers.status())[0]?.building === undefined) await setImmediate();
        await outsider.close();
      })(),
    ]);
    expect(ended).toMatchObject({ reason: { code: 'engine_closed' } });
  });

  test('a read of a view that nobody has run yet, when somebody runs it', async () => {
    const store = shared(memory());
    const web = await engineOn(store, { projections: [sums()], run: 'none' });
    await web.execute(add('1', { n: 1 }));
    await expect(web.view(sums()).get('1', { timeoutMs: 20 })).rejects.toMatchObject({ code: 'consumer_never_run' });
    const reading = web.view(sums()).get('1', { timeoutMs: Infinity });
    await engineOn(store, { projections: [sums()] });
    expect(await reading).toEqual({ sum: 1 });
  });
});

test('what cannot be meant is refused before anything is done', async () => {
  const engine = await engineOn(memory(), { projections: [sums()] });
  const view = engine.view(sums());
  const nothing = null as unknown as Where<{ sum: number }>;
  await expect(view.findMany({ where: nothing })).rejects.toMatchObject({ code: 'query_invalid' });
  await expect(view.count({ where: nothing })).rejects.toMatchObject({ code: 'query_invalid' });
  for (const atLeast of [1.5, Infinity, NaN, -1])
    await expect(view.get('1', { atLeast })).rejects.toMatchObject({ code: 'option_invalid' });
  await expect(view.get('1', { signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
  const forged = Buffer.from(JSON.stringify(['asc sum', [], 'x'])).toString('base64');
  await expect(view.findMany({ orderBy: { sum: 'asc' }, after: forged })).rejects.toMatchObject({
    code: 'request_invalid',
  });
  const other = { ...sums(), version: 2 };
  expect(() => engine.view(other)).toThrow(expect.objectContaining({ code: 'consumer_refused' }));
  for (const checkpoint of ['', 'a\0b'])
    await expect(engine.subscribe({ checkpoint }).next()).rejects.toMatchObject({ code: 'name_invalid' });
  await expect(engineOn(memory(), { projections: [sums()], leaseMs: Infinity })).rejects.toMatchObject({
    code: 'option_invalid',
  });
});

test('of several statements in one string none is done', async () => {
  const file = join(await temporaryFolder(), 'tables.db');
  const tables = (create: string) =>
    defineTables({
      name: 'two',
      from: [thing],
      create: [create],
      on: { Added: () => [{ sql: 'insert into a values (1); commit', params: [] }], Renamed: 'ignore' },
    });
  await expect(
    engineOn(sqlite(file), { tables: [tables('create table a (x); create table b (x)')] }),
  ).rejects.toMatchObject({ code: 'statement_failed' });
  const engine = await engineOn(sqlite(file), { tables: [tables('create table a (x); -- and no more\n ;')] });
  await engine.execute(add('1', { n: 1 }));
  await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted' });
  await engine.close();
  using db = new DatabaseSync(file);
  expect(db.prepare('select * from a').all()).toEqual([]);
});

test('a hook that fails, at once or later, harms nobody', async () => {
  const consumer = (async () => {
    throw new Error('a hook of the user’s');
  }) as () => void;
  const engine = await engineOn(memory(), { projections: [sums()], hooks: { consumer } });
  await engine.execute(add('1', { n: 1 }));
  await engine.settled();
});

test('all that is left of a lower version can be removed', async () => {
  const store = shared(memory());
  const before = await engineOn(store, { projections: [sums()] });
  await before.execute(add('1', { n: 1 }));
  await before.settled();
  await before.close();
  const second = { ...sums(), version: 2 };
  const engine = await engineOn(store, { projections: [second] });
  await engine.settled();
  await expect(engine.consumers.dropVersion('sums', 2)).rejects.toMatchObject({ code: 'consumer_refused' });
  await engine.consumers.dropVersion('sums', 1);
  await expect(engine.consumers.dropVersion('sums', 1)).rejects.toMatchObject({ code: 'consumer_never_run' });
  const state = await engine.log.state();
  expect(await state?.collections('view/')).toEqual(['view/sums@2.1']);
});
