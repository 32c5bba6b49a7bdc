import type { ByteString } from '../byte-string.ts';
import { toText } from '../byte-string.ts';
import type { CommitRecorded, HistoryLog } from '../events.ts';
import { printable, printableDate } from '../printable.ts';
import { quotePath } from '../quote-path.ts';
import { treeAt } from '../tree.ts';
import type { Tree } from '../tree.ts';
import { chapter, count, faint, few, line, strong } from '../../narrator.ts';

/** Travels to a commit a third of the way in, and to the last. */
export async function showMoments(log: HistoryLog): Promise<void> {
  chapter(
    'Two moments',
    'Neither tree was stored. Each is a fold of the log up to its commit: the same code for any moment of the past.',
  );
  const commits = await recordedCommits(log);
  const [early, late] = [commits[Math.floor(commits.length / 3)], commits.at(-1)];
  if (early === undefined || late === undefined) return;
  const before = await showMoment(log, early);
  const after = await showMoment(log, late);
  showDifference(before, after);
}

/** All of them, the oldest first. */
export async function recordedCommits(log: HistoryLog): Promise<readonly CommitRecorded[]> {
  const commits: CommitRecorded[] = [];
  for await (const page of log.read({ match: [{ types: ['CommitRecorded'] }] })) {
    for (const event of page) if (event.type === 'CommitRecorded') commits.push(event);
  }
  return commits;
}

async function showMoment(log: HistoryLog, commit: CommitRecorded): Promise<Tree> {
  const tree = await treeAt(log, commit);
  const { commit: id, subject, committedAt } = commit.data;
  line(`${strong(id.slice(0, 10))} ${printableDate(committedAt)} ${faint(`“${printable(subject)}”`)}`);
  line(
    `  as of event ${commit.position.toLocaleString('en')}: ${count(tree.size, 'file')}, ${few(names([...tree.keys()]))}`,
  );
  return tree;
}

function showDifference(before: Tree, after: Tree): void {
  const added = [...after.keys()].filter((path) => !before.has(path));
  const deleted = [...before.keys()].filter((path) => !after.has(path));
  const changed = [...after].flatMap(([path, { mode, oid }]) => {
    const old = before.get(path);
    return old === undefined || (old.mode === mode && old.oid === oid) ? [] : [path];
  });
  line('From the one to the other:');
  for (const [what, paths] of Object.entries({ added, changed, deleted })) {
    if (paths.length > 0) line(`  ${paths.length.toLocaleString('en')} ${what}: ${few(names(paths))}`);
  }
}

/** Names with control characters escaped, and in full if they are not valid UTF-8. */
function names(paths: readonly ByteString[]): readonly string[] {
  return paths.toSorted().map((path) => toText(quotePath(path, false)) ?? quotePath(path, true));
}
