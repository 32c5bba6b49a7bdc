import type { Json } from './json.ts';
import type { Body } from './digests.ts';

/** An event as a backend takes it: what happened, in bytes. */
export interface Draft extends Body {
  /** 32 bytes, see `bodyDigest`. */
  readonly bodyDigest: Uint8Array;
}

/** An event that has happened, wherever it is kept: what stays the same when it moves. */
export interface PortableEvent extends Draft {
  readonly stream: string;
  /** Place in the stream, 1 for the first. */
  readonly version: number;
  /** Milliseconds since the epoch; never decreases along positions. */
  readonly recordedAt: number;
  /** 32 bytes, see `eventId`. May be computed when it is asked for. */
  readonly id: Uint8Array;
}

/** An event as a backend gives it. */
export interface Recorded extends PortableEvent {
  /** Place in the store, 1 for the first, without gaps. */
  readonly position: number;
}

/** How data and metadata become bytes: UTF-8 of JSON; metadata without keys is no bytes at all. */
export const jsonEncoding = 'json';

/** Ends a stream. Later appends must expect `'deleted'`. */
export const deletedType = '$deleted';
/** Stands for archived events. */
const compactedType = '$compacted';
/** Types of a saga's own events begin with this. */
const sagaTypePrefix = '$saga';
/** What an instance of a saga has come to. */
export const sagaStepType = '$saga_step';

/** What an event does to its stream. */
export type EventKind = 'created' | 'updated' | 'deleted' | 'compacted' | 'saga_step';

/** Derived, never stored. The first event of a stream is `created`; one that follows a tombstone is `updated`. */
export function eventKind(type: string, version: number): EventKind {
  if (type.startsWith('$')) {
    if (type === deletedType) return 'deleted';
    if (type === compactedType) return 'compacted';
    if (type.startsWith(sagaTypePrefix)) return 'saga_step';
  }
  return version === 1 ? 'created' : 'updated';
}

/** Where an event came from. All optional; further keys are yours. Not for personal data that must be erasable. */
export interface EventMetadata {
  /** The same for everything that one request set off. */
  readonly correlationId?: string;
  /** The id of the event or command that caused this one. */
  readonly causationId?: string;
  /** Who did it. */
  readonly actor?: string;
  readonly commandId?: string;
  /** W3C Trace Context. */
  readonly traceparent?: string;
  readonly [key: string]: Json | undefined;
}
