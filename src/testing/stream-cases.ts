import assert from 'node:assert/strict';
import type { StreamsQuery } from '../store/port.ts';
import type { CaseDefinition } from './case-definition.ts';
import { appendOne, appendTypes, draft, readNames, tombstone, write } from './drafts.ts';

export const streamCases: readonly CaseDefinition[] = [
  {
    name: 'head: an empty store, then a growing one',
    run: async ({ open, clock }) => {
      const store = await open();
      assert.deepEqual(await store.head(), { position: 0, recordedAt: 0, streamCount: 0 });
      await appendTypes(store, 'order-1', 'A', 'B');
      clock.advance(5);
      await appendTypes(store, 'order-2', 'A');
      assert.deepEqual(await store.head(), { position: 3, recordedAt: clock.now(), streamCount: 2 });
    },
  },
  {
    name: 'heads: in the order asked for, with those that never existed',
    run: async ({ open }) => {
      const store = await open();
      await appendTypes(store, 'order-1', 'A', 'B');
      await appendTypes(store, 'order-2', 'A');
      await appendOne(store, write('order-2', 1, [tombstone()]));
      assert.deepEqual(await store.heads(['order-2', 'order-9', 'order-1']), [
        { stream: 'order-2', version: 2, deleted: true, hotCount: 2 },
        { stream: 'order-9', version: 0, deleted: false, hotCount: 0 },
        { stream: 'order-1', version: 2, deleted: false, hotCount: 2 },
      ]);
      assert.deepEqual(await store.heads([]), []);
    },
  },
  {
    name: 'types: each that was recorded, once, in the order of their code points',
    run: async ({ open }) => {
      const store = await open();
      if (store.types === undefined) return;
      assert.deepEqual(await store.types(), []);
      await appendTypes(store, 'order-1', 'B', 'A', 'B', 'é', '～', '🎉');
      await appendOne(store, write('order-2', 'any', [draft('A', { schemaVersion: 2 }), tombstone()]));
      assert.deepEqual(await store.types(), ['$deleted', 'A', 'B', 'é', '～', '🎉']);
    },
  },
  {
    name: 'streams: in the order of their code points, by prefix, page after page',
    run: async ({ open }) => {
      const store = await open();
      // U+FF5E comes before the emoji by code point, and after it by UTF-16 unit.
      const names = ['order-10', 'order-2', 'order-é', 'order-～', 'order-🎉', 'customer-1', 'order_line-1', 'a-%_'];
      for (const name of names) await appendTypes(store, name, 'A');
      const sorted = ['a-%_', 'customer-1', 'order-10', 'order-2', 'order-é', 'order-～', 'order-🎉', 'order_line-1'];
      const list = async (query: StreamsQuery) => (await store.streams(query)).map(({ stream }) => stream);
      assert.deepEqual(await list({ limit: 100 }), sorted);
      assert.deepEqual(await list({ limit: 100, prefix: 'order-' }), sorted.slice(2, 7));
      assert.deepEqual(await list({ limit: 2, prefix: 'order-', after: 'order-2' }), sorted.slice(4, 6));
      assert.deepEqual(await list({ limit: 100, prefix: 'order-', after: 'b-1' }), sorted.slice(2, 7));
      assert.deepEqual(await list({ limit: 100, prefix: 'order-', after: 'p-1' }), []);
      assert.deepEqual(await list({ limit: 100, prefix: 'nothing' }), []);
      assert.deepEqual(await list({ limit: 100, prefix: 'a-%' }), ['a-%_']);
      const paged: string[] = [];
      for (let page = await list({ limit: 3 }); page.length > 0; page = await list({ limit: 3, after: paged.at(-1) }))
        paged.push(...page);
      assert.deepEqual(paged, sorted);
    },
  },
  {
    name: 'streams: the longest names and the oddest characters',
    run: async ({ open }) => {
      const store = await open();
      const names = [
        `order-${'x'.repeat(1_018)}`,
        `order-${'🎉'.repeat(254)}`,
        'order-a/b c/😀 "quoted" \\ % _',
        "order--'; drop table events; --",
        'order-1-2-3',
      ];
      for (const name of names) await appendTypes(store, name, 'A', 'B');
      for (const name of names) {
        assert.deepEqual(await readNames(store, { stream: name }), [`${name}@1`, `${name}@2`]);
        assert.equal((await store.heads([name]))[0]?.version, 2);
      }
    },
  },
];
