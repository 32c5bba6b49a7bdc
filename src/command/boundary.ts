/** What a command is decided upon, and what guards it: one fold over a stream, or over the events of a query. */
import type { PastEvent } from '../event/codec.ts';
import { checkEventQuery, matches } from '../event/query.ts';
import type { EventQuery } from '../event/query.ts';
import type { StreamFold } from '../snapshot/snapshot.ts';
import type { ExpectedVersion, Position, ReadQuery } from '../store/port.ts';
import type { AnyDecision } from './decision.ts';

export interface StreamBoundary {
  readonly kind: 'stream';
  readonly key: string;
  readonly stream: string;
  readonly fold: StreamFold;
}

export interface QueryBoundary {
  readonly kind: 'query';
  readonly key: string;
  readonly query: EventQuery;
  readonly fold: AnyDecision;
}

export type Boundary = StreamBoundary | QueryBoundary;

/** How far a fold has come. */
export interface Folded {
  readonly state: unknown;
  /** Of the stream's last event; 0 where there is none, or no stream. */
  readonly version: number;
  /** Of the last event that it has taken in; 0 before the first. */
  readonly position: Position;
  /** Whether the stream ends with a tombstone. */
  readonly deleted: boolean;
}

/** The state of an aggregate at a moment. */
export interface LoadedState<State> {
  /** Not to be changed: it may be shared. */
  readonly state: State;
  /** Of the stream's last event until then; 0 if there was none. */
  readonly version: number;
  /** Of that event; 0 if there was none. */
  readonly position: Position;
  /** Whether that event is a tombstone; then the state is the initial one. */
  readonly deleted: boolean;
}

export function streamBoundary(fold: StreamFold, stream: string): StreamBoundary {
  return { kind: 'stream', key: stream, stream, fold };
}

/** @throws {EngineError} `request_invalid` for what is no query. */
export function queryBoundary(fold: AnyDecision, given: EventQuery): QueryBoundary {
  const query = checkEventQuery(given);
  // No stream's name begins with a question mark.
  return { kind: 'query', key: `?${fold.name} ${JSON.stringify(query)}`, query, fold };
}

/** The events that a boundary has not taken in yet. */
export function unread(boundary: Boundary, { version, position }: Folded): ReadQuery {
  return boundary.kind === 'stream'
    ? { stream: boundary.stream, afterVersion: version }
    : { match: boundary.query, after: position };
}

/** Whether what an event is read as is what was asked for: it may be of another type than the one that was found. */
export function concerns(boundary: Boundary, event: PastEvent & { readonly recordedAs?: unknown }): boolean {
  return event.recordedAs === undefined || boundary.kind === 'stream' || matches(boundary.query, event);
}

export function covers(boundary: Boundary, event: PastEvent): boolean {
  return boundary.kind === 'stream' ? event.stream === boundary.stream : matches(boundary.query, event);
}

/** The stream as it must still be, for the append to be made. */
export function expectedOf({ version, deleted }: Folded): ExpectedVersion {
  return deleted ? 'deleted' : version;
}

/**
 * Keys such that those who share one wait for each other, so that this process does not conflict with itself: the
 * stream; or what an item of the query is about, its tags, and without tags its types.
 */
export function queueKeys(boundary: Boundary): readonly string[] {
  if (boundary.kind === 'stream') return [boundary.stream];
  return boundary.query.flatMap(({ types = [], tags = [] }) =>
    tags.length > 0 ? [`#${tags.join('\n')}`] : types.map((type) => `:${type}`),
  );
}
