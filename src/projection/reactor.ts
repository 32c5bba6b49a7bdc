import type { RecordedFields } from '../event/codec.ts';
import { EngineError } from '../ground/errors.ts';
import { checkConsumer, distinctKeys } from './consumer.ts';
import type { Consumer, ConsumerOptions } from './consumer.ts';
import { handlerOf, handlersOf, SourceInterest } from './source.ts';
import type { AnyEventFrom, DeletedEvent, EventFrom, EventSource, TypeOf } from './source.ts';

/** What a reaction gets beside its event. */
export interface ReactionContext {
  /** The same in every attempt at this event by this reactor, and in no other: for the receiver to drop repetitions by. */
  readonly idempotencyKey: string;
  /** 1 at first. */
  readonly attempt: number;
  /** Fires when the attempt has taken too long, the reactor's slot was lost or the engine is closing. */
  readonly signal: AbortSignal;
}

/** A reactor, whatever its types. */
export interface AnyReactor extends Consumer {
  readonly kind: 'reactor';
  readonly startAt: 'first_event' | 'now';
  readonly timeoutMs: number;
  react(event: RecordedFields, context: ReactionContext): Promise<void>;
}

type Reactions<From extends readonly EventSource[]> = {
  readonly [Type in TypeOf<From>]:
    | 'ignore'
    | ((event: EventFrom<From, Type>, context: ReactionContext) => void | Promise<void>);
} & {
  /** A tombstone. Default `'ignore'`. */
  readonly $deleted?: 'ignore' | ((event: DeletedEvent, context: ReactionContext) => void | Promise<void>);
  /** An event of a type that its aggregate does not declare. Default: `onUnknown` says. */
  readonly $unknown?: (event: RecordedFields, context: ReactionContext) => void | Promise<void>;
};

const timeoutMaxMs = 2 ** 31 - 1;

/**
 * Declares a reactor: side effects upon events, at least once each. What it does to the outside carries `context.idempotencyKey`, so that
 * the receiver can drop what it has had already.
 * @throws {EngineError} `definition_invalid`
 */
export function defineReactor<const From extends readonly EventSource[]>(
  definition: ConsumerOptions & {
    /** Matches `[a-z][A-Za-z0-9_]*`. Its place in the log is kept under this name. */
    readonly name: string;
    /** The aggregates whose events it reacts to. */
    readonly from: From;
    /** Where it begins when it first runs on a store: at the first event ever, or with what is appended from then on. */
    readonly startAt: 'first_event' | 'now';
    /** Whose order is kept: events of one key are reacted to one after another. Default: the stream. */
    readonly key?: (event: AnyEventFrom<NoInfer<From>>) => string;
    /** How long an attempt may take, in ms. Default 30,000. */
    readonly timeoutMs?: number;
    /** The reactions. Every event of `from` has one, or `'ignore'`. */
    readonly on: Reactions<NoInfer<From>>;
  },
): AnyReactor {
  const { name, from, startAt, key, timeoutMs = 30_000, on } = definition;
  const checked = checkConsumer(name, 1, definition);
  const refuse = (reason: string) => new EngineError('definition_invalid', { name, reason });
  if (startAt !== 'first_event' && startAt !== 'now') throw refuse(`startAt is 'first_event' or 'now'`);
  if (!(timeoutMs > 0 && timeoutMs <= timeoutMaxMs)) throw refuse(`timeoutMs is a number from 1 to ${timeoutMaxMs}`);
  const reactions = handlersOf<AnyReaction>(name, from, on);
  const keyOf = (key ?? (({ stream }: RecordedFields) => stream)) as (event: RecordedFields) => unknown;
  const interest = new SourceInterest(from, new Set(reactions.keys()), checked.onUnknown);
  return {
    kind: 'reactor',
    name,
    version: 1,
    mode: 'async',
    ...checked,
    interest,
    startAt,
    timeoutMs,
    keysOf: (event) => {
      interest.require(event);
      return distinctKeys(keyOf(event)).slice(0, 1);
    },
    react: async (event, context) => {
      await handlerOf(reactions, event)(event, context);
    },
  };
}

type AnyReaction = (event: RecordedFields, context: ReactionContext) => void | Promise<void>;
