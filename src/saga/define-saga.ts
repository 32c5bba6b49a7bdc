import type { EventSchemas } from '../event/codec.ts';
import { checkEventType, streamName } from '../event/names.ts';
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';
import type { AnyActivity } from './activity.ts';
import type { CommandResult, Effect } from './effect.ts';
import { instancesOf } from './saga-state.ts';
import type { Instances } from './saga-state.ts';
import type { AnySaga, CorrelatedEvent, EffectEvent, Progressed, ReceivedEvent, SagaEventFields } from './saga.ts';
import type { Failure } from './step.ts';

type ActivitiesOf = Readonly<Record<string, AnyActivity>>;
type ResultOf<Named> = Named extends { readonly result?: infer Result } ? Result : unknown;

type EventOf<Events extends EventSchemas> = {
  [Type in keyof Events & string]: ReceivedEvent<Type, SchemaOutput<Events[Type]>>;
}[keyof Events & string];

type CorrelatedOf<Events extends EventSchemas> = {
  [Type in keyof Events & string]: CorrelatedEvent<Type, SchemaOutput<Events[Type]>>;
}[keyof Events & string];

type ActivityEventOf<Activities extends ActivitiesOf> = {
  [Key in keyof Activities & string]:
    | EffectEvent<`${Activities[Key]['name']}.completed`, ResultOf<Activities[Key]>>
    | EffectEvent<`${Activities[Key]['name']}.failed`, Failure>;
}[keyof Activities & string];

type EngineEvent =
  | EffectEvent<'command.completed', CommandResult>
  | EffectEvent<'command.failed', Failure>
  | EffectEvent<'wait.timed_out', { readonly type: string }>
  | EffectEvent<'sleep.completed', null>
  | EffectEvent<'child.completed', unknown>
  | EffectEvent<'child.failed', Failure>;

/** What the types know of a saga. */
export interface SagaTypes {
  readonly name: string;
  readonly state: unknown;
  readonly events: EventSchemas;
  readonly input: unknown;
  readonly activities: ActivitiesOf;
}

/** A fold over the events that concern an operation, and what is due in each of its states. */
export interface Saga<Types extends SagaTypes> extends AnySaga {
  readonly name: Types['name'];
  readonly events: Types['events'];
  start(): Types['state'];
  /** Its instances, as an aggregate: to be loaded, replayed and looked back at as any other. */
  readonly instances: Instances<Types['name'], Types['state']>;
  /** These carry types; they are never there. */
  readonly given?: Types['input'];
  readonly does?: Types['activities'];
  /** The stream of one instance. @throws {EngineError} `name_invalid` */
  stream(id: string): string;
}

/** What an instance is started with. */
export type InferSagaInput<S extends AnySaga> = S extends Saga<infer Types> ? Types['input'] : unknown;
/** A fold: of the events that a saga takes, of what became of its effects, and of its start. */
type EvolveOf<State, Events extends EventSchemas, Activities extends ActivitiesOf, Input extends StandardSchemaV1> = (
  state: State,
  event: EventOf<Events> | ActivityEventOf<Activities> | EngineEvent | EffectlessStart<Input>,
) => State;

/** Where there is no schema. */
interface NoInput extends StandardSchemaV1<never> {}

const slotsMax = 256;

/**
 * Declares a saga: an operation over several aggregates and outside systems that always ends, completed or compensated, or stuck where an
 * operator sees it. Everything is inferred.
 * @throws {EngineError} `definition_invalid`, `name_invalid`
 */
export function defineSaga<
  const Name extends string,
  const Events extends EventSchemas,
  State,
  const Activities extends ActivitiesOf = Record<never, never>,
  Input extends StandardSchemaV1 = NoInput,
  Evolve extends EvolveOf<NoInfer<State>, NoInfer<Events>, NoInfer<Activities>, NoInfer<Input>> = EvolveOf<
    State,
    Events,
    Activities,
    Input
  >,
>(definition: {
  /** Begins the names of the streams of its instances: matches `[a-z][A-Za-z0-9_]*`, and is no aggregate's name. */
  readonly name: Name;
  /** To be raised whenever instances that are running could not go on with the new definition: they finish on `previous`. Default 1. */
  readonly version?: number;
  /** Events that concern it, whatever streams they are in, and signals: each with its schema. */
  readonly events: Events;
  /** Types of events of which the first starts an instance. Default: none; `engine.start` does. */
  readonly startsOn?: NoInfer<keyof Events & string> | readonly NoInfer<keyof Events & string>[];
  /**
   * Where it begins when it first runs on a store: with what is appended from then on, or at the first event ever. Default `'now'`. In a copy of
   * a store in which it ran it goes on.
   */
  readonly startAt?: 'first_event' | 'now';
  /** Which instance an event concerns; undefined: none. Pure. */
  readonly id?: (event: CorrelatedOf<NoInfer<Events>>) => string | undefined;
  /** What `engine.start` takes. The fold gets it as an event of the type `started`. */
  readonly input?: Input;
  /** The activities that it may ask for. */
  readonly activities?: Activities;
  /** The sagas that it may start. */
  readonly children?: readonly { readonly name: string }[];
  readonly initialState: State | (() => State);
  /**
   * The fold: pure, returns the next state and never changes the one it is given. (A type parameter of its own, so that literals stay as
   * they are: docs/decisions/0012.)
   */
  readonly evolve: Evolve;
  /**
   * What is due in a state: pure. Each effect under a key that stays the same, whenever it is asked for again; what is done already is not done
   * again. If one that it asks for has failed, everything is compensated: a failure that is foreseen leads `evolve` to a state in which another is asked for.
   */
  readonly next: (state: NoInfer<State>, progress: Progressed) => readonly Effect[];
  /** How many parts of the instances may be worked on by as many processes: 1 to 256. Default 1. Fixed once it has begun. */
  readonly slots?: number;
  /** Older versions of this saga, as they were, for instances that are running on them. */
  readonly previous?: readonly AnySaga[];
  /** Makes a state of this version of one of a version in `previous`: instances then go on with this version. Without it they finish on theirs. */
  readonly migrate?: (state: unknown, version: number) => NoInfer<State>;
}): Saga<{ name: Name; state: State; events: Events; input: SchemaInput<Input>; activities: Activities }> {
  const { name, version = 1, events, startsOn = [], id, input, children = [], initialState } = definition;
  const { evolve, next, slots = 1, previous = [], migrate, startAt = 'now' } = definition;
  const refuse = (reason: string) => new EngineError('definition_invalid', { name: String(name), reason });
  streamName(name, 'id');
  for (const type of Object.keys(events)) checkEventType(type);
  const starting = new Set<string>(typeof startsOn === 'string' ? [startsOn] : startsOn);
  for (const type of starting) if (!Object.hasOwn(events, type)) throw refuse(`startsOn.${type} is none of its events`);
  if (starting.size > 0 && typeof id !== 'function') throw refuse('id is needed where startsOn is given');
  for (const [what, value, max] of [
    ['version', version, Number.MAX_SAFE_INTEGER],
    ['slots', slots, slotsMax],
  ] as const)
    if (!(Number.isSafeInteger(value) && value >= 1 && value <= max))
      throw refuse(`${what} is an integer from 1 to ${max}`);
  if (startAt !== 'first_event' && startAt !== 'now') throw refuse(`startAt is 'first_event' or 'now'`);
  for (const [what, value] of Object.entries({ evolve, next }))
    if (typeof value !== 'function') throw refuse(`${what} is not a function`);
  for (const [what, value] of Object.entries({ id, migrate }))
    if (value !== undefined && typeof value !== 'function') throw refuse(`${what} is not a function`);
  for (const child of children)
    if (typeof child?.name !== 'string') throw refuse('children are sagas, or { name } of sagas');
  checkPrevious(previous, name, version, refuse);
  const activities = Object.values<AnyActivity>(definition.activities ?? {});
  const named = new Map<string, AnyActivity>();
  for (const one of activities) {
    if (one?.kind !== 'activity') throw refuse('activities are made by `activity`');
    if ((named.get(one.name) ?? one) !== one) throw refuse(`there are two activities of the name ${one.name}`);
    named.set(one.name, one);
  }
  const saga: Omit<AnySaga, 'instances'> = {
    kind: 'saga',
    name,
    version,
    events,
    startsOn: starting,
    input,
    activities: named,
    children: children.map((one) => one.name),
    previous,
    slots,
    startAt,
    correlates: id !== undefined,
    idOf: id === undefined ? () => undefined : (id as AnySaga['idOf']),
    start: () => (typeof initialState === 'function' ? (initialState as () => State)() : initialState),
    evolve: evolve as unknown as AnySaga['evolve'],
    next: next as AnySaga['next'],
    migrate,
    stream: (instance: string) => streamName(name, instance),
  };
  const whole: AnySaga = Object.assign(saga, { instances: instancesOf(saga as AnySaga) });
  return whole as ReturnType<typeof defineSaga<Name, Events, State, Activities, Input, Evolve>>;
}

/** Only where there is something to start it with. */
type EffectlessStart<Input extends StandardSchemaV1> = [SchemaInput<Input>] extends [never]
  ? never
  : SagaEventFields<'started', SchemaOutput<Input>>;

function checkPrevious(
  previous: readonly AnySaga[],
  name: string,
  version: number,
  refuse: (reason: string) => EngineError,
): void {
  const versions = new Set<number>();
  for (const one of previous) {
    if (one?.kind !== 'saga' || one.name !== name) throw refuse('`previous` are older versions of the same saga');
    if (one.version >= version) throw refuse(`version ${one.version} in \`previous\` is not older than ${version}`);
    if (versions.has(one.version)) throw refuse(`version ${one.version} is there twice`);
    versions.add(one.version);
  }
}
