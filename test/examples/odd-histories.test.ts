import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memory } from 'eventsrc';
import { describe, expect, test } from 'vitest';
import { openHistory } from '../../examples/git-history/events.ts';
import { pathQuoting } from '../../examples/git-history/settings.ts';
import type { HistoryLog } from '../../examples/git-history/events.ts';
import { openGitSource } from '../../examples/git-history/git-source.ts';
import { importHistory } from '../../examples/git-history/import-history.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { GitRepository, hasGit } from './git-repository.ts';
import { HistoryWriter } from './history-writer.ts';
import { contentsOf, expectTreesOfGit } from './history-contents.ts';
import { oddHistory } from './odd-history.ts';

async function imported(repository: GitRepository, revision?: string): Promise<HistoryLog> {
  const log = await openHistory(memory());
  await importHistory(log, await openGitSource(repository.folder, revision));
  return log;
}

async function randomRepository(seed: number, commits: number, ...initArgs: readonly string[]): Promise<GitRepository> {
  const repository = await GitRepository.create(...initArgs);
  oddHistory(seed, commits).writeTo(repository);
  return repository;
}

/** A few commits made with git's everyday commands. */
async function everydayRepository(): Promise<GitRepository> {
  const repository = await GitRepository.create();
  const at = (name: string) => join(repository.folder, name);
  writeFileSync(at('README.md'), 'Hello');
  writeFileSync(at('run.sh'), 'echo');
  repository.git(['add', '.']);
  repository.commit('Begin');
  repository.commit('Change nothing');
  renameSync(at('README.md'), at('LIESMICH.md'));
  repository.git(['update-index', '--chmod=+x', 'run.sh']);
  symlinkSync('LIESMICH.md', at('README.md'));
  repository.git(['add', '.']);
  repository.commit('Rename, link, make executable');
  repository.git(['update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},vendor/library`]);
  repository.commit('Add a submodule');
  repository.git(['update-index', '--cacheinfo', `160000,${'2'.repeat(40)},vendor/library`]);
  repository.commit('Update the submodule');
  rmSync(at('run.sh'));
  mkdirSync(at('run.sh'));
  writeFileSync(at('run.sh/now'), 'a file in what was a file');
  repository.git(['add', '--all', 'run.sh']);
  repository.commit('A file becomes a folder');
  repository.git(['checkout', '--quiet', '-b', 'side', 'HEAD~2']);
  writeFileSync(at('side'), 'side');
  repository.git(['add', 'side']);
  repository.commit('On the side');
  repository.git(['checkout', '--quiet', 'main']);
  repository.git(['merge', '--quiet', '--no-ff', '-m', 'Merge', 'side']);
  repository.git(['merge', '--quiet', '--strategy=ours', '--allow-unrelated-histories', '-m', 'Keep ours', 'side']);
  return repository;
}

describe.skipIf(!hasGit)('the trees of every commit are those of git (skipped without git)', () => {
  test('after everyday work', async () => {
    const repository = await everydayRepository();
    await expectTreesOfGit(await imported(repository), repository);
  });

  test.each([1, 2, 3, 4])(
    'in a history of odd names, merges, empty commits and changes of type: seed %i',
    async (seed) => {
      const repository = await randomRepository(seed, 40);
      await expectTreesOfGit(await imported(repository), repository);
    },
  );

  test('with 2,000 files in the root commit', async () => {
    const writer = new HistoryWriter();
    const files = Array.from({ length: 2_000 }, (_, index) => `src/${index % 50}/file ${index}.ts`);
    const root = writer.commit({ changes: files.map((path) => ({ path, mode: '100644', content: path })) });
    writer.commit({ changes: [{ path: 'src', mode: 'deleted' }], parents: [root] });
    const repository = await GitRepository.create();
    writer.writeTo(repository);
    await expectTreesOfGit(await imported(repository), repository);
  });

  test('in a bare repository, by whichever revision the branch is named', async () => {
    const repository = await randomRepository(7, 10, '--bare');
    repository.git(['tag', '-a', '-m', 'A tag object', 'v1', 'main']);
    const log = await imported(repository, 'v1');
    await expectTreesOfGit(log, repository);
    expect(await contentsOf(log)).toEqual(await contentsOf(await imported(repository, ':/Commit')));
  });

  test('in a repository that uses SHA-256', async () => {
    const repository = await GitRepository.create('--object-format=sha256');
    writeFileSync(join(repository.folder, 'a'), 'a');
    repository.git(['add', '.']);
    expect(repository.commit('Begin')).toHaveLength(64);
    await expectTreesOfGit(await imported(repository), repository);
  });

  test('in a shallow clone, whose first commit has parents elsewhere', async () => {
    const repository = await randomRepository(8, 20);
    const clone = GitRepository.at(join(await temporaryFolder(), 'clone'));
    repository.git(['clone', '--quiet', '--bare', '--depth=5', `file://${repository.folder}`, clone.folder]);
    expect(clone.firstParents().length).toBeLessThan(20);
    await expectTreesOfGit(await imported(clone), clone);
  });

  test('where the history was changed by a replacement', async () => {
    const repository = await everydayRepository();
    repository.git(['replace', repository.text('rev-parse', 'HEAD~3'), repository.text('rev-parse', 'HEAD~5')]);
    await expectTreesOfGit(await imported(repository), repository);
  });
});

describe.skipIf(!hasGit)('what git is configured to do elsewhere changes nothing (skipped without git)', () => {
  test('settings of the repository', async () => {
    const repository = await everydayRepository();
    const plain = await contentsOf(await imported(repository));
    const settings = {
      'diff.renames': 'copies',
      'diff.ignoreSubmodules': 'all',
      'submodule.vendor/library.path': 'vendor/library',
      'submodule.vendor/library.ignore': 'all',
      'diff.relative': 'true',
      'diff.noprefix': 'true',
      'core.abbrev': '7',
      'core.quotePath': 'true',
      'color.ui': 'always',
      'i18n.logOutputEncoding': 'ISO-8859-1',
      'log.showSignature': 'true',
      'format.pretty': 'oneline',
    };
    for (const [name, value] of Object.entries(settings)) repository.git(['config', name, value]);
    writeFileSync(
      join(repository.folder, '.gitmodules'),
      '[submodule "vendor/library"]\npath = vendor/library\nignore = all\n',
    );
    const subfolder = GitRepository.at(join(repository.folder, 'run.sh'));
    expect(await contentsOf(await imported(subfolder))).toEqual(plain);
  });

  test('variables of the environment', async () => {
    const [repository, other] = [await randomRepository(9, 5), await randomRepository(10, 5)];
    const plain = await contentsOf(await imported(repository));
    const variables = {
      GIT_DIR: join(other.folder, '.git'),
      GIT_WORK_TREE: other.folder,
      GIT_OBJECT_DIRECTORY: other.folder,
    };
    try {
      Object.assign(process.env, variables);
      expect(await contentsOf(await imported(repository))).toEqual(plain);
    } finally {
      for (const name of Object.keys(variables)) delete process.env[name];
    }
  });

  test('but for core.quotePath, which the store remembers', async () => {
    const repository = await randomRepository(11, 10);
    const log = await imported(repository);
    repository.git(['config', 'core.quotePath', 'false']);
    const again = async () => await importHistory(log, await openGitSource(repository.folder));
    expect(await again()).toEqual({ kind: 'complete', commits: 0, events: 1 });
    expect(await again()).toEqual({ kind: 'complete', commits: 0, events: 0 });
    const { quotePath } = await pathQuoting(log);
    expect(quotePath).toBe(false);
    await expectTreesOfGit(log, repository, { quotePath });
  });
});
