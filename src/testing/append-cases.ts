import assert from 'node:assert/strict';
import { eventId } from '../event/digests.ts';
import { EngineError } from '../ground/errors.ts';
import type { ExpectedVersion } from '../store/port.ts';
import type { CaseDefinition } from './case-definition.ts';
import { appendOne, appendTypes, draft, readAll, readNames, tombstone, write } from './drafts.ts';

const a = 'order-1';
const b = 'order-2';

/** Expected versions against the states of a stream: what must happen. */
const expectations: readonly [expected: ExpectedVersion, empty: string, atTwo: string, deletedAtTwo: string][] = [
  ['any', 'appended', 'appended', 'stream_deleted'],
  ['no_stream', 'appended', 'version_conflict', 'stream_deleted'],
  ['stream_exists', 'version_conflict', 'appended', 'stream_deleted'],
  ['deleted', 'version_conflict', 'version_conflict', 'appended'],
  [0, 'appended', 'version_conflict', 'stream_deleted'],
  [1, 'version_conflict', 'version_conflict', 'stream_deleted'],
  [2, 'version_conflict', 'appended', 'stream_deleted'],
  [3, 'version_conflict', 'version_conflict', 'stream_deleted'],
];

export const appendCases: readonly CaseDefinition[] = [
  {
    name: 'append: versions count within the stream, positions over the store, ids follow from the rest',
    run: async ({ open, clock }) => {
      const store = await open();
      const first = await appendOne(
        store,
        write(a, 'no_stream', [draft('A', { data: { n: 1 }, tags: ['y', 'x'] }), draft('B')]),
      );
      assert.deepEqual(first, { kind: 'appended', position: 1, versions: [1], recordedAt: clock.now() });
      await appendTypes(store, b, 'C');
      await appendTypes(store, a, 'D');
      const events = await readAll(store);
      assert.deepEqual(
        events.map(({ stream, version, position, type }) => [stream, version, position, type]),
        [
          [a, 1, 1, 'A'],
          [a, 2, 2, 'B'],
          [b, 1, 3, 'C'],
          [a, 3, 4, 'D'],
        ],
      );
      for (const event of events) assert.deepEqual([...event.id], [...eventId(event)]);
      assert.deepEqual(events[0]?.tags, ['x', 'y']);
    },
  },
  {
    name: 'append: bytes come back as they were given',
    run: async ({ open }) => {
      const store = await open();
      const given = [
        draft('A', {
          data: { text: 'żółć 🎉 \u0000', ['__proto__']: 1 },
          metadata: { actor: 'ä' },
          tags: ['tag with spaces', '🎈'],
          schemaVersion: 7,
        }),
        draft('B', { data: 'x'.repeat(300_000) }),
      ];
      await appendOne(store, write('order-äöü/🎉 x', 'any', given));
      const events = await readAll(store);
      for (const [index, event] of events.entries()) {
        const { type, schemaVersion, encoding, tags, data, metadata, bodyDigest } = given[
          index
        ] as (typeof given)[number];
        assert.deepEqual(
          [event.type, event.schemaVersion, event.encoding, event.tags],
          [type, schemaVersion, encoding, tags],
        );
        assert.deepEqual([...event.data], [...data]);
        assert.deepEqual([...event.metadata], [...metadata]);
        assert.deepEqual([...event.bodyDigest], [...bodyDigest]);
      }
      assert.equal(events[0]?.stream, 'order-äöü/🎉 x');
    },
  },
  ...expectations.flatMap(([expected, empty, atTwo, deletedAtTwo]) =>
    (
      [
        ['a stream that never existed', 0, empty],
        ['a stream at version 2', 2, atTwo],
        ['a stream deleted at version 2', 2, deletedAtTwo],
      ] as const
    ).map(([state, version, outcome]): CaseDefinition => ({
      name: `append: expecting ${JSON.stringify(expected)} of ${state} is ${outcome}`,
      run: async ({ open }) => {
        const store = await open();
        if (version > 0)
          await appendOne(store, write(a, 'any', [draft('A'), state.includes('deleted') ? tombstone() : draft('B')]));
        const result = await appendOne(store, write(a, expected, [draft('C')]));
        assert.equal(result.kind, outcome);
        if (result.kind === 'version_conflict' || result.kind === 'stream_deleted') {
          assert.deepEqual([result.stream, result.actual], [a, version]);
        }
        const [head] = await store.heads([a]);
        assert.equal(head?.version, outcome === 'appended' ? version + 1 : version);
      },
    })),
  ),
  {
    name: 'append: a re-created stream goes on counting',
    run: async ({ open }) => {
      const store = await open();
      await appendOne(store, write(a, 'any', [draft('A'), tombstone()]));
      assert.deepEqual(await store.heads([a]), [{ stream: a, version: 2, deleted: true, hotCount: 2 }]);
      const result = await appendOne(store, write(a, 'deleted', [draft('B')]));
      assert.equal(result.kind === 'appended' && result.versions[0], 3);
      assert.deepEqual(await store.heads([a]), [{ stream: a, version: 3, deleted: false, hotCount: 3 }]);
    },
  },
  {
    name: 'append: several streams are written all or none',
    needs: 'multiStream',
    run: async ({ open }) => {
      const store = await open();
      await appendTypes(store, b, 'B');
      const request = (expected: ExpectedVersion) => ({
        writes: [
          { stream: a, expected: 'no_stream' as const, events: [draft('A1'), draft('A2')] },
          { stream: b, expected, events: [draft('B2')] },
        ],
        checks: [],
        conditions: [],
        receipts: [],
      });
      assert.deepEqual(await appendOne(store, request(0)), {
        kind: 'version_conflict',
        stream: b,
        expected: 0,
        actual: 1,
      });
      assert.deepEqual(await readNames(store), [`${b}@1`]);
      const result = await appendOne(store, request(1));
      assert.deepEqual(result.kind === 'appended' && [result.position, result.versions], [2, [1, 2]]);
      assert.deepEqual(await readNames(store), [`${b}@1`, `${a}@1`, `${a}@2`, `${b}@2`]);
    },
  },
  {
    name: 'append: a stream may come again behind another, under its first expectation',
    needs: 'multiStream',
    run: async ({ open }) => {
      const store = await open();
      await appendTypes(store, a, 'A');
      const request = (expected: ExpectedVersion) => ({
        writes: [
          { stream: a, expected, events: [draft('A2')] },
          { stream: b, expected: 'no_stream' as const, events: [draft('B1'), draft('B2')] },
          { stream: a, expected: 'any' as const, events: [draft('A3')] },
        ],
        checks: [],
        conditions: [],
        receipts: [],
      });
      assert.equal((await appendOne(store, request(0))).kind, 'version_conflict');
      const result = await appendOne(store, request(1));
      assert.deepEqual(result.kind === 'appended' && [result.position, result.versions], [2, [2, 1, 3]]);
      assert.deepEqual(await readNames(store), [`${a}@1`, `${a}@2`, `${b}@1`, `${b}@2`, `${a}@3`]);
      await appendOne(store, write(a, 'any', [tombstone()]));
      const again = await appendOne(store, {
        ...request('deleted'),
        writes: [...request('deleted').writes].map((one) => (one.stream === b ? { ...one, expected: 2 } : one)),
      });
      assert.deepEqual(again.kind === 'appended' && again.versions, [5, 3, 6]);
    },
  },
  {
    name: 'append: what comes again counts towards the limit of its stream',
    needs: 'multiStream',
    run: async ({ open }) => {
      const store = await open({ limits: { eventsPerStream: 2 } });
      const result = await appendOne(store, {
        writes: [
          { stream: a, expected: 'any', events: [draft('A1')] },
          { stream: b, expected: 'any', events: [draft('B1')] },
          { stream: a, expected: 'any', events: [draft('A2'), draft('A3')] },
        ],
        checks: [],
        conditions: [],
        receipts: [],
      });
      assert.equal(result.kind, 'failed');
      assert.deepEqual(await readNames(store), []);
    },
  },
  {
    name: 'append: a check of a stream that is not written refuses the whole',
    run: async ({ open }) => {
      const store = await open();
      await appendTypes(store, b, 'B');
      const checked = (expected: ExpectedVersion) =>
        appendOne(store, write(a, 'any', [draft('A')], { checks: [{ stream: b, expected }] }));
      assert.deepEqual(await checked('no_stream'), {
        kind: 'version_conflict',
        stream: b,
        expected: 'no_stream',
        actual: 1,
      });
      assert.equal((await checked(1)).kind, 'appended');
      await appendOne(store, write(b, 1, [tombstone()]));
      assert.equal((await checked('stream_exists')).kind, 'version_conflict');
      assert.equal((await checked('deleted')).kind, 'appended');
      assert.equal((await checked(2)).kind, 'appended');
      assert.deepEqual(await readNames(store, { stream: a }), [`${a}@1`, `${a}@2`, `${a}@3`]);
    },
  },
  {
    name: 'append: the requests of a group are judged one after another, and one that is refused harms no other',
    run: async ({ open }) => {
      const store = await open();
      const results = await store.append([
        write(a, 'no_stream', [draft('A')]),
        write(a, 'no_stream', [draft('lost')]),
        write(a, 1, [draft('A'), draft('A')]),
        write(b, 'any', [draft('B')], { checks: [{ stream: a, expected: 3 }] }),
        write(b, 'any', [draft('lost')], { conditions: [{ failIfMatch: [{ types: ['B'] }], after: 0 }] }),
        write(a, 3, [tombstone()]),
        write(a, 'any', [draft('lost')]),
      ]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ['appended', 'version_conflict', 'appended', 'appended', 'condition_conflict', 'appended', 'stream_deleted'],
      );
      assert.deepEqual(await readNames(store), [`${a}@1`, `${a}@2`, `${a}@3`, `${b}@1`, `${a}@4`]);
    },
  },
  {
    name: 'append: recorded time never runs backwards, whatever the clock does',
    run: async ({ open, clock }) => {
      const store = await open();
      for (const ms of [0, 500, -10_000, 100, 20_000]) {
        clock.advance(ms);
        await appendTypes(store, a, 'A');
      }
      const start = Date.UTC(2026, 0, 1);
      assert.deepEqual(
        (await readAll(store)).map(({ recordedAt }) => recordedAt - start),
        [0, 500, 500, 500, 10_600],
      );
    },
  },
  {
    name: 'append: a stream takes as many events as its limit and not one more',
    run: async ({ open }) => {
      const store = await open({ limits: { eventsPerStream: 5 } });
      await appendTypes(store, a, 'A', 'A', 'A');
      const results = await store.append([
        write(a, 'any', [draft('A'), draft('A'), draft('A')]),
        write(a, 'any', [draft('A'), draft('A')]),
        write(b, 'any', [draft('B')]),
      ]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ['failed', 'appended', 'appended'],
      );
      const [refused] = results;
      assert.ok(refused?.kind === 'failed' && refused.error instanceof EngineError);
      assert.deepEqual(refused.error.details, { limit: 'eventsPerStream', value: 6, max: 5, subject: a });
      assert.equal((await store.heads([a]))[0]?.version, 5);
    },
  },
  {
    name: 'append: of a hundred racers for one version one wins, and each loser is told the version',
    run: async ({ open }) => {
      const store = await open();
      const results = await Promise.all(
        Array.from({ length: 100 }, (_, n) => appendOne(store, write(a, 0, [draft('A', { data: n })]))),
      );
      assert.equal(results.filter(({ kind }) => kind === 'appended').length, 1);
      for (const result of results)
        if (result.kind !== 'appended')
          assert.deepEqual(result, { kind: 'version_conflict', stream: a, expected: 0, actual: 1 });
    },
  },
];
