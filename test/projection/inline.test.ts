/** Projections that are folded in the append's own transaction. */
import { join } from 'node:path';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineProjection, memory, openEngine, pinned, versions } from '../../src/index.ts';
import type { Backend, Engine, EngineOptions } from '../../src/index.ts';
import { account } from '../command/account.ts';
import { shared } from '../support/gated-store.ts';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = await temporaryFolder();
const { open, deposit } = account.commands;
const opened: Engine[] = [];
let fileCount = 0;

/** What cannot be taken in. */
const unlucky = 13;

const sums = defineProjection({
  name: 'sums',
  mode: 'inline',
  from: [account],
  key: (event) => event.aggregateId,
  initial: { sum: 0, changes: [] as number[] },
  on: {
    AccountOpened: 'ignore',
    MoneyDeposited: ({ sum, changes }, { data, position }) => {
      if (data.amount === unlucky) throw new Error('unlucky');
      return { sum: sum + data.amount, changes: [...changes, position] };
    },
    MoneyWithdrawn: 'ignore',
  },
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(store: Backend, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({
    store,
    aggregates: [account],
    projections: [sums],
    limits: { streams: Infinity },
    hooks: { consumer: () => {} },
    ...options,
  });
  opened.push(engine);
  return engine;
}

const newStore = postgresStores();

describe.each<[string, () => Backend]>([
  ['memory', () => shared(memory())],
  ['sqlite', () => sqlite(join(folder, `inline-${++fileCount}.db`))],
  ['postgres', newStore],
])('on %s', (_backend, place) => {
  test('a view has what was appended as soon as that is acknowledged, and each event once', async () => {
    const engine = await engineOn(place());
    const view = engine.view(sums);
    for (let round = 1; round <= 5; round++) {
      const receipts = await Promise.all(
        Array.from({ length: 20 }, (_unused, index) => engine.execute(deposit(String(index % 7), { amount: round }))),
      );
      const { lag } = (await engine.consumers.status())[0] ?? {};
      expect(lag).toMatchObject({ events: 0, ms: 0, position: round * 20 });
      expect(receipts.every(({ kind }) => kind === 'accepted')).toBe(true);
    }
    const expected = new Map<string, { sum: number; changes: number[] }>();
    for await (const page of engine.log.read())
      for (const { aggregateId, position, data } of page) {
        const document = expected.get(aggregateId) ?? { sum: 0, changes: [] };
        document.sum += (data as { amount: number }).amount;
        document.changes.push(position);
        expected.set(aggregateId, document);
      }
    for (const [key, document] of expected) expect(await view.get(key)).toEqual(document);
  });

  test('an event that cannot be folded is not appended; what came with it in the same group is', async () => {
    const engine = await engineOn(place());
    const settled = await Promise.allSettled(
      [1, unlucky, 2].map((amount, index) => engine.execute(deposit(String(index), { amount }))),
    );
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(settled[1]).toMatchObject({
      reason: { code: 'projection_failed', details: { projection: 'sums', type: 'MoneyDeposited', reason: 'unlucky' } },
    });
    expect(await engine.log.head()).toMatchObject({ position: 2 });
    expect(await engine.view(sums).count()).toBe(2);
    expect(await engine.execute(deposit('1', { amount: 3 }))).toMatchObject({ kind: 'accepted', version: 1 });
  });

  test('one that is pinned to an older version gets it, and what cannot be cast takes nothing along', async () => {
    const lamp = defineAggregate({
      name: 'lamp',
      events: {
        Dimmed: versions(z.object({ percent: z.number() })).next(z.object({ level: z.number() }), {
          up: ({ percent }) => {
            if (percent > 100) throw new Error('too bright');
            return { level: percent / 100 };
          },
          down: ({ level }) => ({ percent: level * 100 }),
        }),
      },
      initialState: 0,
      evolve: { Dimmed: (_, { data }) => data.level },
      commands: {
        dim: { input: z.object({ level: z.number() }), decide: (_, data) => [{ type: 'Dimmed', data }] },
      },
    });
    const [inPercent, asLevels] = [
      defineProjection({
        name: 'inPercent',
        mode: 'inline',
        from: [pinned(lamp, { Dimmed: 1 })],
        key: (event) => event.aggregateId,
        initial: { last: 0 },
        on: { Dimmed: (_, { data }) => ({ last: data.percent }) },
      }),
      defineProjection({
        name: 'asLevels',
        mode: 'inline',
        from: [lamp],
        key: (event) => event.aggregateId,
        initial: { last: 0 },
        on: { Dimmed: (_, { data }) => ({ last: data.level }) },
      }),
    ];
    const engine = await engineOn(place(), { aggregates: [lamp], projections: [inPercent, asLevels] });
    await engine.execute(lamp.commands.dim('1', { level: 0.5 }));
    const appended = await Promise.allSettled([
      engine.log.append([{ stream: 'lamp-2', events: [{ type: 'Dimmed', data: { percent: 25 } }] }]),
      engine.log.append([{ stream: 'lamp-3', events: [{ type: 'Dimmed', data: { percent: 200 } }] }]),
      engine.execute(lamp.commands.dim('4', { level: 1 })),
    ]);
    expect(appended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(appended[1]).toMatchObject({ reason: { code: 'projection_failed', details: { stream: 'lamp-3' } } });
    const shown = async (view: typeof inPercent | typeof asLevels) =>
      Promise.all(['1', '2', '3', '4'].map(async (id) => (await engine.view(view).get(id))?.last));
    expect(await shown(inPercent)).toEqual([50, 25, undefined, 100]);
    expect(await shown(asLevels)).toEqual([0.5, 0.25, undefined, 1]);
  });

  test('what others appended without it is taken in by the next append, or by its runner', async () => {
    const store = place();
    const other = await engineOn(store, { projections: [] });
    await other.execute(open('1', { owner: 'Ada' }));
    for (let amount = 1; amount <= 5; amount++) await other.execute(deposit('1', { amount }));
    const engine = await engineOn(store);
    await engine.settled();
    expect(await engine.view(sums).get('1')).toEqual({ sum: 15, changes: [2, 3, 4, 5, 6] });
    for (let amount = 6; amount <= 9; amount++) {
      await other.execute(deposit('1', { amount }));
      await engine.execute(deposit('2', { amount }));
    }
    expect(await engine.view(sums).get('1', { atLeast: 13 })).toMatchObject({ sum: 45 });
    expect(await engine.view(sums).get('2')).toEqual({ sum: 30, changes: [8, 10, 12, 14] });
  });

  test('two that append at once never count an event twice or not at all', async () => {
    const store = place();
    const engines = [await engineOn(store), await engineOn(store)];
    const work = engines.flatMap((engine, which) =>
      Array.from({ length: 40 }, async (_unused, index) => {
        await engine.execute(deposit(`${which}-${index % 3}`, { amount: 1 }));
      }),
    );
    await Promise.all(work);
    for (const engine of engines) {
      await engine.settled();
      const documents = await engine.view(sums).findMany();
      expect(documents.reduce((sum, document) => sum + document.sum, 0)).toBe(80);
      expect(documents.flatMap(({ changes }) => changes).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 80 }, (_unused, index) => index + 1),
      );
    }
  });
});
