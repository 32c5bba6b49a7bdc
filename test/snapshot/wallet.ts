/** An aggregate whose states show everything that was folded, and ways to change what it makes of it. */
import { z } from 'zod';
import { defineAggregate, openEngine, versions } from '../../src/index.ts';
import type { Backend, Document, Engine, EngineOptions, Json, SnapshotNotice, StateStore } from '../../src/index.ts';
import type { Entry } from '../../src/snapshot/catalog.ts';
import { snapshotDigest } from '../../src/snapshot/state-codec.ts';

interface Wallet {
  readonly sum: number;
  readonly notes: readonly string[];
  /** Versions, the last eight. */
  readonly trail: readonly number[];
}

export interface WalletChanges {
  readonly snapshotVersion?: number;
  readonly snapshotEvery?: number;
  readonly snapshotsKept?: number;
  /** What a deposit adds. */
  readonly worth?: (amount: number) => number;
  /** What a note leaves. */
  readonly noted?: (text: string) => string;
  readonly amount?: z.ZodType<number>;
}

export function defineWallet({ worth, noted, amount, ...policy }: WalletChanges = {}) {
  const deposited = versions(z.object({ amount: z.number() }));
  const empty: Wallet = { sum: 0, notes: [], trail: [] };
  const next = (wallet: Wallet, version: number, change: Partial<Wallet>): Wallet => ({
    ...wallet,
    ...change,
    trail: [...wallet.trail.slice(-7), version],
  });
  return defineAggregate({
    name: 'wallet',
    ...policy,
    snapshotEvery: policy.snapshotEvery ?? 5,
    events: {
      Deposited: amount === undefined ? deposited : deposited.next(z.object({ amount }), { up: (data) => data }),
      Noted: z.object({ text: z.string() }),
    },
    initialState: empty,
    evolve: {
      Deposited: (wallet, { data, version }) =>
        next(wallet, version, { sum: wallet.sum + (worth ?? ((given) => given))(data.amount) }),
      Noted: (wallet, { data, version }) =>
        next(wallet, version, { notes: [...wallet.notes.slice(-20), (noted ?? ((text) => text))(data.text)] }),
    },
    commands: {
      deposit: {
        input: z.object({ amount: z.number() }),
        decide: (_wallet, { amount: given }) => [{ type: 'Deposited', data: { amount: given } }],
      },
      note: {
        input: z.object({ text: z.string() }),
        decide: (_wallet, { text }) => [{ type: 'Noted', data: { text } }],
      },
      close: { input: z.object({}), decide: () => [{ type: '$deleted' }] },
    },
  });
}

export type WalletAggregate = ReturnType<typeof defineWallet>;

export async function openWallets(
  store: Backend,
  wallet: WalletAggregate,
  notices: SnapshotNotice[] = [],
  options: Partial<EngineOptions> = {},
): Promise<Engine> {
  const hooks = { snapshot: (notice: SnapshotNotice) => void notices.push(notice) };
  return openEngine({ store, aggregates: [wallet], hooks, snapshotSampleMs: Infinity, ...options });
}

/** So many deposits, one after another. */
export async function deposit(engine: Engine, wallet: WalletAggregate, id: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await engine.execute(wallet.commands.deposit(id, { amount: 1 + (index % 7) }));
  await engine.snapshots.settled();
}

/** Writes another sum into a snapshot, and seals it again: as if other code had written it. */
export async function forge(state: StateStore, version: number, stream: string): Promise<void> {
  const [lists, states] = ['snapshot/lists', 'snapshot/states'];
  const [[document], [listed]] = [await state.get(states, [`${version} ${stream}`]), await state.get(lists, [stream])];
  const text = new TextDecoder().decode(document?.value as Uint8Array);
  const value = new TextEncoder().encode(text.replace(/"sum":\d+/, '"sum":777'));
  const { format, snapshots } = (listed as Document).value as unknown as { format: number; snapshots: Entry[] };
  const resealed = snapshots.map((entry) =>
    entry.version === version ? { ...entry, digest: snapshotDigest(stream, entry, value) } : entry,
  );
  await state.commit({
    puts: [
      { collection: states, key: `${version} ${stream}`, value },
      { collection: lists, key: stream, value: { format, snapshots: resealed } as unknown as Json },
    ],
  });
}
