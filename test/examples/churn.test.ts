import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memory, openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { describe, expect, test } from 'vitest';
import { fromText } from '../../examples/git-history/byte-string.ts';
import { churnByAuthor, churnByPath, topAuthors } from '../../examples/git-history/churn.ts';
import { openHistory } from '../../examples/git-history/events.ts';
import type { HistoryLog } from '../../examples/git-history/events.ts';
import { openGitSource } from '../../examples/git-history/git-source.ts';
import { importHistory } from '../../examples/git-history/import-history.ts';
import { pathToData } from '../../examples/git-history/path-names.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { gitHistory, importJson } from './example-process.ts';
import { authorChurnOfGit, authorsOfGit, byName, commitsOfGit, pathChurnOfGit } from './git-churn.ts';
import { GitRepository, hasGit } from './git-repository.ts';
import { oddHistory } from './odd-history.ts';

const top = Infinity;

async function oddRepository(seed: number, commits: number): Promise<GitRepository> {
  const repository = await GitRepository.create();
  oddHistory(seed, commits).writeTo(repository);
  return repository;
}

async function importInto(log: HistoryLog, repository: GitRepository, revision?: string): Promise<void> {
  await importHistory(log, await openGitSource(repository.folder, revision));
}

/** All that the views say is what git says. */
async function expectChurnOfGit(log: HistoryLog, repository: GitRepository, revision = 'HEAD'): Promise<void> {
  const commits = commitsOfGit(repository, revision);
  for (const prefix of ['', 'src/', 'a', 'é', '🍅 味噌', 'new\nline/', 'long-'.repeat(50), 'no/such/path']) {
    const bytes = fromText(prefix);
    const paths = await churnByPath(log, { prefix, top });
    expect(paths.toSorted(byName('path')), prefix).toEqual(pathChurnOfGit(commits, bytes));
    expectDescending(paths.map(({ changes }) => changes));
    const authors = await churnByAuthor(log, { prefix, top });
    expect(authors.toSorted(byName('author')), prefix).toEqual(authorChurnOfGit(commits, bytes));
    expectDescending(authors.map(({ changes }) => changes));
  }
  const authors = await topAuthors(log, { top });
  expect(authors.toSorted(byName('author'))).toEqual(authorsOfGit(commits));
  expectDescending(authors.map((author) => author.commits));
}

function expectDescending(numbers: readonly number[]): void {
  expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
}

describe.skipIf(!hasGit)('churn and authors are what git says (skipped without git)', () => {
  test.each([1, 2, 3, 4])(
    'of odd names, odd authors, merges, empty commits, changes of type: seed %i',
    async (seed) => {
      const repository = await oddRepository(seed, 60);
      await using log = await openHistory(memory());
      await importInto(log, repository);
      await expectChurnOfGit(log, repository);
    },
  );

  test('after every further import, however far it goes', async () => {
    const repository = await oddRepository(5, 60);
    const file = join(await temporaryFolder(), 'history.db');
    for (const revision of ['main~59', 'main~58', 'main~31', 'main']) {
      await using log = await openHistory(sqlite(file));
      await importInto(log, repository, revision);
      await expectChurnOfGit(log, repository, revision);
    }
  });

  test.skipIf(!existsSync(fileURLToPath(new URL('../../.git', import.meta.url))))(
    'of this repository (skipped where its history is not here)',
    async () => {
      const repository = GitRepository.at(fileURLToPath(new URL('../..', import.meta.url)));
      await using log = await openHistory(memory());
      await importInto(log, repository);
      await expectChurnOfGit(log, repository);
    },
  );

  test('while another import is going on: nothing is missing that was there before', async () => {
    const repository = await oddRepository(6, 200);
    await using log = await openHistory(sqlite(join(await temporaryFolder(), 'history.db')));
    await importInto(log, repository, 'main~150');
    const before = authorsOfGit(commitsOfGit(repository, 'main~150')).reduce((sum, { commits }) => sum + commits, 0);
    const importing = importInto(log, repository);
    const authors = await topAuthors(log, { top });
    expect(authors.reduce((sum, { commits }) => sum + commits, 0)).toBeGreaterThanOrEqual(before);
    await importing;
    await expectChurnOfGit(log, repository);
  });

  test('also when catching up was interrupted', async () => {
    const repository = await oddRepository(7, 100);
    await using log = await openHistory(sqlite(join(await temporaryFolder(), 'history.db')));
    await importInto(log, repository);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(churnByPath(log, { prefix: '', top }, { signal })).rejects.toThrow('enough');
    const reading = churnByAuthor(log, { prefix: '', top }, { signal: AbortSignal.timeout(5) });
    await reading.catch(() => undefined);
    await expectChurnOfGit(log, repository);
  });
});

/** A rename, a merge, an empty commit; Ada at work and at home, whom a .mailmap takes for one. */
async function smallRepository(): Promise<GitRepository> {
  const repository = await GitRepository.create();
  const at = (name: string) => join(repository.folder, name);
  const [work, home] = ['--author=Ada <ada@work.example>', '--author=Ada <ada@home.example>'];
  writeFileSync(at('.mailmap'), 'Ada <ada@work.example> <ada@home.example>\n');
  writeFileSync(at('a\nb'), 'a');
  repository.git(['add', '.']);
  repository.commit('Begin', work);
  repository.commit('Change nothing', home);
  renameSync(at('a\nb'), at('é'));
  repository.git(['add', '--all']);
  repository.commit('Rename', home);
  repository.git(['checkout', '--quiet', '-b', 'side']);
  for (const content of ['one', 'two']) {
    writeFileSync(at('side'), content);
    repository.git(['add', 'side']);
    repository.commit('On the side', '--author=Ben "B" <b@example.org>');
  }
  repository.git(['checkout', '--quiet', 'main']);
  repository.git(['merge', '--quiet', '--no-ff', '-m', 'Merge', 'side']);
  rmSync(at('side'));
  writeFileSync(at('é'), 'again');
  repository.git(['add', '--all']);
  repository.commit('Clear up', work);
  return repository;
}

describe.skipIf(!hasGit)('git-history churn and authors (skipped without git)', () => {
  async function printed(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await gitHistory(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout.toString('utf8');
  }

  test('print tables, and follow what is imported', async () => {
    const repository = await smallRepository();
    const file = join(await temporaryFolder(), 'history.db');
    const store = ['--store', `sqlite:${file}`];
    await importJson(repository.folder, file, '--rev=main~1');
    expect(await printed(['churn', ...store])).toBe(
      [
        'changes  added  modified  deleted  path',
        '      2      1         0        1  "a\\nb"',
        '      1      1         0        0  .mailmap',
        '      1      1         0        0  side',
        '      1      1         0        0  "\\303\\251"',
        '',
      ].join('\n'),
    );
    repository.git(['config', 'core.quotePath', 'false']);
    await importJson(repository.folder, file);
    expect(await printed(['churn', '--path', 'é', ...store])).toBe(
      'changes  added  modified  deleted  path\n      2      1         1        0  é\n',
    );
    expect(await printed(['churn', '--by=author', '--top=1', ...store])).toBe(
      'changes  added  modified  deleted  author\n      4      2         1        1  Ada <ada@work.example>\n',
    );
    const ids = repository.firstParents().map((id) => id.slice(0, 10));
    const date = '\\d{4}-\\d\\d-\\d\\d';
    expect(await printed(['authors', ...store])).toMatch(
      new RegExp(
        [
          '^commits  changes +first +last  author',
          ` +2 +2  ${date} ${ids[1]}  ${date} ${ids[2]}  Ada <ada@home\\.example>`,
          ` +2 +4  ${date} ${ids[0]}  ${date} ${ids[4]}  Ada <ada@work\\.example>`,
          ` +1 +1  ${date} ${ids[3]}  ${date} ${ids[3]}  Ada Ahlgren <ada@example\\.org>\n$`,
        ].join('\n'),
      ),
    );
  });

  test('print JSON, for programs', async () => {
    const repository = await oddRepository(8, 30);
    const file = join(await temporaryFolder(), 'history.db');
    const store = ['--store', `sqlite:${file}`, '--json'];
    await importJson(repository.folder, file);
    const commits = commitsOfGit(repository);
    const paths = JSON.parse(await printed(['churn', '--top', '100000', ...store])) as Record<string, unknown>[];
    const expected = pathChurnOfGit(commits).map(({ path, ...counts }) => ({ ...pathToData(path), ...counts }));
    expect(paths).toHaveLength(expected.length);
    expect(paths).toEqual(expect.arrayContaining(expected));
    expect(expected.some((row) => 'pathBase64' in row)).toBe(true);
    expect(JSON.parse(await printed(['churn', '--top', '2', ...store]))).toEqual(paths.slice(0, 2));
    const authors = JSON.parse(await printed(['authors', ...store])) as Record<string, unknown>[];
    expect(authors).toEqual(expect.arrayContaining([...authorsOfGit(commits)]));
  });

  test('print the names of authors without what a terminal would obey', async () => {
    const repository = await oddRepository(9, 30);
    const file = join(await temporaryFolder(), 'history.db');
    await importJson(repository.folder, file);
    const table = await printed(['authors', '--store', `sqlite:${file}`]);
    expect(table).toContain('  Bell\u{fffd} tab\u{fffd}here \u{fffd}[31m <b@example.org>\n');
    expect(table).not.toContain('\x1b');
  });

  test('print no rows where there is nothing', async () => {
    const file = join(await temporaryFolder(), 'history.db');
    await (await openHistory(sqlite(file))).close();
    expect(await printed(['churn', '--store', `sqlite:${file}`])).toBe('changes  added  modified  deleted  path\n');
    expect(await printed(['authors', '--json', '--store', `sqlite:${file}`])).toBe('[]\n');
  });
});

test('what others have written need not say who they are', async () => {
  await using log = await openHistory(memory());
  const data = { path: 'a', mode: '100644', oid: '1'.repeat(40) };
  await log.append([{ stream: 'file-a', events: [{ type: 'FileAdded', data }] }]);
  expect(await churnByAuthor(log, { prefix: '', top })).toMatchObject([{ author: 'unknown', added: 1 }]);
});

test('an event that cannot be taken in is told, and not waited for', async () => {
  const file = join(await temporaryFolder(), 'history.db');
  await using careless = await openLog({ store: sqlite(file) });
  await careless.append([{ stream: 'file-a', events: [{ type: 'FileAdded', data: {} }] }]);
  await using log = await openHistory(sqlite(file));
  await expect(churnByPath(log, { prefix: '', top })).rejects.toThrow(
    /^file-a holds an event that path_churn cannot take in: /,
  );
});
