/** What the store holds: the events of a history, and how the log that keeps them is opened. */
import { openLog, streamName } from 'eventsrc';
import type { Backend, EventLog, NewEvent, RecordedEvent } from 'eventsrc';
import { z } from 'zod';
import { settings } from './settings.ts';

const oid = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const mode = z.string().regex(/^[0-7]{6}$/);
/** See path-names.ts. */
const path = { path: z.string() };
const pathBase64 = { pathBase64: z.base64() };
const entry = z.union([z.strictObject({ ...path, mode, oid }), z.strictObject({ ...pathBase64, mode, oid })]);
const time = z.int().nullable();

const historyEvents = {
  // In the stream of a path.
  FileAdded: entry,
  FileModified: entry,
  FileDeleted: z.union([z.strictObject(path), z.strictObject(pathBase64)]),

  /** In the stream of a commit. It is the last event of its append: the tree as of its position is the commit's tree. */
  CommitRecorded: z.strictObject({
    commit: oid,
    parent: oid.nullable(),
    author: z.strictObject({ name: z.string(), email: z.string() }),
    subject: z.string(),
    /** Milliseconds since the epoch. */
    authoredAt: time,
    committedAt: time,
    /** How many paths the commit changed. */
    changes: z.int(),
  }),

  ...settings.events,
};

export type HistoryEvents = typeof historyEvents;
export type HistoryLog = EventLog<HistoryEvents>;
export type HistoryEvent = RecordedEvent<HistoryEvents>;
export type NewHistoryEvent = NewEvent<HistoryEvents>;
export type CommitRecorded = Extract<HistoryEvent, { readonly type: 'CommitRecorded' }>;

export function commitStream(id: string): string {
  return streamName('commit', id);
}

/** A commit is one append to a stream per path, so a large repository passes the limits that suit small aggregates. */
export function openHistory(store: Backend): Promise<HistoryLog> {
  const limits = {
    eventBytes: Infinity,
    eventsPerAppend: Infinity,
    eventsPerStream: Infinity,
    streams: Infinity,
  };
  return openLog({ store, events: historyEvents, limits });
}

/** The commit that was recorded last, or undefined in an empty store. */
export async function lastRecordedCommit(log: HistoryLog): Promise<CommitRecorded | undefined> {
  for await (const page of log.read({ match: [{ types: ['CommitRecorded'] }], backwards: true, limit: 1 })) {
    for (const event of page) if (event.type === 'CommitRecorded') return event;
  }
  return undefined;
}
