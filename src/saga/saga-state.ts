/** An instance as anybody sees it: what its steps are folded into. */
import type { Aggregate, AnyAggregate } from '../command/aggregate.ts';
import type { RecordedFields, StreamEvent } from '../event/codec.ts';
import { advance } from './progress.ts';
import type { EffectProgress, Progress, SagaStatus } from './progress.ts';
import type { AnySaga } from './saga.ts';
import type { Failure, Parent, Step } from './step.ts';

/** How far an instance has come. JSON, if its state is. */
export interface SagaState<State = unknown> {
  readonly saga: string;
  readonly id: string;
  /** Of the definition that it runs on. */
  readonly version: number;
  readonly status: SagaStatus;
  /** What its events have been folded into. */
  readonly state: State;
  /** By key; what undoes the effect `charge` has the key `~charge`. */
  readonly effects: Readonly<Record<string, EffectProgress>>;
  /** The keys of what is to be undone should it fail, in the order in which it was done. */
  readonly undo: readonly string[];
  /** Why it is compensated, or was. */
  readonly failure?: Failure;
  /** At what it is stuck; without a key, at no effect. */
  readonly stuck?: { readonly key?: string; readonly failure: Failure };
  readonly result?: unknown;
  /** In ms since the epoch. */
  readonly startedAt: number;
  /** Of its last step. */
  readonly changedAt: number;
  /** Steps so far. */
  readonly streamVersion: number;
  /** Who waits for it to end. */
  readonly parent?: Parent;
}

export function stateOf(progress: Progress): SagaState {
  const { saga, id, version, status, state, effects, undo, failure, stuck, result, parent } = progress;
  const { startedAt, changedAt, streamVersion } = progress;
  return {
    saga,
    id,
    version,
    status,
    state,
    effects: Object.fromEntries(effects),
    undo: undo.map(({ of }) => of),
    ...(failure !== undefined && { failure }),
    ...(stuck !== undefined && { stuck }),
    ...(result !== undefined && { result }),
    startedAt,
    changedAt,
    streamVersion,
    ...(parent !== undefined && { parent }),
  };
}

/** The instances of a saga, as an aggregate whose events are steps. Before its first step the state of one is null. */
export type Instances<Name extends string, State> = Aggregate<{
  name: Name;
  state: SagaState<State> | null;
  events: Record<never, never>;
  commands: Record<never, never>;
}>;

/** What is seen of an instance does not hold all that its fold needs. */
const progressOf = new WeakMap<object, Progress>();

export function instancesOf(saga: AnySaga): AnyAggregate {
  const instances: AnyAggregate & Pick<Instances<string, unknown>, 'stream' | 'commands'> = {
    kind: 'aggregate',
    name: saga.name,
    events: {},
    snapshots: { version: 1, every: Infinity, kept: 1 },
    handlers: new Map(),
    commands: {},
    start: () => null,
    evolve: (state, event) => evolve(saga, state, event),
    stream: (id) => saga.stream(id),
  };
  return instances;
}

function evolve(saga: AnySaga, state: unknown, event: StreamEvent): SagaState {
  const before = state === null ? undefined : progressOf.get(state as object);
  const { aggregateId: id, version, metadata } = event;
  const step = event.data as Step;
  // Seen from here a first step is the event that all others go back to.
  const correlationId = metadata.correlationId ?? (event as RecordedFields).id;
  const progress = advance(saga, before, { step, id, version, correlationId });
  const next = stateOf(progress);
  progressOf.set(next, progress);
  return next;
}
