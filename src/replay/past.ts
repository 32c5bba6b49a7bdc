import type { AnyAggregate, InferState } from '../command/aggregate.ts';
import type { EventSchemas, NewEvent } from '../event/codec.ts';
import type { FieldChange } from '../event/differences.ts';
import type { EngineError } from '../ground/errors.ts';
import type { AnyProjection, InferDocument, InferProjected, Projection } from '../projection/projection.ts';
import type { Moment } from '../store/moment.ts';
import type { Position } from '../store/port.ts';
import type { PastView, PastViewOptions } from './past-view.ts';
import type { DocumentSubject, EventOfAggregate, InstanceSubject, ProjectionSubject } from './subject.ts';

/** An event of an instance, and what it changed. */
export interface HistoryStep<State, Event> {
  readonly event: Event;
  readonly before: State;
  readonly after: State;
  /** By field; none where it changed nothing. */
  readonly changes: readonly FieldChange[];
}

export interface HistoryOptions {
  /** Only what happened after this moment. Default: from the first event on. */
  readonly from?: Moment;
  /** Only what had happened by then. Default: now. */
  readonly to?: Moment;
  readonly signal?: AbortSignal;
}

export interface DiffOptions {
  readonly from: Moment;
  /** Not before `from`. Default: now. */
  readonly to?: Moment;
  readonly signal?: AbortSignal;
}

/** What became of something between two moments. */
export interface Diff<Value, Event> {
  readonly before: Value;
  readonly after: Value;
  /** The fields in which the two differ. */
  readonly changes: readonly FieldChange[];
  /** The events between that changed something, each with its own changes: some may undo what others did. */
  readonly events: readonly { readonly event: Event; readonly changes: readonly FieldChange[] }[];
}

export interface WhyOptions {
  /** As of when. Default: now. */
  readonly at?: Moment;
  readonly signal?: AbortSignal;
}

/** The event that last changed a field. */
export interface Cause<Event> {
  readonly event: Event;
  /** What the field was, and became; undefined where it was not there, or is not. */
  readonly before: unknown;
  readonly after: unknown;
  /** What the event changed of the field, its parts, and what holds it. */
  readonly changes: readonly FieldChange[];
}

/** Of all that a projection is from. */
type SchemasOf<P extends AnyProjection> =
  P extends Projection<string, infer _Document, infer From> ? From[number]['events'] : EventSchemas;

/** An event that is left out; `version` only of one instance. */
export type EventPick = { readonly version: number } | { readonly position: Position } | { readonly id: string };

/**
 * An event that did not happen, checked by the schema of its type. Its version and kind are as if history had been so, and those of all
 * later events of its stream too; its position and its time are those of the event that it follows. Several that follow the same one come
 * in the order in which they are given.
 */
export type AddedEvent<Schemas extends EventSchemas = EventSchemas> = NewEvent<Schemas> & {
  /** It follows all that had happened by then: not after `at`. Default: the end. */
  readonly after?: Moment;
};

/** An event that did not happen, in one of the streams that a projection is from. */
export type AddedToStream<Schemas extends EventSchemas = EventSchemas> = Schemas extends unknown
  ? AddedEvent<Schemas> & {
      /** For example `account.stream(id)`. */
      readonly stream: string;
    }
  : never;

export interface WhatIfOptions {
  /** As of when. Default: now. */
  readonly at?: Moment;
  /** Events that are left out. Those that follow in the stream move up: their versions are as if history had been so. */
  readonly without?: readonly EventPick[];
  readonly signal?: AbortSignal;
}

export interface InstanceWhatIf<A extends AnyAggregate = AnyAggregate> extends WhatIfOptions {
  /** Another definition of the same name, to fold by. */
  readonly aggregate?: A;
  readonly add?: readonly AddedEvent<A['events']>[];
}

export interface ProjectionWhatIf<P extends AnyProjection = AnyProjection> extends WhatIfOptions {
  /** Another definition of the same name, to fold by. */
  readonly projection?: P;
  readonly add?: readonly AddedToStream<SchemasOf<P>>[];
}

/** The event at which what is and what would be part. */
export interface Parting<Event> {
  /** As it would be; as it is, where it is left out. */
  readonly event: Event;
  readonly kind: 'happened' | 'left_out' | 'added';
  /** In what it led to: as it is, and as it would be. */
  readonly changes: readonly FieldChange[];
}

/** How many events were folded. */
export interface EventCounts {
  readonly actual: number;
  readonly hypothetical: number;
}

/** What is, and what would be. */
export interface WhatIf<Value, Event, Other = Value> {
  readonly actual: Value;
  readonly hypothetical: Other;
  /** `before`: as it is; `after`: as it would be. */
  readonly changes: readonly FieldChange[];
  /** Absent where the two never differ, also not for a while. */
  readonly firstDifference?: Parting<Event>;
  /** Why what is cannot be folded any further, if it cannot: `actual` is as it was before the event that it names. */
  readonly actualFailure?: EngineError;
  readonly events: EventCounts;
}

/** A document that would be another one; undefined where there is none. */
export interface DocumentWhatIf<Document, Other = Document> {
  readonly key: string;
  readonly actual: Document | undefined;
  readonly hypothetical: Other | undefined;
  readonly changes: readonly FieldChange[];
}

/** What documents are, and would be. */
export interface DocumentsWhatIf<Document, Event, Other = Document> {
  /** Documents of either. */
  readonly compared: number;
  readonly differing: number;
  /** The first 100 of them, by key. */
  readonly differences: readonly DocumentWhatIf<Document, Other>[];
  /** With the key of the document in which they part. */
  readonly firstDifference?: Parting<Event> & { readonly key: string };
  /** Why what is cannot be folded any further, if it cannot: it is compared as it was before the event that it names. */
  readonly actualFailure?: EngineError;
  readonly events: EventCounts;
}

/** Looks into what happened: what changed, when, why, and what else could have come of it. Nothing is written. `engine.past` */
export interface Past {
  /**
   * What happened to an instance, event by event, with what each changed.
   * @throws {EngineError} `option_invalid`, `name_invalid`, `evolve_failed`, `event_unhandled`; the signal's reason, when aborted.
   */
  history<A extends AnyAggregate>(
    aggregate: A,
    id: string,
    options?: HistoryOptions,
  ): AsyncIterable<HistoryStep<InferState<A>, EventOfAggregate<A>>>;

  /** What became of an instance or a document between two moments. @throws as `history`, and `fold_failed`. */
  diff<A extends AnyAggregate>(
    subject: InstanceSubject<A>,
    options: DiffOptions,
  ): Promise<Diff<InferState<A>, EventOfAggregate<A>>>;
  diff<P extends AnyProjection>(
    subject: DocumentSubject<P>,
    options: DiffOptions,
  ): Promise<Diff<InferDocument<P> | undefined, InferProjected<P>>>;

  /**
   * The event that last changed a field, a part of it, or what holds it; undefined where none ever did.
   * @param field for example `items[3].price`; empty: the whole.
   * @throws as `diff`.
   */
  why<A extends AnyAggregate>(
    subject: InstanceSubject<A>,
    field: string,
    options?: WhyOptions,
  ): Promise<Cause<EventOfAggregate<A>> | undefined>;
  why<P extends AnyProjection>(
    subject: DocumentSubject<P>,
    field: string,
    options?: WhyOptions,
  ): Promise<Cause<InferProjected<P>> | undefined>;

  /**
   * What would be, had events not happened, others happened besides, or were they folded in another way. Where what is cannot be folded,
   * but what would be can, it says so in `actualFailure`.
   * @throws as `diff`, for what would be, and `event_invalid`, `event_type_unknown`, `data_unfaithful`, `limit_exceeded` for an event that is added.
   */
  whatIf<A extends AnyAggregate, Other extends AnyAggregate = A>(
    subject: InstanceSubject<A>,
    options: InstanceWhatIf<Other>,
  ): Promise<WhatIf<InferState<A>, EventOfAggregate<A> | EventOfAggregate<Other>, InferState<Other>>>;
  whatIf<P extends AnyProjection, Other extends AnyProjection = P>(
    subject: DocumentSubject<P>,
    options: ProjectionWhatIf<Other>,
  ): Promise<
    WhatIf<InferDocument<P> | undefined, InferProjected<P> | InferProjected<Other>, InferDocument<Other> | undefined>
  >;
  whatIf<P extends AnyProjection, Other extends AnyProjection = P>(
    subject: ProjectionSubject<P>,
    options: ProjectionWhatIf<Other>,
  ): Promise<DocumentsWhatIf<InferDocument<P>, InferProjected<P> | InferProjected<Other>, InferDocument<Other>>>;

  /**
   * The documents of a projection as they were, to be queried as any view's. They are folded anew, so it need not be one that this
   * engine runs, and what others keep of it is not looked at.
   * @throws {EngineError} `option_invalid`, `fold_failed`; the signal's reason, when aborted.
   */
  view<P extends AnyProjection>(
    projection: P,
    at: Moment,
    options?: PastViewOptions,
  ): Promise<PastView<InferDocument<P>>>;
}
