/** How snapshots are kept, verified, and what becomes of them when their writer is killed. */
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineAggregate, memory, openEngine } from '../../src/index.ts';
import type { SnapshotNotice, StateStore } from '../../src/index.ts';
import type { Entry } from '../../src/snapshot/catalog.ts';
import { startProgram } from '../support/child.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces, placeArguments, withState } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineWallet, deposit, forge, openWallets } from './wallet.ts';

const newSchema = postgresSchemas();
const lists = 'snapshot/lists';
const states = 'snapshot/states';

describe.each(bothPlaces(await temporaryFolder(), newSchema))('on %s', (_kind, newPlace) => {
  test('a writer that is killed at whatever moment leaves snapshots that are right', async () => {
    const place = newPlace();
    const wallet = defineWallet();
    const kills = process.env['SOAK'] === undefined ? 4 : 200;
    let found = 0;
    for (let kill = 0; kill < kills; kill++) {
      const keeper = startProgram('wallet-keeper', placeArguments(place));
      while (keeper.lines.length < 2) await keeper.nextLine();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
      keeper.process.kill('SIGKILL');
      await keeper.finished;
      const notices: SnapshotNotice[] = [];
      await using engine = await openWallets(backendAt(place), wallet, notices);
      const { snapshots, faults } = await engine.snapshots.verify();
      expect(faults).toEqual([]);
      found += snapshots;
      for (const id of ['a', 'b', 'c', 'd'])
        expect(await engine.load(wallet, id)).toEqual(await engine.load(wallet, id, { mode: 'full' }));
      // Nothing is left of those that were removed.
      await withState(backendAt(place), async (state) => {
        const differing = async () => {
          const listed = (await documents(state, lists)).flatMap(({ key, value }) =>
            (value as unknown as { snapshots: Entry[] }).snapshots.map(({ version }) => `${version} ${key}`),
          );
          const kept = (await documents(state, states)).map(({ key }) => key);
          return [...new Set(listed).symmetricDifference(new Set(kept))];
        };
        // What a server still had in hand when the writer was killed may land between the two looks.
        await expect.poll(differing).toEqual([]);
      });
      expect(notices.filter(({ kind }) => kind !== 'written')).toEqual([]);
    }
    expect(found).toBeGreaterThan(0);
  });
});

async function documents(state: StateStore, collection: string) {
  return (await state.find(collection, { where: { kind: 'all', of: [] }, orderBy: [], limit: 1_000 })).documents;
}

test('verifying names the version and the field that differ, and sets the snapshot aside', async () => {
  const store = shared(memory());
  const wallet = defineWallet();
  const notices: SnapshotNotice[] = [];
  {
    await using engine = await openWallets(store, wallet);
    for (let part = 0; part < 4; part++) await deposit(engine, wallet, 'a', 5);
    await deposit(engine, wallet, 'b', 10);
  }
  await withState(store, (state) => forge(state, 15, 'wallet-a'));
  await using engine = await openWallets(store, wallet, notices);
  const progress = vi.fn<() => void>();
  const verified = await engine.snapshots.verify({ onProgress: progress });
  expect(verified).toMatchObject({
    streams: 2,
    snapshots: 5,
    faults: [
      {
        stream: 'wallet-a',
        version: 15,
        reason: 'mismatch',
        change: { path: 'sum', before: 777, after: expect.any(Number) as number },
      },
    ],
  });
  expect(progress).toHaveBeenCalledTimes(2);
  expect(notices).toMatchObject([{ kind: 'mismatch', stream: 'wallet-a', version: 15, path: 'sum', kept: 777 }]);
  const [aside] = (await engine.snapshots.list(wallet, 'a')).filter(({ version }) => version === 15);
  expect(aside).toMatchObject({ aside: 'mismatch', usable: false });
  // What that code has written besides is not believed either.
  expect((await engine.snapshots.list(wallet, 'b')).some(({ usable }) => usable)).toBe(false);
});

test('a sample of what is used is verified in the background', async () => {
  const store = shared(memory());
  const wallet = defineWallet();
  const notices: SnapshotNotice[] = [];
  {
    await using engine = await openWallets(store, wallet);
    await deposit(engine, wallet, 'a', 10);
    await deposit(engine, wallet, 'b', 10);
  }
  await withState(store, (state) => forge(state, 10, 'wallet-b'));
  await using engine = await openWallets(store, wallet, notices, { snapshotSampleMs: 5 });
  expect((await engine.load(wallet, 'b')).state.sum).toBe(777);
  await expect.poll(() => notices.map(({ kind }) => kind)).toContain('mismatch');
  await using again = await openWallets(store, wallet);
  expect((await again.load(wallet, 'b')).state.sum).not.toBe(777);
});

test('states that JSON cannot carry are not kept, and that is said', async () => {
  const dated = defineAggregate({
    name: 'dated',
    snapshotEvery: 2,
    events: { Ticked: z.object({}) },
    initialState: { at: new Date(0) },
    evolve: { Ticked: (_state, { recordedAt }) => ({ at: new Date(recordedAt) }) },
    commands: { tick: { input: z.object({}), decide: () => [{ type: 'Ticked', data: {} }] } },
  });
  const notices: SnapshotNotice[] = [];
  const store = shared(memory());
  await using engine = await openEngine({
    store,
    aggregates: [dated],
    hooks: { snapshot: (notice) => void notices.push(notice) },
  });
  for (let tick = 0; tick < 6; tick++) {
    await engine.execute(dated.commands.tick('a', {}));
    await engine.snapshots.settled();
  }
  expect(notices).toMatchObject([{ kind: 'unsupported', aggregate: 'dated' }]);
  await expect(engine.snapshots.take(dated, 'a')).rejects.toMatchObject({ code: 'data_unfaithful' });
  expect((await engine.load(dated, 'a')).state.at).toBeInstanceOf(Date);
});

test('one state that cannot be kept keeps no other one from being kept', async () => {
  const optional = defineAggregate({
    name: 'optional',
    snapshotEvery: 2,
    events: { Named: z.object({ name: z.string().optional() }) },
    initialState: {} as { readonly name?: string | undefined },
    evolve: { Named: (state, { data }) => ({ ...state, name: data.name }) },
    commands: {
      name: { input: z.object({ name: z.string().optional() }), decide: (_state, data) => [{ type: 'Named', data }] },
    },
  });
  await using engine = await openEngine({
    store: shared(memory()),
    aggregates: [optional],
    hooks: { snapshot: () => {} },
  });
  for (const id of ['without', 'with'])
    for (let round = 0; round < 2; round++)
      await engine.execute(optional.commands.name(id, id === 'with' ? { name: 'Ada' } : {}));
  await engine.snapshots.settled();
  expect(await engine.snapshots.list(optional, 'without')).toEqual([]);
  expect(await engine.snapshots.list(optional, 'with')).toMatchObject([{ version: 2, usable: true }]);
});

test('a large state is compressed, and comes back as it was', async () => {
  const store = shared(memory());
  const wallet = defineWallet();
  {
    await using engine = await openWallets(store, wallet);
    for (let index = 0; index < 5; index++)
      await engine.execute(wallet.commands.note('a', { text: `ä${'many words '.repeat(1_000)}` }));
    await engine.snapshots.settled();
  }
  await using engine = await openWallets(store, wallet);
  const [snapshot] = await engine.snapshots.list(wallet, 'a');
  expect(snapshot).toMatchObject({ encoding: 'json+deflate', usable: true });
  expect(snapshot?.bytes).toBeLessThan(5_000);
  expect(await engine.load(wallet, 'a')).toEqual(await engine.load(wallet, 'a', { mode: 'full' }));
});

test('a snapshot can be taken of any version, once; of no stream there is none', async () => {
  const wallet = defineWallet();
  const notices: SnapshotNotice[] = [];
  await using engine = await openWallets(memory(), wallet, notices);
  await deposit(engine, wallet, 'a', 3);
  expect(await engine.snapshots.take(wallet, 'a')).toMatchObject([{ version: 3, usable: true }]);
  expect(await engine.snapshots.take(wallet, 'a')).toHaveLength(1);
  expect(await engine.snapshots.take(wallet, 'b')).toEqual([]);
  expect(notices).toMatchObject([{ kind: 'written', version: 3 }]);
});

test('what cannot be written is told, and nothing else is kept from being done', async () => {
  const store = shared(memory());
  const wallet = defineWallet();
  const failing = {
    ...store,
    openState: async (...given: Parameters<NonNullable<typeof store.openState>>) => {
      const state = (await store.openState?.(...given)) as StateStore;
      return new Proxy(state, {
        get(target, name) {
          if (name === 'commit') return () => Promise.reject(new Error('no room'));
          const value: unknown = Reflect.get(target, name, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
  };
  const notices: SnapshotNotice[] = [];
  await using engine = await openWallets(failing, wallet, notices);
  for (let step = 0; step < 12; step++) await engine.execute(wallet.commands.deposit('a', { amount: 1 }));
  await expect.poll(() => notices).toMatchObject([{ kind: 'failed', aggregate: 'wallet' }]);
  expect((await engine.load(wallet, 'a')).state.sum).toBe(12);
});

test.each([
  [{ snapshotVersion: 0 }, 'snapshotVersion'],
  [{ snapshotEvery: 1.5 }, 'snapshotEvery'],
  [{ snapshotsKept: 0 }, 'snapshotsKept'],
  [{ snapshotsKept: 1_001 }, 'snapshotsKept'],
])('refuses the policy %j', (policy, named) => {
  expect(() => defineWallet(policy)).toThrow(named);
});
