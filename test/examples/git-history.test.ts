import { randomInt } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sqlite } from 'eventsrc/sqlite';
import { describe, expect, test } from 'vitest';
import { arraySource } from '../../examples/git-history/bundled-source.ts';
import { openHistory } from '../../examples/git-history/events.ts';
import type { Change } from '../../examples/git-history/history-source.ts';
import { importHistory } from '../../examples/git-history/import-history.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { GitRepository, hasGit } from './git-repository.ts';
import { gitHistory, importJson, startGitHistory } from './example-process.ts';
import { contentsOfFile, expectTreesOfGit, undisturbedContents } from './history-contents.ts';
import { oddHistory } from './odd-history.ts';

async function repositoryOf(commits: number, seed = 1): Promise<GitRepository> {
  const repository = await GitRepository.create();
  oddHistory(seed, commits).writeTo(repository);
  return repository;
}

async function newFile(name = 'history.db'): Promise<string> {
  return join(await temporaryFolder(), name);
}

describe('git-history import and tree (skipped without git)', { concurrent: true, skip: !hasGit }, () => {
  test('print what git prints, by id and by abbreviation', async () => {
    const repository = await repositoryOf(20);
    const file = await newFile('an odd näme.db');
    const { commits, seconds } = await importJson(repository.folder, file);
    expect(commits).toBe(20);
    expect(seconds).toBeGreaterThan(0);
    for (const [index, id] of [repository.firstParents()[0], repository.firstParents().at(-1)].entries()) {
      const given = index === 0 ? id : id?.slice(0, 12).toUpperCase();
      const { code, stdout, stderr } = await gitHistory(['tree', given ?? '', '--store', `sqlite:${file}`]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.equals(repository.lsTree(id ?? ''))).toBe(true);
    }
  });

  test('take paths from where the user is, not from where npm runs them', async () => {
    const repository = await repositoryOf(2);
    const variables = { INIT_CWD: dirname(repository.folder) };
    const { code } = await gitHistory(['import', 'repository', '--store', 'sqlite:here.db'], variables);
    expect(code).toBe(0);
    expect(existsSync(join(dirname(repository.folder), 'here.db'))).toBe(true);
  });

  test('a second import adds nothing and says so', async () => {
    const repository = await repositoryOf(10);
    const file = await newFile();
    await importJson(repository.folder, file);
    const before = await contentsOfFile(file);
    expect(await importJson(repository.folder, file)).toMatchObject({ commits: 0, events: 0 });
    const { stdout } = await gitHistory(['import', repository.folder, '--store', `sqlite:${file}`]);
    expect(stdout.toString()).toMatch(/^Nothing to do: .*\n$/);
    expect(await contentsOfFile(file)).toEqual(before);
  });

  test('two imports, up to an older revision and then the rest, are as good as one', async () => {
    const repository = await repositoryOf(30);
    const whole = await undisturbedContents(repository);
    const file = await newFile();
    const first = await importJson(repository.folder, file, '--rev', 'main~17');
    const second = await importJson(repository.folder, file, '--rev=main');
    expect([first.commits, second.commits]).toEqual([13, 17]);
    expect(first.events + second.events).toBe(whole.length);
    expect(await contentsOfFile(file)).toEqual(whole);
  });

  test('say so when the history was rewritten', async () => {
    const repository = await repositoryOf(5);
    const file = await newFile();
    await importJson(repository.folder, file);
    repository.git(['update-ref', 'refs/heads/main', 'main~2']);
    repository.git(['commit-tree', '-m', 'Rewritten', '-p', 'main', 'main^{tree}']);
    repository.git([
      'update-ref',
      'refs/heads/main',
      repository.text('commit-tree', '-m', 'Rewritten', '-p', 'main', 'main^{tree}'),
    ]);
    const { code, stderr } = await gitHistory(['import', repository.folder, '--store', `sqlite:${file}`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^git-history: The store ends with commit .* the history was rewritten.* Import it into a new store\.\n$/,
    );
  });
});

describe('an import that is interrupted (skipped without git)', { concurrent: true, skip: !hasGit }, () => {
  const commits = 600;

  /** Starts an import and waits until the store holds about `fraction` of what it will hold. */
  async function interruptedAt(repository: GitRepository, file: string, position: number, signal: NodeJS.Signals) {
    // Opened before the import begins, to see it grow.
    await using log = await openHistory(sqlite(file));
    const { process: child, ended } = startGitHistory([
      'import',
      repository.folder,
      '--store',
      `sqlite:${file}`,
      '--json',
    ]);
    await Promise.race([log.appended(position), ended]);
    child.kill(signal);
    return await ended;
  }

  test('by SIGKILL at any moment goes on from there, and duplicates nothing', async () => {
    const repository = await repositoryOf(commits, 2);
    const expected = await undisturbedContents(repository);
    const file = await newFile();
    let kills = 0;
    for (const share of [0, 0.2, 0.4, 0.6]) {
      const position = Math.floor(expected.length * share) + randomInt(Math.floor(expected.length / 5));
      const { signal } = await interruptedAt(repository, file, position, 'SIGKILL');
      if (signal === 'SIGKILL') kills += 1;
      const partial = await contentsOfFile(file);
      expect(partial, 'no gap, no duplicate, no half of a commit').toEqual(expected.slice(0, partial.length));
      expect(partial.at(-1)).toContain('CommitRecorded');
    }
    expect(kills).toBeGreaterThan(0);
    await importJson(repository.folder, file);
    expect(await contentsOfFile(file)).toEqual(expected);
    await using log = await openHistory(sqlite(file));
    const sample = repository.firstParents().filter((_, index) => index % 100 === 99);
    await expectTreesOfGit(log, repository, { commits: sample });
  });

  test('by SIGKILL while it starts leaves a store that can be used', async () => {
    const repository = await repositoryOf(10);
    const file = await newFile();
    for (const delayMs of [100, 180, 260]) {
      const { process: child, ended } = startGitHistory(['import', repository.folder, '--store', `sqlite:${file}`]);
      const timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
      await ended;
      clearTimeout(timer);
    }
    await importJson(repository.folder, file);
    expect(await contentsOfFile(file)).toEqual(await undisturbedContents(repository));
  });

  test('by Ctrl-C stops between two commits, says how to go on, and exits with 130', async () => {
    const repository = await repositoryOf(commits, 3);
    const file = await newFile();
    const { code, stdout, stderr } = await interruptedAt(repository, file, 1, 'SIGINT');
    const { commits: recorded } = JSON.parse(stdout.toString()) as { commits: number };
    const contents = await contentsOfFile(file);
    expect(contents.filter((event) => event.includes('CommitRecorded'))).toHaveLength(recorded);
    if (recorded < commits) {
      expect({ code, stderr }).toEqual({
        code: 130,
        stderr: expect.stringMatching(/^git-history: Interrupted .* again .*\n$/),
      });
    }
    expect(await importJson(repository.folder, file)).toMatchObject({ commits: commits - recorded });
  });
});

describe.skipIf(!hasGit)('several imports into one file (skipped without git)', () => {
  test('at the same time record the history once', async () => {
    const repository = await repositoryOf(300, 4);
    const whole = await undisturbedContents(repository);
    const file = await newFile();
    const results = await Promise.all(Array.from({ length: 3 }, () => importJson(repository.folder, file)));
    const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
    expect(sum(results.map(({ commits }) => commits))).toBe(300);
    expect(sum(results.map(({ events }) => events))).toBe(whole.length);
    expect(await contentsOfFile(file)).toEqual(whole);
  });
});

describe('an error is one line with its remedy, and an exit code', { concurrent: true }, () => {
  test.each([
    [[], 'No command was given'],
    [['import', '.', '--store', 'sqlite:x.db', '--depth', '3'], "Unknown option '--depth'"],
    [['tree', 'HEAD', '--store', 'sqlite:x.db'], 'COMMIT is "HEAD"'],
  ])('2 for wrong usage: %j', async (args, message) => {
    const { code, stdout, stderr } = await gitHistory(args);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([expect.stringContaining(message)]);
    expect(stderr.trimEnd()).toMatch(/See `npm run --silent git-history -- --help`\.$/);
  });

  async function expectFailure(args: readonly string[], line: RegExp, variables?: NodeJS.ProcessEnv): Promise<void> {
    const { code, stdout, stderr } = await gitHistory(args, variables);
    expect(stderr).toMatch(line);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' });
  }

  test('1 for a store that is not there, and none is made', async () => {
    const file = await newFile();
    await expectFailure(['tree', 'abcd', '--store', `sqlite:${file}`], /store_unavailable: .* it does not exist/);
    expect(existsSync(file)).toBe(false);
  });

  test('1 for a store that is something else', async () => {
    const file = await newFile();
    writeFileSync(file, 'This is not a database, but a text that is long enough to be taken for one. '.repeat(50));
    await expectFailure(['tree', 'abcd', '--store', `sqlite:${file}`], /store_foreign: .* Name another file/);
  });

  test('1 for a folder that is not there', async () => {
    await expectFailure(
      ['import', '/not/there', '--store', `sqlite:${await newFile()}`],
      /\/not\/there is not a folder\. Name /,
    );
  });

  test('1 where git is not installed', async () => {
    const folder = await temporaryFolder();
    const args = ['import', folder, '--store', `sqlite:${await newFile()}`];
    await expectFailure(args, /The program `git` was not found\. Install git/, { PATH: folder });
  });

  test.skipIf(!hasGit)('1 for what is no repository (skipped without git)', async () => {
    const args = ['import', await temporaryFolder(), '--store', `sqlite:${await newFile()}`];
    await expectFailure(args, /is not a git repository\. Name the folder of a clone, or a bare repository\.$/m);
  });

  test.skipIf(!hasGit)('1 for a commit that the store does not hold (skipped without git)', async () => {
    const repository = await repositoryOf(1);
    const file = await newFile();
    await importJson(repository.folder, file);
    await expectFailure(['tree', '0000000', '--store', `sqlite:${file}`], /The store has no commit 0000000\. Import /);
  });

  test('but a reader that has seen enough is none', async () => {
    const file = await newFile();
    const commit = await storeLargeTree(file);
    const { process: child, ended } = startGitHistory(['tree', commit, '--store', `sqlite:${file}`]);
    child.stdout?.once('data', () => child.stdout?.destroy());
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

/** A commit whose tree, printed, is more than any pipe holds. */
async function storeLargeTree(file: string): Promise<string> {
  const id = '1'.repeat(40);
  const changes = Array.from({ length: 5_000 }, (_, index): Change => {
    return { kind: 'added', path: `a folder with a long name/file ${index}`, mode: '100644', oid: id };
  });
  const author = { name: 'Ada', email: 'ada@example.org' };
  const commit = { id, parent: null, author, subject: 'Begin', authoredAt: 0, committedAt: 0, changes };
  await using log = await openHistory(sqlite(file));
  await importHistory(log, arraySource('test', [commit]));
  return id;
}
