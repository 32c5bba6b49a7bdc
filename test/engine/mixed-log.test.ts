/** Any log in which several versions of a type are mixed, against the same log written anew as the newest. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineProjection, memory, openEngine, openLog } from '../../src/index.ts';
import type { Engine, EventLog, StandardSchemaV1 } from '../../src/index.ts';
import { chainOf, changes } from '../support/version-chains.ts';
import type { Chain } from '../support/version-chains.ts';

interface Given {
  readonly stream: number;
  /** Which of the versions it was recorded as. */
  readonly version: number;
  readonly data: Readonly<Record<string, unknown>>;
}

const given: fc.Arbitrary<Given> = fc.record({
  stream: fc.nat(2),
  version: fc.nat(5),
  data: fc.record({ id: fc.string(), amount: fc.integer() }),
});

async function logOf(chain: Chain, events: readonly Given[], versionOf: (given: Given) => number): Promise<EventLog> {
  const log = await openLog({ store: memory() });
  for (const one of events) {
    const version = versionOf(one);
    const encoder = log.encoderOf({ Changed: chain.declared[version - 1] as StandardSchemaV1 });
    const draft = await encoder.encode({ type: 'Changed', data: chain.dataAt(version, one.data) });
    await log.commit({
      writes: [{ stream: `thing-${one.stream}`, expected: 'any', events: [draft] }],
      checks: [],
      conditions: [],
      receipts: [],
    });
  }
  return log;
}

/** All that folds make of a log. */
async function foldsOf(chain: Chain, log: EventLog): Promise<unknown> {
  const thing = defineAggregate({
    name: 'thing',
    events: { Changed: chain.declared.at(-1) as StandardSchemaV1 },
    initialState: [] as readonly unknown[],
    evolve: { Changed: (state, event) => [...state, event.data] },
    commands: { nothing: { input: z.null(), decide: () => [] } },
  });
  const all = defineProjection({
    name: 'all',
    from: [thing],
    key: (event) => event.aggregateId,
    initial: { seen: [] as readonly unknown[] },
    on: { Changed: ({ seen }, event) => ({ seen: [...seen, event.schemaVersion, event.data] }) },
  });
  const engine: Engine = await openEngine({ store: log, aggregates: [thing], projections: [all] });
  try {
    await engine.settled();
    const states = await Promise.all(['0', '1', '2'].map(async (id) => (await engine.load(thing, id)).state));
    return { states, view: await engine.view(all).findMany({}) };
  } finally {
    await engine.close();
  }
}

test('a fold over a mixed log is the fold over the log rewritten to the newest version', async () => {
  await fc.assert(
    fc.asyncProperty(changes, fc.array(given, { maxLength: 12 }), async (list, events) => {
      const chain = chainOf(list);
      const newest = chain.declared.length;
      const mixed = await logOf(chain, events, ({ version }) => 1 + (version % newest));
      const rewritten = await logOf(chain, events, () => newest);
      expect(await foldsOf(chain, mixed)).toEqual(await foldsOf(chain, rewritten));
      await mixed.close();
      await rewritten.close();
    }),
    { numRuns: 60 },
  );
});
