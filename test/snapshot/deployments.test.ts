/** Several deployments at random on one store, some of changed code that nobody said is another: each loads what its own fold makes. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, memory, openEngine } from '../../src/index.ts';
import type { Backend, Engine } from '../../src/index.ts';
import { shared } from '../support/gated-store.ts';
import { withState } from '../support/place.ts';
import { seededRandom } from '../support/random.ts';

type Letter = 'A' | 'B' | 'C' | 'D';
type Worth = Partial<Readonly<Record<Letter, number>>>;

/** The order of events matters to its state, and what each of them is worth. */
function defineChain(worth: Worth) {
  const event = z.object({});
  const link = (letter: Letter) => (state: { readonly sum: number }) => ({
    sum: ((state.sum * 3) % 100_003) + (worth[letter] ?? 1),
  });
  return defineAggregate({
    name: 'chain',
    snapshotEvery: 5,
    snapshotsKept: 3,
    events: { A: event, B: event, C: event, D: event },
    initialState: { sum: 0 },
    evolve: { A: link('A'), B: link('B'), C: link('C'), D: link('D') },
    commands: {
      add: {
        input: z.string(),
        decide: (_state, letters) => [...letters].map((type) => ({ type: type as Letter, data: {} })),
      },
    },
  });
}

interface Deployment {
  readonly chain: ReturnType<typeof defineChain>;
  readonly engine: Engine;
}

async function deploy(store: Backend, worth: Worth, cachedStates: number): Promise<Deployment> {
  const chain = defineChain(worth);
  const hooks = { snapshot: () => {} };
  const options = { store, aggregates: [chain], cachedStates, snapshotSampleMs: Infinity, hooks };
  return { chain, engine: await openEngine(options) };
}

const worths: readonly Worth[] = [{}, { A: 2 }, { B: 7 }, { C: 9 }, { D: 11 }, { B: 7, D: 5 }];
const ids = ['u', 'v', 'w', 'x', 'y', 'z'];

/** As a restored backup, or somebody who tidies up, might leave it. */
async function loseCodes(store: Backend): Promise<void> {
  await withState(store, async (state) => {
    const isThere = (await state.collections('snapshot/codes')).length > 0;
    if (isThere) await state.commit({ deletes: [{ collection: 'snapshot/codes', key: 'chain' }] });
  });
}

async function expectRight({ chain, engine }: Deployment, id: string, version: number): Promise<void> {
  const at = version > 30 ? {} : { at: { version } };
  expect(await engine.load(chain, id, at)).toEqual(await engine.load(chain, id, { ...at, mode: 'full' }));
}

test('whatever is deployed beside whatever else, each state is what that code makes of the events', async () => {
  const runs = process.env['SOAK'] === undefined ? 20 : 5_000;
  for (let seed = 1; seed <= runs; seed++) {
    const random = seededRandom(seed);
    const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
    const letters = () =>
      Array.from({ length: 1 + Math.floor(random() * 7) }, () => (random() < 0.7 ? 'A' : pick(['B', 'C', 'D']))).join(
        '',
      );
    const store = shared(memory());
    const running: Deployment[] = [];
    const act = async (die: number) => {
      if (running.length === 0 || (die < 0.1 && running.length < 4)) {
        running.push(await deploy(store, pick(worths), pick([1, 10_000])));
        return;
      }
      const one = pick(running);
      if (die < 0.15) {
        running.splice(running.indexOf(one), 1);
        await one.engine.close();
      } else if (die < 0.17) await loseCodes(store);
      else if (die < 0.2) await one.engine.snapshots.verify();
      else if (die < 0.6) {
        const others = random() < 0.3 ? [one, pick(running)] : [one];
        const id = pick(ids);
        await Promise.all(others.map(({ engine, chain }) => engine.execute(chain.commands.add(id, letters()))));
        if (random() < 0.7) await Promise.all(others.map(({ engine }) => engine.snapshots.settled()));
      } else await expectRight(one, pick(ids), Math.floor(random() * 45));
    };
    for (let step = 0; step < 60; step++) await act(random());
    for (const { engine } of running) await engine.close();
  }
});
