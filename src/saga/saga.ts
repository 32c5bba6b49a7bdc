import type { AnyAggregate } from '../command/aggregate.ts';
import type { EventSchemas } from '../event/codec.ts';
import type { SchemaInput, StandardSchemaV1 } from '../event/standard-schema.ts';
import type { AnyActivity } from './activity.ts';

/** What every event that a saga folds has beside its type and data. */
export interface SagaEventFields<Type extends string, Data> {
  readonly type: Type;
  readonly data: Data;
  /** When it happened, in ms since the epoch. */
  readonly at: number;
}

/** An event that came in: one that the saga correlates, or a signal. */
export interface ReceivedEvent<Type extends string = string, Data = unknown> extends SagaEventFields<Type, Data> {
  /** Of the event; absent for a signal. */
  readonly stream?: string;
  readonly aggregateId?: string;
}

/** What became of an effect. */
export interface EffectEvent<Type extends string = string, Data = unknown> extends SagaEventFields<Type, Data> {
  /** Of the effect. */
  readonly key: string;
}

/** Any event that a saga folds, whatever its types. */
export type AnySagaEvent = ReceivedEvent | EffectEvent;

/** An event that may concern a saga, before it is known whether it does. */
export interface CorrelatedEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
  readonly stream: string;
  readonly aggregate: string;
  readonly aggregateId: string;
  readonly tags: readonly string[];
  readonly position: number;
  readonly recordedAt: number;
}

/** How far the effects of an instance have come, for `next`. */
export interface Progressed {
  /** Whether the effect with this key is done. */
  isDone(key: string): boolean;
  /** What it came to; undefined if it is not done. Of a wait: the data of the event. */
  resultOf(key: string): unknown;
}

/** One version of a saga, whatever its types. */
export interface AnySaga {
  readonly kind: 'saga';
  readonly name: string;
  readonly version: number;
  readonly events: EventSchemas;
  readonly startsOn: ReadonlySet<string>;
  readonly input: StandardSchemaV1 | undefined;
  readonly activities: ReadonlyMap<string, AnyActivity>;
  readonly children: readonly string[];
  /** Older versions, on which instances may be running. */
  readonly previous: readonly AnySaga[];
  readonly slots: number;
  readonly startAt: 'first_event' | 'now';
  /** Whether events concern it, rather than signals alone. */
  readonly correlates: boolean;
  idOf(event: CorrelatedEvent): unknown;
  start(): unknown;
  evolve(state: unknown, event: AnySagaEvent): unknown;
  next(state: unknown, progress: Progressed): unknown;
  readonly migrate: ((state: unknown, version: number) => unknown) | undefined;
  /** Its instances, as an aggregate: to be loaded, replayed and looked back at as any other. */
  readonly instances: AnyAggregate;
  /** The stream of one instance. @throws {EngineError} `name_invalid` */
  stream(id: string): string;
}

/** The state that a saga folds into. */
export type InferSagaState<S extends AnySaga> = ReturnType<S['start']>;
/** The events and signals that a saga takes, by type. */
export type InferSagaSignals<S extends AnySaga> = {
  [Type in keyof S['events'] & string]: SchemaInput<S['events'][Type]>;
};

/** The version on which an instance runs; undefined: this process does not know it. */
export function versionOf(saga: AnySaga, version: number): AnySaga | undefined {
  return saga.version === version ? saga : saga.previous.find((one) => one.version === version);
}
