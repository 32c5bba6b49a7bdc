import type { AnyAggregate, InferState } from '../command/aggregate.ts';
import type { AnyProjection, InferDocument, InferProjected } from '../projection/projection.ts';
import type { Moment } from '../store/moment.ts';
import type { InstanceReplayOptions, ReplayOptions, ReplayProgress, ReplaySpeed } from './options.ts';
import type {
  AggregateSubject,
  DocumentFrame,
  DocumentSubject,
  EventFrame,
  EventOfAggregate,
  EventsSubject,
  FoldFrame,
  FoldSubject,
  InstanceFrame,
  InstanceSubject,
  ProjectionFrame,
  ProjectionSubject,
  Replayed,
  ReplayedDocument,
  ReplayedDocuments,
  ReplayedFold,
  ReplayedState,
  ReplayedStates,
} from './subject.ts';

/**
 * A replay of what happened, up to where the store stood when it began: `for await (const frame of replay)`, event by event, at a
 * pace, or `run()`, all at once. It is gone through once; each replay of the same part of history gives the same.
 */
export interface Replay<Frame, Result> extends AsyncIterable<Frame> {
  /**
   * One frame after another, each when it is due. Due times are counted from where it began, so a loop that is slow is caught up
   * with. Paused behind the last frame it does not end: it can still be moved backwards.
   * @throws {EngineError} `evolve_failed`, `event_unhandled`, `fold_failed` where an event cannot be folded; `store_corrupt`,
   * `store_closed`, `engine_closed`; the signal's reason, when aborted.
   */
  [Symbol.asyncIterator](): AsyncIterator<Frame, void, void>;
  /**
   * Folds all there is as fast as it goes, without frames.
   * @throws {EngineError} `option_invalid` for a replay with a pace; as the iterator.
   */
  run(): Promise<Result>;
  /** Holds the frames back, whatever is being waited for. */
  pause(): void;
  /** Goes on as if no time had passed meanwhile. */
  resume(): void;
  /** Pauses, and lets so many frames through, at once. @param count at least 1, the default. @throws {EngineError} `option_invalid` */
  step(count?: number): void;
  /**
   * Moves to a moment, forwards or backwards, without frames; the next frame is the first event behind it, and comes at once, or,
   * while paused, with `resume` or `step`.
   * @throws {EngineError} `option_invalid`
   */
  seek(to: Moment): void;
  /** May be set under way. @throws {EngineError} `option_invalid`, `limit_exceeded` */
  speed: ReplaySpeed;
  readonly paused: boolean;
  readonly progress: ReplayProgress;
}

/** Begins a replay. `engine.replay` */
export interface StartReplay {
  /** One instance: states after each event. @throws {EngineError} `option_invalid`, `limit_exceeded`, `name_invalid` */
  <A extends AnyAggregate>(
    subject: InstanceSubject<A>,
    options?: InstanceReplayOptions<EventOfAggregate<A>>,
  ): Replay<InstanceFrame<A>, ReplayedState<InferState<A>>>;
  /** All instances of an aggregate. */
  <A extends AnyAggregate>(
    subject: AggregateSubject<A>,
    options?: ReplayOptions<EventOfAggregate<A>>,
  ): Replay<InstanceFrame<A>, ReplayedStates<InferState<A>>>;
  /** One document of a projection. */
  <P extends AnyProjection>(
    subject: DocumentSubject<P>,
    options?: ReplayOptions<InferProjected<P>>,
  ): Replay<DocumentFrame<InferDocument<P>, InferProjected<P>>, ReplayedDocument<InferDocument<P>>>;
  /** All documents of a projection. */
  <P extends AnyProjection>(
    subject: ProjectionSubject<P>,
    options?: ReplayOptions<InferProjected<P>>,
  ): Replay<ProjectionFrame<P>, ReplayedDocuments<InferDocument<P>>>;
  /** A fold of one's own. */
  <State>(subject: FoldSubject<State>, options?: ReplayOptions): Replay<FoldFrame<State>, ReplayedFold<State>>;
  /** Nothing but events. */
  (subject?: EventsSubject, options?: ReplayOptions): Replay<EventFrame, Replayed>;
}
