import { memory } from 'eventsrc';
import { expect, test } from 'vitest';
import { arraySource } from '../../examples/git-history/bundled-source.ts';
import { openHistory } from '../../examples/git-history/events.ts';
import type { HistoryLog } from '../../examples/git-history/events.ts';
import { formatTree } from '../../examples/git-history/format-tree.ts';
import type { Change } from '../../examples/git-history/history-source.ts';
import { importHistory } from '../../examples/git-history/import-history.ts';
import { findCommit, treeAt } from '../../examples/git-history/tree.ts';

const [first, second] = [`${'0'.repeat(39)}1`, `${'0'.repeat(39)}2`];
const oid = 'a'.repeat(40);

async function twoCommits(): Promise<HistoryLog> {
  const changes: readonly (readonly Change[])[] = [
    [
      { kind: 'added', path: 'b', mode: '100644', oid },
      { kind: 'added', path: 'a.c', mode: '120000', oid },
      { kind: 'added', path: 'a/c', mode: '160000', oid },
      { kind: 'added', path: '\xff', mode: '100755', oid },
    ],
    [{ kind: 'deleted', path: 'b' }],
  ];
  const header = { author: { name: '🍅'.repeat(200), email: '' }, subject: '', authoredAt: null, committedAt: null };
  const log = await openHistory(memory());
  await importHistory(
    log,
    arraySource(
      'test',
      changes.map((made, index) => ({
        ...header,
        id: index === 0 ? first : second,
        parent: index === 0 ? null : first,
        changes: made,
      })),
    ),
  );
  return log;
}

test('the tree of a commit holds what happened up to it, in the order of bytes', async () => {
  const log = await twoCommits();
  const print = async (id: string) =>
    Buffer.concat([...formatTree(await treeAt(log, await findCommit(log, id)), true)]).toString();
  const rest = `120000 blob ${oid}\ta.c\n160000 commit ${oid}\ta/c\n`;
  expect(await print(first)).toBe(`${rest}100644 blob ${oid}\tb\n100755 blob ${oid}\t"\\377"\n`);
  expect(await print(second)).toBe(`${rest}100755 blob ${oid}\t"\\377"\n`);
});

test('a commit is found by what its id begins with, if no other begins so', async () => {
  const log = await twoCommits();
  expect((await findCommit(log, second)).data.parent).toBe(first);
  await expect(findCommit(log, '0000')).rejects.toThrow('Several commits begin with 0000.');
  await expect(findCommit(log, '1234')).rejects.toThrow('The store has no commit 1234.');
});
