/** What goes into the write side and what comes out: plain data, so that both can cross a wire. */
import type { EventSchemas, NewEvent, RecordedEvent } from '../event/codec.ts';
import type { EventMetadata } from '../event/event.ts';
import type { SchemaIssue } from '../event/standard-schema.ts';

declare const emitted: unique symbol;

/** What the types know of a command beyond its data: the events that it may lead to. Never there at run time. */
interface Emits<Events extends EventSchemas> {
  readonly [emitted]?: Events;
}

/** A wish to change one instance of an aggregate. Made by `aggregate.commands.<name>(id, input)`. */
export interface AggregateCommand<Events extends EventSchemas = EventSchemas, Input = unknown> extends Emits<Events> {
  readonly aggregate: string;
  readonly id: string;
  readonly command: string;
  readonly input: Input;
}

/** A wish that is decided upon whatever events its query matches. Made by calling a decision with its input. */
export interface DecisionCommand<Events extends EventSchemas = EventSchemas, Input = unknown> extends Emits<Events> {
  readonly decision: string;
  readonly input: Input;
}

export type Command<Events extends EventSchemas = EventSchemas> = AggregateCommand<Events> | DecisionCommand<Events>;

/** The events that a command, or any of several, may lead to. */
export type EmittedBy<C extends Command> = C extends Emits<infer Events> ? RecordedEvent<Events> : never;

/** A refusal that the domain foresees. Made by `reject`. */
export interface Rejection {
  readonly kind: 'rejected';
  readonly code: string;
  /** JSON. */
  readonly details?: unknown;
}

/**
 * Refuses a command, as data: what `decide` returns instead of events.
 * @param code for programs, for example `insufficient_funds`.
 * @param details for programs and people; JSON, as it is kept in the receipt.
 */
export function reject(code: string, details?: unknown): Rejection {
  return details === undefined ? { kind: 'rejected', code } : { kind: 'rejected', code, details };
}

/** What `decide` gets besides state and input: all that is not a function of them. */
export interface DecideContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly newId: () => string;
  /** What the command's events will carry. */
  readonly metadata: EventMetadata;
}

/** What an aggregate's `decide` gets. */
export interface AggregateDecideContext extends DecideContext {
  /** Of the instance: what its stream is named after. */
  readonly id: string;
}

/** What `decide` returns: no events leave everything as it is. */
export type Decided<Events extends EventSchemas> = Rejection | readonly NewEvent<Events>[];

/** It was done, or had been done before under the same key. */
export interface Accepted<Event = RecordedEvent> {
  readonly kind: 'accepted';
  /** In position order; none if nothing was to change. Decoded, or read again for a duplicate, when first asked for. */
  readonly events: readonly Event[];
  /** Of the last stream that it concerns: after its events, or unchanged. 0 where there is no stream. */
  readonly version: number;
  /** A view that has processed this position shows the effect. 0 in an empty store. */
  readonly position: number;
  /** Whether this is the kept receipt of an earlier command with the same idempotency key. */
  readonly duplicate: boolean;
}

/** Why a command was not done. */
export type NotAccepted =
  | {
      readonly kind: 'rejected';
      readonly code: string;
      readonly details?: unknown;
      readonly duplicate: boolean;
    }
  /** The input does not match its schema. */
  | { readonly kind: 'invalid'; readonly issues: readonly SchemaIssue[] }
  /**
   * Others were faster: always where an explicit `expectedVersion` is not met, else only when every attempt lost.
   * `stream` is absent where a decision's query, not a stream, was in contention; then `actual` is a position.
   */
  | { readonly kind: 'conflict'; readonly stream?: string; readonly actual: number };

/** What a command returns. All of it is data; errors are thrown only for what is no expected outcome. */
export type CommandReceipt<Event = RecordedEvent> = Accepted<Event> | NotAccepted;

/** What several commands together return: all were accepted, or the first that was not says why. */
export type BatchReceipt<Event = RecordedEvent> = Accepted<Event> | (NotAccepted & { readonly index: number });
