import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openGitSource } from '../../examples/git-history/git-source.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { GitRepository, hasGit } from './git-repository.ts';
import { oddHistory } from './odd-history.ts';

async function repositoryOf(commits: number): Promise<GitRepository> {
  const repository = await GitRepository.create();
  oddHistory(1, commits).writeTo(repository);
  return repository;
}

describe.skipIf(!hasGit)('a git repository as a source (skipped without git)', () => {
  test('tells of author, times and subject, in whatever encoding', async () => {
    const repository = await GitRepository.create();
    repository.git(['config', 'i18n.commitEncoding', 'ISO-8859-1']);
    const tree = repository.git(['hash-object', '-t', 'tree', '-w', '/dev/null']).toString().trim();
    const header = `tree ${tree}\nauthor Zo\xeb  <z@example.org> 1600000000 +0100\ncommitter B <> 99999999999999999 -0000\n`;
    const text = `${header}encoding ISO-8859-1\n\nTwo\nlines of \xfcbel\r\n\nbody\n`;
    const id = repository.git(
      ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'],
      Buffer.from(text, 'latin1'),
    );
    repository.git(['update-ref', 'refs/heads/main', id.toString().trim()]);
    const [commit] = await Array.fromAsync((await openGitSource(repository.folder)).commits(null));
    expect(commit).toMatchObject({ parent: null, author: { name: 'Zoë', email: 'z@example.org' }, changes: [] });
    expect(commit).toMatchObject({ authoredAt: 1_600_000_000_000, committedAt: null });
    expect(commit?.subject).toMatch(/^Two lines of übel/);
  });

  test('counts what follows a commit', async () => {
    const repository = await repositoryOf(10);
    const source = await openGitSource(repository.folder);
    const ids = repository.firstParents();
    expect(await source.countAfter(null)).toBe(10);
    expect(await source.countAfter(ids[3] ?? '')).toBe(6);
    expect(await source.countAfter(source.tip)).toBe(0);
    expect(await source.countAfter('1'.repeat(40))).toBeUndefined();
    expect((await Array.fromAsync(source.commits(ids[3] ?? ''))).map(({ id }) => id)).toEqual(ids.slice(4));
  });

  test('ends without an error when aborted, and leaves no git behind', async () => {
    const source = await openGitSource((await repositoryOf(200)).folder);
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const { id } of source.commits(null, stop.signal)) {
      seen.push(id);
      stop.abort();
    }
    expect(seen.length).toBeLessThan(200);
    expect(await Array.fromAsync(source.commits(null, stop.signal))).toEqual([]);
  });

  test('fails, and yields no half of a commit, where an object is missing', async () => {
    const repository = await GitRepository.create();
    for (const name of ['one', 'two', 'three']) {
      writeFileSync(join(repository.folder, name), name);
      repository.git(['add', name]);
      repository.commit(name);
    }
    const tree = repository.text('rev-parse', 'HEAD~1^{tree}');
    rmSync(join(repository.folder, '.git/objects', tree.slice(0, 2), tree.slice(2)));
    const source = await openGitSource(repository.folder);
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { changes } of source.commits(null)) seen.push(changes.length);
    })();
    await expect(reading).rejects.toThrow('git diff-tree failed: ');
    expect(seen).toEqual([]);
  });

  test.each([
    ['a folder that is no repository', temporaryFolder, 'is not a git repository.'],
    ['a repository without commits', async () => (await GitRepository.create()).folder, 'has no commit yet at HEAD.'],
    ['a folder that is not there', async () => '/not/there', 'is not a folder.'],
  ])('is refused if it is %s', async (_, folder, message) => {
    await expect(openGitSource(await folder())).rejects.toThrow(message);
  });

  test.each([
    ['nonsense', 'has no revision "nonsense"'],
    ['--all', 'has no revision "--all"'],
    ['^HEAD', 'has no revision "^HEAD"'],
    ['HEAD..HEAD', 'has no revision "HEAD..HEAD"'],
    ['HEAD@{99}', 'has no revision "HEAD@{99}"'],
    ['HEAD^{tree}', 'HEAD^{tree} is not a commit'],
  ])('is refused if the revision is %s', async (revision, message) => {
    const { folder } = await repositoryOf(1);
    await expect(openGitSource(folder, revision)).rejects.toThrow(message);
  });
});
