/** What becomes of the generations of a view, and of a consumer that nobody has run yet. */
import { afterEach, expect, test } from 'vitest';
import { defineProjection, memory, openEngine } from '../../src/index.ts';
import type { Backend, Engine, EngineOptions } from '../../src/index.ts';
import { account } from '../command/account.ts';
import { shared } from '../support/gated-store.ts';
import { balances } from './balances.ts';

const { open, deposit } = account.commands;
const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(store: Backend, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({
    store,
    aggregates: [account],
    projections: [balances],
    hooks: { consumer: () => {} },
    ...options,
  });
  opened.push(engine);
  return engine;
}

test('a generation that was dropped before it served is built from the first event when it is begun again', async () => {
  let factor = 1;
  const sums = defineProjection({
    name: 'sums',
    from: [account],
    key: ({ aggregateId }) => aggregateId,
    initial: { sum: 0 },
    on: {
      AccountOpened: 'ignore',
      MoneyDeposited: (document, { data }) => ({ sum: document.sum + factor * data.amount }),
      MoneyWithdrawn: 'ignore',
    },
  });
  const engine = await engineOn(memory(), { projections: [sums] });
  for (const amount of [1, 2]) await engine.execute(deposit('1', { amount }));
  await engine.settled();
  const { consumers } = engine;
  factor = 10;
  const differing = await consumers.rebuild(sums, { diff: true });
  expect(differing).toMatchObject({ generation: 2, switched: false, differing: 1 });
  expect((await consumers.status())[0]).toMatchObject({ generation: 1, building: { generation: 2, isBuilt: true } });
  await consumers.drop(sums, 2);
  expect((await consumers.status())[0]).not.toHaveProperty('building');
  factor = 1;
  expect(await consumers.rebuild(sums, { diff: true })).toMatchObject({ switched: true, compared: 1, differing: 0 });
  expect(await engine.view(sums).get('1')).toEqual({ sum: 3 });
});

test('a generation that never was cannot be dropped; one that is gone already can', async () => {
  const engine = await engineOn(memory());
  await engine.settled();
  const { consumers } = engine;
  const { generation } = await consumers.rebuild(balances);
  await consumers.drop(balances, 1);
  await consumers.drop(balances, 1);
  for (const none of [0, generation + 1, 1.5, Number.NaN])
    await expect(consumers.drop(balances, none)).rejects.toMatchObject({ code: 'consumer_refused' });
  await expect(consumers.drop(balances, generation)).rejects.toMatchObject({ code: 'consumer_refused' });
});

test('a consumer that nobody has run yet has a status of its own, and its view says so', async () => {
  const store = shared(memory());
  const { name: kept, ...rest } = balances;
  const later = { ...rest, name: 'later' } as unknown as typeof balances;
  const worker = await engineOn(store);
  await worker.execute(open('1', { owner: 'Ada' }));
  await worker.settled();
  const onlooker = await engineOn(store, { projections: [balances, later], run: 'none' });
  expect(await onlooker.consumers.status()).toMatchObject([
    { name: kept, state: 'running', generation: 1 },
    {
      name: 'later',
      state: 'never_run',
      generation: 0,
      lag: { position: 0, head: 1, events: 1 },
      slots: [],
      parked: 0,
    },
  ]);
  const never = { code: 'consumer_never_run', details: { consumer: 'later', version: 1 } };
  await expect(onlooker.view(later).get('1')).rejects.toMatchObject(never);
  await expect(onlooker.consumers.rebuild(later)).rejects.toMatchObject(never);
  await expect(onlooker.consumers.adopt(later)).rejects.toMatchObject(never);
});

test('nor does it on a store that no consumer was ever run on', async () => {
  const engine = await engineOn(memory(), { run: 'none' });
  expect(await engine.consumers.status()).toMatchObject([{ state: 'never_run' }]);
  await expect(engine.view(balances).count()).rejects.toMatchObject({ code: 'consumer_never_run' });
});
