import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { toHex } from '../../src/event/bytes.ts';
import type { Recorded } from '../../src/event/event.ts';
import { EngineError } from '../../src/ground/errors.ts';
import { defaultLimits } from '../../src/ground/limits.ts';
import { GroupCommit } from '../../src/store/group-commit.ts';
import { InlineFoldFailed } from '../../src/store/inline.ts';
import type { InlineFold, StagedAppend } from '../../src/store/inline.ts';
import { openLog } from '../../src/store/log.ts';
import { memory } from '../../src/store/memory.ts';
import type { AppendRequest, AppendResult, Backend, EventStore, Inline } from '../../src/store/port.ts';
import type { StateCommit, StateStore } from '../../src/store/state-port.ts';
import { draft, readAll, readNames, write } from '../../src/testing/drafts.ts';
import { TestClock } from '../../src/testing/test-clock.ts';

const poison = new Error('cannot be folded');

type Fold = InlineFold['fold'];

function folding(fold: Fold): InlineFold {
  return { fold, committed: () => {} };
}

/** Counts events in a checkpoint and a document; takes no event of the type Poison. */
function counting(state: StateStore): Fold {
  return async (staged) => {
    for (const { request, events } of staged)
      if (events.some(({ type }) => type === 'Poison')) throw new InlineFoldFailed(request, poison);
    const [{ position } = { position: 0 }] = await state.checkpoints('count');
    const [document] = await state.get('counts', ['all']);
    const events = staged.flatMap((append) => append.events);
    const to = events.at(-1)?.position ?? position;
    const value = Number(document?.value ?? 0) + events.length;
    return {
      puts: [{ collection: 'counts', key: 'all', value }],
      checkpoints: [{ name: 'count', from: position, to }],
    };
  };
}

interface Opened {
  readonly store: EventStore;
  readonly state: StateStore;
  readonly commits: GroupCommit;
}

async function open(backend: Backend = memory()): Promise<Opened> {
  const options = { clock: new TestClock(), limits: defaultLimits };
  const store = await backend.openEvents(options);
  const state = (await backend.openState?.(store, options)) as StateStore;
  await state.define({ name: 'counts', indexes: [] });
  return { store, state, commits: new GroupCommit(store, 1_000) };
}

async function counted(state: StateStore): Promise<readonly unknown[]> {
  const [document] = await state.get('counts', ['all']);
  return [document?.value, ...(await state.checkpoints('')).map(({ position }) => position)];
}

describe('a fold in the append’s own transaction', () => {
  test('sees the events as they will be recorded, in order, with the request that they belong to', async () => {
    const { store, commits } = await open();
    let seen: readonly StagedAppend[] = [];
    commits.fold = folding(async (staged) => void (seen = staged));
    await Promise.all([
      commits.submit(write('a-1', 0, [draft('A', { tags: ['x'], data: { n: 1 } }), draft('B')])),
      commits.submit(write('a-1', 0, [draft('lost')])),
      commits.submit({
        ...write('b-1', 0, [draft('C')]),
        writes: [
          { stream: 'b-1', expected: 0, events: [draft('C')] },
          { stream: 'a-1', expected: 2, events: [draft('D')] },
          { stream: 'b-1', expected: 'any', events: [draft('E')] },
        ],
      }),
    ]);
    expect(seen.map(({ request, events }) => [request, events.length])).toEqual([
      [0, 2],
      [2, 3],
    ]);
    const plain = ({ id, ...event }: Recorded) => ({ ...event, id: toHex(id) });
    const staged = seen.flatMap(({ events }) => events.map((event) => ({ ...plain(event), id: toHex(event.id) })));
    expect(staged).toEqual((await readAll(store)).map(plain));
  });

  test('a request that it cannot take is refused with the cause, and the rest appended as if it had not been there', async () => {
    const { store, state, commits } = await open();
    commits.fold = folding(counting(state));
    const results = await Promise.allSettled([
      commits.submit(write('a-1', 0, [draft('A')])),
      commits.submit(write('a-1', 1, [draft('Poison')])),
      commits.submit(write('a-1', 1, [draft('A')])),
      commits.submit(write('a-1', 2, [draft('A'), draft('Poison')])),
      commits.submit(write('a-1', 2, [draft('A')])),
    ]);
    expect(results.map((result) => (result.status === 'rejected' ? result.reason : result.value.kind))).toEqual([
      'appended',
      poison,
      'appended',
      poison,
      'appended',
    ]);
    expect(await readNames(store)).toEqual(['a-1@1', 'a-1@2', 'a-1@3']);
    expect(await counted(state)).toEqual([3, 3]);
  });

  test('a request that would follow one that is refused is judged anew', async () => {
    const { store, state, commits } = await open();
    commits.fold = folding(counting(state));
    const [first, second] = await Promise.allSettled([
      commits.submit(write('a-1', 0, [draft('Poison')])),
      commits.submit(write('a-1', 1, [draft('A')])),
    ]);
    expect(first).toMatchObject({ status: 'rejected', reason: poison });
    expect(second).toMatchObject({ status: 'fulfilled', value: { kind: 'version_conflict', actual: 0 } });
    expect(await readNames(store)).toEqual([]);
    expect(await counted(state)).toEqual([undefined]);
  });

  test('for any group, all but what cannot be folded is appended and counted once', async () => {
    const groups = fc.array(fc.array(fc.constantFrom('A', 'B', 'Poison'), { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(groups, async (group) => {
        const { store, state, commits } = await open();
        commits.fold = folding(counting(state));
        const submitted = group.map((types, index) => {
          const events = types.map((type) => draft(type, { data: index }));
          return commits.submit(write(`a-${index % 3}`, 'any', events));
        });
        const results = await Promise.allSettled(submitted);
        const good = group.filter((types) => !types.includes('Poison'));
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(good.length);
        expect((await readAll(store)).map(({ type }) => type)).toEqual(good.flat());
        const count = good.flat().length;
        expect(await counted(state)).toEqual(count === 0 ? [undefined] : [count, count]);
      }),
      { numRuns: 50 },
    );
  });

  test('what else it throws fails its group, and the next one is committed', async () => {
    const { store, commits } = await open();
    const broken = new Error('broken');
    commits.fold = folding(() => Promise.reject(broken));
    const failed = await Promise.allSettled([1, 2].map((n) => commits.submit(write(`a-${n}`, 0, [draft('A')]))));
    expect(failed.map((result) => result.status === 'rejected' && result.reason)).toEqual([broken, broken]);
    commits.fold = folding(async () => undefined);
    expect(await commits.submit(write('a-1', 0, [draft('A')]))).toMatchObject({ kind: 'appended', position: 1 });
    expect(await readNames(store)).toEqual(['a-1@1']);
  });

  test('a failure that names no request of the group fails the group', async () => {
    const { commits } = await open();
    commits.fold = folding(() => Promise.reject(new InlineFoldFailed(7, poison)));
    await expect(commits.submit(write('a-1', 0, [draft('A')]))).rejects.toBeInstanceOf(InlineFoldFailed);
  });

  test('where a checkpoint has moved the group is folded again', async () => {
    const { store, state, commits } = await open();
    const count = counting(state);
    let interrupted = 0;
    commits.fold = folding(async (staged) => {
      const change = await count(staged);
      const [{ position } = { position: 0 }] = await state.checkpoints('count');
      if (interrupted++ < 3)
        await state.commit({ checkpoints: [{ name: 'count', from: position, to: position + 100 }] });
      return change;
    });
    expect(await commits.submit(write('a-1', 0, [draft('A')]))).toMatchObject({ kind: 'appended', position: 1 });
    expect(interrupted).toBe(4);
    expect(await readNames(store)).toEqual(['a-1@1']);
    expect(await counted(state)).toEqual([1, 1]);
  });

  test('is told when what it gave has been committed, and not where nothing of it was', async () => {
    const { commits } = await open();
    const committed = vi.fn<() => void>();
    let change: StateCommit = { checkpoints: [{ name: 'count', from: 5, to: 6 }] };
    commits.fold = { fold: async () => change, committed };
    await expect(commits.submit(write('a-1', 0, [draft('A')]))).rejects.toMatchObject({ code: 'inline_conflict' });
    await commits.submit(write('a-1', 5, [draft('A')]));
    expect(committed).not.toHaveBeenCalled();
    change = {};
    await commits.submit(write('a-1', 0, [draft('A')]));
    expect(committed).toHaveBeenCalledTimes(1);
  });

  test('a checkpoint that is moved each time fails the group at last, and nothing is written', async () => {
    const { store, commits } = await open();
    const fold = vi.fn<Fold>(async () => ({ checkpoints: [{ name: 'count', from: 5, to: 6 }] }));
    commits.fold = folding(fold);
    const failing = commits.submit(write('a-1', 0, [draft('A')]));
    await expect(failing).rejects.toMatchObject({
      code: 'inline_conflict',
      details: { result: 'checkpoint_moved' },
    });
    expect(fold).toHaveBeenCalledTimes(10);
    expect(await readNames(store)).toEqual([]);
  });
});

/** A store that judges nothing, and whose groups end when the test says so. */
class ManualStore {
  readonly capabilities: { readonly appendMax: number; readonly groupsInFlight: number } = {
    appendMax: 1_000,
    groupsInFlight: 2,
  };
  readonly underWay: (() => void)[] = [];

  async append(group: readonly AppendRequest[], inline?: Inline): Promise<readonly AppendResult[]> {
    const results = group.map((): AppendResult => ({ kind: 'appended', position: 1, versions: [1], recordedAt: 0 }));
    await inline?.(results);
    await new Promise<void>((resolve) => this.underWay.push(resolve));
    return results;
  }
}

test.each([
  ['that are folded go one at a time', folding(async () => undefined), 1],
  ['that are not folded overlap', undefined, 2],
] as const)('groups %s', async (_what, fold, expected) => {
  const store = new ManualStore();
  const commits = new GroupCommit(store as unknown as EventStore, 1_000);
  commits.fold = fold;
  const all = Array.from({ length: 200 }, (_, n) => commits.submit(write(`a-${n}`, 0, [draft('A')])));
  await new Promise((resolve) => setImmediate(resolve));
  expect(store.underWay).toHaveLength(expected);
  const ending = setInterval(() => {
    for (const end of store.underWay.splice(0)) end();
  }, 1);
  await Promise.all(all);
  clearInterval(ending);
});

test('a log folds inline from when it is told to, until it is told not to', async () => {
  const backend = memory();
  let state: StateStore | undefined;
  await using log = await openLog({
    store: {
      name: 'memory',
      openEvents: async (options) => {
        const store = await backend.openEvents(options);
        state = await backend.openState?.(store, options);
        return store;
      },
    },
  });
  const seen: number[] = [];
  const append = () => log.append([{ stream: 'a-1', events: [{ type: 'A', data: 1 }] }]);
  await append();
  const fold: Fold = async (staged) => {
    for (const { events } of staged) seen.push(...events.map(({ position }) => position));
    return { checkpoints: [{ name: 'seen', from: 0, to: 2 }] };
  };
  const unfold = log.foldInline(folding(fold));
  await append();
  unfold();
  await append();
  expect(seen).toEqual([2]);
  expect(await state?.checkpoints('')).toEqual([{ name: 'seen', position: 2 }]);
});

test('a log whose store has no transaction for both refuses to fold inline', async () => {
  const backend = memory();
  await using log = await openLog({
    store: {
      name: 'apart',
      openEvents: async (options) => {
        const store = await backend.openEvents(options);
        return Object.defineProperty(store, 'capabilities', {
          value: { ...store.capabilities, sharedTransaction: false },
        });
      },
    },
  });
  expect(() => log.foldInline(folding(async () => undefined))).toThrow(EngineError);
});
