import { sqlite } from 'eventsrc/sqlite';
import { openHistory } from '../events.ts';
import type { HistoryLog } from '../events.ts';
import { bad, chapter, good } from '../../narrator.ts';

/** Two writers append to the same stream, both expecting the version that both have seen. */
export async function showRace(file: string): Promise<void> {
  await using ann = await openHistory(sqlite(file));
  await using ben = await openHistory(sqlite(file));
  const stream = await anyFileStream(ann);
  const [head] = await ann.heads([stream]);
  const seen = head?.version ?? 0;

  chapter(
    'A race',
    `Ann and Ben both have ${stream} open at version ${seen}. Both append what they take to be version ${seen + 1}.`,
  );
  await Promise.all([append('Ann', ann, stream, seen), append('Ben', ben, stream, seen)]);
}

async function append(name: string, log: HistoryLog, stream: string, expected: number): Promise<void> {
  const data = { path: `written by ${name}`, mode: '100644', oid: '0'.repeat(40) };
  const result = await log.append([{ stream, expected, events: [{ type: 'FileModified', data }] }]);
  if (result.kind === 'appended') good(`${name}: appended, version ${result.events[0]?.version}`);
  else if (result.kind === 'version_conflict') {
    bad(
      `${name}: ${result.kind}, expected ${result.expected}, actual ${result.actual}; told so, to reload and decide anew: nothing was overwritten`,
    );
  } else bad(`${name}: ${result.kind}`);
}

async function anyFileStream(log: HistoryLog): Promise<string> {
  const [readme] = await log.streams({ prefix: 'file-README', limit: 1 });
  const [first] = await log.streams({ prefix: 'file-', limit: 1 });
  return (readme ?? first)?.stream ?? 'file-README.md';
}
