import assert from 'node:assert/strict';
import type { EventQuery } from '../event/query.ts';
import type { CaseDefinition } from './case-definition.ts';
import { appendOne, draft, readAll, write } from './drafts.ts';

const stream = 'course-1';

/** Queries over the four events below, and the positions that they match. */
const queries: readonly [name: string, query: EventQuery, positions: readonly number[]][] = [
  ['no items', [], []],
  ['an item without types or tags', [{}], [1, 2, 3, 4]],
  ['one type', [{ types: ['A'] }], [1, 3]],
  ['types are alternatives', [{ types: ['A', 'B'] }], [1, 2, 3]],
  ['one tag', [{ tags: ['x'] }], [1, 2, 4]],
  ['tags are required together', [{ tags: ['x', 'y'] }], [2, 4]],
  ['three tags', [{ tags: ['z', 'y', 'x'] }], [4]],
  ['type and tag', [{ types: ['A'], tags: ['x'] }], [1]],
  ['types and tags', [{ types: ['A', 'C'], tags: ['x'] }], [1, 4]],
  ['items are alternatives', [{ types: ['A'], tags: ['x'] }, { tags: ['y'] }], [1, 2, 4]],
  ['items that overlap match once', [{ types: ['A'] }, { tags: ['x'] }, {}], [1, 2, 3, 4]],
  ['an unknown type', [{ types: ['Z'] }], []],
  ['an unknown tag', [{ tags: ['x', 'unknown'] }], []],
  ['an unknown type beside a known one', [{ types: ['Z', 'B'] }], [2]],
  [
    'more alternatives than a statement takes',
    Array.from({ length: 700 }, (_, n) => ({ types: [n === 650 ? 'C' : 'A'], tags: n === 650 ? [] : ['x'] })),
    [1, 4],
  ],
];

const events = [
  draft('A', { tags: ['x'] }),
  draft('B', { tags: ['x', 'y'], schemaVersion: 2 }),
  draft('A', { schemaVersion: 2 }),
  draft('C', { tags: ['x', 'y', 'z'] }),
];

export const conditionCases: readonly CaseDefinition[] = [
  ...queries.flatMap(([name, query, positions]): readonly CaseDefinition[] => [
    {
      name: `query: ${name}`,
      run: async ({ open }) => {
        const store = await open();
        await appendOne(store, write(stream, 'any', events));
        const found = async (backwards: boolean) =>
          (await readAll(store, { match: query, backwards })).map(({ position }) => position);
        assert.deepEqual(await found(false), positions);
        assert.deepEqual(await found(true), positions.toReversed());
      },
    },
    {
      name: `condition: ${name}`,
      needs: 'matchedConditions',
      run: async ({ open }) => {
        const store = await open();
        await appendOne(store, write(stream, 'any', events));
        for (const after of [0, 1, 2, 3, 4]) {
          const result = await appendOne(
            store,
            write('other-1', 'any', [draft('Other')], { conditions: [{ failIfMatch: query, after }] }),
          );
          const position = positions.find((matching) => matching > after);
          if (position === undefined) assert.equal(result.kind, 'appended', `after ${after}`);
          else assert.deepEqual(result, { kind: 'condition_conflict', condition: 0, position }, `after ${after}`);
        }
      },
    },
  ]),
  {
    name: 'condition: the index of the one that failed is told',
    needs: 'matchedConditions',
    run: async ({ open }) => {
      const store = await open();
      await appendOne(store, write(stream, 'any', events));
      const conditions = [
        { failIfMatch: [{ types: ['Z'] }], after: 0 },
        { failIfMatch: [{ types: ['B'] }], after: 1 },
      ];
      assert.deepEqual(await appendOne(store, write('other-1', 'any', [draft('Other')], { conditions })), {
        kind: 'condition_conflict',
        condition: 1,
        position: 2,
      });
    },
  },
  {
    name: 'condition: of a hundred racers under one condition one wins',
    needs: 'matchedConditions',
    run: async ({ open }) => {
      const store = await open();
      const claim = (n: number) =>
        appendOne(
          store,
          write(`user-${n}`, 'no_stream', [draft('Registered', { tags: ['name:ada'] })], {
            conditions: [{ failIfMatch: [{ types: ['Registered'], tags: ['name:ada'] }], after: 0 }],
          }),
        );
      const results = await Promise.all(Array.from({ length: 100 }, (_, n) => claim(n)));
      assert.deepEqual(results.filter(({ kind }) => kind === 'appended').length, 1);
      assert.deepEqual(results.filter(({ kind }) => kind === 'condition_conflict').length, 99);
      assert.equal((await readAll(store)).length, 1);
    },
  },
];
