import assert from 'node:assert/strict';
import type { CaseDefinition } from './case-definition.ts';
import { appendOne, appendTypes, draft, readAll, readNames, write } from './drafts.ts';

/** Several openings of one store: what processes do, within one. */
export const sharedCases: readonly CaseDefinition[] = [
  {
    name: 'shared: what was appended is there after closing and opening again',
    needs: 'shared',
    run: async ({ open }) => {
      const first = await open();
      await appendOne(first, write('order-1', 'any', [draft('A', { data: { n: 1 }, tags: ['x'] })]));
      const before = await readAll(first);
      await first[Symbol.asyncDispose]();
      const second = await open();
      const after = await readAll(second);
      assert.deepEqual(
        after.map(({ id }) => [...id]),
        before.map(({ id }) => [...id]),
      );
      assert.equal((await appendTypes(second, 'order-1', 'B')).kind, 'appended');
      assert.deepEqual(await readNames(second), ['order-1@1', 'order-1@2']);
    },
  },
  {
    name: 'shared: each sees at once what the other appended, and conflicts with it',
    needs: 'shared',
    run: async ({ open }) => {
      const [first, second] = [await open(), await open()];
      for (let version = 0; version < 20; version++) {
        const [writer, other] = version % 2 === 0 ? [first, second] : [second, first];
        assert.equal((await appendOne(writer, write('order-1', version, [draft('A')]))).kind, 'appended');
        assert.deepEqual(await appendOne(other, write('order-1', version, [draft('A')])), {
          kind: 'version_conflict',
          stream: 'order-1',
          expected: version,
          actual: version + 1,
        });
        assert.equal((await other.head()).position, version + 1);
      }
    },
  },
  {
    name: 'shared: a waiter is woken by what another appended',
    needs: 'shared',
    run: async ({ open }) => {
      const [first, second] = [await open(), await open()];
      for (let position = 1; position <= 5; position++) {
        const woken = first.appended(position - 1);
        await appendTypes(second, 'order-1', 'A');
        assert.equal(await woken, position);
      }
    },
  },
  {
    name: 'shared: a waiter is woken although another begins to wait in the same moment',
    needs: 'shared',
    run: async ({ open }) => {
      const [first, second] = [await open(), await open()];
      for (let position = 1; position <= 5; position++) {
        const woken = first.appended(position - 1);
        await appendTypes(second, 'order-1', 'A');
        const controller = new AbortController();
        const later = first.appended(1_000, controller.signal).catch(() => undefined);
        assert.equal(await woken, position);
        controller.abort();
        await later;
      }
    },
  },
  {
    name: 'shared: racing writers never both win, and a subscriber sees every event once, in order',
    needs: 'shared',
    run: async ({ open }) => {
      const stores = [await open(), await open(), await open()];
      const subscriber = await open();
      const rounds = 50;
      const writing = stores.map(async (store, writer) => {
        let won = 0;
        for (let version = 0; version < rounds; version++) {
          const result = await appendOne(store, write('order-1', version, [draft('A', { data: { writer } })]));
          if (result.kind === 'appended') won += 1;
        }
        return won;
      });
      const seen: number[] = [];
      while (seen.length < rounds) {
        await subscriber.appended(seen.length);
        seen.push(...(await readAll(subscriber, { after: seen.length })).map(({ version }) => version));
      }
      const wins = await Promise.all(writing);
      assert.equal(
        wins.reduce((sum, won) => sum + won, 0),
        rounds,
      );
      assert.deepEqual(
        seen,
        Array.from({ length: rounds }, (_, index) => index + 1),
      );
    },
  },
];
