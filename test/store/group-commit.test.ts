import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { GroupCommit } from '../../src/store/group-commit.ts';
import type { AppendRequest, AppendResult, EventStore } from '../../src/store/port.ts';
import { draft, write } from '../../src/testing/drafts.ts';

/** A store whose commits end when the test says so. */
class ManualStore {
  readonly capabilities: { appendMax: number; groupsInFlight: number };
  readonly groups: { readonly size: number; readonly settle: PromiseWithResolvers<readonly AppendResult[]> }[] = [];

  constructor(capabilities: { appendMax: number; groupsInFlight: number }) {
    this.capabilities = capabilities;
  }

  append(group: readonly AppendRequest[]): Promise<readonly AppendResult[]> {
    const settle = Promise.withResolvers<readonly AppendResult[]>();
    this.groups.push({ size: group.length, settle });
    return settle.promise;
  }

  commit(index: number): void {
    const group = this.groups[index];
    group?.settle.resolve(
      Array.from({ length: group.size }, () => ({ kind: 'appended', position: 1, versions: [1], recordedAt: 0 })),
    );
  }
}

const request = (events = 1) =>
  write(
    'order-1',
    'any',
    Array.from({ length: events }, () => draft('A')),
  );
const turn = () => new Promise((resolve) => setImmediate(resolve));

function start(
  pendingMax = 100,
  capabilities = { appendMax: 4, groupsInFlight: 1 },
): { store: ManualStore; commits: GroupCommit } {
  const store = new ManualStore(capabilities);
  return { store, commits: new GroupCommit(store as unknown as EventStore, pendingMax) };
}

describe('group commit', () => {
  test('requests of one turn share a group; those that arrive meanwhile form the next', async () => {
    const { store, commits } = start();
    const first = [commits.submit(request()), commits.submit(request())];
    await turn();
    const second = [commits.submit(request()), commits.submit(request()), commits.submit(request())];
    await turn();
    expect(store.groups.map(({ size }) => size)).toEqual([2]);
    store.commit(0);
    await Promise.all(first);
    await turn();
    expect(store.groups.map(({ size }) => size)).toEqual([2, 3]);
    store.commit(1);
    await Promise.all(second);
  });

  test('a signal is listened to once, however many requests wait on it', async () => {
    const { store, commits } = start();
    const { signal } = new AbortController();
    const waiting = [request(), request(), request()].map((one) => commits.submit(one, signal));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    await turn();
    store.commit(0);
    await Promise.all(waiting);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('a group keeps within eight megabytes', async () => {
    const { store, commits } = start();
    const large = () => write('order-1', 'any', [draft('A', { data: 'x'.repeat(5 * 1024 * 1024) })]);
    const all = [commits.submit(large()), commits.submit(large()), commits.submit(request())];
    await turn();
    store.commit(0);
    await turn();
    store.commit(1);
    await Promise.all(all);
    expect(store.groups.map(({ size }) => size)).toEqual([1, 2]);
  });

  test('what is aborted while it waits is passed over, and makes room for others', async () => {
    const { store, commits } = start(3);
    const aborting = new AbortController();
    const first = commits.submit(request());
    await turn();
    const waiting = [1, 2, 3].map(() => commits.submit(request(), aborting.signal));
    const failed = Promise.allSettled(waiting);
    await expect(commits.submit(request())).rejects.toMatchObject({ code: 'append_queue_full' });
    aborting.abort();
    const last = commits.submit(request());
    store.commit(0);
    await turn();
    store.commit(1);
    await Promise.all([first, last]);
    expect(store.groups.map(({ size }) => size)).toEqual([1, 1]);
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });

  test('nothing is sent where all that waited was aborted', async () => {
    const { store, commits } = start();
    const aborting = new AbortController();
    const only = commits.submit(request(), aborting.signal);
    aborting.abort();
    await expect(only).rejects.toMatchObject({ code: 'append_aborted', details: { outcome: 'not_written' } });
    await commits.close();
    expect(store.groups).toEqual([]);
  });

  test('a group keeps within the store’s size, but takes a single larger request', async () => {
    const { store, commits } = start();
    const all = [
      commits.submit(request(3)),
      commits.submit(request(2)),
      commits.submit(request(9)),
      commits.submit(request()),
    ];
    for (let group = 0; group < 4; group++) {
      await turn();
      store.commit(group);
    }
    await Promise.all(all);
    expect(store.groups.map(({ size }) => size)).toEqual([1, 1, 1, 1]);
  });

  test('a failed commit fails its group and no other', async () => {
    const { store, commits } = start();
    const first = commits.submit(request());
    await turn();
    const second = commits.submit(request());
    store.groups[0]?.settle.reject(new Error('disk'));
    await expect(first).rejects.toThrow('disk');
    await turn();
    store.commit(1);
    expect((await second).kind).toBe('appended');
  });

  test('aborting says whether it may have been written', async () => {
    const { store, commits } = start();
    const [sent, queued, before] = [new AbortController(), new AbortController(), AbortSignal.abort('no')];
    const inFlight = commits.submit(request(), sent.signal);
    await turn();
    const waiting = commits.submit(request(), queued.signal);
    sent.abort();
    queued.abort();
    await expect(inFlight).rejects.toMatchObject({ code: 'append_aborted', details: { outcome: 'unknown' } });
    await expect(waiting).rejects.toMatchObject({ code: 'append_aborted', details: { outcome: 'not_written' } });
    await expect(commits.submit(request(), before)).rejects.toMatchObject({ details: { outcome: 'not_written' } });
    store.commit(0);
    await turn();
    // What was taken back is never sent.
    expect(store.groups).toHaveLength(1);
  });

  test('the queue is bounded', async () => {
    const { store, commits } = start(2);
    const first = commits.submit(request());
    await turn();
    const waiting = [commits.submit(request()), commits.submit(request())];
    await expect(commits.submit(request())).rejects.toMatchObject({
      code: 'append_queue_full',
      details: { pendingMax: 2 },
    });
    store.commit(0);
    await turn();
    store.commit(1);
    await Promise.all([first, ...waiting]);
  });

  test('closing waits for what was accepted and refuses the rest', async () => {
    const { store, commits } = start();
    const accepted = commits.submit(request());
    let closed = false;
    const closing = commits.close().then(() => (closed = true));
    await expect(commits.submit(request())).rejects.toMatchObject({ code: 'store_closed' });
    await turn();
    expect(closed).toBe(false);
    store.commit(0);
    expect((await accepted).kind).toBe('appended');
    await closing;
  });

  describe('where the store takes two groups at once', () => {
    const capabilities = { appendMax: 1_000, groupsInFlight: 2 };
    const many = (commits: GroupCommit, count: number) =>
      Array.from({ length: count }, () => commits.submit(request()));
    const sizes = (store: ManualStore) => store.groups.map(({ size }) => size);

    test('many are halved, and the half that is answered goes on while the other is committed', async () => {
      const { store, commits } = start(1_000, capabilities);
      const all = many(commits, 100);
      await turn();
      expect(sizes(store)).toEqual([50, 50]);
      const next = many(commits, 60);
      await turn();
      expect(sizes(store), 'no third one').toEqual([50, 50]);
      store.commit(0);
      await turn();
      expect(sizes(store)).toEqual([50, 50, 60]);
      store.commit(1);
      store.commit(2);
      await Promise.all([...all, ...next]);
    });

    test('few wait for the one that is under way, and share the next', async () => {
      const { store, commits } = start(1_000, capabilities);
      const all = many(commits, 40);
      await turn();
      all.push(...many(commits, 10));
      await turn();
      all.push(...many(commits, 21));
      await turn();
      expect(sizes(store)).toEqual([40]);
      all.push(...many(commits, 1));
      store.commit(0);
      await turn();
      store.commit(1);
      await Promise.all(all);
      expect(sizes(store)).toEqual([40, 32]);
    });

    test('few do not go alone behind one that is under way', async () => {
      const { store, commits } = start(1_000, capabilities);
      const all = many(commits, 100);
      await turn();
      all.push(...many(commits, 10));
      store.commit(0);
      await turn();
      expect(sizes(store)).toEqual([50, 50]);
      store.commit(1);
      await turn();
      store.commit(2);
      await Promise.all(all);
      expect(sizes(store)).toEqual([50, 50, 10]);
    });

    test.each([1, 2])('no more than %i are under way, however many wait', async (groupsInFlight) => {
      const { store, commits } = start(1_000, { appendMax: 40, groupsInFlight });
      const all = many(commits, 200);
      await turn();
      expect(store.groups).toHaveLength(groupsInFlight);
      for (let group = 0; group < 8; group++) {
        store.commit(group);
        await turn();
        const underWay = store.groups.length - group - 1;
        expect(underWay).toBeLessThanOrEqual(groupsInFlight);
      }
      await Promise.all(all);
    });

    test('one that fails does not take the other with it, and closing waits for both', async () => {
      const { store, commits } = start(1_000, capabilities);
      const all = Promise.allSettled(many(commits, 64));
      await turn();
      let isClosed = false;
      const closing = commits.close().then(() => (isClosed = true));
      store.groups[0]?.settle.reject(new Error('the disk failed'));
      await turn();
      expect(isClosed).toBe(false);
      store.commit(1);
      await closing;
      const states = (await all).map(({ status }) => status);
      expect(states.slice(0, 32)).toEqual(Array.from({ length: 32 }, () => 'rejected'));
      expect(states.slice(32)).toEqual(Array.from({ length: 32 }, () => 'fulfilled'));
    });
  });
});
