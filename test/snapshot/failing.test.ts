/** Whatever becomes of snapshots and of where they are kept: nobody who loads or commands has to know. */
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { defineAggregate, memory, openEngine } from '../../src/index.ts';
import type { Backend, Document, SnapshotNotice, StateStore } from '../../src/index.ts';
import { backup, sqlite } from 'eventsrc/sqlite';
import { shared } from '../support/gated-store.ts';
import { guarded } from '../support/guarded-state.ts';
import { withState } from '../support/place.ts';
import { seededRandom } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineWallet, deposit, openWallets } from './wallet.ts';

const folder = await temporaryFolder();

test.each(['get', 'commit', 'define'])('where documents cannot be reached by %s, states are folded', async (what) => {
  const store = shared(memory());
  const wallet = defineWallet();
  {
    await using engine = await openWallets(store, wallet);
    await deposit(engine, wallet, 'a', 12);
  }
  // So that there is something to be set aside.
  await withState(store, (state) =>
    state.commit({ puts: [{ collection: 'snapshot/states', key: '10 wallet-a', value: new Uint8Array(3) }] }),
  );
  const failing = guarded(store, (call, name) => (name === what ? Promise.reject(new Error('out of reach')) : call()));
  const notices: SnapshotNotice[] = [];
  await using engine = await openWallets(failing, wallet, notices);
  expect(await engine.load(wallet, 'a')).toEqual(await engine.load(wallet, 'a', { mode: 'full' }));
  expect(await engine.load(wallet, 'a', { at: { version: 11 } })).toMatchObject({ version: 11 });
  expect(await engine.execute(wallet.commands.deposit('a', { amount: 1 }))).toMatchObject({ kind: 'accepted' });
  for (let count = 0; count < 5; count++) await engine.execute(wallet.commands.deposit('b', { amount: 1 }));
  const failed = await vi.waitUntil(() => {
    const found = notices.filter(({ kind }) => kind === 'failed');
    return found.length > 0 && found;
  });
  expect(failed).toContainEqual(
    expect.objectContaining({ aggregate: 'wallet', action: what === 'get' ? 'read' : 'write' }),
  );
  // Of the one and of the other once, however often it fails.
  expect(failed.length).toBeLessThanOrEqual(2);
});

test('a backup is read as it is: nothing is written, and nothing said of that', async () => {
  const wallet = defineWallet();
  const file = join(folder, 'original.db');
  {
    await using engine = await openWallets(sqlite(file), wallet);
    await deposit(engine, wallet, 'a', 12);
  }
  await withState(sqlite(file), (state) =>
    state.commit({ puts: [{ collection: 'snapshot/states', key: '10 wallet-a', value: new Uint8Array(3) }] }),
  );
  const copy = join(folder, 'backup.db');
  await backup(file, copy);
  const notices: SnapshotNotice[] = [];
  await using engine = await openWallets(sqlite(copy, { readOnly: true }), wallet, notices);
  expect(await engine.load(wallet, 'a')).toEqual(await engine.load(wallet, 'a', { mode: 'full' }));
  expect((await engine.snapshots.verify()).faults).toMatchObject([{ version: 10, reason: 'damaged' }]);
  await engine.snapshots.settled();
  expect([...new Set(notices.map(({ kind }) => kind))]).toEqual(['skipped']);
});

test('a snapshot that is removed or replaced while it is looked at is neither missing nor damaged', async () => {
  const store = shared(memory());
  const wallet = defineWallet({ snapshotsKept: 2 });
  await using writing = await openWallets(store, wallet);
  for (let part = 0; part < 2; part++) await deposit(writing, wallet, 'a', 5);
  const notices: SnapshotNotice[] = [];
  let meanwhile: (() => Promise<unknown>) | undefined;
  const slow = guarded(store, async (call, name, [collection]) => {
    if (name === 'get' && collection === 'snapshot/states') {
      const act = meanwhile;
      meanwhile = undefined;
      await act?.();
    }
    return call();
  });
  await using engine = await openWallets(slow, wallet, notices);
  meanwhile = async () => {
    for (let part = 0; part < 2; part++) await deposit(writing, wallet, 'a', 5);
  };
  expect(await engine.snapshots.verify()).toMatchObject({ snapshots: 0, faults: [] });
  const other = defineWallet({ worth: (amount) => amount * 2, snapshotsKept: 2 });
  meanwhile = async () => {
    await using alsoWriting = await openWallets(store, other);
    await alsoWriting.snapshots.take(other, 'a');
  };
  expect(await engine.load(wallet, 'a')).toEqual(await engine.load(wallet, 'a', { mode: 'full' }));
  expect(notices.filter(({ kind }) => kind !== 'written')).toEqual([]);
  await using alsoReading = await openWallets(store, other);
  expect((await alsoReading.snapshots.list(other, 'a'))[0]).toMatchObject({ version: 20, usable: true });
});

test('a snapshot of an event that has another position here is of another history', async () => {
  const wallet = defineWallet();
  const clock = { now: () => 1_000 };
  const deposits = Array.from({ length: 5 }, () => ({ type: 'Deposited', data: { amount: 1 } }));
  const others = deposits.slice(0, 3);
  const [store, moved] = [shared(memory()), shared(memory())];
  {
    await using engine = await openWallets(store, wallet, [], { clock });
    await engine.log.append([{ stream: 'wallet-a', expected: 'any', events: deposits }]);
    await engine.load(wallet, 'a');
    await engine.snapshots.settled();
  }
  const notices: SnapshotNotice[] = [];
  const mixed = { ...moved, openState: store.openState } as Backend;
  await using engine = await openWallets(mixed, wallet, notices, { clock });
  // The same events, behind others.
  await engine.log.append([{ stream: 'wallet-b', expected: 'any', events: others }]);
  await engine.log.append([{ stream: 'wallet-a', expected: 'any', events: deposits }]);
  expect(await engine.load(wallet, 'a', { at: { position: 6 } })).toMatchObject({ version: 3, position: 6 });
  expect(notices.filter(({ kind }) => kind === 'skipped')).toMatchObject([{ version: 5, reason: 'foreign' }]);
});

test('snapshots that were set aside make room for those that are used', async () => {
  const store = shared(memory());
  const wallet = defineWallet({ snapshotsKept: 2 });
  await using engine = await openWallets(store, wallet);
  for (let part = 0; part < 2; part++) await deposit(engine, wallet, 'a', 5);
  await withState(store, (state) =>
    state.commit({ puts: [{ collection: 'snapshot/states', key: '10 wallet-a', value: new Uint8Array(3) }] }),
  );
  await engine.snapshots.verify();
  await deposit(engine, wallet, 'a', 5);
  expect((await engine.snapshots.list(wallet, 'a')).map(({ version }) => version)).toEqual([15, 5]);
});

test('a state with an object that has no prototype is not kept: it would come back with one', async () => {
  const words = defineAggregate({
    name: 'words',
    snapshotEvery: 2,
    events: { Said: z.object({ word: z.string() }) },
    initialState: (): Readonly<Record<string, number>> => Object.create(null) as Record<string, number>,
    evolve: {
      Said: (counts, { data: { word } }): Readonly<Record<string, number>> =>
        Object.assign(Object.create(null) as Record<string, number>, counts, { [word]: (counts[word] ?? 0) + 1 }),
    },
    commands: {
      say: { input: z.string(), decide: (_counts, word) => [{ type: 'Said' as const, data: { word } }] },
    },
  });
  const store = shared(memory());
  const hooks = { snapshot: (notice: SnapshotNotice) => void notices.push(notice) };
  const notices: SnapshotNotice[] = [];
  {
    await using engine = await openEngine({ store, aggregates: [words], hooks });
    for (const word of ['a', 'a']) await engine.execute(words.commands.say('x', word));
    await engine.snapshots.settled();
  }
  await using engine = await openEngine({ store, aggregates: [words], hooks });
  await engine.execute(words.commands.say('x', 'constructor'));
  expect((await engine.load(words, 'x')).state['constructor']).toBe(1);
  expect(notices).toMatchObject([{ kind: 'unsupported', aggregate: 'words' }]);
});

test('sampling that is wanted less often than once in 24 days is not done all the time', async () => {
  const wallet = defineWallet();
  const store = shared(memory());
  {
    await using engine = await openWallets(store, wallet);
    await deposit(engine, wallet, 'a', 5);
  }
  let verified = false;
  const watched = guarded(store, (call, name) => {
    verified ||= name === 'get' && loaded;
    return call();
  });
  let loaded = false;
  await using engine = await openWallets(watched, wallet, [], { snapshotSampleMs: 3_000_000_000 });
  await engine.load(wallet, 'a');
  loaded = true;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(verified).toBe(false);
});

test('a list that says the same version twice is damaged, and written anew', async () => {
  const store = shared(memory());
  const wallet = defineWallet({ snapshotsKept: 2 });
  {
    await using engine = await openWallets(store, wallet);
    for (let part = 0; part < 2; part++) await deposit(engine, wallet, 'a', 5);
  }
  await withState(store, twice);
  const notices: SnapshotNotice[] = [];
  await using engine = await openWallets(store, wallet, notices);
  for (let part = 0; part < 3; part++) await deposit(engine, wallet, 'a', 5);
  expect((await engine.snapshots.list(wallet, 'a')).map(({ version }) => version)).toEqual([25, 20]);
  expect(notices.filter(({ kind }) => kind === 'failed')).toEqual([]);
});

async function twice(state: StateStore): Promise<void> {
  const [list] = await state.get('snapshot/lists', ['wallet-a']);
  const { snapshots } = (list as Document).value as unknown as { snapshots: { version: number }[] };
  const value = { format: 1, snapshots: snapshots.flatMap((entry) => [entry, { ...entry, version: 5 }]) };
  await state.commit({ puts: [{ collection: 'snapshot/lists', key: 'wallet-a', value }] });
}

test('whoever closes does not wait for a store that fails as often as there are snapshots', async () => {
  const wallet = defineWallet({ snapshotEvery: 1 });
  const notices: SnapshotNotice[] = [];
  let commits = 0;
  const failing = guarded(shared(memory()), (call, name) => {
    if (name !== 'commit') return call();
    commits += 1;
    return Promise.reject(new Error('out of reach'));
  });
  const engine = await openWallets(failing, wallet, notices);
  const ids = Array.from({ length: 300 }, (_, id) => String(id));
  await Promise.all(ids.map((id) => engine.execute(wallet.commands.deposit(id, { amount: 1 }))));
  await engine.close();
  expect(commits).toBeLessThanOrEqual(2);
  expect(notices).toMatchObject([{ kind: 'failed', action: 'write' }]);
});

test('of a state that is too large it is said, once, that it is not kept', async () => {
  // What hardly can be compressed.
  const random = seededRandom(1);
  const letters = Array.from({ length: 200_000 }, () => String.fromCharCode(0x23 + Math.floor(random() * 90)));
  const text = letters.join('');
  const heap = defineAggregate({
    name: 'heap',
    snapshotEvery: 1,
    events: { Grown: z.object({ by: z.number() }) },
    initialState: { parts: [] as readonly string[] },
    evolve: {
      Grown: (_state, { data: { by } }) => ({
        parts: Array.from({ length: by }, (_, part) => text.slice(part) + text.slice(0, part)),
      }),
    },
    commands: {
      grow: { input: z.number(), decide: (_state, by) => [{ type: 'Grown' as const, data: { by } }] },
    },
  });
  const notices: SnapshotNotice[] = [];
  const hooks = { snapshot: (notice: SnapshotNotice) => void notices.push(notice) };
  await using engine = await openEngine({ store: memory(), aggregates: [heap], hooks });
  for (const by of [84, 84, 1]) {
    await engine.execute(heap.commands.grow('large', by));
    await engine.snapshots.settled();
  }
  expect(notices).toMatchObject([
    { kind: 'unsupported', aggregate: 'heap', stream: 'heap-large' },
    { kind: 'written', stream: 'heap-large', version: 3 },
  ]);
});

test('a list of a later format is left to those who know it', async () => {
  const store = shared(memory());
  const wallet = defineWallet();
  await using engine = await openWallets(store, wallet);
  await deposit(engine, wallet, 'a', 5);
  const later = { format: 2, snapshots: 'whatever' };
  await withState(store, (state) =>
    state.commit({ puts: [{ collection: 'snapshot/lists', key: 'wallet-a', value: later }] }),
  );
  await deposit(engine, wallet, 'a', 5);
  expect(await engine.snapshots.take(wallet, 'a')).toEqual([]);
  await withState(store, async (state) => {
    expect(await state.get('snapshot/lists', ['wallet-a'])).toMatchObject([{ value: later }]);
  });
});
