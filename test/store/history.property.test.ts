import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultLimits, memory } from 'eventsrc';
import type { AppendResult, Backend, EventStore, ExpectedVersion } from 'eventsrc';
import { TestClock } from 'eventsrc/testing';
import { sqlite } from 'eventsrc/sqlite';
import { draft, readAll, tombstone } from '../../src/testing/drafts.ts';
import { Model } from '../support/model.ts';
import type { ModelRequest } from '../support/model.ts';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const soak = process.env.SOAK === '1';
const streams = ['a-1', 'a-2', 'b-1'];
const types = ['A', 'B', 'C'];
const tags = ['x', 'y', 'z'];

const stream = fc.constantFrom(...streams);
const expected = fc.oneof(fc.constantFrom('any', 'any', 'no_stream', 'stream_exists', 'deleted'), fc.nat(6));
const event = fc.record({ type: fc.constantFrom(...types), tags: fc.subarray(tags) });
const events = fc
  .tuple(fc.array(event, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 9 }))
  .map(([list, die]) => (die === 0 ? [...list, { type: '$deleted', tags: [] }] : list));
const request: fc.Arbitrary<ModelRequest> = fc.record({
  writes: fc.uniqueArray(fc.record({ stream, expected, events }), {
    selector: (write) => write.stream,
    minLength: 1,
    maxLength: 2,
  }),
  checks: fc.array(fc.record({ stream, expected }), { maxLength: 1 }),
  conditions: fc.array(
    fc.record({
      after: fc.nat(30),
      types: fc.subarray(types, { maxLength: 2 }),
      tags: fc.subarray(tags, { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
  receipts: fc.uniqueArray(
    fc.record({ key: fc.constantFrom('k1', 'k2', 'k3'), expiresAt: fc.option(fc.nat(50), { nil: null }) }),
    { selector: (receipt) => receipt.key, maxLength: 2 },
  ),
});
/** Groups of requests, a step of the clock before each, and through which of two openings they go. */
const history = fc.array(
  fc.record({
    group: fc.array(request, { minLength: 1, maxLength: 4 }),
    ms: fc.integer({ min: -5, max: 10 }),
    handle: fc.nat(1),
    reopen: fc.nat(7).map((die) => die === 0),
  }),
  { minLength: 1, maxLength: 12 },
);

function outcome(result: AppendResult): string {
  switch (result.kind) {
    case 'version_conflict':
    case 'stream_deleted':
      return `${result.kind} at ${result.actual}`;
    case 'condition_conflict':
      return `${result.kind} of ${result.condition} at ${result.position}`;
    case 'duplicate':
      return `duplicate of ${result.receipt.key}`;
    default:
      return result.kind;
  }
}

async function append(store: EventStore, group: readonly ModelRequest[]): Promise<readonly string[]> {
  const results = await store.append(
    group.map(({ writes, checks, conditions, receipts }) => ({
      writes: writes.map((write) => ({
        stream: write.stream,
        expected: write.expected as ExpectedVersion,
        events: write.events.map((each) =>
          each.type === '$deleted' ? tombstone() : draft(each.type, { tags: each.tags }),
        ),
      })),
      checks: checks.map((check) => ({ stream: check.stream, expected: check.expected as ExpectedVersion })),
      conditions: conditions.map((condition) => ({
        failIfMatch: [{ types: condition.types, tags: condition.tags }],
        after: condition.after,
      })),
      receipts: receipts.map((receipt) => ({
        ...receipt,
        commandDigest: new Uint8Array(32),
        outcome: new Uint8Array(1),
      })),
    })),
  );
  return results.map(outcome);
}

interface Place {
  readonly backend: Backend;
  readonly shared: boolean;
}

const newStore = postgresStores();
const places: readonly [name: string, runs: number, make: () => Promise<Place>][] = [
  ['memory', 300, async () => ({ backend: memory(), shared: false })],
  ['sqlite', 40, async () => ({ backend: sqlite(join(await temporaryFolder(), 'store.db')), shared: true })],
  ['postgres', 25, async () => ({ backend: newStore(), shared: true })],
];

describe.each(places)('%s', (_name, runs, make) => {
  const numRuns = runs * (soak ? 20 : 1);
  test(`does what the model does, over ${numRuns} random histories`, async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const { backend, shared } = await make();
        const clock = new TestClock(0);
        const open = () => backend.openEvents({ clock, limits: defaultLimits });
        const first = await open();
        const stores = shared ? [first, await open()] : [first, first];
        const model = new Model();
        let last = 0;
        try {
          for (const { group, ms, handle, reopen } of steps) {
            clock.advance(ms);
            // Time stands still while the clock is behind the last event.
            const now = Math.max(last, clock.now());
            if (shared && reopen) {
              await stores[handle]?.[Symbol.asyncDispose]();
              stores[handle] = await open();
            }
            const store = stores[handle] as EventStore;
            const before = model.log.length;
            const wanted = group.map((one) => model.append(one, now));
            expect(await append(store, group)).toEqual(wanted);
            if (model.log.length > before) last = now;
          }
          for (const store of stores) await compare(store, model, Math.max(last, clock.now()));
        } finally {
          for (const store of new Set(stores)) await store[Symbol.asyncDispose]();
        }
      }),
      { numRuns, ...(process.env.SEED !== undefined && { seed: Number(process.env.SEED) }) },
    );
  });
});

async function compare(store: EventStore, model: Model, now: number): Promise<void> {
  const stored = await readAll(store, { pageSize: 7 });
  expect(stored.map((each) => ({ stream: each.stream, type: each.type, tags: each.tags }))).toEqual(model.log);
  expect(stored.map(({ position }) => position)).toEqual(model.log.map((_, index) => index + 1));
  for (const name of streams) {
    const version = model.version(name);
    expect(await store.heads([name])).toEqual([
      { stream: name, version, deleted: model.isDeleted(name), hotCount: version },
    ]);
    const versions = (await readAll(store, { stream: name, pageSize: 2 })).map((each) => each.version);
    expect(versions).toEqual(Array.from({ length: version }, (_, index) => index + 1));
  }
  for (const type of types) {
    for (const tag of tags) {
      const wanted = model.log.flatMap((each, index) =>
        each.type === type && each.tags.includes(tag) ? [index + 1] : [],
      );
      const found = await readAll(store, { match: [{ types: [type], tags: [tag] }], pageSize: 3 });
      expect(found.map(({ position }) => position)).toEqual(wanted);
    }
  }
  for (const key of ['k1', 'k2', 'k3']) {
    expect((await store.receipt(key)) !== undefined, key).toBe(model.hasReceipt(key, now));
  }
}
