import type { EventSchemas, NewEvent, PastEvent } from '../event/codec.ts';
import { newestVersions, requireKnown } from '../event/event-versions.ts';
import { checkEventType } from '../event/names.ts';
import type { EventQuery } from '../event/query.ts';
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';
import type { DecideContext, DecisionCommand, Rejection } from './command.ts';
import type { AnyDecide, Handler } from './handler.ts';
import { handlerOf } from './handler.ts';

/** An event that a decision emits, and the stream that it goes to. */
export type PlacedEvent<Events extends EventSchemas> = NewEvent<Events> & {
  /** For example `course.stream(id)`. */
  readonly stream: string;
};

/** Which events a decision is made upon: types OR, tags AND, items OR. */
export type DecisionQuery<Type extends string = string> = readonly {
  /** Any of these. Default: every type that `evolve` does not ignore. */
  readonly types?: readonly Type[];
  readonly tags?: readonly string[];
}[];

/** A decision, whatever its types: what an engine is opened with. */
export interface AnyDecision {
  readonly kind: 'decision';
  readonly name: string;
  readonly events: EventSchemas;
  start(): unknown;
  evolve(state: unknown, event: PastEvent): unknown;
  /** @internal */
  readonly handler: Handler;
  /** @internal The types that it does not ignore. */
  readonly folded: readonly string[];
  /** @internal With types in every item. */
  queryFor(input: unknown): EventQuery;
}

/** A fold over the events that a query matches, and what may be appended on the strength of it. */
export interface Decision<Events extends EventSchemas, Input> extends AnyDecision {
  readonly events: Events;
  /** Makes a command, as data, for `engine.execute`. */
  (input: Input): DecisionCommand<Events, Input>;
}

/** As an aggregate's, but what is of no interest can be left out by name. */
type EvolveOrIgnore<Events extends EventSchemas, State> = {
  readonly [Type in keyof Events & string]:
    | 'ignore'
    | ((state: State, event: PastEvent<Type, SchemaOutput<Events[Type]>>) => State);
};

/**
 * Declares a decision across streams: a dynamic consistency boundary (https://dcb.events). Its events are appended
 * only if no event that its query matches has appeared since it looked.
 * @throws {EngineError} `definition_invalid`, `name_invalid`
 */
export function defineDecision<
  const Events extends EventSchemas,
  const Input extends StandardSchemaV1,
  State,
  Folds extends EvolveOrIgnore<NoInfer<Events>, NoInfer<State>>,
>(definition: {
  readonly name: string;
  /** The events that it folds or emits; those of aggregates are `...course.events`. */
  readonly events: Events;
  readonly input: Input;
  /** Which events matter: pure. Two inputs with the same query share their state. */
  readonly query: (input: SchemaOutput<NoInfer<Input>>) => DecisionQuery<keyof NoInfer<Events> & string>;
  readonly initialState: State | (() => State);
  /** The fold, pure; `'ignore'` for what is emitted or declared, but not looked at. */
  readonly evolve: Folds & { readonly [Type in Exclude<keyof Folds, keyof Events>]: never };
  /** How long a repetition with the same idempotency key is answered, in ms; Infinity is for ever. Default: the engine's. */
  readonly idempotencyWindowMs?: number;
  /** Pure and synchronous; may run again after a conflict. */
  readonly decide: (
    state: NoInfer<State>,
    input: SchemaOutput<NoInfer<Input>>,
    context: DecideContext,
  ) => Rejection | readonly PlacedEvent<NoInfer<Events>>[];
}): Decision<Events, SchemaInput<Input>> {
  const { name, events, initialState } = definition;
  const invalid = (reason: string) => new EngineError('definition_invalid', { name, reason });
  if (typeof name !== 'string' || name === '') throw invalid('its name is empty');
  for (const type of Object.keys(events)) checkEventType(type);
  // The one place where the types of a definition are set aside: from here on it is looked up by name.
  const evolvers = new Map(Object.entries(definition.evolve)) as ReadonlyMap<string, 'ignore' | AnyEvolve>;
  for (const type of Object.keys(events)) {
    const evolve = evolvers.get(type);
    if (evolve !== 'ignore' && typeof evolve !== 'function')
      throw invalid(`evolve.${type} is neither a function nor 'ignore'`);
  }
  const newest = newestVersions(events);
  const folded = [...evolvers].filter(([, evolve]) => evolve !== 'ignore').map(([type]) => type);
  if (folded.length === 0) throw invalid('it ignores every event, so there is nothing to decide upon');
  const query = definition.query as (input: unknown) => DecisionQuery;
  const make = (input: unknown): DecisionCommand => ({ decision: name, input });
  // Of a function, `name` can't be assigned.
  Object.defineProperty(make, 'name', { value: name });
  const decision = Object.assign(make, {
    kind: 'decision',
    events,
    folded,
    handler: handlerOf(name, { ...definition, decide: definition.decide as AnyDecide }),
    start: () => (typeof initialState === 'function' ? (initialState as () => State)() : initialState),
    evolve: (state: unknown, event: PastEvent): unknown => {
      const evolve = evolvers.get(event.type);
      requireKnown(newest, event);
      return typeof evolve === 'function' ? evolve(state, event) : state;
    },
    queryFor: (input: unknown): EventQuery =>
      query(input).map(({ types = [], tags = [] }) => ({ types: types.length === 0 ? folded : types, tags })),
  });
  return decision as unknown as Decision<Events, SchemaInput<Input>>;
}

type AnyEvolve = (state: unknown, event: PastEvent) => unknown;
