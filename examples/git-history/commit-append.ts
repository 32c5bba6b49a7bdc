/** A commit as one atomic append. Pure: what it is appended after is given. */
import type { AppendOptions, Write } from 'eventsrc';
import { commitStream } from './events.ts';
import type { HistoryEvents, NewHistoryEvent } from './events.ts';
import type { Change, Commit } from './history-source.ts';
import { fileStream, pathToData } from './path-names.ts';

/** Where a history ends in the store, or will end once the appends in flight are done. */
export interface HistoryEnd {
  /** The last commit; null before the first. */
  readonly commit: string | null;
  /** The position of its event; 0 before the first. */
  readonly position: number;
}

/** A change and the stream that it goes to. */
export interface PlacedChange {
  readonly change: Change;
  readonly stream: string;
}

export function placeChanges({ changes }: Commit): readonly PlacedChange[] {
  return changes.map((change) => ({ change, stream: fileStream(change.path) }));
}

/** @param takeVersion the version of a stream, to which one event is now appended. */
export function commitWrites(
  commit: Commit,
  changes: readonly PlacedChange[],
  takeVersion: (stream: string) => number,
): readonly Write<HistoryEvents>[] {
  const tags = [`commit:${commit.id}`];
  const metadata = { actor: actorOf(commit.author) };
  const files = changes.map(({ change, stream }) => ({
    stream,
    expected: takeVersion(stream),
    events: [{ ...fileEvent(change), tags, metadata }],
  }));
  return [
    ...files,
    { stream: commitStream(commit.id), expected: 'no_stream', events: [{ ...commitEvent(commit), tags, metadata }] },
  ];
}

/** Who it was, in full; as git has it, there is no `<` in a name. */
function actorOf({ name, email }: Commit['author']): string {
  return `${name} <${email}>`;
}

function fileEvent(change: Change): NewHistoryEvent {
  const path = pathToData(change.path);
  if (change.kind === 'deleted') return { type: 'FileDeleted', data: path };
  const { mode, oid } = change;
  return { type: change.kind === 'added' ? 'FileAdded' : 'FileModified', data: { ...path, mode, oid } };
}

function commitEvent({ id, parent, author, subject, authoredAt, committedAt, changes }: Commit): NewHistoryEvent {
  return {
    type: 'CommitRecorded',
    data: {
      commit: id,
      parent,
      author: { name: shorten(author.name), email: shorten(author.email) },
      subject: shorten(subject),
      authoredAt,
      committedAt,
      changes: changes.length,
    },
  };
}

/** At most 200 characters, none of them half an emoji. */
function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 199).replace(/[\ud800-\udbff]$/, '')}…`;
}

/**
 * What must hold for a commit to be recorded after `end`, so that a history stays one line whoever else imports:
 * - its own stream does not exist (`commitWrites`): no commit is recorded twice.
 * - its predecessor is recorded (the check): commits are sent without waiting for the one before, and if that one is
 *   refused then so are all that follow it.
 * - no other commit follows its predecessor (the condition): the two above would let an import of another branch
 *   record its own successor of the same commit. The predecessor's position is a prediction while it is in flight. It can only be
 *   too low, when someone else appends in between; then the condition meets the predecessor itself, which is refused
 *   without need and sent again, but never accepted wrongly.
 */
export function appendAfter(end: HistoryEnd): AppendOptions {
  return {
    checks: end.commit === null ? [] : [{ stream: commitStream(end.commit), expected: 1 }],
    conditions: [{ failIfMatch: [{ types: ['CommitRecorded'] }], after: end.position }],
  };
}
