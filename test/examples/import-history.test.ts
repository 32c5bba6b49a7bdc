import { memory } from 'eventsrc';
import { describe, expect, test } from 'vitest';
import { arraySource, openBundledSource } from '../../examples/git-history/bundled-source.ts';
import { openHistory } from '../../examples/git-history/events.ts';
import type { HistoryLog } from '../../examples/git-history/events.ts';
import type { Change, Commit } from '../../examples/git-history/history-source.ts';
import { importHistory } from '../../examples/git-history/import-history.ts';
import { findCommit, treeAt } from '../../examples/git-history/tree.ts';
import { contentsOf } from './history-contents.ts';

/** A line of commits that change `files` in turn; `from` is the first number that is not that of `main`. */
function line(length: number, branch = 'main', from = length, files = 3): readonly Commit[] {
  const id = (index: number) => Buffer.from(`${index < from ? 'main' : branch} ${index}`.padEnd(20)).toString('hex');
  return Array.from({ length }, (_, index): Commit => {
    const change: Change = {
      kind: index < files ? 'added' : 'modified',
      path: `${index < from ? 'main' : branch}-${index % files}`,
      mode: '100644',
      oid: id(index),
    };
    return {
      id: id(index),
      parent: index === 0 ? null : id(index - 1),
      author: { name: 'Ada', email: 'ada@example.org' },
      subject: `Commit ${index}`,
      authoredAt: 0,
      committedAt: 0,
      changes: index % 7 === 6 ? [] : [change],
    };
  });
}

function commitsIn(contents: readonly string[]): readonly string[] {
  return contents
    .map((text) => JSON.parse(text) as { type: string; data: { commit: string } })
    .flatMap(({ type, data }) => (type === 'CommitRecorded' ? [data.commit] : []));
}

async function importedAlone(commits: readonly Commit[]): Promise<readonly string[]> {
  const log = await openHistory(memory());
  await importHistory(log, arraySource('test', commits));
  return await contentsOf(log);
}

describe('an import', () => {
  test('makes each commit one append that ends with the commit', async () => {
    const log = await openHistory(memory());
    const [first] = line(1);
    if (first === undefined) throw new Error('no commit');
    await importHistory(log, arraySource('test', [first]));
    const [page = []] = await Array.fromAsync(log.read());
    expect(page.map(({ stream, type, tags }) => ({ stream, type, tags }))).toEqual([
      { stream: 'file-main-0', type: 'FileAdded', tags: [`commit:${first.id}`] },
      { stream: `commit-${first.id}`, type: 'CommitRecorded', tags: [`commit:${first.id}`] },
    ]);
  });

  test('counts what it recorded and reports every commit', async () => {
    const log = await openHistory(memory());
    const seen: number[] = [];
    const result = await importHistory(log, arraySource('test', line(8)), {
      onProgress: ({ done }) => seen.push(done),
    });
    expect(result).toEqual({ kind: 'complete', commits: 8, events: 15 });
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test.each([1, 2, 64])('ends up the same in two parts as in one, with %i in flight', async (commitsInFlight) => {
    const commits = line(100);
    const log = await openHistory(memory());
    const limits = { commitsInFlight, eventsInFlight: 10, versionsKept: 2 };
    await importHistory(log, arraySource('test', commits.slice(0, 37)), { limits });
    await importHistory(log, arraySource('test', commits), { limits });
    expect(await contentsOf(log)).toEqual(await importedAlone(commits));
  });

  test('stops between two commits when told to, and goes on from there', async () => {
    const commits = line(100);
    const log = await openHistory(memory());
    const stop = new AbortController();
    const onProgress = ({ done }: { readonly done: number }) => done === 40 && stop.abort();
    const limits = { commitsInFlight: 8 };
    const options = { signal: stop.signal, onProgress, limits };
    const stopped = await importHistory(log, arraySource('test', commits), options);
    expect(stopped.kind).toBe('stopped');
    expect(stopped.commits).toBe(commitsIn(await contentsOf(log)).length);
    const rest = await importHistory(log, arraySource('test', commits));
    expect(rest).toMatchObject({ kind: 'complete', commits: 100 - stopped.commits });
    expect(await contentsOf(log)).toEqual(await importedAlone(commits));
  });

  test('finds nothing to do where an older commit is asked for', async () => {
    const log = await openHistory(memory());
    await importHistory(log, arraySource('test', line(10)));
    expect(await importHistory(log, arraySource('test', line(5)))).toEqual({ kind: 'complete', commits: 0, events: 0 });
  });

  test('refuses a history that does not continue the one in the store', async () => {
    const log = await openHistory(memory());
    await importHistory(log, arraySource('test', line(10)));
    await expect(importHistory(log, arraySource('other', line(12, 'other', 5)))).rejects.toThrow('another one');
  });

  test('gives up where a stream was written by something else', async () => {
    const log = await openHistory(memory());
    await log.append([{ stream: 'file-main-0', events: [{ type: '$deleted' }] }]);
    await expect(importHistory(log, arraySource('test', line(3)))).rejects.toThrow('file-main-0 is at version 1');
  });
});

/** An import whose source gives way at random, so that others get in between. */
function hesitant(commits: readonly Commit[], waits: () => number): ReturnType<typeof arraySource> {
  const source = arraySource('test', commits);
  return {
    ...source,
    async *commits(after) {
      for await (const commit of source.commits(after)) {
        for (let wait = waits(); wait > 0; wait--) await new Promise<void>((resolve) => setImmediate(resolve));
        yield commit;
      }
    },
  };
}

/** From 0 to 3, by a linear congruential generator, whose high bits are the random ones. */
function waitsFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(state / 2 ** 29);
  };
}

const seeds = Array.from({ length: 20 }, (_, index) => index + 1);

describe('several imports at once', () => {
  test.each(seeds)('of one history record it once, in order: seed %i', async (seed) => {
    const commits = line(60);
    const log = await openHistory(memory());
    const waits = waitsFrom(seed);
    const run = (length: number, commitsInFlight: number) =>
      importHistory(log, hesitant(commits.slice(0, length), waits), { limits: { commitsInFlight } });
    const results = await Promise.all([run(60, 8), run(60, 3), run(45, 64)]);
    expect(results.reduce((sum, result) => sum + result.commits, 0)).toBe(60);
    expect(await contentsOf(log)).toEqual(await importedAlone(commits));
  });

  test.each(seeds)('of two branches never mix them: seed %i', async (seed) => {
    const common = 10 + seed;
    const branches = [line(40), line(40, 'other', common)];
    const log = await openHistory(memory());
    const waits = waitsFrom(seed);
    // At even seeds the store holds what they have in common, so the race begins where they part.
    if (seed % 2 === 0) await importHistory(log, arraySource('test', line(common)));
    const results = await Promise.allSettled(
      branches.map((commits) =>
        importHistory(log, hesitant(commits, waits), { limits: { commitsInFlight: 1 + (seed % 5) } }),
      ),
    );
    const winner = results.findIndex(({ status }) => status === 'fulfilled');
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await contentsOf(log)).toEqual(await importedAlone(branches[winner] ?? []));
  });
});

test('the bundled history has something of everything', async () => {
  const log: HistoryLog = await openHistory(memory());
  const source = await openBundledSource();
  const { commits } = await importHistory(log, source);
  expect(commits).toBe(await source.countAfter(null));
  const all = await Array.fromAsync(source.commits(null));
  expect(all.at(-1)?.id).toBe(source.tip);
  const changes = all.flatMap((commit) => commit.changes);
  const modes = new Set(changes.map((change) => (change.kind === 'deleted' ? 'deleted' : change.mode)));
  expect(modes).toEqual(new Set(['100644', '100755', '120000', 'deleted']));
  expect((await treeAt(log, await findCommit(log, source.tip))).size).toBe(17);
});
