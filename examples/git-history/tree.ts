import { openEngine } from 'eventsrc';
import type { RecordedEvent } from 'eventsrc';
import type { ByteString } from './byte-string.ts';
import { commitStream, isHistoryEvent, lastRecordedCommit } from './events.ts';
import type { CommitRecorded, HistoryLog } from './events.ts';
import { Failure } from './failure.ts';
import { pathFromData } from './path-names.ts';

interface TreeEntry {
  /** Six octal digits, for example 100644. */
  readonly mode: string;
  readonly oid: string;
}

/** Every file of a commit by its path. */
export type Tree = Map<ByteString, TreeEntry>;

/**
 * The fold that turns a history into a tree. It changes the tree that it is given and returns it, as folds of one's own may: a copy
 * for each event would make a long history quadratic.
 */
export const treeFold = {
  initial: (): Tree => new Map(),
  evolve: (tree: Tree, event: RecordedEvent): Tree => {
    if (!isHistoryEvent(event)) return tree;
    switch (event.type) {
      case 'FileAdded':
      case 'FileModified':
        return tree.set(pathFromData(event.data), { mode: event.data.mode, oid: event.data.oid });
      case 'FileDeleted':
        tree.delete(pathFromData(event.data));
        return tree;
      default:
        return tree;
    }
  },
};

/** The tree as of a commit: all that happened up to its event, which is the last of its append. */
export async function treeAt(log: HistoryLog, { position }: CommitRecorded): Promise<Tree> {
  await using engine = await openEngine({ store: log });
  const { state } = await engine.replay({ fold: treeFold }, { mode: 'time_travel', at: { position } }).run();
  return state;
}

export const abbreviationPattern = /^[0-9a-f]{4,64}$/i;

/**
 * The commit whose id begins with these digits.
 * @throws {Failure} if the store has none, or several.
 */
export async function findCommit(log: HistoryLog, abbreviation: string): Promise<CommitRecorded> {
  const [found, other] = await log.streams({ prefix: commitStream(abbreviation.toLowerCase()), limit: 2 });
  if (found === undefined) {
    throw new Failure(
      `The store has no commit ${abbreviation}.`,
      'Import the history that holds it, or check the id with `git log`.',
    );
  }
  if (other !== undefined) {
    throw new Failure(`Several commits begin with ${abbreviation}.`, 'Give more digits of its id.');
  }
  for await (const page of log.read({ stream: found.stream, limit: 1 })) {
    for (const event of page) if (event.type === 'CommitRecorded') return event;
  }
  throw new Failure(
    `${found.stream} does not begin with a commit.`,
    'Something other than this example wrote to the store; import into a new one.',
  );
}

/** The commit that was recorded last. @throws {Failure} if the store has none. */
export async function newestCommit(log: HistoryLog): Promise<CommitRecorded> {
  const newest = await lastRecordedCommit(log);
  if (newest !== undefined) return newest;
  throw new Failure('The store has no commits.', 'Import a history first.');
}
