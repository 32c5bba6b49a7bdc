import assert from 'node:assert/strict';
import { eventId } from '../event/digests.ts';
import type { Draft, Recorded } from '../event/event.ts';
import type { EventQuery } from '../event/query.ts';
import type { CaseDefinition } from './case-definition.ts';
import { appendOne, appendTypes, draft, readAll, tombstone, write } from './drafts.ts';

const start = Date.UTC(2020, 0, 1);

function recorded(
  stream: string,
  version: number,
  position: number,
  event: Draft = draft('A', { tags: ['x'] }),
): Recorded {
  const identity = { stream, version, recordedAt: start + position, bodyDigest: event.bodyDigest };
  return { ...event, ...identity, position, id: eventId(identity) };
}

const history = [
  recorded('order-1', 1, 1),
  recorded('order-2', 1, 2),
  recorded('order-1', 2, 3, tombstone()),
  recorded('order-1', 3, 4),
];

export const importCases: readonly CaseDefinition[] = [
  {
    name: 'import: events keep their versions, times and ids; positions follow from the order',
    run: async ({ open }) => {
      const store = await open();
      assert.deepEqual(await store.import(history, []), { imported: 4, skipped: 0 });
      const events = await readAll(store);
      for (const [index, event] of events.entries()) {
        const given = history[index] as Recorded;
        assert.deepEqual(
          [event.stream, event.version, event.position, event.recordedAt, event.tags, [...event.id]],
          [given.stream, given.version, given.position, given.recordedAt, given.tags, [...given.id]],
        );
        assert.equal((await store.find(given.id))?.position, given.position);
      }
      assert.equal((await readAll(store, { match: [{ tags: ['x'] }] })).length, 3);
      assert.deepEqual(await store.heads(['order-1']), [
        { stream: 'order-1', version: 3, deleted: false, hotCount: 3 },
      ]);
    },
  },
  {
    name: 'import: what is there already is skipped, so an interrupted import can be repeated',
    run: async ({ open }) => {
      const store = await open();
      await store.import(history.slice(0, 3), []);
      assert.deepEqual(await store.import(history, []), { imported: 1, skipped: 3 });
      assert.deepEqual(await store.import(history, []), { imported: 0, skipped: 4 });
      assert.equal((await store.head()).position, 4);
    },
  },
  {
    name: 'import: all or nothing',
    run: async ({ open }) => {
      const store = await open();
      await appendTypes(store, 'order-2', 'B');
      const refused = { code: 'import_refused' };
      const future = (version: number) => ({ ...recorded('order-9', version, 1), recordedAt: Number.MAX_SAFE_INTEGER });
      // Another history of the stream; a gap; a time before the last event's.
      await assert.rejects(store.import([future(1), recorded('order-2', 1, 2)], []), refused);
      await assert.rejects(store.import([future(1), future(3)], []), refused);
      await assert.rejects(store.import(history.slice(0, 1), []), refused);
      assert.equal((await store.head()).position, 1);
      assert.deepEqual(await store.heads(['order-9']), [
        { stream: 'order-9', version: 0, deleted: false, hotCount: 0 },
      ]);
      // And the store goes on as if nothing had been: no version, type or tag of what was taken back is left.
      await appendOne(store, write('order-9', 0, [draft('Other', { tags: ['y'] })]));
      await appendOne(store, write('order-9', 1, [draft('A', { tags: ['x'] })]));
      const found = async (match: EventQuery) => (await readAll(store, { match })).map(({ position }) => position);
      assert.deepEqual(await found([{ tags: ['y'] }]), [2]);
      assert.deepEqual(await found([{ tags: ['x'] }]), [3]);
      assert.deepEqual(await found([{ types: ['A'] }]), [3]);
    },
  },
];
