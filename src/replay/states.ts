/** Folding events into the states of aggregates, and whatever one's own fold makes of them. */
import type { AnyAggregate } from '../command/aggregate.ts';
import { streamBoundary } from '../command/boundary.ts';
import type { Folded, StreamBoundary } from '../command/boundary.ts';
import type { RecordedEvent } from '../event/codec.ts';
import { foldFailed } from './documents.ts';
import type { ReplayContext } from './context.ts';
import type {
  EventFrame,
  FoldFrame,
  FoldSubject,
  Replayed,
  ReplayedFold,
  ReplayedState,
  ReplayedStates,
  StateFrame,
} from './subject.ts';
import type { Target, Valued } from './target.ts';

type Folding = ReplayContext['folding'];

/** The state of one instance. */
export class InstanceState implements Target<StateFrame<unknown>, ReplayedState<unknown>>, Valued {
  readonly #folding: Folding;
  readonly #boundary: StreamBoundary;
  #folded: Folded;

  constructor(folding: Folding, boundary: StreamBoundary) {
    this.#folding = folding;
    this.#boundary = boundary;
    this.#folded = folding.start(boundary);
  }

  get value(): unknown {
    return this.#folded.state;
  }

  begin(snapshot?: Folded): void {
    this.#folded = snapshot ?? this.#folding.start(this.#boundary);
  }

  take(events: readonly RecordedEvent[]): void {
    for (const event of events) this.#folded = this.#folding.fold(this.#boundary, this.#folded, event);
  }

  show(event: RecordedEvent): StateFrame<unknown> {
    const { state: before } = this.#folded;
    this.#folded = this.#folding.fold(this.#boundary, this.#folded, event);
    const { state, deleted } = this.#folded;
    return { event, before, state, deleted };
  }

  result({ events }: Replayed): ReplayedState<unknown> {
    return { ...this.#folded, events };
  }
}

interface Instance {
  readonly boundary: StreamBoundary;
  folded: Folded;
}

/** The states of all instances. */
export class InstanceStates implements Target<StateFrame<unknown>, ReplayedStates<unknown>> {
  readonly #folding: Folding;
  readonly #aggregate: AnyAggregate;
  readonly #instances = new Map<string, Instance>();

  constructor(folding: Folding, aggregate: AnyAggregate) {
    this.#folding = folding;
    this.#aggregate = aggregate;
  }

  begin(): void {
    this.#instances.clear();
  }

  take(events: readonly RecordedEvent[]): void {
    for (const event of events) this.#fold(this.#of(event), event);
  }

  show(event: RecordedEvent): StateFrame<unknown> {
    const instance = this.#of(event);
    const { state: before } = instance.folded;
    this.#fold(instance, event);
    const { state, deleted } = instance.folded;
    return { event, before, state, deleted };
  }

  result(replayed: Replayed): ReplayedStates<unknown> {
    return { ...replayed, states: new Map([...this.#instances].map(([stream, { folded }]) => [stream, folded])) };
  }

  #of({ stream }: RecordedEvent): Instance {
    const known = this.#instances.get(stream);
    if (known !== undefined) return known;
    const boundary = streamBoundary(this.#aggregate, stream);
    const instance = { boundary, folded: this.#folding.start(boundary) };
    this.#instances.set(stream, instance);
    return instance;
  }

  #fold(instance: Instance, event: RecordedEvent): void {
    instance.folded = this.#folding.fold(instance.boundary, instance.folded, event);
  }
}

/** What somebody's own fold makes of events. Its state is never frozen: it may change under its hands. */
export class OwnFold implements Target<FoldFrame<unknown>, ReplayedFold<unknown>> {
  readonly #fold: FoldSubject['fold'];
  #state: unknown;

  constructor(fold: FoldSubject['fold']) {
    this.#fold = fold;
  }

  begin(): void {
    this.#state = this.#fold.initial();
  }

  take(events: readonly RecordedEvent[]): void {
    for (const event of events) this.#take(event);
  }

  show(event: RecordedEvent): FoldFrame<unknown> {
    this.#take(event);
    return { event, state: this.#state };
  }

  result(replayed: Replayed): ReplayedFold<unknown> {
    return { ...replayed, state: this.#state };
  }

  #take(event: RecordedEvent): void {
    try {
      this.#state = this.#fold.evolve(this.#state, event);
    } catch (error) {
      throw foldFailed(`A fold of one's own`, event, error);
    }
  }
}

/** Nothing: events are only shown. */
export class NoFold implements Target<EventFrame, Replayed> {
  begin(): void {
    // There is nothing to begin with.
  }

  take(): void {
    // Nobody looks at them.
  }

  show(event: RecordedEvent): EventFrame {
    return { event };
  }

  result(replayed: Replayed): Replayed {
    return replayed;
  }
}
