/** Three engines on one store, whatever they do, cancel and repeat: what they keep in memory is what a replay gives. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineDecision, hasCode, memory, openEngine } from '../../src/index.ts';
import type { Accepted, BatchReceipt, Command, Engine, ExecuteOptions } from '../../src/index.ts';
import { expect, test } from 'vitest';
import { account } from '../command/account.ts';
import { shared } from '../support/gated-store.ts';
import { seededRandom } from '../support/random.ts';

const histories = process.env.SOAK === '1' ? 5_000 : 60;
const ids = ['a', 'b'];
/** A decision that goes to a stream which the same batch has deleted fails. */
const foreseen = ['command_aborted', 'idempotency_key_reused', 'limit_exceeded', 'decide_failed'] as const;
const expectations = ['deleted', 'no_stream', 'stream_exists', 0, 1, 5] as const;

/** Numbers its events without gaps, whichever accounts they go to. */
const numbered = defineDecision({
  name: 'numbered',
  events: { MoneyDeposited: account.events.MoneyDeposited },
  input: z.object({ id: z.string() }),
  query: () => [{ tags: ['numbered'] }],
  initialState: 0,
  evolve: { MoneyDeposited: (count) => count + 1 },
  decide: (count, { id }) => [
    { stream: account.stream(id), type: 'MoneyDeposited', data: { amount: count + 1 }, tags: ['numbered'] },
  ],
});

class Actor {
  readonly #random: () => number;
  readonly #engines: readonly Engine[];
  /** What was told under each key. */
  readonly #told = new Map<string, string>();

  constructor(random: () => number, engines: readonly Engine[]) {
    this.#random = random;
    this.#engines = engines;
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)] as Item;
  }

  #command(): Command {
    const { open, deposit, withdraw, close, touch } = account.commands;
    const [id, die] = [this.#pick(ids), this.#random()];
    if (die < 0.1) return open(id, { owner: 'Ada' });
    if (die < 0.45) return deposit(id, { amount: 1 + Math.floor(this.#random() * 5) });
    if (die < 0.8) return withdraw(id, { amount: 1 + Math.floor(this.#random() * 5) });
    if (die < 0.84) return close(id, {});
    return die < 0.9 ? touch(id, {}) : numbered({ id });
  }

  /** Executes something, perhaps under a key that was used before, and perhaps cancels it after some turns. */
  async act(): Promise<void> {
    const engine = this.#pick(this.#engines);
    const aborting = new AbortController();
    const key = this.#random() < 0.4 ? `key-${Math.floor(this.#random() * 30)}` : undefined;
    const options: ExecuteOptions = { signal: aborting.signal, idempotencyKey: key };
    const command = this.#command();
    const isBatch = this.#random() < 0.25;
    const isExpecting = !isBatch && 'aggregate' in command && this.#random() < 0.3;
    const expectedVersion = isExpecting ? this.#pick(expectations) : undefined;
    const executing: Promise<BatchReceipt> = isBatch
      ? engine.executeAll([command, this.#command(), this.#command()], options)
      : engine.execute(command, { ...options, expectedVersion }).then((receipt) => ({ ...receipt, index: 0 }));
    executing.catch(() => {});
    if (this.#random() < 0.15) {
      for (let turns = Math.floor(this.#random() * 30); turns > 0; turns--) await Promise.resolve();
      aborting.abort();
    }
    const receipt = await executing.catch((error: unknown) => {
      if (!foreseen.some((code) => hasCode(error, code))) throw error;
    });
    if (receipt !== undefined) await this.#check(engine, key, receipt);
  }

  async #check(engine: Engine, key: string | undefined, receipt: BatchReceipt): Promise<void> {
    if (receipt.kind === 'accepted') await isRecorded(engine, receipt);
    if (key === undefined || (receipt.kind !== 'accepted' && receipt.kind !== 'rejected')) return;
    const told = JSON.stringify({ ...receipt, duplicate: 'either' });
    // Where a command that changed nothing stood is looked up anew.
    if (receipt.kind === 'accepted' && receipt.events.length === 0) return;
    assert.equal(told, this.#told.get(key) ?? told);
    this.#told.set(key, told);
  }
}

async function isRecorded(engine: Engine, { events, version, position }: Accepted): Promise<void> {
  for (const event of events) assert.equal(JSON.stringify(await engine.log.find(event.id)), JSON.stringify(event));
  const last = events.at(-1);
  if (last !== undefined) assert.deepEqual({ version, position }, { version: last.version, position: last.position });
}

test(`${histories} random histories`, async () => {
  const first = process.env.SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(process.env.SEED);
  for (let seed = first; seed < first + histories; seed++) {
    const random = seededRandom(seed);
    const store = shared(memory());
    const engines: Engine[] = [];
    for (const cachedStates of [1, 2, 100]) {
      const limits = { eventsPerStream: random() < 0.5 ? 20 : 100_000 };
      const folds = { aggregates: [account], decisions: [numbered] };
      engines.push(await openEngine({ store, ...folds, cachedStates, limits, onWarning: () => {} }));
    }
    const actor = new Actor(random, engines);
    for (let batch = 0; batch < 12; batch++) {
      await Promise.all(Array.from({ length: Math.ceil(random() * 12) }, () => actor.act()));
      for (const engine of engines) await compare(engine, `seed ${seed}`);
    }
    for (const engine of engines) await engine.close();
  }
});

async function compare(engine: Engine, seed: string): Promise<void> {
  const { position } = await engine.log.head();
  for (const id of ids) {
    const loaded = await engine.load(account, id);
    expect(loaded, seed).toEqual(await engine.load(account, id, { at: { position } }));
    expect(loaded.state.balance, seed).toBeGreaterThanOrEqual(0);
  }
  let number = 0;
  for await (const page of engine.log.read({ match: [{ tags: ['numbered'] }] })) {
    for (const { data } of page) expect(data, seed).toEqual({ amount: ++number });
  }
}
