/** Whether what is stored can be read, by programs: `engine.schemas.checkLog`. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineDecision, memory, openEngine, openLog, versions } from '../../src/index.ts';
import type {
  AnyAggregate,
  Backend,
  CheckLogOptions,
  EngineOptions,
  LogCheck,
  StandardSchemaV1,
} from '../../src/index.ts';
import { shared } from '../support/gated-store.ts';

type Stored = readonly [stream: string, type: string, data: unknown, schemaVersion?: number];

/** What is stored, by code that knew no schemas. */
async function storeOf(events: readonly Stored[]): Promise<Backend> {
  const store = shared(memory());
  for (const [stream, type, data, first = 1] of events) {
    const isOwn = type.startsWith('$');
    const declared = isOwn ? {} : { events: { [type]: versions(z.any(), { first }) } };
    await using log = await openLog({ store, ...declared });
    await log.append([{ stream, events: [{ type, data } as never] }]);
  }
  return store;
}

function shelf(events: Readonly<Record<string, StandardSchemaV1>>, retired: object = {}): AnyAggregate {
  return defineAggregate({
    name: 'shelf',
    events,
    retired: retired as never,
    initialState: 0,
    evolve: Object.fromEntries(Object.keys(events).map((type) => [type, (count: number) => count + 1])) as never,
    commands: {},
  }) as unknown as AnyAggregate;
}

async function checked(
  events: readonly Stored[],
  definitions: Partial<EngineOptions>,
  options?: CheckLogOptions,
): Promise<LogCheck> {
  await using engine = await openEngine({ store: await storeOf(events), ...definitions });
  return await engine.schemas.checkLog(options);
}

const named = z.object({ name: z.string() });
const noFailure = { failed: 0, undeclared: 0, newer: 0, uncastable: 0, invalid: 0, unvalidated: [], failures: [] };

describe('what is stored', () => {
  test('is in order where each event is what the newest schema says, cast to it or not', async () => {
    const put = versions(named).next(named.extend({ weight: z.number() }), { up: (data) => ({ ...data, weight: 1 }) });
    const events: Stored[] = [
      ['shelf-1', 'Put', { name: 'jug' }],
      ['shelf-1', 'Put', { name: 'cup', weight: 2 }, 2],
      ['shelf-1', '$deleted', null],
    ];
    expect(await checked(events, { aggregates: [shelf({ Put: put })] })).toEqual({ events: 2, own: 1, ...noFailure });
  });

  test('fails where it does not match its schema, with the path', async () => {
    const thing = z.object({ parts: z.array(z.object({ 'odd name': z.number() })) });
    const events: Stored[] = [
      ['shelf-1', 'Put', { parts: [{ 'odd name': 1 }] }],
      ['shelf-1', 'Put', { parts: [{ 'odd name': 1 }, { 'odd name': 'two' }] }],
    ];
    const { failed, invalid, failures } = await checked(events, { aggregates: [shelf({ Put: thing })] });
    expect({ failed, invalid, failures }).toEqual({
      ...{ failed: 1, invalid: 1 },
      failures: [
        {
          ...{ kind: 'invalid', position: 2, stream: 'shelf-1', version: 2, type: 'Put', schemaVersion: 1 },
          issues: [{ path: 'data.parts[1]["odd name"]', message: expect.stringContaining('number') }],
        },
      ],
    });
  });

  test('fails where a cast does, or leads to what the newest schema does not take', async () => {
    const put = versions(named).next(z.object({ title: z.string() }), {
      up: ({ name }) => {
        if (name === 'jug') throw new Error('no jugs');
        return { title: (name === 'cup' ? 7 : name) as string };
      },
    });
    const events: Stored[] = ['jug', 'cup', 'pan'].map((name) => ['shelf-1', 'Put', { name }]);
    const { failures, ...counts } = await checked(events, { aggregates: [shelf({ Put: put })] });
    expect(counts).toMatchObject({ events: 3, failed: 2, uncastable: 1, invalid: 1 });
    expect(failures).toMatchObject([
      { kind: 'uncastable', position: 1, schemaVersion: 1, issues: [{ path: 'data', message: 'no jugs' }] },
      { kind: 'invalid', position: 2, schemaVersion: 1, issues: [{ path: 'data.title' }] },
    ]);
  });

  test('fails where nobody declares it, or only in other streams', async () => {
    const events: Stored[] = [
      ['shelf-1', 'Put', { name: 'jug' }],
      ['hall-1', 'Put', { name: 'jug' }],
      ['shelf-1', 'Gone', null],
      ['shelf-2', 'Put', { name: 'jug' }, 2],
    ];
    const { failures, ...counts } = await checked(events, { aggregates: [shelf({ Put: named })] });
    expect(counts).toMatchObject({ events: 4, failed: 3, undeclared: 2, newer: 1 });
    expect(failures.map(({ kind, position }) => [kind, position])).toEqual([
      ['undeclared', 2],
      ['undeclared', 3],
      ['newer', 4],
    ]);
  });

  test('may be declared by decisions, whatever its streams', async () => {
    const fill = defineDecision({
      name: 'fill',
      events: { Filled: named },
      input: z.null(),
      query: () => [],
      initialState: 0,
      evolve: { Filled: (count) => count + 1 },
      decide: () => [],
    });
    const events: Stored[] = [
      ['hall-1', 'Filled', { name: 'Ada' }],
      ['yard-1', 'Filled', { name: 7 }],
    ];
    expect(await checked(events, { decisions: [fill] })).toMatchObject({ failed: 1, failures: [{ position: 2 }] });
  });

  test('of a retired type is judged by what it is read as: once, and which of several is said', async () => {
    const as = ({ name, size }: { name: string; size: unknown }) => [
      { type: 'Put', data: { name } },
      { type: 'Sized', data: { size } },
      { type: 'Sized', data: { size } },
    ];
    const retired = { Moved: { schema: z.object({ name: z.string(), size: z.any() }), as } };
    const events: Stored[] = [
      ['shelf-1', 'Moved', { name: 'jug', size: 2 }],
      ['shelf-1', 'Moved', { name: 'jug', size: 'big' }],
      // The schema of what is retired has no say.
      ['shelf-1', 'Moved', { name: 7, size: 'big' }],
    ];
    const found = await checked(events, {
      aggregates: [shelf({ Put: named, Sized: z.object({ size: z.number() }) }, retired)],
    });
    expect(found).toMatchObject({ events: 3, failed: 2, invalid: 2 });
    expect(found.failures).toMatchObject([
      { position: 2, type: 'Moved', readAs: { type: 'Sized', index: 1 }, issues: [{ path: 'data.size' }] },
      { position: 3, type: 'Moved', readAs: { type: 'Put', index: 0 }, issues: [{ path: 'data.name' }] },
    ]);
  });
});

describe('schemas', () => {
  const own = (validate: StandardSchemaV1['~standard']['validate']): StandardSchemaV1 => ({
    '~standard': { version: 1, vendor: 'own', validate },
  });
  const events: Stored[] = [1, 2, 3].map((size) => ['shelf-1', 'Put', { size }]);
  const judge = (value: unknown) =>
    (value as { size: number }).size === 2 ? { issues: [{ message: 'two', path: ['size'] }] } : { value };

  test.each([
    ['at once', own(judge)],
    ['later', own((value) => Promise.resolve(judge(value)))],
  ])('may answer %s', async (_, schema) => {
    expect(await checked(events, { aggregates: [shelf({ Put: schema })] })).toMatchObject({
      ...{ events: 3, failed: 1 },
      failures: [{ position: 2, issues: [{ path: 'data.size', message: 'two' }] }],
    });
  });

  const unlucky = (value: unknown) => {
    if ((value as { size: number }).size > 1) throw new Error('unlucky');
    return { value };
  };

  test.each([
    ['at once', own(unlucky)],
    ['later', own((value) => Promise.resolve(value).then(unlucky))],
  ])('may fail %s', async (_, schema) => {
    const { failures, failed } = await checked(events, { aggregates: [shelf({ Put: schema })] });
    expect(failed).toBe(2);
    expect(failures[0]).toMatchObject({ kind: 'invalid', issues: [{ message: 'its schema failed: unlucky' }] });
  });

  test.each([
    ['says so', z.object({ name: z.string().transform((name) => name.length) })],
    ['says what it gives', z.object({ name: z.string().transform(Number).pipe(z.number()) })],
  ])('that give something else than they take are no judges of what is stored: one that %s', async (_, schema) => {
    const stored: Stored[] = [['shelf-1', 'Put', { name: 3 }]];
    const aggregates = [shelf({ Put: schema, Taken: named })];
    expect(await checked(stored, { aggregates })).toEqual({
      events: 1,
      own: 0,
      ...noFailure,
      unvalidated: ['shelf.Put'],
    });
  });

  test('that fill in what is missing are', async () => {
    const schema = z.object({ name: z.string().default('jug'), size: z.coerce.number() });
    const stored: Stored[] = [
      ['shelf-1', 'Put', { name: 'jug', size: 1 }],
      ['shelf-1', 'Put', { name: 7, size: 1 }],
    ];
    expect(await checked(stored, { aggregates: [shelf({ Put: schema })] })).toMatchObject({
      ...{ failed: 1, unvalidated: [], failures: [{ position: 2 }] },
    });
  });
});

describe('checkLog', () => {
  const events: Stored[] = Array.from({ length: 12 }, (_, index) => [`shelf-${index % 3}`, 'Put', { name: index }]);
  const aggregates = [shelf({ Put: named })];
  const positions = ({ failures }: LogCheck) => failures.map(({ position }) => position);

  test('gives the first failures, and counts all', async () => {
    const found = await checked(events, { aggregates }, { limit: 2 });
    expect([found.failed, positions(found)]).toEqual([12, [1, 2]]);
    expect(await checked(events, { aggregates }, { limit: 0 })).toMatchObject({ failed: 12, failures: [] });
  });

  test('looks at part of the log, and tells how far it is', async () => {
    expect(positions(await checked(events, { aggregates }, { stream: 'shelf-1' }))).toEqual([2, 5, 8, 11]);
    const told: unknown[] = [];
    const part = { after: 3, until: 6, onProgress: (progress: object) => told.push(progress) };
    expect(positions(await checked(events, { aggregates }, part))).toEqual([4, 5, 6]);
    expect(told).toEqual([{ done: 3, total: 3 }]);
    expect(await checked(events, { aggregates }, { after: 12 })).toMatchObject({ events: 0, failed: 0 });
    expect(await checked(events, { aggregates }, { match: [{ types: ['Other'] }] })).toMatchObject({ events: 0 });
  });

  test('ends when it is told to', async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error('enough'));
    const many: Stored[] = Array.from({ length: 3 }, () => ['shelf-1', 'Put', { name: 'jug' }]);
    await using engine = await openEngine({ store: await storeOf(many), aggregates });
    const pages = Array.from({ length: 1_100 }, () => ({ type: 'Put', data: { name: 'jug' } }));
    for (let at = 0; at < pages.length; at += 550)
      await engine.log.append([{ stream: 'shelf-2', events: pages.slice(at, at + 550) as never }]);
    const { signal } = controller;
    await expect(engine.schemas.checkLog({ onProgress, signal })).rejects.toThrow('enough');
  });

  test('refuses what cannot be meant', async () => {
    for (const options of [{ limit: -1 }, { limit: 0.5 }, { limits: 3 }, { after: -1 }, { signal: 7 }])
      await expect(checked([], { aggregates }, options as never)).rejects.toMatchObject({ code: 'option_invalid' });
    await expect(checked([], { aggregates }, { stream: 'none' })).rejects.toMatchObject({ code: 'name_invalid' });
    const engine = await openEngine({ store: memory(), aggregates });
    await engine.close();
    await expect(engine.schemas.checkLog()).rejects.toMatchObject({ code: 'store_closed' });
  });
});
