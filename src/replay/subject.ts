/** What can be replayed, what is seen of it event by event, and what it comes to. */
import type { AnyAggregate, InferState } from '../command/aggregate.ts';
import type { LoadedState } from '../command/boundary.ts';
import type { RecordedEvent } from '../event/codec.ts';
import type { AnyProjection, InferDocument, InferProjected } from '../projection/projection.ts';
import type { Position, ReadQuery } from '../store/port.ts';

/** One instance of an aggregate. */
export interface InstanceSubject<A extends AnyAggregate = AnyAggregate> {
  readonly aggregate: A;
  readonly id: string;
}

/** All instances of an aggregate; their states are held in memory. */
export interface AggregateSubject<A extends AnyAggregate = AnyAggregate> {
  readonly aggregate: A;
}

/** All documents of a projection, held in memory, whether the engine runs it or not. */
export interface ProjectionSubject<P extends AnyProjection = AnyProjection> {
  readonly projection: P;
}

/** One document of a projection. */
export interface DocumentSubject<P extends AnyProjection = AnyProjection> {
  readonly projection: P;
  readonly key: string;
}

/** Which events a fold of one's own, or a replay of nothing but events, is about. */
export type EventRange = Pick<
  ReadQuery,
  'stream' | 'match' | 'after' | 'until' | 'afterVersion' | 'untilVersion' | 'recordedFrom' | 'recordedUntil'
>;

/** A fold of one's own, over all events or those that a query finds. */
export interface FoldSubject<State = unknown> {
  readonly fold: {
    /** Called whenever it begins, also after a jump backwards. */
    readonly initial: () => State;
    /** May change the state that it is given, and return it: nobody else holds on to it. */
    readonly evolve: (state: State, event: RecordedEvent) => State;
  };
  /** Default: all events. */
  readonly query?: EventRange;
}

/** Nothing but events: all, or those that a query finds. */
export interface EventsSubject {
  readonly query?: EventRange;
}

export type Subject =
  | InstanceSubject
  | AggregateSubject
  | ProjectionSubject
  | DocumentSubject
  | FoldSubject
  | EventsSubject;

/** An event, and what it did to the state of its stream. */
export interface StateFrame<State, Event = RecordedEvent> {
  readonly event: Event;
  readonly before: State;
  /** After it. Not to be changed. */
  readonly state: State;
  /** Whether it is a tombstone; then the state is the initial one. */
  readonly deleted: boolean;
}

/** A document before and after an event; undefined where there is none. */
export interface DocumentChange<Document> {
  readonly key: string;
  readonly before: Document | undefined;
  readonly after: Document | undefined;
}

/** An event, and the documents that it concerned. */
export interface DocumentsFrame<Document, Event = RecordedEvent> {
  readonly event: Event;
  readonly documents: readonly DocumentChange<Document>[];
}

/** An event that concerned the document. */
export interface DocumentFrame<Document, Event = RecordedEvent> {
  readonly event: Event;
  readonly before: Document | undefined;
  /** After it; undefined where there is none. Not to be changed. */
  readonly document: Document | undefined;
}

/** An event, and the state of one's own fold after it: the same object each time, if the fold changes it. */
export interface FoldFrame<State> {
  readonly event: RecordedEvent;
  readonly state: State;
}

export interface EventFrame {
  readonly event: RecordedEvent;
}

/** How far a replay came. */
export interface Replayed {
  /** Of the last event that was folded; 0 if there was none. */
  readonly position: Position;
  /** How many were folded. */
  readonly events: number;
}

export interface ReplayedState<State> extends LoadedState<State>, Replayed {}

export interface ReplayedStates<State> extends Replayed {
  /** By stream, of all that have events. */
  readonly states: ReadonlyMap<string, LoadedState<State>>;
}

export interface ReplayedDocuments<Document> extends Replayed {
  /** By key. */
  readonly documents: ReadonlyMap<string, Document>;
}

export interface ReplayedDocument<Document> extends Replayed {
  readonly document: Document | undefined;
}

export interface ReplayedFold<State> extends Replayed {
  readonly state: State;
}

/** An event of an aggregate, as it was recorded. */
export type EventOfAggregate<A extends AnyAggregate> = RecordedEvent<A['events']>;

/** What a replay of one instance yields. */
export type InstanceFrame<A extends AnyAggregate> = StateFrame<InferState<A>, EventOfAggregate<A>>;

/** What a replay of a projection yields. */
export type ProjectionFrame<P extends AnyProjection> = DocumentsFrame<InferDocument<P>, InferProjected<P>>;
