/** What git itself says about churn and authors, added up here from `git log` and `git diff-tree`. */
import type { AuthorCounts } from '../../examples/git-history/churn.ts';
import type { AuthorDocument, Counts, PathChurnDocument } from '../../examples/git-history/history-views.ts';
import type { GitRepository } from './git-repository.ts';

interface GitCommit {
  readonly id: string;
  readonly author: string;
  readonly authoredAt: number;
  readonly changes: readonly { readonly kind: 'added' | 'modified' | 'deleted'; readonly path: string }[];
}

const kinds: Readonly<Record<string, GitCommit['changes'][number]['kind']>> = {
  A: 'added',
  M: 'modified',
  T: 'modified',
  D: 'deleted',
};

/** The first-parent history, the oldest first. */
export function commitsOfGit(repository: GitRepository, revision = 'HEAD'): readonly GitCommit[] {
  const format = '--format=%H%x00%an <%ae>%x00%at';
  const log = ['log', '--first-parent', '--reverse', '--encoding=UTF-8', '--no-show-signature', '--no-patch'];
  const fields = repository
    .git([...log, '-z', format, revision, '--'])
    .toString('utf8')
    .split('\0');
  const commits: GitCommit[] = [];
  for (let index = 0; index + 2 < fields.length; index += 3) {
    const [id = '', author = '', seconds] = fields.slice(index, index + 3);
    const changes = changesOfGit(repository, id, commits.at(-1)?.id);
    commits.push({ id, author, authoredAt: Number(seconds) * 1_000, changes });
  }
  return commits;
}

function changesOfGit(repository: GitRepository, id: string, parent: string | undefined): GitCommit['changes'] {
  const trees = parent === undefined ? ['--root', id] : [parent, id];
  const options = ['-r', '-z', '--name-status', '--no-renames', '--no-commit-id', '--ignore-submodules=none'];
  const fields = repository
    .git(['diff-tree', ...options, ...trees])
    .toString('latin1')
    .split('\0');
  return fields.slice(0, -1).flatMap((status, index) => {
    const [kind, path] = [kinds[status], fields[index + 1]];
    if (index % 2 === 1) return [];
    if (kind === undefined || path === undefined) throw new Error(`git diff-tree said ${status}`);
    return [{ kind, path }];
  });
}

/** @param prefix of the path, as bytes. */
export function pathChurnOfGit(commits: readonly GitCommit[], prefix = ''): readonly PathChurnDocument[] {
  const counts = countedBy(commits, prefix, (_, path) => path);
  return [...counts].map(([path, counted]) => ({ path, ...counted })).sort(byName('path'));
}

export function authorChurnOfGit(commits: readonly GitCommit[], prefix = ''): readonly AuthorCounts[] {
  const counts = countedBy(commits, prefix, ({ author }) => author);
  return [...counts].map(([author, counted]) => ({ author, ...counted })).sort(byName('author'));
}

export function authorsOfGit(commits: readonly GitCommit[]): readonly AuthorDocument[] {
  return [...Map.groupBy(commits, ({ author }) => author)]
    .map(([author, own]) => ({
      author,
      commits: own.length,
      changes: own.reduce((sum, { changes }) => sum + changes.length, 0),
      first: markOf(own.at(0)),
      last: markOf(own.at(-1)),
    }))
    .sort(byName('author'));
}

function markOf(commit: GitCommit | undefined): AuthorDocument['first'] {
  return commit === undefined ? null : { commit: commit.id, authoredAt: commit.authoredAt };
}

function countedBy(
  commits: readonly GitCommit[],
  prefix: string,
  keyOf: (commit: GitCommit, path: string) => string,
): ReadonlyMap<string, Counts> {
  const counts = new Map<string, Counts>();
  for (const commit of commits) {
    for (const { kind, path } of commit.changes) {
      if (!path.startsWith(prefix)) continue;
      const key = keyOf(commit, path);
      const before = counts.get(key) ?? { changes: 0, added: 0, modified: 0, deleted: 0 };
      counts.set(key, { ...before, changes: before.changes + 1, [kind]: before[kind] + 1 });
    }
  }
  return counts;
}

/** Orders rows by what they are about, to compare them whatever the order they come in. */
export function byName<Name extends string>(name: Name): (a: Record<Name, string>, b: Record<Name, string>) => number {
  return (a, b) => (a[name] < b[name] ? -1 : Number(a[name] > b[name]));
}
