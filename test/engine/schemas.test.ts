/** The registry of schemas in whole engines, on every backend. */
import { join } from 'node:path';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineDecision, memory, openEngine, versions } from '../../src/index.ts';
import type { Backend, Engine, EngineOptions, StandardSchemaV1 } from '../../src/index.ts';
import { shared } from '../support/gated-store.ts';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = await temporaryFolder();
let files = 0;
const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function open(store: Backend, options: Partial<EngineOptions>): Promise<Engine> {
  const engine = await openEngine({ store, ...options });
  opened.push(engine);
  return engine;
}

/** A shelf onto which things are put, whatever they are. */
function shelfOf(schema: StandardSchemaV1, other: StandardSchemaV1 = z.null()) {
  return defineAggregate({
    name: 'shelf',
    events: { Put: schema, Cleared: other },
    initialState: 0,
    evolve: { Put: (count: number) => count + 1, Cleared: () => 0 },
    commands: {
      put: { input: z.any(), decide: (_, input) => [{ type: 'Put', data: input as unknown }] },
      clear: { input: z.null(), decide: () => [{ type: 'Cleared', data: null }] },
    },
  });
}

const thing1 = z.object({ name: z.string() });
const thing2 = z.object({ name: z.string(), weight: z.number() });

const backends: [string, () => Backend][] = [
  ['memory', () => shared(memory())],
  ['sqlite', () => sqlite(join(folder, `${++files}.db`))],
  ['postgres', postgresStores()],
];

describe.each(backends)('on %s', (_backend, newStore) => {
  test('each version of each type is registered when its first event is appended, and no earlier', async () => {
    const store = newStore();
    const shelf = shelfOf(thing1);
    const engine = await open(store, { aggregates: [shelf] });
    expect(await engine.schemas.registered()).toEqual([]);
    await engine.execute(shelf.commands.put('1', { name: 'jug' }));
    const [put, ...others] = await engine.schemas.registered();
    expect(others).toEqual([]);
    expect(put).toMatchObject({
      owner: 'shelf',
      type: 'Put',
      version: 1,
      vendor: 'zod',
      shape: { input: { type: 'object', required: ['name'] } },
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await engine.execute(shelf.commands.clear('1', null));
    await engine.close();
    const next = shelfOf(versions(thing1).next(thing2, { up: (data) => ({ ...data, weight: 0 }) }));
    const later = await open(store, { aggregates: [next] });
    expect((await later.schemas.check()).map(({ type, version, kind }) => [type, version, kind])).toEqual([
      ['Put', 1, 'registered'],
      ['Put', 2, 'new'],
      ['Cleared', 1, 'registered'],
    ]);
    await later.execute(next.commands.put('1', { name: 'cup', weight: 1 }));
    expect((await later.schemas.registered()).map(({ type, version }) => [type, version])).toEqual([
      ['Cleared', 1],
      ['Put', 1],
      ['Put', 2],
    ]);
  });

  test('an event that its schema refuses, at once or later, leaves nothing registered', async () => {
    const store = newStore();
    const later: StandardSchemaV1 = {
      '~standard': { version: 1, vendor: 'slow', validate: async () => ({ issues: [{ message: 'never' }] }) },
    };
    const shelf = shelfOf(thing1, later);
    const engine = await open(store, { aggregates: [shelf] });
    const commands = [shelf.commands.put('1', { weight: 1 }), shelf.commands.clear('1', null)];
    for (const command of commands)
      await expect(engine.execute(command)).rejects.toMatchObject({ code: 'event_invalid' });
    expect(await engine.schemas.registered()).toEqual([]);
  });

  test('a version that was appended cannot be changed in place: opening says what is different', async () => {
    const store = newStore();
    const shelf = shelfOf(thing1);
    const engine = await open(store, { aggregates: [shelf] });
    await engine.execute(shelf.commands.put('1', { name: 'jug' }));
    await engine.close();
    await expect(openEngine({ store, aggregates: [shelfOf(thing2)] })).rejects.toMatchObject({
      code: 'schema_changed',
      details: { type: 'shelf.Put', schemaVersion: 1 },
      message: expect.stringContaining('weight'),
    });
    // Neither as one of several.
    const rewritten = versions(z.object({ name: z.number() })).next(thing2, { up: () => ({ name: '', weight: 1 }) });
    await expect(openEngine({ store, aggregates: [shelfOf(rewritten)] })).rejects.toMatchObject({
      code: 'schema_changed',
      details: { schemaVersion: 1 },
    });
    // What was never appended is nobody's business yet.
    const untouched = await open(store, { aggregates: [shelfOf(thing1, z.object({ why: z.string() }))] });
    expect((await untouched.load(shelf, '1')).state).toBe(1);
    // What describes, and does not decide, may change.
    await open(store, { aggregates: [shelfOf(z.object({ name: z.string().describe('of the thing') }))] });
  });

  test('of two processes that register another schema at once, one is refused, and appends nothing', async () => {
    const store = newStore();
    const [a, b] = [shelfOf(thing1), shelfOf(thing2)];
    const engines = [await open(store, { aggregates: [a] }), await open(store, { aggregates: [b] })] as const;
    const results = await Promise.allSettled([
      engines[0].execute(a.commands.put('1', { name: 'jug' })),
      engines[1].execute(b.commands.put('2', { name: 'jug', weight: 1 })),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((one) => one.status === 'rejected')?.reason).toMatchObject({ code: 'schema_changed' });
    expect((await engines[0].log.head()).position).toBe(1);
    expect(await engines[0].schemas.registered()).toHaveLength(1);
  });

  test('what decisions emit is registered as their aggregate declares it', async () => {
    const store = newStore();
    const shelf = shelfOf(thing1);
    const fill = defineDecision({
      name: 'fill',
      events: { ...shelf.events, Filled: z.object({ by: z.string() }) },
      input: z.null(),
      query: () => [],
      initialState: 0,
      evolve: { Put: (count) => count, Cleared: 'ignore', Filled: 'ignore' },
      decide: () => [
        { stream: 'shelf-1', type: 'Put', data: { name: 'jug' } },
        { stream: 'hall-1', type: 'Filled', data: { by: 'ada' } },
      ],
    });
    const engine = await open(store, { aggregates: [shelf], decisions: [fill] });
    await engine.execute(fill(null));
    expect((await engine.schemas.registered()).map(({ owner, type }) => [owner, type])).toEqual([
      ['', 'Filled'],
      ['shelf', 'Put'],
    ]);
  });

  test('a new version must be as compatible as is demanded, of all types or of one', async () => {
    const store = newStore();
    const shelf = shelfOf(thing1);
    const engine = await open(store, { aggregates: [shelf] });
    await engine.execute(shelf.commands.put('1', { name: 'jug' }));
    await engine.close();
    const next = shelfOf(versions(thing1).next(thing2, { up: (data) => ({ ...data, weight: 0 }) }));
    const opening = (schemas: EngineOptions['schemas']) =>
      openEngine({ store, aggregates: [next], schemas: schemas as NonNullable<typeof schemas> });
    await expect(opening({ compatibility: 'BACKWARD' })).rejects.toMatchObject({
      code: 'schema_incompatible',
      details: { type: 'shelf.Put', schemaVersion: 2, compatibility: 'BACKWARD' },
      message: expect.stringContaining('data.weight'),
    });
    await expect(opening({ compatibilityOf: { 'shelf.Put': 'FULL' } })).rejects.toMatchObject({
      code: 'schema_incompatible',
    });
    for (const schemas of [
      {},
      { compatibility: 'FORWARD' },
      { compatibility: 'FULL', compatibilityOf: { Put: 'NONE' } },
    ] as const)
      await (await opening(schemas)).close();
    await expect(opening({ compatibility: 'SOMEHOW' as never })).rejects.toMatchObject({ code: 'option_invalid' });
    await expect(opening({ compatible: 'FULL' } as never)).rejects.toMatchObject({ code: 'option_invalid' });
  });

  test('a schema that says no JSON Schema is registered, and nothing is told of it', async () => {
    const store = newStore();
    const own: StandardSchemaV1<{ name: string }> = {
      '~standard': { version: 1, vendor: 'own', validate: (value) => ({ value: value as { name: string } }) },
    };
    const shelf = shelfOf(own);
    const engine = await open(store, { aggregates: [shelf] });
    await engine.execute(shelf.commands.put('1', { name: 'jug' }));
    expect(await engine.schemas.registered()).toMatchObject([{ vendor: 'own', shape: null, fingerprint: null }]);
    expect((await engine.schemas.check())[0]).toMatchObject({ type: 'Put', kind: 'opaque' });
    await engine.close();
    await open(store, { aggregates: [shelfOf(thing2)] });
  });
});
