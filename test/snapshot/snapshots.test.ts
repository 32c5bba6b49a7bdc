/** Whatever happens to snapshots, and whoever wrote them: a state is what its events lead to. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { memory } from '../../src/index.ts';
import type { Backend, Document, Engine, Json, SnapshotNotice, StateStore } from '../../src/index.ts';
import type { Entry } from '../../src/snapshot/catalog.ts';
import { snapshotDigest } from '../../src/snapshot/state-codec.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces, withState } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { seededRandom } from '../support/random.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { defineWallet, deposit, openWallets } from './wallet.ts';
import type { WalletAggregate } from './wallet.ts';

const newSchema = postgresSchemas();
const places: readonly (readonly [string, () => Backend])[] = [
  ['memory', () => shared(memory())],
  ...bothPlaces(await temporaryFolder(), newSchema).map(([kind, newPlace]) => {
    return [kind, () => backendAt(newPlace())] as const;
  }),
];

/** The state at every version, with snapshots as without. */
async function expectRight(engine: Engine, wallet: WalletAggregate, id: string): Promise<void> {
  const now = await engine.load(wallet, id, { mode: 'full' });
  expect(await engine.load(wallet, id)).toEqual(now);
  for (let version = 0; version <= now.version; version++) {
    const full = await engine.load(wallet, id, { at: { version }, mode: 'full' });
    expect(await engine.load(wallet, id, { at: { version } })).toEqual(full);
    if (version > 0) expect(await engine.load(wallet, id, { at: { position: full.position } })).toEqual(full);
  }
}

describe.each(places)('on %s', (place, newStore) => {
  test('a state is the same with snapshots as without, at every version, deleted and re-created too', async () => {
    const random = seededRandom(7);
    const wallet = defineWallet({ snapshotsKept: 4 });
    const store = newStore();
    const ids = ['a', 'b', 'c'];
    for (let round = 0; round < 3; round++) {
      const notices: SnapshotNotice[] = [];
      await using engine = await openWallets(store, wallet, notices);
      for (let step = 0; step < 40; step++) {
        const id = ids[Math.floor(random() * ids.length)] as string;
        const { close, deposit: put, note } = wallet.commands;
        const die = random();
        if (die < 0.05) await engine.execute(close(id, {}));
        else if (die < 0.5) await engine.execute(put(id, { amount: step }), await expectation(engine, wallet, id));
        else await engine.execute(note(id, { text: `note ${step}` }), await expectation(engine, wallet, id));
      }
      await engine.snapshots.settled();
      for (const id of ids) await expectRight(engine, wallet, id);
      expect(notices.some(({ kind }) => kind === 'written')).toBe(true);
      expect(notices.filter(({ kind }) => kind !== 'written')).toEqual([]);
    }
    await using engine = await openWallets(store, wallet);
    for (const id of ids) await expectRight(engine, wallet, id);
    expect(await engine.snapshots.verify()).toMatchObject({ faults: [] });
    for (const id of ids) expect((await engine.snapshots.list(wallet, id)).length).toBeLessThanOrEqual(4);
  });

  test('keeps the newest ten of each stream, and none where they are not to be kept', async () => {
    const wallet = defineWallet();
    const store = newStore();
    await using engine = await openWallets(store, wallet);
    for (let part = 0; part < 14; part++) await deposit(engine, wallet, 'a', 5);
    const versions = (await engine.snapshots.list(wallet, 'a')).map(({ version }) => version);
    expect(versions).toEqual([70, 65, 60, 55, 50, 45, 40, 35, 30, 25]);

    const never = defineWallet({ snapshotEvery: Infinity });
    await using other = await openWallets(newStore(), never);
    await deposit(other, never, 'a', 20);
    await using looking = await openWallets(newStore(), wallet, [], { snapshots: false });
    await deposit(looking, wallet, 'a', 20);
    expect(await other.snapshots.list(never, 'a')).toEqual([]);
    expect(await looking.snapshots.list(wallet, 'a')).toEqual([]);
  });

  test('a snapshot that is damaged, missing, foreign or of the future is passed over and reported', async () => {
    const wallet = defineWallet();
    for (const [reason, harm] of Object.entries(harms)) {
      // What is done to documents is the same everywhere; how they are kept is not.
      if (place !== 'memory' && !tried.includes(reason)) continue;
      const store = newStore();
      await using writing = await openWallets(store, wallet);
      for (let part = 0; part < 4; part++) await deposit(writing, wallet, 'a', 5);
      await deposit(writing, wallet, 'b', 25);
      await withState(store, harm);
      const notices: SnapshotNotice[] = [];
      await using engine = await openWallets(store, wallet, notices);
      await deposit(engine, wallet, 'a', 1);
      await expectRight(engine, wallet, 'a');
      const told = notices.filter(({ kind }) => kind === 'skipped');
      expect(told).toMatchObject([{ aggregate: 'wallet', stream: 'wallet-a', reason: reason.split(':')[0] }]);
      // It has been set aside: nobody comes upon it again. (What a later format says is left to those who know it.)
      if (reason.includes('later format')) continue;
      await using again = await openWallets(store, wallet, notices);
      await again.load(wallet, 'a');
      expect(notices.filter(({ kind }) => kind === 'skipped')).toHaveLength(1);
    }
  });

  test('however snapshots are altered, a state is what its events lead to', async () => {
    const random = seededRandom(11);
    const wallet = defineWallet();
    const store = newStore();
    await using writing = await openWallets(store, wallet);
    const rounds = process.env['SOAK'] === undefined ? 12 : 1_000;
    for (let round = 0; round < rounds; round++) {
      await deposit(writing, wallet, 'a', 1 + Math.floor(random() * 12));
      await deposit(writing, wallet, 'b', 6);
      await withState(store, (state) => alterSomething(state, random));
      await using engine = await openWallets(store, wallet);
      const { version } = await engine.load(wallet, 'a', { mode: 'full' });
      for (const at of [version, Math.floor(random() * version), version - 1, version - (version % 5)]) {
        const full = await engine.load(wallet, 'a', { at: { version: at }, mode: 'full' });
        expect(await engine.load(wallet, 'a', { at: { version: at } })).toEqual(full);
      }
    }
    // And goes on being kept.
    await using engine = await openWallets(store, wallet);
    for (let part = 0; part < 3; part++) await deposit(engine, wallet, 'a', 5);
    expect((await engine.snapshots.list(wallet, 'a')).some(({ usable }) => usable)).toBe(true);
    await engine.snapshots.verify();
    expect(await engine.snapshots.verify()).toMatchObject({ faults: [] });
  });

  test('snapshots of other code are not used, however little of it was changed; those of the same code are', async () => {
    const store = newStore();
    const before = defineWallet();
    {
      await using engine = await openWallets(store, before);
      for (let part = 0; part < 4; part++) await deposit(engine, before, 'a', 5);
      await engine.execute(before.commands.note('b', { text: 'hello' }));
      await deposit(engine, before, 'b', 4);
      await deposit(engine, before, 'c', 40);
    }
    const changes = [
      { worth: (amount: number) => amount * 2 },
      // Of an event that only one stream has.
      { noted: (text: string) => text.toUpperCase() },
      { amount: z.number().max(1_000) },
      { snapshotVersion: 2 },
    ];
    for (const change of changes) {
      const after = defineWallet(change);
      const notices: SnapshotNotice[] = [];
      await using engine = await openWallets(store, after, notices);
      for (const id of ['a', 'b', 'c']) {
        expect(await engine.load(after, id)).toEqual(await engine.load(after, id, { mode: 'full' }));
        expect((await engine.snapshots.list(after, id)).some(({ usable }) => usable)).toBe(false);
      }
      const isForgotten = 'worth' in change || 'noted' in change;
      const told = notices.filter(({ kind }) => kind === 'code_changed');
      expect(told).toMatchObject(isForgotten ? [{ aggregate: 'wallet', snapshotVersion: 1 }] : []);
    }
    const same = defineWallet({ worth: (amount) => amount + 0 });
    const notices: SnapshotNotice[] = [];
    await using engine = await openWallets(store, same, notices);
    const usable = (await engine.snapshots.list(same, 'a')).filter((snapshot) => snapshot.usable);
    // The newest one has been replaced by other code that loaded it.
    expect(usable.map(({ version }) => version)).toEqual([15, 10, 5]);
    expect(notices).toEqual([]);
  });

  test('two deployments side by side use their own snapshots only', async () => {
    const store = newStore();
    const [older, newer] = [defineWallet(), defineWallet({ worth: (amount: number) => amount * 10 })];
    await using one = await openWallets(store, older);
    await using other = await openWallets(store, newer);
    for (let part = 0; part < 6; part++) {
      await deposit(one, older, 'a', 4);
      await deposit(other, newer, 'a', 4);
      await using alsoOne = await openWallets(store, older);
      await using alsoOther = await openWallets(store, newer);
      expect(await alsoOne.load(older, 'a')).toEqual(await alsoOne.load(older, 'a', { mode: 'full' }));
      expect(await alsoOther.load(newer, 'a')).toEqual(await alsoOther.load(newer, 'a', { mode: 'full' }));
    }
  });
});

type Harm = (state: StateStore) => Promise<unknown>;
const lists = 'snapshot/lists';
const states = 'snapshot/states';

interface Listing {
  readonly format: number;
  readonly snapshots: readonly Readonly<Record<string, unknown>>[];
}

function listingOf(document: Document | undefined): Listing {
  if (document === undefined) throw new Error('there is no list');
  return document.value as unknown as Listing;
}

/** Each to the newest snapshot of the stream `wallet-a`, at version 20; by what is said of it. */
const harms: Readonly<Record<string, Harm>> = {
  'damaged: one bit of the state': async (state) => {
    const [document] = await state.get(states, ['20 wallet-a']);
    const value = new Uint8Array(document?.value as Uint8Array);
    value[3] = (value[3] ?? 0) ^ 1;
    await state.commit({ puts: [{ collection: states, key: '20 wallet-a', value }] });
  },
  'damaged: another state': async (state) => {
    const [document] = await state.get(states, ['15 wallet-a']);
    await state.commit({ puts: [{ collection: states, key: '20 wallet-a', value: document?.value as Uint8Array }] });
  },
  'damaged: no bytes': (state) =>
    state.commit({ puts: [{ collection: states, key: '20 wallet-a', value: { sum: 1 } }] }),
  'damaged: the list': (state) => state.commit({ puts: [{ collection: lists, key: 'wallet-a', value: ['?'] }] }),
  'damaged: what is listed': (state) => relist(state, ([newest, ...rest]) => [{ ...newest, deleted: true }, ...rest]),
  missing: (state) => state.commit({ deletes: [{ collection: states, key: '20 wallet-a' }] }),
  // As if what another stream has were this one's.
  'damaged: of another stream': async (state) => {
    const [other] = await state.get(lists, ['wallet-b']);
    const [document] = await state.get(states, ['25 wallet-b']);
    const { format, snapshots } = listingOf(other);
    const [newest] = snapshots;
    await state.commit({
      puts: [
        { collection: states, key: '25 wallet-a', value: document?.value as Uint8Array },
        { collection: lists, key: 'wallet-a', value: { format, snapshots: [newest] } as unknown as Json },
      ],
    });
  },
  // Rightly sealed, but of a history that this stream does not have.
  foreign: async (state) => reseal(state, 20, (entry) => ({ ...entry, id: 'f'.repeat(64) })),
  future: async (state) => reseal(state, 20, (entry) => ({ ...entry, version: 9_000 })),
  'future: a list of a later format': (state) =>
    state.commit({ puts: [{ collection: lists, key: 'wallet-a', value: { format: 2, snapshots: 'whatever' } }] }),
};

/** On backends that keep documents otherwise than memory does. */
const tried = ['damaged: one bit of the state', 'missing', 'foreign', 'future'];

async function relist(
  state: StateStore,
  change: (snapshots: Listing['snapshots']) => readonly unknown[],
): Promise<void> {
  const [document] = await state.get(lists, ['wallet-a']);
  const { format, snapshots } = listingOf(document);
  const value = { format, snapshots: change(snapshots) } as unknown as Json;
  await state.commit({ puts: [{ collection: lists, key: 'wallet-a', value }] });
}

/** Alters a snapshot as somebody would who knows how the digest is made. */
async function reseal(state: StateStore, version: number, change: (entry: Entry) => Entry): Promise<void> {
  const [document] = await state.get(states, [`${version} wallet-a`]);
  const bytes = document?.value as Uint8Array;
  await relist(state, (snapshots) =>
    snapshots.map((given) => {
      if (given['version'] !== version) return given;
      const entry = change(given as unknown as Entry);
      return { ...entry, digest: snapshotDigest('wallet-a', entry, bytes) };
    }),
  );
  await state.commit({ puts: [{ collection: states, key: `9000 wallet-a`, value: bytes }] });
}

async function alterSomething(state: StateStore, random: () => number): Promise<void> {
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random() * items.length)];
  const all = { where: { kind: 'all', of: [] }, orderBy: [], limit: 1_000 } as const;
  const collection = pick([lists, states, states, 'snapshot/codes']) as string;
  const document = pick((await state.find(collection, all)).documents);
  if (document === undefined) return;
  const { key, value } = document;
  const die = random();
  if (die < 0.2) await state.commit({ deletes: [{ collection, key }] });
  else if (value instanceof Uint8Array) {
    const bytes = new Uint8Array(value);
    const index = Math.floor(random() * bytes.length);
    bytes[index] = (bytes[index] ?? 0) ^ (1 << Math.floor(random() * 8));
    await state.commit({ puts: [{ collection, key, value: die < 0.8 ? bytes : bytes.slice(0, index) }] });
  } else {
    const text = JSON.stringify(value);
    // A digit or a letter becomes another one, wherever it is.
    const index = Math.floor(random() * text.length);
    const altered = text.slice(0, index) + (pick([...'0123456789abcdef"{}[]']) ?? '') + text.slice(index + 1);
    let changed: Json = {};
    try {
      changed = JSON.parse(altered) as Json;
    } catch {
      // What is no JSON can't be kept.
    }
    await state.commit({ puts: [{ collection, key, value: changed }] });
  }
}

async function expectation(engine: Engine, wallet: WalletAggregate, id: string) {
  return (await engine.load(wallet, id)).deleted ? ({ expectedVersion: 'deleted' } as const) : {};
}
