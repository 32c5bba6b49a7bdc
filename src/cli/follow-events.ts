/** Printing events as they come: for `tail` and for `read --follow`. */
import type { EventLog } from '../store/log.ts';
import type { Position, ReadQuery } from '../store/port.ts';
import { eventTable } from './event-table.ts';
import type { Session } from './session.ts';

/** What is followed: without an end, and from its own beginning on. */
export type FollowedQuery = Pick<ReadQuery, 'stream' | 'match' | 'after' | 'recordedFrom'>;

/** Ends by Ctrl-C, which is how it is meant to end, or with the last event that was asked for. */
export async function followEvents(
  { terminal, signal }: Session,
  log: EventLog,
  { stream, match, after = 0, recordedFrom }: FollowedQuery,
  limit: number,
): Promise<void> {
  const table = eventTable(terminal);
  let left = limit;
  try {
    const start = Math.max(after, recordedFrom === undefined ? 0 : await lastBefore(log, recordedFrom));
    if (left <= 0) return;
    for await (const { events } of log.subscribe({ stream, match, after: start }, signal)) {
      await table.print(events.slice(0, left));
      left -= events.length;
      if (left <= 0) return;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The last position that was recorded earlier: time never runs backwards along positions. */
async function lastBefore(log: EventLog, recordedFrom: number): Promise<Position> {
  for await (const [first] of log.read({ recordedFrom, limit: 1 })) if (first !== undefined) return first.position - 1;
  return (await log.head()).position;
}
