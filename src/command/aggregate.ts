import type { EventSchemas, StreamEvent } from '../event/codec.ts';
import { newestVersions, requireKnown } from '../event/event-versions.ts';
import type { RetiredEvent, RetiredEvents } from '../event/retired.ts';
import { checkEventType, streamName } from '../event/names.ts';
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';
import { snapshotPolicy } from '../snapshot/snapshot.ts';
import type { SnapshotOptions, StreamFold } from '../snapshot/snapshot.ts';
import type { AggregateCommand, AggregateDecideContext, Decided } from './command.ts';
import type { AnyDecide, Handler } from './handler.ts';
import { handlerOf } from './handler.ts';

type CommandSchemas = Readonly<Record<string, StandardSchemaV1>>;

/** What the types know of an aggregate. */
export interface AggregateTypes {
  readonly name: string;
  readonly state: unknown;
  readonly events: EventSchemas;
  readonly commands: CommandSchemas;
}

/** An aggregate, whatever its types: what an engine is opened with. */
export interface AnyAggregate extends StreamFold {
  readonly kind: 'aggregate';
  /** Types that are appended no more, and what they are read as. */
  readonly retired?: RetiredEvents | undefined;
  /** @internal */
  readonly handlers: ReadonlyMap<string, Handler>;
}

/** A fold over the events of one stream, and the commands that append to it. */
export interface Aggregate<Types extends AggregateTypes> extends AnyAggregate {
  readonly name: Types['name'];
  readonly events: Types['events'];
  start(): Types['state'];
  evolve(state: Types['state'], event: EventOf<Types['events']>): Types['state'];
  /** The stream of one instance: `<name>-<id>`. @throws {EngineError} `name_invalid` */
  stream(id: string): string;
  /** Each makes a command, as data, for `engine.execute`. */
  readonly commands: {
    readonly [Name in keyof Types['commands'] & string]: (
      id: string,
      input: SchemaInput<Types['commands'][Name]>,
    ) => AggregateCommand<Types['events'], SchemaInput<Types['commands'][Name]>>;
  };
}

type EventOf<Events extends EventSchemas> = {
  [Type in keyof Events & string]: StreamEvent<Type, SchemaOutput<Events[Type]>>;
}[keyof Events & string];

/**
 * A fold for each type of event. A type parameter of its own extends it, not for its own sake: that way TypeScript
 * keeps `'placed'` in `(state) => ({ ...state, status: 'placed' })` as it is, where the state asks for it.
 */
type Evolve<Events extends EventSchemas, State> = {
  readonly [Type in keyof Events & string]: (
    state: State,
    event: StreamEvent<Type, SchemaOutput<Events[Type]>>,
  ) => State;
};

/** The state that an aggregate folds its events into. */
export type InferState<A extends AnyAggregate> = ReturnType<A['start']>;

/** Any of an aggregate's events, as its fold sees them. */
export type InferEvent<A extends AnyAggregate> = EventOf<A['events']>;

/** Any of an aggregate's commands. */
export type InferCommand<A extends { readonly commands: Readonly<Record<string, (...input: never) => unknown>> }> =
  ReturnType<A['commands'][keyof A['commands']]>;

/**
 * Declares an aggregate. Everything is inferred: events and commands from their schemas, the state from
 * `initialState` (a function with an annotated result, where the state is a union).
 * @throws {EngineError} `definition_invalid`, `name_invalid`
 */
export function defineAggregate<
  const Name extends string,
  const Events extends EventSchemas,
  State,
  const Commands extends CommandSchemas,
  const Retired extends Readonly<Record<string, StandardSchemaV1>>,
  Folds extends Evolve<NoInfer<Events>, NoInfer<State>>,
>(
  definition: SnapshotOptions & {
    /** Begins the names of its streams: matches `[a-z][A-Za-z0-9_]*`. */
    readonly name: Name;
    /** The events that its streams may hold, each with its schema. */
    readonly events: Events;
    /**
     * Types that its streams hold and that are appended no more, each with its schema and what it is read as: renamed, split into several
     * events, or merged with another type into one. Neither folds nor consumers ever see them.
     */
    readonly retired?: {
      readonly [Type in keyof Retired]: {
        readonly schema: Retired[Type];
        readonly as: RetiredEvent<Retired[Type], NoInfer<Events>>['as'];
      };
    };
    readonly initialState: State | (() => State);
    /**
     * The fold: pure, returns the next state and never changes the one it is given. A tombstone (`$deleted`) is not
     * for it: it leads back to the initial state. One that returns a literal of a union names its parameter, used or
     * not (`(_state) => ({ status: 'cancelled' })`), or TypeScript takes the literal for any string.
     */
    readonly evolve: Folds & { readonly [Type in Exclude<keyof Folds, keyof Events>]: never };
    readonly commands: {
      readonly [Command in keyof Commands]: {
        readonly input: Commands[Command];
        /** How long a repetition with the same idempotency key is answered, in ms; Infinity is for ever. Default: the engine's. */
        readonly idempotencyWindowMs?: number;
        /** Pure and synchronous; may run again after a conflict. */
        readonly decide: (
          state: NoInfer<State>,
          input: SchemaOutput<Commands[Command]>,
          context: AggregateDecideContext,
        ) => Decided<NoInfer<Events>>;
      };
    };
  },
): Aggregate<{ name: Name; state: State; events: Events; commands: Commands }> {
  const { name, events, initialState } = definition;
  const retired = definition.retired as unknown as RetiredEvents | undefined;
  streamName(name, 'id');
  for (const type of Object.keys(events)) checkEventType(type);
  for (const [type, given] of Object.entries(retired ?? {})) {
    checkEventType(type);
    if (Object.hasOwn(events, type)) throw incomplete(name, `${type} is retired, and yet among its events`);
    if (typeof given?.as !== 'function') throw incomplete(name, `retired.${type}.as is not a function`);
    if (given.schema?.['~standard'] === undefined) throw incomplete(name, `retired.${type} has no schema`);
  }
  // The one place where the types of a definition are set aside: from here on it is looked up by name.
  const evolvers = new Map(Object.entries(definition.evolve)) as ReadonlyMap<string, AnyEvolve>;
  const newest = newestVersions(events);
  for (const type of Object.keys(events)) {
    if (typeof evolvers.get(type) !== 'function') throw incomplete(name, `evolve.${type} is not a function`);
  }
  const declared = Object.entries(definition.commands as Readonly<Record<string, DeclaredCommand>>);
  const handlers = new Map(declared.map(([command, given]) => [command, handlerOf(`${name}.${command}`, given)]));
  const makers = declared.map(([command]) => [
    command,
    (id: string, input: unknown): AggregateCommand => ({ aggregate: name, id, command, input }),
  ]);
  const aggregate = {
    kind: 'aggregate',
    name,
    events,
    ...(retired !== undefined && { retired }),
    snapshots: snapshotPolicy(name, definition),
    handlers,
    start: () => (typeof initialState === 'function' ? (initialState as () => State)() : initialState),
    evolve: (state: unknown, event: StreamEvent): unknown => {
      const evolve = evolvers.get(event.type);
      if (evolve === undefined) throw unhandled(event);
      requireKnown(newest, event);
      return evolve(state, event);
    },
    stream: (id: string) => streamName(name, id),
    commands: Object.fromEntries(makers),
  };
  return aggregate as unknown as Aggregate<{ name: Name; state: State; events: Events; commands: Commands }>;
}

type AnyEvolve = (state: unknown, event: StreamEvent) => unknown;

interface DeclaredCommand {
  readonly input: StandardSchemaV1;
  readonly idempotencyWindowMs?: number;
  readonly decide: AnyDecide;
}

function incomplete(name: string, reason: string): EngineError {
  return new EngineError('definition_invalid', { name, reason });
}

function unhandled({ stream, version, type }: StreamEvent): EngineError {
  return new EngineError('event_unhandled', { stream, version, type });
}
