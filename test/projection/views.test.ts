import { join } from 'node:path';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { defineProjection, hasCode, memory, openEngine } from '../../src/index.ts';
import type { Backend, Engine, EngineOptions } from '../../src/index.ts';
import { account } from '../command/account.ts';
import { shared } from '../support/gated-store.ts';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { balances } from './balances.ts';

const folder = await temporaryFolder();
const { open, deposit, withdraw, close } = account.commands;
const opened: Engine[] = [];
let fileCount = 0;

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(store: Backend, options: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await openEngine({
    store,
    aggregates: [account],
    projections: [balances],
    limits: { streams: Infinity },
    ...options,
  });
  opened.push(engine);
  return engine;
}

const newStore = postgresStores();

describe.each<[string, () => Backend]>([
  ['memory', () => shared(memory())],
  ['sqlite', () => sqlite(join(folder, `views-${++fileCount}.db`))],
  ['postgres', newStore],
])('on %s', (_, place) => {
  test('what was written is read, as soon as the bound demands it', async () => {
    const engine = await engineOn(place());
    await engine.execute(open('1', { owner: 'Ada' }));
    const receipt = await engine.execute(deposit('1', { amount: 50 }));
    const atLeast = receipt.kind === 'accepted' ? receipt.position : 0;
    expect(await engine.view(balances).get('1', { atLeast })).toEqual({ owner: 'Ada', balance: 50, changes: [1, 2] });
    for (let index = 2; index <= 30; index++) {
      await engine.execute(open(String(index), { owner: index % 2 === 0 ? 'Ada' : 'Bob' }));
      await engine.execute(deposit(String(index), { amount: index }));
    }
    await engine.settled();
    const view = engine.view(balances);
    expect(await view.count()).toBe(30);
    expect(await view.count({ where: { owner: 'Bob' } })).toBe(14);
    const rich = await view.findMany({ where: { balance: { gte: 29 } }, orderBy: { balance: 'desc' }, limit: 2 });
    expect(rich.map(({ balance }) => balance)).toEqual([50, 30]);
    expect(await view.findFirst({ where: { owner: 'Bob' }, orderBy: { balance: 'asc' } })).toMatchObject({
      balance: 3,
    });
    const first = await view.findPage({ orderBy: { balance: 'asc' }, limit: 20 });
    expect(first).toMatchObject({ scanned: false, position: 60 });
    const second = await view.findPage({ orderBy: { balance: 'asc' }, limit: 20, after: first.next as string });
    expect([...first.documents, ...second.documents].map(({ key }) => Number(key))).toEqual([
      ...Array.from({ length: 29 }, (_unused, index) => index + 2),
      1,
    ]);
    expect(second.next).toBeUndefined();
  });

  test('a tombstone deletes the document, if the projection says so', async () => {
    const engine = await engineOn(place());
    await engine.execute(open('1', { owner: 'Ada' }));
    await engine.execute(close('1', {}));
    await engine.settled();
    expect(await engine.view(balances).get('1')).toBeUndefined();
  });

  test('an id is a key, however long it is', async () => {
    const engine = await engineOn(place());
    const ids = ['x'.repeat(1_016), 'é'.repeat(508), '€'.repeat(338)];
    for (const id of ids) await engine.execute(open(id, { owner: 'Ada' }));
    await engine.settled();
    for (const id of ids) expect(await engine.view(balances).get(id)).toMatchObject({ owner: 'Ada' });
  });

  test('it goes on where it was, when opened again', async () => {
    const store = place();
    const first = await engineOn(store);
    await first.execute(open('1', { owner: 'Ada' }));
    await first.settled();
    const writer = await engineOn(store, { run: 'none' });
    await first.close();
    await writer.execute(deposit('1', { amount: 5 }));
    const stale = await writer.view(balances).safeGet('1', { atLeast: 2, timeoutMs: 50 });
    expect(stale).toMatchObject({ kind: 'stale', stale: { view: 'balances', position: 1, head: 2, atLeast: 2 } });
    await expect(writer.view(balances).get('1', { atLeast: 2, timeoutMs: 1 })).rejects.toMatchObject({ code: 'stale' });
    await engineOn(store);
    expect(await writer.view(balances).get('1', { atLeast: 2 })).toMatchObject({ changes: [1, 2] });
  });
});

test('an event that cannot be folded stops its projection, and no other', async () => {
  let isBroken = true;
  const picky = defineProjection({
    name: 'picky',
    from: [account],
    key: ({ aggregateId }) => aggregateId,
    initial: { sum: 0 },
    on: {
      AccountOpened: 'ignore',
      MoneyDeposited: (document, { data }) => {
        if (isBroken && data.amount === 13) throw new Error('unlucky');
        return { sum: document.sum + data.amount };
      },
      MoneyWithdrawn: 'ignore',
    },
  });
  const notices: string[] = [];
  const engine = await engineOn(memory(), {
    projections: [balances, picky],
    hooks: { consumer: ({ kind }) => notices.push(kind) },
  });
  for (const amount of [1, 13, 2]) await engine.execute(deposit('1', { amount }));
  await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted' });
  const [healthy, faulted] = await engine.consumers.status();
  expect(healthy).toMatchObject({ state: 'running', lag: { events: 0 } });
  expect(faulted).toMatchObject({
    state: 'faulted',
    lag: { position: 1, events: 2 },
    slots: [{ fault: { position: 2, type: 'MoneyDeposited', reason: 'unlucky', attempts: 3 } }],
  });
  expect(await engine.view(picky).get('1')).toEqual({ sum: 1 });
  expect(notices).toContain('faulted');
  isBroken = false;
  await engine.consumers.retry('picky', { actor: 'ops' });
  await engine.settled();
  expect(await engine.view(picky).get('1')).toEqual({ sum: 16 });
  isBroken = true;
  await engine.execute(deposit('1', { amount: 13 }));
  await engine.execute(deposit('1', { amount: 4 }));
  await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted' });
  await expect(engine.consumers.skip('picky', 3, { reason: 'x' })).rejects.toMatchObject({ code: 'consumer_refused' });
  await engine.consumers.skip('picky', 4, { reason: 'unlucky for ever', actor: 'ops' });
  await engine.settled();
  expect(await engine.view(picky).get('1')).toEqual({ sum: 20 });
  expect((await engine.consumers.status())[1]?.slots[0]?.skipped).toMatchObject([{ position: 4, actor: 'ops' }]);
});

void hasCode;
void withdraw;
