import assert from 'node:assert/strict';
import type { EventStore, ReadQuery } from '../store/port.ts';
import type { CaseDefinition, Fixture } from './case-definition.ts';
import { appendOne, appendTypes, draft, readAll, readNames, write } from './drafts.ts';

const start = Date.UTC(2026, 0, 1);

/** Ten events over two streams, a second apart: odd positions in order-1, even ones in order-2. */
async function ten({ open, clock }: Fixture): Promise<EventStore> {
  const store = await open();
  for (let position = 1; position <= 10; position++) {
    await appendTypes(store, position % 2 === 1 ? 'order-1' : 'order-2', position > 7 ? 'Late' : 'Early');
    clock.advance(1_000);
  }
  return store;
}

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n);

const queries: readonly [name: string, query: ReadQuery, positions: readonly number[]][] = [
  ['everything', {}, range(1, 10)],
  ['after a position', { after: 4 }, range(5, 10)],
  ['until a position', { until: 4 }, range(1, 4)],
  ['between positions', { after: 3, until: 6 }, range(4, 6)],
  ['past the end', { after: 10 }, []],
  ['far past the end', { after: 1_000, until: 2_000 }, []],
  ['a limit', { limit: 3 }, range(1, 3)],
  ['a limit of none', { limit: 0 }, []],
  ['from a time', { recordedFrom: start + 7_000 }, range(8, 10)],
  ['from a time between two events', { recordedFrom: start + 6_001 }, range(8, 10)],
  ['as of a time', { recordedUntil: start + 2_000 }, range(1, 3)],
  ['as of a time between two events', { recordedUntil: start + 2_999 }, range(1, 3)],
  ['as of before the first', { recordedUntil: start - 1 }, []],
  ['as of after the last', { recordedUntil: start + 1e9 }, range(1, 10)],
  ['between times and positions', { recordedFrom: start + 2_000, recordedUntil: start + 7_000, after: 4 }, range(5, 8)],
  ['a stream', { stream: 'order-1' }, [1, 3, 5, 7, 9]],
  ['a stream that never existed', { stream: 'order-3' }, []],
  ['a stream after a version', { stream: 'order-2', afterVersion: 2 }, [6, 8, 10]],
  ['a stream between versions', { stream: 'order-2', afterVersion: 1, untilVersion: 3 }, [4, 6]],
  ['a stream between positions', { stream: 'order-1', after: 2, until: 7 }, [3, 5, 7]],
  ['a stream as of a time', { stream: 'order-1', recordedUntil: start + 4_500 }, [1, 3, 5]],
  ['a stream by type', { stream: 'order-1', match: [{ types: ['Late'] }] }, [9]],
  ['by type within positions', { match: [{ types: ['Early'] }], after: 2, until: 9 }, range(3, 7)],
  ['by type with a limit', { match: [{ types: ['Early'] }], limit: 2 }, [1, 2]],
];

export const readCases: readonly CaseDefinition[] = [
  ...queries.map(([name, query, positions]): CaseDefinition => ({
    name: `read: ${name}, in both directions and in pages of any size`,
    needs: 'gapless',
    run: async (fixture) => {
      const store = await ten(fixture);
      const found = async (more: ReadQuery) =>
        (await readAll(store, { ...query, ...more })).map(({ position }) => position);
      for (const pageSize of [1, 2, 3, 256]) {
        assert.deepEqual(await found({ pageSize }), positions, `pages of ${pageSize}`);
        if (query.limit === undefined)
          assert.deepEqual(
            await found({ pageSize, backwards: true }),
            positions.toReversed(),
            `pages of ${pageSize}, backwards`,
          );
      }
    },
  })),
  {
    name: 'read: pages are never empty nor larger than asked for',
    run: async (fixture) => {
      const store = await ten(fixture);
      for (const query of [{}, { match: [{ types: ['Early'] }] }, { stream: 'order-1' }]) {
        for await (const page of store.read({ ...query, pageSize: 3 })) assert.ok(page.length >= 1 && page.length <= 3);
      }
      for await (const page of store.read({ match: [{ types: ['Unknown'] }] })) assert.fail(`a page of ${page.length}`);
    },
  },
  {
    name: 'read: the newest events first, with a limit',
    run: async (fixture) => {
      const store = await ten(fixture);
      const positions = async (query: ReadQuery) =>
        (await readAll(store, { ...query, backwards: true })).map(({ position }) => position);
      assert.deepEqual(await positions({ limit: 2 }), [10, 9]);
      assert.deepEqual(await positions({ stream: 'order-1', limit: 2 }), [9, 7]);
      assert.deepEqual(await positions({ match: [{ types: ['Early'] }], limit: 2 }), [7, 6]);
    },
  },
  {
    name: 'read: what is appended while reading is not seen',
    run: async (fixture) => {
      const store = await ten(fixture);
      for (const query of [{}, { stream: 'growing-1' }, { match: [{ types: ['More'] }] }]) {
        await appendTypes(store, 'growing-1', 'More', 'More', 'More');
        const before = (await readNames(store, query)).length;
        let count = 0;
        for await (const page of store.read({ ...query, pageSize: 2 })) {
          count += page.length;
          await appendTypes(store, 'growing-1', 'More');
        }
        assert.equal(count, before);
      }
    },
  },
  {
    name: 'read: an aborted signal ends it with its reason',
    run: async (fixture) => {
      const store = await ten(fixture);
      const controller = new AbortController();
      const reason = new Error('enough');
      await assert.rejects(async () => {
        for await (const _ of store.read({ pageSize: 2 }, controller.signal)) controller.abort(reason);
      }, reason);
      await assert.rejects(async () => {
        for await (const _ of store.read({}, controller.signal)) assert.fail('a page');
      }, reason);
    },
  },
  {
    name: 'read: many readers at once, some of which stop early',
    run: async (fixture) => {
      const store = await ten(fixture);
      const readers = Array.from({ length: 20 }, async (_, n) => {
        const seen: number[] = [];
        for await (const page of store.read({ pageSize: 1 + (n % 3) })) {
          seen.push(...page.map(({ position }) => position));
          if (n % 4 === 3) break;
        }
        assert.deepEqual(seen, range(1, seen.length));
        return seen.length;
      });
      assert.ok((await Promise.all(readers)).includes(10));
    },
  },
  {
    name: 'find: every event by its id, and nothing by another',
    run: async (fixture) => {
      const store = await ten(fixture);
      for (const event of await readAll(store)) assert.equal((await store.find(event.id))?.position, event.position);
      assert.equal(await store.find(new Uint8Array(32)), undefined);
    },
  },
  {
    name: 'appended: resolves at once when the store is already further',
    run: async (fixture) => {
      const store = await ten(fixture);
      assert.equal(await store.appended(9), 10);
      assert.equal(await store.appended(0), 10);
    },
  },
  {
    name: 'appended: wakes everybody who waits for less',
    run: async (fixture) => {
      const store = await ten(fixture);
      const waiting = Promise.all([store.appended(10), store.appended(10), store.appended(11)]);
      await appendTypes(store, 'order-1', 'More');
      await appendTypes(store, 'order-1', 'More');
      const [first, second, third] = await waiting;
      assert.ok(first >= 11 && second >= 11 && third === 12, `${first}, ${second}, ${third}`);
    },
  },
  {
    name: 'appended: can be aborted, and fails when the store is closed',
    run: async ({ open }) => {
      const store = await open();
      const controller = new AbortController();
      const reason = new Error('enough');
      const aborted = store.appended(0, controller.signal);
      const closed = store.appended(0);
      controller.abort(reason);
      await assert.rejects(aborted, reason);
      await Promise.all([assert.rejects(closed, { code: 'store_closed' }), store[Symbol.asyncDispose]()]);
    },
  },
  {
    name: 'close: later calls fail with store_closed',
    run: async ({ open }) => {
      const store = await open();
      await store[Symbol.asyncDispose]();
      const closed = { code: 'store_closed' };
      await assert.rejects(appendOne(store, write('order-1', 'any', [draft('A')])), closed);
      await assert.rejects(readAll(store), closed);
      await assert.rejects(store.head(), closed);
      await assert.rejects(store.heads(['order-1']), closed);
      await assert.rejects(store.streams({ limit: 1 }), closed);
      await assert.rejects(store.find(new Uint8Array(32)), closed);
      await assert.rejects(store.receipt('k'), closed);
      await assert.rejects(store.appended(0), closed);
    },
  },
];
