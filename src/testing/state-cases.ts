import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import type { Json } from '../event/json.ts';
import { hasCode } from '../ground/errors.ts';
import type { ErrorCode } from '../ground/errors.ts';
import type { Condition, DocumentQuery, DocumentValue, StateStore } from '../store/state-port.ts';
import type { StateCaseDefinition } from './case-definition.ts';

const all: Condition = { kind: 'all', of: [] };
const query: DocumentQuery = { where: all, orderBy: [], limit: 100 };

async function put(store: StateStore, documents: Readonly<Record<string, DocumentValue>>): Promise<void> {
  const puts = Object.entries(documents).map(([key, value]) => ({ collection: 'c', key, value }));
  assert.equal(await store.commit({ puts }), 'committed');
}

async function keys(store: StateStore, asked: Partial<DocumentQuery>): Promise<readonly string[]> {
  const { documents } = await store.find('c', { ...query, ...asked });
  return documents.map(({ key }) => key);
}

async function failsWith(code: ErrorCode, work: () => Promise<unknown>): Promise<void> {
  await assert.rejects(work, (error) => hasCode(error, code));
}

/** Of all kinds, in their order. */
const ordered: readonly Json[] = [
  {},
  { v: null },
  { v: false },
  { v: true },
  { v: -1e300 },
  { v: -1.5 },
  { v: 0 },
  { v: 5e-324 },
  { v: 2 },
  { v: 10 },
  { v: 1e21 },
  { v: '' },
  { v: '10' },
  { v: '2' },
  { v: 'Z' },
  { v: 'a' },
  { v: 'é' },
  { v: '～' },
  { v: '🎉' },
  { v: [1] },
];

export const stateCases: readonly StateCaseDefinition[] = [
  {
    name: 'collections: defined once, listed, dropped',
    run: async ({ open }) => {
      const store = await open();
      await failsWith('collection_unknown', () => store.get('c', ['a']));
      await failsWith('collection_unknown', () => store.commit({ puts: [{ collection: 'c', key: 'a', value: 1 }] }));
      await store.define({ name: 'c', indexes: [['a', 'b.c'], ['b.c']] });
      await store.define({ name: 'c', indexes: [['a', 'b.c'], ['b.c']] });
      await failsWith('request_invalid', () => store.define({ name: 'c', indexes: [['a']] }));
      await store.define({ name: 'c_%', indexes: [] });
      await store.define({ name: 'd', indexes: [] });
      assert.deepEqual(await store.collections('c'), ['c', 'c_%']);
      await put(store, { a: { a: 1 } });
      await store.drop('c');
      await store.drop('c');
      await failsWith('collection_unknown', () => store.find('c', query));
      await store.define({ name: 'c', indexes: [] });
      assert.deepEqual(await store.get('c', ['a']), [undefined]);
    },
  },
  {
    name: 'documents: put, got in the order asked for, put again, deleted',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [['n']] });
      const value = { n: -0.5, big: 1e21, text: 'quote " \\ \\u0000 🎉', list: [1, [null, { deep: true }]], '': {} };
      await put(store, { a: value, b: new Uint8Array([0, 255, 7]), 'key "c" 🎉': 'text' });
      assert.deepEqual(await store.get('c', ['key "c" 🎉', 'x', 'b', 'a']), [
        { key: 'key "c" 🎉', value: 'text', revision: 1 },
        undefined,
        { key: 'b', value: new Uint8Array([0, 255, 7]), revision: 1 },
        { key: 'a', value, revision: 1 },
      ]);
      await put(store, { a: { n: 2 }, b: null });
      assert.deepEqual(await store.get('c', ['a', 'b']), [
        { key: 'a', value: { n: 2 }, revision: 2 },
        { key: 'b', value: null, revision: 2 },
      ]);
      assert.equal(
        await store.commit({
          deletes: [
            { collection: 'c', key: 'a' },
            { collection: 'c', key: 'x' },
          ],
        }),
        'committed',
      );
      assert.deepEqual(await store.get('c', ['a']), [undefined]);
      await put(store, { a: 1 });
      assert.equal((await store.get('c', ['a']))[0]?.revision, 1);
    },
  },
  {
    name: 'documents: what JSON or a database would change is refused, and nothing is kept of its change',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [['v']] });
      const bad: readonly unknown[] = ['a\0b', { 'k\0': 1 }, { v: ['\0'] }, '\ud800', NaN, undefined, { v: undefined }];
      for (const value of bad) {
        const puts = [
          { collection: 'c', key: 'good', value: 1 },
          { collection: 'c', key: 'bad', value: value as DocumentValue },
        ];
        await failsWith('data_unfaithful', () => store.commit({ puts, checkpoints: [{ name: 'p', from: 0, to: 1 }] }));
      }
      for (const key of ['', 'a\0', '\udc00', 'x'.repeat(1_537), '€'.repeat(513)])
        await failsWith('name_invalid', () => store.commit({ puts: [{ collection: 'c', key, value: 1 }] }));
      await failsWith('request_invalid', () =>
        store.commit({ puts: [{ collection: 'c', key: 'a', value: 1 }], deletes: [{ collection: 'c', key: 'a' }] }),
      );
      assert.deepEqual(await store.find('c', query), { documents: [], scanned: false });
      assert.deepEqual(await store.checkpoints(''), []);
    },
  },
  {
    name: 'documents: keys are as long as 1,536 bytes, longer than any id, beside indexed fields of any length',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [['v']] });
      const long = ['x'.repeat(1_536), '€'.repeat(512)];
      const value = { v: '€'.repeat(2_000) };
      await put(store, Object.fromEntries(long.map((key) => [key, value])));
      assert.deepEqual(
        (await store.get('c', long)).map((document) => document?.value),
        [value, value],
      );
      assert.deepEqual(await keys(store, { orderBy: [{ path: 'v', direction: 'asc' }] }), long);
    },
  },
  {
    name: 'order: by kind, then by value, then by key, both ways, with and without an index',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [['v']] });
      const names = ordered.map((_, index) => `${String(index).padStart(2, '0')}`);
      await put(store, Object.fromEntries(ordered.map((value, index) => [names[index] as string, value])));
      const wrapped = ordered.map((value, index) => [`w${names[index]}`, { w: value }] as const);
      await put(store, Object.fromEntries(wrapped));
      const where: Condition = { kind: 'exists', path: 'w', value: false };
      assert.deepEqual(await keys(store, { where, orderBy: [{ path: 'v', direction: 'asc' }] }), names);
      assert.deepEqual(await keys(store, { where, orderBy: [{ path: 'v', direction: 'desc' }] }), names.toReversed());
      const unindexed: Condition = { kind: 'exists', path: 'w', value: true };
      const found = await keys(store, { where: unindexed, orderBy: [{ path: 'w.v', direction: 'asc' }] });
      assert.deepEqual(
        found,
        names.map((name) => `w${name}`),
      );
    },
  },
  {
    name: 'find: pages of a size, one after the other, and a cursor of another query is refused',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [['n']] });
      const documents = Array.from({ length: 25 }, (_, index) => [
        `k${String(index).padStart(2, '0')}`,
        { n: index % 4, m: index % 3 },
      ]);
      await put(store, Object.fromEntries(documents) as Record<string, DocumentValue>);
      for (const path of ['n', 'm']) {
        const orderBy = [{ path, direction: 'desc' as const }];
        const whole = await keys(store, { orderBy });
        assert.equal(whole.length, 25);
        const paged: string[] = [];
        let after: string | undefined;
        do {
          const page = await store.find('c', { where: all, orderBy, limit: 4, after });
          paged.push(...page.documents.map(({ key }) => key));
          after = page.next;
        } while (after !== undefined && paged.length < 30);
        assert.deepEqual(paged, whole);
        const { documents: alone } = await store.find('c', { where: all, orderBy, limit: 4, paged: false });
        assert.deepEqual(
          alone.map(({ key }) => key),
          whole.slice(0, 4),
        );
      }
      const { next } = await store.find('c', { ...query, limit: 2 });
      for (const after of ['x', `${next}x`])
        await failsWith('request_invalid', () =>
          store.find('c', { ...query, after, orderBy: [{ path: 'n', direction: 'asc' }] }),
        );
    },
  },
  {
    name: 'find and count: conditions, and whether an index led to what they found',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [['city', 'age'], ['age']] });
      await put(store, {
        ada: { city: 'Berlin', age: 36, tags: ['x', 'y'], items: [{ sku: 'a', n: 1 }] },
        bob: {
          city: 'Bern',
          age: 7,
          tags: [],
          items: [
            { sku: 'b', n: 5 },
            { sku: 'a', n: 9 },
          ],
        },
        cy: { city: 'Rom', age: null, name: 'Cyrus' },
        dee: { age: '36' },
      });
      const cases: readonly (readonly [Condition, readonly string[], scanned: boolean])[] = [
        [{ kind: 'eq', path: 'city', value: 'Bern' }, ['bob'], false],
        [{ kind: 'ne', path: 'city', value: 'Bern' }, ['ada', 'cy', 'dee'], true],
        [{ kind: 'startsWith', path: 'city', value: 'Ber' }, ['ada', 'bob'], false],
        [{ kind: 'gt', path: 'age', value: 7 }, ['ada'], false],
        [{ kind: 'lte', path: 'age', value: 36 }, ['ada', 'bob'], false],
        [{ kind: 'gte', path: 'age', value: '3' }, ['dee'], false],
        [{ kind: 'eq', path: 'age', value: null }, ['cy'], false],
        [{ kind: 'in', path: 'age', values: [7, '36'] }, ['bob', 'dee'], false],
        [{ kind: 'in', path: 'age', values: [] }, [], false],
        [{ kind: 'exists', path: 'city', value: false }, ['dee'], true],
        [{ kind: 'contains', path: 'tags', value: 'y' }, ['ada'], true],
        [{ kind: 'contains', path: 'name', value: 'yru' }, ['cy'], true],
        [
          {
            kind: 'some',
            path: 'items',
            of: {
              kind: 'all',
              of: [
                { kind: 'eq', path: 'sku', value: 'a' },
                { kind: 'gt', path: 'n', value: 5 },
              ],
            },
          },
          ['bob'],
          true,
        ],
        [{ kind: 'not', of: { kind: 'contains', path: 'tags', value: 'y' } }, ['bob', 'cy', 'dee'], true],
        [
          {
            kind: 'any',
            of: [
              { kind: 'eq', path: 'city', value: 'Rom' },
              { kind: 'gt', path: 'age', value: 7 },
            ],
          },
          ['ada', 'cy'],
          false,
        ],
        [
          {
            kind: 'all',
            of: [
              { kind: 'startsWith', path: 'city', value: 'B' },
              { kind: 'eq', path: 'tags.0', value: 'x' },
            ],
          },
          [],
          false,
        ],
        [{ kind: 'any', of: [] }, [], false],
      ];
      for (const [where, expected, scanned] of cases) {
        const page = await store.find('c', { ...query, where });
        assert.deepEqual(
          [page.documents.map(({ key }) => key), page.scanned],
          [expected, scanned],
          JSON.stringify(where),
        );
        assert.deepEqual(await store.count('c', where), { count: expected.length, scanned });
      }
    },
  },
  {
    name: 'find: strings that agree in all that is indexed of them are told apart; zero has no sign',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [['v']] });
      const long = 'é'.repeat(300);
      await put(store, {
        a: { v: `${long}a` },
        b: { v: `${long}b` },
        c: { v: `${'x'.repeat(199)}🎉` },
        d: { v: 'x'.repeat(199) },
        e: { v: -0 },
      });
      for (const [kind, value, expected] of [
        ['eq', `${long}b`, ['b']],
        ['gt', `${long}a`, ['b']],
        ['lt', `${long}b`, ['a', 'c', 'd']],
        ['ne', `${long}a`, ['b', 'c', 'd', 'e']],
        ['eq', 0, ['e']],
        ['gte', 0, ['e']],
        ['eq', 'x'.repeat(199), ['d']],
        ['gt', 'x'.repeat(199), ['a', 'b', 'c']],
        ['startsWith', `${long}a`, ['a']],
      ] as const)
        assert.deepEqual(
          await keys(store, { where: { kind, path: 'v', value } as Condition }),
          expected,
          `${kind} ${String(value).slice(-3)}`,
        );
    },
  },
  {
    name: 'commit: a checkpoint that stands elsewhere, a revision that moved or a lease that was lost leaves all as it was',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [] });
      const one = { collection: 'c', key: 'a', value: 1 };
      const puts = [one];
      const move = (from: number, to: number) => ({ checkpoints: [{ name: 'p', from, to }] });
      assert.equal(await store.commit({ puts, ...move(5, 6) }), 'checkpoint_moved');
      assert.equal(await store.commit({ puts: [{ ...one, ifRevision: 1 }], ...move(0, 6) }), 'revision_moved');
      assert.equal(await store.commit({ puts, ...move(0, 6), fences: [{ lease: 'l', epoch: 1 }] }), 'fenced');
      assert.deepEqual([await store.get('c', ['a']), await store.checkpoints('')], [[undefined], []]);
      assert.equal(await store.commit({ puts: [{ ...one, ifRevision: 0 }], ...move(0, 6) }), 'committed');
      assert.equal(await store.commit({ puts: [{ ...one, ifRevision: 0 }] }), 'revision_moved');
      assert.equal(await store.commit({ puts: [{ ...one, ifRevision: 1 }], ...move(6, 3) }), 'committed');
      assert.equal(await store.commit({ deletes: [{ collection: 'c', key: 'a', ifRevision: 1 }] }), 'revision_moved');
      assert.equal(await store.commit({ deletes: [{ collection: 'c', key: 'a', ifRevision: 2 }] }), 'committed');
      assert.deepEqual(await store.checkpoints('p'), [{ name: 'p', position: 3 }]);
      assert.deepEqual(await store.checkpoints('q'), []);
    },
  },
  {
    name: 'commit: of many that move one checkpoint at the same time, one does',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [['n']] });
      for (let round = 0; round < 10; round++) {
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, n) =>
            store.commit({
              checkpoints: [{ name: 'p', from: round, to: round + 1 }],
              puts: [{ collection: 'c', key: `${round} ${n}`, value: { n } }],
            }),
          ),
        );
        assert.equal(results.filter((result) => result === 'committed').length, 1);
      }
      assert.equal((await store.count('c', all)).count, 10);
    },
  },
  {
    name: 'moved: tells once the checkpoint is past, and not before',
    run: async ({ open }) => {
      const store = await open();
      const early = AbortSignal.timeout(60);
      await assert.rejects(store.moved('p', 0, early), (error) => error === early.reason);
      const waiting = store.moved('p', 4);
      for (const to of [3, 4, 7])
        await store.commit({ checkpoints: [{ name: 'p', from: to === 3 ? 0 : to === 4 ? 3 : 4, to }] });
      assert.equal(await waiting, 7);
      assert.equal(await store.moved('p', 6), 7);
    },
  },
  {
    name: 'leases: one owner at a time; another epoch with each; taken over once it has run out',
    run: async ({ open }) => {
      const store = await open();
      await store.define({ name: 'c', indexes: [] });
      const first = await store.lease('l', 'a', 60_000);
      assert.ok(first !== undefined);
      assert.equal(await store.lease('l', 'b', 60_000), undefined);
      assert.deepEqual(await store.lease('l', 'a', 40), first);
      await setTimeout(80);
      const second = await store.lease('l', 'b', 60_000);
      assert.ok(second !== undefined && second.epoch > first.epoch);
      await store.release('l', first.epoch);
      assert.equal(await store.lease('l', 'a', 60_000), undefined);
      const late = { puts: [{ collection: 'c', key: 'late', value: 1 }], fences: [{ lease: 'l', epoch: first.epoch }] };
      assert.equal(await store.commit(late), 'fenced');
      await store.release('l', second.epoch);
      const third = await store.lease('l', 'b', 60_000);
      assert.ok(third !== undefined && third.epoch > second.epoch);
      assert.equal(await store.commit({ ...late, fences: [{ lease: 'l', epoch: third.epoch }] }), 'committed');
    },
  },
  {
    name: 'what one opening writes, another sees, and is told of',
    needs: 'shared',
    run: async ({ open }) => {
      const [one, other] = [await open(), await open()];
      await one.define({ name: 'c', indexes: [['n']] });
      const waiting = other.moved('p', 0);
      await one.commit({
        puts: [{ collection: 'c', key: 'a', value: { n: 1 } }],
        checkpoints: [{ name: 'p', from: 0, to: 9 }],
      });
      assert.equal(await waiting, 9);
      assert.deepEqual(await keys(other, { where: { kind: 'eq', path: 'n', value: 1 } }), ['a']);
      await one.drop('c');
      await other.define({ name: 'c', indexes: [['m'], ['n']] });
      await put(one, { b: { m: 2, n: 3 } });
      assert.deepEqual(await keys(other, { where: { kind: 'eq', path: 'm', value: 2 } }), ['b']);
    },
  },
];
