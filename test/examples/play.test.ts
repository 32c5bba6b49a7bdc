import { join } from 'node:path';
import { memory } from 'eventsrc';
import type { Timer } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { describe, expect, test } from 'vitest';
import { arraySource } from '../../examples/git-history/bundled-source.ts';
import { openHistory } from '../../examples/git-history/events.ts';
import type { HistoryLog } from '../../examples/git-history/events.ts';
import { playLive } from '../../examples/git-history/format-play.ts';
import { formatTree } from '../../examples/git-history/format-tree.ts';
import { openGitSource } from '../../examples/git-history/git-source.ts';
import type { Change } from '../../examples/git-history/history-source.ts';
import { importHistory } from '../../examples/git-history/import-history.ts';
import { playHistory } from '../../examples/git-history/play.ts';
import type { PlayFrame } from '../../examples/git-history/play.ts';
import { newestCommit } from '../../examples/git-history/tree.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { gitHistory, startGitHistory } from './example-process.ts';
import { commitsOfGit } from './git-churn.ts';
import { GitRepository, hasGit } from './git-repository.ts';
import { oddHistory } from './odd-history.ts';

const oid = 'a'.repeat(40);

/** A history of one new file a commit, made at these times. */
async function historyAt(times: readonly (number | null)[]): Promise<HistoryLog> {
  const idOf = (index: number) => String(index + 1).padStart(40, '0');
  const commits = times.map((committedAt, index) => ({
    id: idOf(index),
    parent: index === 0 ? null : idOf(index - 1),
    author: { name: 'Ada', email: 'ada@example.org' },
    subject: `Commit\x1b[2J ${index + 1}`,
    authoredAt: null,
    committedAt,
    changes: [
      { kind: 'added', path: `file ${index}`, mode: '100644', oid },
      { kind: 'added', path: `copy ${index}`, mode: '100644', oid },
    ] satisfies Change[],
  }));
  const log = await openHistory(memory());
  await importHistory(log, arraySource('test', commits));
  return log;
}

/** A clock that has waited as soon as it is asked to, and notes down how long. */
function noting(waits: number[]): Timer {
  let nowMs = 0;
  return {
    now: () => nowMs,
    wait: async (ms) => {
      nowMs += ms;
      waits.push(ms);
    },
  };
}

async function pausesOf(log: HistoryLog, speed: number): Promise<readonly number[]> {
  const waits: number[] = [];
  const until = await newestCommit(log);
  for await (const { done, commit } of playHistory(log, { until, speed, timer: noting(waits) })) {
    // All of a commit comes at once: only its first event is waited for.
    if (commit !== undefined) while (waits.length < done) waits.push(0);
  }
  return waits.slice(1);
}

describe('a history is played', () => {
  test('at a multiple of the pace of its commits, with no pause longer than half a second', async () => {
    const day = 86_400_000;
    const log = await historyAt([day, day + 10_000, day + 40_000, day + 140_000, 9 * day]);
    expect(await pausesOf(log, 100)).toEqual([100, 300, 500, 500]);
    expect(await pausesOf(log, 1)).toEqual([500, 500, 500, 500]);
  });

  test('without a pause where dates run backwards, are missing, or are of no calendar', async () => {
    const log = await historyAt([null, 1e6, 1e6 - 5_000, null, 1e6, 8.64e15 + 1, 1e6, -1e12]);
    expect(await pausesOf(log, 100)).toEqual([500, 0, 0, 50, 500, 0, 0]);
  });

  test('in a minute at most', async () => {
    const log = await historyAt(Array.from({ length: 601 }, (_, index) => index * 1e9));
    const pauses = await pausesOf(log, 100);
    expect(Math.round(pauses.reduce((sum, pause) => sum + pause, 0))).toBeLessThanOrEqual(60_000);
    expect(pauses).toHaveLength(600);
  });

  test('until it is told to end', async () => {
    const log = await historyAt([0, 1e9]);
    const interruption = new AbortController();
    const frames = playHistory(log, { until: await newestCommit(log), speed: 1, signal: interruption.signal });
    const seen: number[] = [];
    const played = (async () => {
      for await (const { done, commit } of frames) {
        seen.push(done);
        if (commit !== undefined) interruption.abort(new Error('enough'));
      }
    })();
    await expect(played).rejects.toThrow('enough');
    expect(seen).toEqual([0, 0, 1]);
  });

  test('on a terminal with a line below that is wiped away at the end, also where the end comes early', async () => {
    const log = await historyAt([0, 1_000]);
    const until = await newestCommit(log);
    const written: string[] = [];
    for await (const text of playLive(playHistory(log, { until, speed: 'unthrottled' }), { columns: 60 }))
      written.push(text);
    const lines = written.join('').split('\n');
    expect(lines[0]).toMatch(/\r\x1b\[K1970-01-01 .* \+2 +~0 +-0 +2 files {2}Commit\ufffd\[2J 1$/);
    expect(lines[1]).toContain('██████████░░░░░░░░░░ 2 files after 1 of 2 commits\r\x1b[K1970-01-01');
    expect(lines[2]).toMatch(/4 files after 2 of 2 commits\r\x1b\[K$/);

    const broken = (async function* (): AsyncGenerator<PlayFrame> {
      yield { tree: new Map(), changes: { added: 0, modified: 0, deleted: 0 }, commit: undefined, done: 0, total: 2 };
      throw new Error('Ctrl-C');
    })();
    const cut: string[] = [];
    const drawn = (async () => {
      for await (const text of playLive(broken, { columns: 12 })) cut.push(text);
    })();
    await expect(drawn).rejects.toThrow('Ctrl-C');
    expect(cut).toEqual(['\r\x1b[K░░░░░░░░░░░', '\r\x1b[K']);
  });
});

describe('git-history play (skipped without git)', { concurrent: true, skip: !hasGit }, () => {
  /** A repository, and the store that it was imported into. */
  async function imported(seed: number, commits: number): Promise<{ repository: GitRepository; store: string }> {
    const repository = await GitRepository.create();
    oddHistory(seed, commits).writeTo(repository);
    const file = join(await temporaryFolder(), 'history.db');
    await using log = await openHistory(sqlite(file));
    await importHistory(log, await openGitSource(repository.folder));
    return { repository, store: `sqlite:${file}` };
  }

  test('goes through the trees that git has, and changes what git changed', async () => {
    const { repository, store } = await imported(11, 25);
    await using log = await openHistory(sqlite(store.slice('sqlite:'.length)));
    const commits = commitsOfGit(repository);
    let index = 0;
    for await (const frame of playHistory(log, { until: await newestCommit(log), speed: 'unthrottled' })) {
      if (frame.commit === undefined) continue;
      const { id = '', changes = [] } = commits[index++] ?? {};
      expect(frame).toMatchObject({ commit: { data: { commit: id } }, done: index, total: commits.length });
      const count = (kind: string) => changes.filter((change) => change.kind === kind).length;
      expect(frame.changes).toEqual({
        added: count('added'),
        modified: count('modified'),
        deleted: count('deleted'),
      });
      const printed = Buffer.concat([...formatTree(frame.tree, true)]);
      expect(printed.toString('latin1'), id).toBe(repository.lsTree(id).toString('latin1'));
    }
    expect(index).toBe(25);
  });

  test('prints a line for each commit, or an object, up to the one that is asked for', async () => {
    const { repository, store } = await imported(12, 12);
    const ids = repository.firstParents();

    const unthrottled = ['--speed', 'unthrottled', '--store', store];
    const [lines, json] = await Promise.all([
      gitHistory(['play', ...unthrottled]),
      gitHistory(['play', ids[6]?.slice(0, 8) ?? '', '--json', ...unthrottled]),
    ]);
    expect({ code: lines.code, stderr: lines.stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines.stdout.toString()).toMatch(
      new RegExp(
        `^${ids.map((id) => `2020-09-1\\d  ${id.slice(0, 10)}  +\\+\\d+ +~\\d+ +-\\d+ +\\d+ files?  +Commit .*\\n`).join('')}$`,
      ),
    );

    const objects = json.stdout.toString().trimEnd().split('\n');
    expect(objects).toHaveLength(7);
    expect(JSON.parse(objects[6] ?? '')).toEqual({
      commit: ids[6],
      committedAt: Number(repository.text('show', '--no-patch', '--format=%ct', ids[6] ?? '')) * 1_000,
      subject: repository.text('show', '--no-patch', '--format=%s', ids[6] ?? ''),
      added: expect.any(Number),
      modified: expect.any(Number),
      deleted: expect.any(Number),
      files:
        repository
          .lsTree(ids[6] ?? '')
          .toString('latin1')
          .split('\n').length - 1,
    });
  });

  test('ends with Ctrl-C, and when nobody reads on', async () => {
    const { store } = await imported(13, 200);
    const args = ['play', '--speed', '0.1', '--store', store];

    const interrupted = startGitHistory(args);
    interrupted.process.stdout?.once('data', () => interrupted.process.kill('SIGINT'));
    const { code, signal, stdout, stderr } = await interrupted.ended;
    expect({ code, signal, stderr }).toEqual({ code: 130, signal: null, stderr: '' });
    expect(stdout.toString()).toMatch(/^(.+\n)+$/);

    const unread = startGitHistory(args);
    unread.process.stdout?.once('data', () => unread.process.stdout?.destroy());
    expect(await unread.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

test('an empty history cannot be played', async () => {
  const file = join(await temporaryFolder(), 'history.db');
  await (await openHistory(sqlite(file))).close();
  const { code, stdout, stderr } = await gitHistory(['play', '--store', `sqlite:${file}`]);
  expect({ code, stdout: stdout.toString(), stderr }).toEqual({
    code: 1,
    stdout: '',
    stderr: 'git-history: The store has no commits. Import a history first.\n',
  });
});
