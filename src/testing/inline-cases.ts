import assert from 'node:assert/strict';
import { hasCode } from '../ground/errors.ts';
import type { ErrorCode } from '../ground/errors.ts';
import type { AppendResult, EventStore, Inline, ReceiptDraft } from '../store/port.ts';
import type { StateCommit, StateStore } from '../store/state-port.ts';
import type { CaseDefinition, Fixture } from './case-definition.ts';
import { appendOne, appendTypes, draft, readNames, write } from './drafts.ts';

const a = 'order-1';
const b = 'order-2';

function receipt(key: string): ReceiptDraft {
  return { key, commandDigest: new Uint8Array(32), outcome: new Uint8Array([7]), expiresAt: null };
}

/** A store and the documents beside it, with one collection. */
async function openBoth({ open, openState }: Fixture): Promise<{ store: EventStore; state: StateStore }> {
  const store = await open();
  const state = await openState(store);
  await state.define({ name: 'orders', indexes: [['n']] });
  return { store, state };
}

function put(key: string, n: number, from: number, to: number): StateCommit {
  return {
    puts: [{ collection: 'orders', key, value: { n } }],
    checkpoints: [{ name: 'orders', from, to }],
  };
}

/** That nothing is there but what one append of one event left. */
async function expectOnlyFirst(store: EventStore, state: StateStore): Promise<void> {
  assert.deepEqual(await readNames(store), [`${a}@1`]);
  assert.deepEqual(await store.head(), { ...(await store.head()), position: 1, streamCount: 1 });
  assert.deepEqual(
    (await store.heads([a, b])).map(({ version }) => version),
    [1, 0],
  );
  assert.equal(await store.receipt('key'), undefined);
  assert.deepEqual(await state.get('orders', ['x']), [undefined]);
  assert.deepEqual(await state.checkpoints(''), []);
}

/** An append that would leave something everywhere: to a stream that is there and to one that is not. */
function staged(store: EventStore, inline: Inline): Promise<readonly AppendResult[]> {
  return store.append(
    [write(a, 1, [draft('B', { tags: ['t'] })]), write(b, 0, [draft('B')], { receipts: [receipt('key')] })],
    inline,
  );
}

/** That afterwards all is as if the append had never been tried. */
async function expectUntouched(store: EventStore, state: StateStore): Promise<void> {
  await expectOnlyFirst(store, state);
  const results = await staged(store, async () => put('x', 1, 0, 3));
  assert.deepEqual(
    results.map((result) => result.kind === 'appended' && [result.position, result.versions]),
    [
      [2, [2]],
      [3, [1]],
    ],
  );
  assert.deepEqual(await readNames(store), [`${a}@1`, `${a}@2`, `${b}@1`]);
  assert.deepEqual(await readNames(store, { match: [{ tags: ['t'] }] }), [`${a}@2`]);
  assert.deepEqual(await state.checkpoints(''), [{ name: 'orders', position: 3 }]);
}

/** A change that cannot be made, the error, and what to do before. */
const unmakeable: readonly [what: string, code: ErrorCode, change: StateCommit, before?: StateCommit][] = [
  ['moves a checkpoint that stands elsewhere', 'inline_conflict', put('x', 1, 1, 3)],
  ['is fenced', 'inline_conflict', { ...put('x', 1, 0, 3), fences: [{ lease: 'l', epoch: 9 }] }],
  [
    'expects another revision',
    'inline_conflict',
    { puts: [{ collection: 'orders', key: 'x', value: {}, ifRevision: 1 }], checkpoints: [] },
  ],
  ['names no collection', 'collection_unknown', { puts: [{ collection: 'none', key: 'x', value: {} }] }],
  ['is no JSON', 'data_unfaithful', { puts: [{ collection: 'orders', key: 'x', value: { n: NaN } }] }],
  ['names a document twice', 'request_invalid', { deletes: ['x', 'x'].map((key) => ({ collection: 'orders', key })) }],
];

/** Changes to documents in the append's own transaction. */
export const inlineCases: readonly CaseDefinition[] = [
  {
    name: 'inline: events, documents and checkpoint are committed together, upon what would become of each request',
    needs: 'sharedTransaction',
    run: async (fixture) => {
      const { store, state } = await openBoth(fixture);
      await appendOne(store, write(a, 'any', [draft('A')], { receipts: [receipt('old')] }));
      const group = [
        write(a, 0, [draft('lost')]),
        write(a, 1, [draft('B'), draft('B')], { receipts: [receipt('new')] }),
        write(b, 'any', [draft('lost')], { receipts: [receipt('old')] }),
        write(b, 'any', [draft('lost')], { receipts: [receipt('new')] }),
        { writes: [], checks: [{ stream: a, expected: 3 }], conditions: [], receipts: [receipt('only')] },
        write(b, 'any', [draft('B')], { checks: [{ stream: a, expected: 3 }] }),
      ];
      let seen: readonly AppendResult[] = [];
      const results = await store.append(group, async (judged) => {
        seen = judged;
        return put('x', 3, 0, 4);
      });
      assert.deepEqual(seen, results);
      assert.deepEqual(
        results.map((result) => (result.kind === 'appended' ? [result.position, ...result.versions] : result.kind)),
        ['version_conflict', [2, 2], 'duplicate', 'duplicate', [0], [4, 1]],
      );
      assert.deepEqual(await readNames(store), [`${a}@1`, `${a}@2`, `${a}@3`, `${b}@1`]);
      assert.deepEqual(await state.get('orders', ['x']), [{ key: 'x', value: { n: 3 }, revision: 1 }]);
      assert.deepEqual(await state.checkpoints(''), [{ name: 'orders', position: 4 }]);
      assert.equal((await store.receipt('new'))?.position, 3);
      assert.equal((await store.receipt('only'))?.position, undefined);
    },
  },
  {
    name: 'inline: without a change, or without events, the group is committed as ever',
    needs: 'sharedTransaction',
    run: async (fixture) => {
      const { store, state } = await openBoth(fixture);
      let asked = 0;
      const ask: Inline = async () => void (asked += 1);
      const kinds = async (...group: Parameters<EventStore['append']>[0]) =>
        (await store.append(group, ask)).map(({ kind }) => kind);
      assert.deepEqual(await kinds(write(a, 0, [draft('A')])), ['appended']);
      assert.equal(asked, 1);
      assert.deepEqual(await kinds(write(a, 0, [draft('A')])), ['version_conflict']);
      assert.deepEqual(await kinds({ writes: [], checks: [], conditions: [], receipts: [receipt('key')] }), [
        'appended',
      ]);
      assert.deepEqual(await kinds(write(a, 1, [draft('A')], { receipts: [receipt('key')] })), ['duplicate']);
      assert.equal(asked, 1);
      assert.equal((await store.receipt('key'))?.key, 'key');
      assert.deepEqual(await readNames(store), [`${a}@1`]);
      assert.deepEqual(await state.checkpoints(''), []);
    },
  },
  {
    name: 'inline: what is staged is seen by nobody, and documents are as they were',
    needs: 'sharedTransaction',
    run: async (fixture) => {
      const { store, state } = await openBoth(fixture);
      await appendTypes(store, a, 'A');
      const giveUp = new AbortController();
      const woken = store.appended(1, giveUp.signal);
      const settled = woken.catch(() => 'aborted');
      await staged(store, async () => {
        assert.deepEqual(await readNames(store), [`${a}@1`]);
        assert.equal((await store.head()).position, 1);
        assert.equal((await store.head()).streamCount, 1);
        assert.deepEqual(await readNames(store, { match: [{ types: ['B'] }] }), []);
        assert.equal((await store.heads([b]))[0]?.version, 0);
        assert.equal(await Promise.race([settled, store.head().then(() => 'waits')]), 'waits');
        assert.deepEqual(await state.get('orders', ['x']), [undefined]);
        return put('x', 1, 0, 3);
      });
      assert.ok(Number(await settled) > 1);
      giveUp.abort();
    },
  },
  {
    name: 'inline: what is staged is not seen through another opening, nor are its documents; both are, afterwards',
    needs: ['sharedTransaction', 'shared'],
    run: async (fixture) => {
      const { store } = await openBoth(fixture);
      await appendTypes(store, a, 'A');
      const other = await fixture.open();
      const documents = await fixture.openState(other);
      const moved = documents.moved('orders', 0);
      await staged(store, async () => {
        await expectOnlyFirst(other, documents);
        return put('x', 1, 0, 3);
      });
      assert.equal(await moved, 3);
      assert.deepEqual(await readNames(other), [`${a}@1`, `${a}@2`, `${b}@1`]);
      assert.deepEqual(await documents.get('orders', ['x']), [{ key: 'x', value: { n: 1 }, revision: 1 }]);
    },
  },
  {
    name: 'inline: another opening that appends meanwhile waits, and is judged upon what was staged',
    needs: ['sharedTransaction', 'shared'],
    run: async (fixture) => {
      const { store } = await openBoth(fixture);
      const other = await fixture.open();
      const later: Promise<AppendResult>[] = [];
      await store.append([write(a, 0, [draft('A')])], async () => {
        later.push(appendOne(other, write(a, 0, [draft('lost')])), appendOne(other, write(b, 0, [draft('B')])));
        await other.head();
        return put('x', 1, 0, 1);
      });
      assert.deepEqual(
        (await Promise.all(later)).map(({ kind }) => kind),
        ['version_conflict', 'appended'],
      );
      assert.deepEqual(await readNames(other), [`${a}@1`, `${b}@1`]);
    },
  },
  {
    name: 'inline: what it throws, the append throws, and nothing is left',
    needs: 'sharedTransaction',
    run: async (fixture) => {
      const { store, state } = await openBoth(fixture);
      await appendTypes(store, a, 'A');
      for (const error of [new Error('no'), 'no error at all']) {
        const failing = staged(store, () => Promise.reject(error));
        assert.equal(await failing.then(String, (reason: unknown) => reason), error);
        await expectOnlyFirst(store, state);
      }
      const thrown = new TypeError('at once');
      const failing = staged(store, () => {
        throw thrown;
      });
      assert.equal(await failing.then(String, (reason: unknown) => reason), thrown);
      await expectUntouched(store, state);
    },
  },
  ...unmakeable.map(([what, code, change]): CaseDefinition => ({
    name: `inline: a change that ${what} is ${code}, and nothing is left`,
    needs: 'sharedTransaction',
    run: async (fixture) => {
      const { store, state } = await openBoth(fixture);
      await appendTypes(store, a, 'A');
      await assert.rejects(
        staged(store, async () => change),
        (error) => hasCode(error, code),
      );
      await expectUntouched(store, state);
    },
  })),
  {
    name: 'inline: a conflict says what had moved, and the checkpoint is then where it was moved to',
    needs: 'sharedTransaction',
    run: async (fixture) => {
      const { store, state } = await openBoth(fixture);
      await appendTypes(store, a, 'A');
      assert.equal(await state.commit({ checkpoints: [{ name: 'orders', from: 0, to: 1 }] }), 'committed');
      const failure: unknown = await staged(store, async () => put('x', 1, 0, 3)).catch((error: unknown) => error);
      assert.ok(hasCode(failure, 'inline_conflict'));
      assert.deepEqual(failure.details, { result: 'checkpoint_moved' });
      assert.deepEqual(await state.checkpoints(''), [{ name: 'orders', position: 1 }]);
      assert.deepEqual(await state.get('orders', ['x']), [undefined]);
      await staged(store, async () => put('x', 1, 1, 3));
      assert.deepEqual(await state.checkpoints(''), [{ name: 'orders', position: 3 }]);
    },
  },
  {
    name: 'inline: what is appended, imported and changed while a group is staged comes after it, in order',
    needs: 'sharedTransaction',
    run: async (fixture) => {
      const { store, state } = await openBoth(fixture);
      await appendOne(store, write(a, 0, [draft('A')], { receipts: [receipt('held')] }));
      const after: Promise<unknown>[] = [];
      let isDone = false;
      const first = store.append([write(a, 1, [draft('B')])], async () => {
        after.push(
          appendTypes(store, b, 'first'),
          store.append([write(b, 1, [draft('second')])], async () => {
            assert.ok(isDone);
            assert.deepEqual(await readNames(store), [`${a}@1`, `${a}@2`, `${b}@1`]);
            return put('y', 2, 2, 4);
          }),
          store.import([], [{ ...receipt('held'), recordedAt: 8.64e15 }]),
          appendOne(store, write(b, 2, [draft('third')])),
        );
        for (let turn = 0; turn < 5; turn++) await store.head();
        isDone = true;
        return put('x', 1, 0, 2);
      });
      await first;
      await Promise.all(after);
      assert.deepEqual(await readNames(store), [`${a}@1`, `${a}@2`, `${b}@1`, `${b}@2`, `${b}@3`]);
      assert.deepEqual(await state.checkpoints(''), [{ name: 'orders', position: 4 }]);
      assert.equal((await store.receipt('held'))?.recordedAt, 8.64e15);
    },
  },
  {
    name: 'inline: many at once, each upon the one before',
    needs: 'sharedTransaction',
    run: async (fixture) => {
      const { store, state } = await openBoth(fixture);
      const count: Inline = async (results) => {
        const [{ position } = { position: 0 }] = await state.checkpoints('orders');
        const to = Math.max(...results.map((result) => (result.kind === 'appended' ? result.position : 0)));
        return put('count', to, position, to);
      };
      const racing = Array.from({ length: 30 }, (_, n) =>
        n % 3 === 2 ? appendTypes(store, b, 'B') : store.append([write(a, 'any', [draft('A')])], count),
      );
      await Promise.all(racing);
      assert.equal((await store.head()).position, 30);
      assert.deepEqual(await state.get('orders', ['count']), [{ key: 'count', value: { n: 29 }, revision: 20 }]);
    },
  },
  {
    name: 'inline: a store whose documents nobody has opened says so',
    needs: 'sharedTransaction',
    run: async ({ open }) => {
      const store = await open();
      await assert.rejects(
        store.append([write(a, 0, [draft('A')])], async () => ({ checkpoints: [{ name: 'c', from: 0, to: 1 }] })),
        (error) => hasCode(error, 'request_invalid'),
      );
      assert.deepEqual(await readNames(store), []);
      await store.append([write(a, 0, [draft('A')])], async () => undefined);
      assert.deepEqual(await readNames(store), [`${a}@1`]);
    },
  },
];
