/** What the store holds: the events of a history, and how the log that keeps them is opened. */
import { openLog } from 'eventsrc';
import type { Backend, EventLog, NewEvent, RecordedEvent } from 'eventsrc';
import { commit, file } from './aggregates.ts';
import { settings } from './settings.ts';

const historyEvents = { ...file.events, ...commit.events, ...settings.events };

export type HistoryEvents = typeof historyEvents;
export type HistoryLog = EventLog<HistoryEvents>;
export type HistoryEvent = RecordedEvent<HistoryEvents>;
export type NewHistoryEvent = NewEvent<HistoryEvents>;
export type CommitRecorded = Extract<HistoryEvent, { readonly type: 'CommitRecorded' }>;

/** Whether an event is one of a history's; its data are then what the schemas have let in. */
export function isHistoryEvent(event: RecordedEvent): event is HistoryEvent {
  return Object.hasOwn(historyEvents, event.type);
}

export function commitStream(id: string): string {
  return commit.stream(id);
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
