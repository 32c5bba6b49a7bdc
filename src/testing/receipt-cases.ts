import assert from 'node:assert/strict';
import { toUtf8 } from '../event/bytes.ts';
import type { EventStore, Receipt, ReceiptDraft } from '../store/port.ts';
import type { CaseDefinition } from './case-definition.ts';
import { appendOne, appendTypes, draft, readNames, write } from './drafts.ts';

function receipt(key: string, more: Partial<ReceiptDraft> = {}): ReceiptDraft {
  return { key, commandDigest: new Uint8Array(32).fill(7), outcome: toUtf8('{"ok":true}'), expiresAt: null, ...more };
}

/** A receipt without the differences between kinds of byte arrays, and between absent and undefined. */
function plain({ commandDigest, outcome, ...rest }: Receipt): object {
  const present = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(present), commandDigest: [...commandDigest], outcome: [...outcome] };
}

const stream = 'order-1';

export const receiptCases: readonly CaseDefinition[] = [
  {
    name: 'receipt: kept with its events, and answers the repetition before every other check',
    run: async ({ open, clock }) => {
      const store = await open();
      const given = receipt('key 🎉', { expiresAt: clock.now() + 1_000, owner: 'saga-1' });
      const request = write(stream, 'no_stream', [draft('A'), draft('B')], { receipts: [given] });
      assert.equal((await appendOne(store, request)).kind, 'appended');
      const kept = { ...given, recordedAt: clock.now(), position: 2 };
      const repeated = await appendOne(store, request);
      assert.ok(repeated.kind === 'duplicate');
      assert.deepEqual(plain(repeated.receipt), plain(kept));
      const found = await store.receipt('key 🎉');
      assert.deepEqual(found && plain(found), plain(kept));
      assert.equal(await store.receipt('another'), undefined);
      assert.deepEqual(await readNames(store), [`${stream}@1`, `${stream}@2`]);
    },
  },
  {
    name: 'receipt: alone, for a command that changed nothing',
    run: async ({ open, clock }) => {
      const store = await open();
      const request = { writes: [], checks: [], conditions: [], receipts: [receipt('k')] };
      assert.deepEqual(await appendOne(store, request), {
        kind: 'appended',
        position: 0,
        versions: [],
        recordedAt: clock.now(),
      });
      const repeated = await appendOne(store, request);
      assert.ok(repeated.kind === 'duplicate');
      assert.deepEqual(plain(repeated.receipt), plain({ ...receipt('k'), recordedAt: clock.now() }));
      assert.equal((await store.head()).position, 0);
    },
  },
  {
    name: 'receipt: several of one append are kept together, and any of them refuses its repetition',
    run: async ({ open }) => {
      const store = await open();
      const both = write(stream, 'any', [draft('A'), draft('B')], { receipts: [receipt('k'), receipt('l')] });
      assert.equal((await appendOne(store, both)).kind, 'appended');
      assert.equal((await store.receipt('k'))?.position, 2);
      assert.equal((await store.receipt('l'))?.position, 2);
      const repeated = await appendOne(
        store,
        write(stream, 'any', [draft('C')], { receipts: [receipt('new'), receipt('l')] }),
      );
      assert.ok(repeated.kind === 'duplicate');
      assert.equal(repeated.receipt.key, 'l');
      assert.equal(await store.receipt('new'), undefined);
      assert.deepEqual(await readNames(store), [`${stream}@1`, `${stream}@2`]);
    },
  },
  {
    name: 'receipt: not kept when the append is refused',
    run: async ({ open }) => {
      const store = await open();
      assert.equal(
        (await appendOne(store, write(stream, 3, [draft('A')], { receipts: [receipt('k')] }))).kind,
        'version_conflict',
      );
      assert.equal(await store.receipt('k'), undefined);
      assert.equal(
        (await appendOne(store, write(stream, 0, [draft('A')], { receipts: [receipt('k')] }))).kind,
        'appended',
      );
    },
  },
  {
    name: 'receipt: the second request with a key in one group is a duplicate of the first',
    run: async ({ open }) => {
      const store = await open();
      const request = write(stream, 'any', [draft('A')], { receipts: [receipt('k')] });
      const results = await store.append([request, request, request]);
      assert.deepEqual(
        results.map(({ kind }) => kind),
        ['appended', 'duplicate', 'duplicate'],
      );
    },
  },
  {
    name: 'receipt: expires at its time, after which the key can be used again',
    run: async ({ open, clock }) => {
      const store = await open();
      const attempt = () =>
        appendOne(
          store,
          write(stream, 'any', [draft('A')], { receipts: [receipt('k', { expiresAt: clock.now() + 1_000 })] }),
        );
      assert.equal((await attempt()).kind, 'appended');
      clock.advance(999);
      assert.equal((await attempt()).kind, 'duplicate');
      clock.advance(1);
      assert.equal(await store.receipt('k'), undefined);
      assert.equal((await attempt()).kind, 'appended');
      assert.equal((await attempt()).kind, 'duplicate');
    },
  },
  {
    name: 'receipt: released when expired or by their owner, a bounded number at a time, and no others',
    run: async ({ open, clock }) => {
      const store = await open();
      const now = clock.now();
      for (let n = 0; n < 5; n++)
        await appendOne(
          store,
          write(stream, 'any', [draft('A')], { receipts: [receipt(`expiring-${n}`, { expiresAt: now + n })] }),
        );
      for (let n = 0; n < 3; n++)
        await appendOne(
          store,
          write(stream, 'any', [draft('A')], { receipts: [receipt(`owned-${n}`, { owner: 'saga-1' })] }),
        );
      await appendOne(store, write(stream, 'any', [draft('A')], { receipts: [receipt('other', { owner: 'saga-2' })] }));
      assert.equal(await store.releaseReceipts({ expiredAt: now + 2 }, 2), 2);
      assert.equal(await store.releaseReceipts({ expiredAt: now + 2 }, 2), 1);
      assert.equal(await store.releaseReceipts({ expiredAt: now + 2 }, 2), 0);
      assert.equal(await store.releaseReceipts({ owner: 'saga-1' }, 2), 2);
      assert.equal(await store.releaseReceipts({ owner: 'saga-1' }, 2), 1);
      for (const key of ['expiring-3', 'expiring-4', 'other']) assert.equal((await store.receipt(key))?.key, key);
      assert.equal(await store.receipt('owned-0'), undefined);
      // A released key is free, and ids that receipts had are not mixed up.
      assert.equal(
        (await appendOne(store, write(stream, 'any', [draft('A')], { receipts: [receipt('owned-0')] }))).kind,
        'appended',
      );
      assert.equal((await store.receipt('owned-0'))?.key, 'owned-0');
    },
  },
  {
    name: 'receipt: of a hundred racers with one key one is executed',
    run: async ({ open }) => {
      const store = await open();
      const request = write(stream, 'any', [draft('A')], { receipts: [receipt('k')] });
      const results = await Promise.all(Array.from({ length: 100 }, () => appendOne(store, request)));
      assert.equal(results.filter(({ kind }) => kind === 'appended').length, 1);
      assert.equal(results.filter(({ kind }) => kind === 'duplicate').length, 99);
      assert.equal((await store.head()).position, 1);
    },
  },
  {
    name: 'receipt: outlives the store’s closing, and is seen by others who have it open',
    needs: 'shared',
    run: async ({ open }) => {
      const first = await open();
      const second = await open();
      assert.equal(await second.receipt('k'), undefined);
      await appendTypes(second, stream, 'A');
      await appendOne(first, write(stream, 'any', [draft('A')], { receipts: [receipt('k')] }));
      assert.equal((await second.receipt('k'))?.key, 'k');
      assert.equal(
        (await appendOne(second, write(stream, 'any', [draft('A')], { receipts: [receipt('k')] }))).kind,
        'duplicate',
      );
      await first[Symbol.asyncDispose]();
      assert.equal(await second.releaseReceipts({ expiredAt: Number.MAX_SAFE_INTEGER }, 10), 0);
      assert.equal((await (await open()).receipt('k'))?.key, 'k');
    },
  },
  {
    name: 'receipts: all that are kept, in the order in which they were made, more than a page of them',
    run: async ({ open }) => {
      const store = await open();
      assert.deepEqual(await allReceipts(store), []);
      const keys = Array.from({ length: 600 }, (_, index) => `key ${index}`);
      const given = receipt('first', { owner: 'saga-1', expiresAt: 1 });
      await appendOne(store, write(stream, 'any', [draft('A')], { receipts: [given] }));
      await appendOne(store, { writes: [], checks: [], conditions: [], receipts: keys.map((key) => receipt(key)) });
      await store.releaseReceipts({ owner: 'saga-1' }, 1);
      await appendOne(store, write(stream, 'any', [draft('A')], { receipts: [given] }));
      const kept = await allReceipts(store);
      assert.deepEqual(
        kept.map(({ key }) => key),
        [...keys, 'first'],
      );
      const last = kept.at(-1) as Receipt;
      assert.deepEqual(plain(last), plain({ ...given, recordedAt: last.recordedAt, position: 2 }));
    },
  },
  {
    name: 'receipts: one whose key was free again stands where it was made anew',
    run: async ({ open, clock }) => {
      const store = await open();
      const make = (key: string, expiresAt: number | null) =>
        appendOne(store, { writes: [], checks: [], conditions: [], receipts: [receipt(key, { expiresAt })] });
      await make('k', clock.now() + 10);
      await make('l', null);
      clock.advance(20);
      await make('k', null);
      const kept = await allReceipts(store);
      assert.equal(kept.at(-1)?.key, 'k');
      assert.equal(kept.at(-1)?.recordedAt, clock.now());
      assert.equal(kept.at(-2)?.key, 'l');
    },
  },
  {
    name: 'receipts: taken over as they are, but for those that the store has as new or newer',
    run: async ({ open, clock }) => {
      const store = await open();
      const later = clock.now() + 60_000;
      const made: Receipt = { ...receipt('k', { expiresAt: later, owner: 'o' }), recordedAt: clock.now(), position: 7 };
      assert.deepEqual(await store.import([], [made]), { imported: 0, skipped: 0 });
      assert.deepEqual(plain((await store.receipt('k')) as Receipt), plain(made));
      const refused = await appendOne(store, write(stream, 'any', [draft('A')], { receipts: [receipt('k')] }));
      assert.equal(refused.kind, 'duplicate');
      const same = { ...made, outcome: toUtf8('again') };
      const older = { ...same, recordedAt: made.recordedAt - 1 };
      const newer = { ...made, recordedAt: made.recordedAt + 1 };
      await store.import([], [same, older]);
      assert.deepEqual(plain((await store.receipt('k')) as Receipt), plain(made));
      await store.import([], [newer]);
      assert.equal((await store.receipt('k'))?.recordedAt, newer.recordedAt);
      assert.equal((await store.releaseReceipts({ owner: 'o' }, 10)) > 0, true);
      assert.equal(await store.receipt('k'), undefined);
    },
  },
];

async function allReceipts(store: EventStore): Promise<readonly Receipt[]> {
  const receipts: Receipt[] = [];
  for await (const page of store.receipts()) receipts.push(...page);
  return receipts;
}
