/** Moments of a rebuild that come seldom by themselves, brought about. */
import { defineProjection, memory, openEngine } from 'eventsrc';
import type { Engine, EngineOptions } from 'eventsrc';
import { afterEach, expect, test } from 'vitest';
import { crate } from './shelves.ts';

const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(options: EngineOptions): Promise<Engine> {
  const engine = await openEngine({ leaseMs: 300, ...options });
  opened.push(engine);
  return engine;
}

async function store(engine: Engine, amount = 1): Promise<number> {
  const data = { shelves: ['a'], amount };
  const result = await engine.log.append([{ stream: 'crate-1', events: [{ type: 'Stored', data }] }]);
  return result.kind === 'appended' ? (result.events.at(-1)?.position ?? 0) : 0;
}

/** Of each shelf the sum; what every event does besides is up to the test. */
function defineSums(fold: (sum: number, amount: number) => number) {
  return defineProjection({
    name: 'sums',
    from: [crate],
    key: (event) => (event.type === 'Stored' ? event.data.shelves : []),
    initial: { sum: 0 },
    on: {
      Stored: ({ sum }, { data }) => ({ sum: fold(sum, data.amount) }),
      Cleared: 'ignore',
      Noted: 'ignore',
    },
  });
}

test('what was built and dropped is not taken for built the next time', async () => {
  let factor = 1;
  const sums = defineSums((sum, amount) => sum + factor * amount);
  const engine = await engineOn({ store: memory(), projections: [sums] });
  await store(engine, 5);
  await engine.settled();
  factor = 2;
  const differing = await engine.consumers.rebuild(sums, { diff: true });
  expect(differing).toMatchObject({
    switched: false,
    compared: 1,
    differences: [{ key: 'a', before: { sum: 5 }, after: { sum: 10 } }],
  });
  await engine.consumers.drop(sums, differing.generation);
  await engine.consumers.rebuild(sums);
  expect(await engine.view(sums).get('a')).toEqual({ sum: 10 });
});
