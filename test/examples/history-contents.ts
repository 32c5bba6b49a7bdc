import { memory } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { expect } from 'vitest';
import { openHistory } from '../../examples/git-history/events.ts';
import type { HistoryLog } from '../../examples/git-history/events.ts';
import { formatTree } from '../../examples/git-history/format-tree.ts';
import { openGitSource } from '../../examples/git-history/git-source.ts';
import { importHistory } from '../../examples/git-history/import-history.ts';
import { findCommit, treeAt } from '../../examples/git-history/tree.ts';
import type { GitRepository } from './git-repository.ts';

/** Everything in a store but the times: one line per event. */
export async function contentsOf(log: HistoryLog): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const page of log.read()) {
    for (const { position, stream, version, type, data, tags } of page) {
      lines.push(JSON.stringify({ position, stream, version, type, data, tags }));
    }
  }
  return lines;
}

export async function contentsOfFile(file: string): Promise<readonly string[]> {
  await using log = await openHistory(sqlite(file));
  return await contentsOf(log);
}

/** What a store holds after one undisturbed import. */
export async function undisturbedContents(repository: GitRepository): Promise<readonly string[]> {
  await using log = await openHistory(memory());
  await importHistory(log, await openGitSource(repository.folder));
  return await contentsOf(log);
}

/** For these commits, by default all, what the store makes of them is what git prints, byte for byte. */
export async function expectTreesOfGit(
  log: HistoryLog,
  repository: GitRepository,
  { commits = repository.firstParents(), quotePath = true }: { commits?: readonly string[]; quotePath?: boolean } = {},
): Promise<void> {
  for (const id of commits) {
    const tree = await treeAt(log, await findCommit(log, id));
    const printed = Buffer.concat([...formatTree(tree, quotePath)]);
    expect(printed.toString('latin1'), id).toBe(repository.lsTree(id).toString('latin1'));
  }
}
