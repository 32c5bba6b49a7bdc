import type { EventEncoder, RecordedEvent, TypeRegistration } from '../event/codec.ts';
import { checkReceiptKey, streamName } from '../event/names.ts';
import type { EventQuery } from '../event/query.ts';
import { validate } from '../event/standard-schema.ts';
import type { SchemaResult } from '../event/standard-schema.ts';
import { checkKeys, checkSignal } from '../ground/check-options.ts';
import { EngineError, describe } from '../ground/errors.ts';
import { together } from '../ground/together.ts';
import { checkExpected } from '../store/append-request.ts';
import type { ExpectedVersion } from '../store/port.ts';
import type { AnyAggregate } from './aggregate.ts';
import { queryBoundary, queueKeys, streamBoundary } from './boundary.ts';
import type { BatchReceipt, Command } from './command.ts';
import type { Companion } from './companion.ts';
import { commandDigest } from './command-digest.ts';
import type { CommandMetadata } from './command-metadata.ts';
import { eventMetadata } from './command-metadata.ts';
import { Deadline } from './deadline.ts';
import type { AnyDecision } from './decision.ts';
import type { Handler } from './handler.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { Plan } from './plan.ts';
import type { PlanKey, Step } from './plan.ts';
import { ReceiptSweep } from './receipt-sweep.ts';
import { takeTurn } from './turn.ts';
import type { TurnContext } from './turn.ts';

export interface ExecuteOptions {
  /**
   * Makes the command repeatable: its receipt is kept, and whoever sends it again with this key within the window gets that
   * receipt, marked `duplicate`, also after a crash and from another process. At most 256 bytes of UTF-8.
   */
  readonly idempotencyKey?: string | undefined;
  /** What the command's stream must be like. If it is not, the answer is a `conflict`, without another attempt. */
  readonly expectedVersion?: Exclude<ExpectedVersion, 'any'> | undefined;
  readonly metadata?: CommandMetadata | undefined;
  /** The event that led to this command: its correlation is carried on. */
  readonly causedBy?: RecordedEvent | undefined;
  /** In ms, also Infinity. Default: the engine's `commandTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** Aborting a command that has been sent to the store does not take it back; the error says which it was. */
  readonly signal?: AbortSignal | undefined;
}

const executeKeys = [
  'idempotencyKey',
  'expectedVersion',
  'metadata',
  'causedBy',
  'timeoutMs',
  'signal',
] satisfies (keyof ExecuteOptions)[];

/** What a saga's command has beside them. */
export interface SagaOptions {
  readonly companion?: Companion | undefined;
  /** Keeps the receipt until it releases it. */
  readonly owner?: string | undefined;
}

/** @throws {EngineError} `option_invalid` */
export function checkExecuteOptions(options: ExecuteOptions): void {
  checkKeys('the options of a command', options, executeKeys);
  checkSignal(options.signal);
}

export interface ExecutorOptions {
  readonly aggregates: readonly AnyAggregate[];
  readonly decisions: readonly AnyDecision[];
  readonly timeoutMs: number;
  readonly windowMs: number;
  readonly pendingMax: number;
  /** Sees to it that what a definition emits is registered before it is appended. */
  readonly registrationOf: (fold: AnyAggregate | AnyDecision) => TypeRegistration | undefined;
}

/** A known fold and how its events are encoded. */
interface Known<Fold> {
  readonly fold: Fold;
  readonly encoder: EventEncoder;
}

/** Plans that one turn takes together. */
const turnMax = 256;

/** The pipeline: validate, queue, and then in turns: look up the receipt, load, decide, check, append. */
export class Executor {
  readonly #options: ExecutorOptions;
  readonly #context: TurnContext;
  readonly #aggregates: ReadonlyMap<string, Known<AnyAggregate>>;
  readonly #decisions: ReadonlyMap<string, Known<AnyDecision>>;
  readonly #queue = new KeyedQueue();
  /** For each stream, the plans that wait for its next turn. */
  readonly #waiting = new Map<string, Plan[]>();
  readonly #sweep: ReceiptSweep;
  #pendingCount = 0;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(options: ExecutorOptions, context: TurnContext) {
    this.#options = options;
    this.#context = context;
    const known = <Fold extends AnyAggregate | AnyDecision>(folds: readonly Fold[]) =>
      new Map(
        folds.map((fold) => [
          fold.name,
          { fold, encoder: context.log.encoderOf(fold.events, options.registrationOf(fold)) },
        ]),
      );
    this.#aggregates = known(options.aggregates);
    this.#decisions = known(options.decisions);
    this.#sweep = new ReceiptSweep(context.log, context.now);
  }

  /** Does the commands together or not at all. */
  async execute(commands: readonly Command[], options: ExecuteOptions, saga: SagaOptions = {}): Promise<BatchReceipt> {
    const { pendingMax } = this.#options;
    if (this.#pendingCount >= pendingMax) throw new EngineError('command_queue_full', { pendingMax });
    const deadline = new Deadline(checkTimeout(options.timeoutMs ?? this.#options.timeoutMs), options.signal);
    this.#pendingCount += 1;
    try {
      deadline.signal.throwIfAborted();
      const validated = this.#validate(commands, deadline);
      // Not awaited without need: commands keep the order in which they were called.
      const steps = validated instanceof Promise ? await validated : validated;
      if (!isSteps(steps)) return steps;
      return await this.#enqueue(this.#plan(commands, steps, deadline, { ...options, ...saga }));
    } catch (error) {
      throw deadline.explain(error);
    } finally {
      deadline.end();
      this.#pendingCount -= 1;
      if (this.#pendingCount === 0) this.#idle?.resolve();
    }
  }

  #plan(
    commands: readonly Command[],
    steps: readonly Step[],
    deadline: Deadline,
    options: ExecuteOptions & SagaOptions,
  ): Plan {
    const { expectedVersion: expected, metadata, causedBy, idempotencyKey, companion, owner } = options;
    if (expected !== undefined) {
      const boundary = steps[0]?.boundary;
      if (steps.length > 1 || boundary?.kind !== 'stream')
        throw invalid('expectedVersion is for a single command of an aggregate');
      checkExpected(boundary.stream, expected);
    }
    return new Plan({
      commands,
      steps,
      metadata: eventMetadata(metadata, causedBy, this.#context.newId),
      key: idempotencyKey === undefined ? undefined : this.#keyOf(idempotencyKey, commands, steps, owner),
      expected,
      companion,
      deadline,
    });
  }

  #keyOf(key: string, commands: readonly Command[], steps: readonly Step[], owner: string | undefined): PlanKey {
    if (owner !== undefined)
      return { key: checkReceiptKey(key), digest: commandDigest(commands), windowMs: Infinity, owner };
    this.#sweep.touch();
    const windows = steps.map(({ handler }) => handler.idempotencyWindowMs ?? this.#options.windowMs);
    return { key: checkReceiptKey(key), digest: commandDigest(commands), windowMs: Math.max(...windows) };
  }

  /** A promise only if a schema is asynchronous. */
  #validate(commands: readonly Command[], deadline: Deadline): Validated | Promise<Validated> {
    if (!Array.isArray(commands) || commands.length === 0) throw invalid('There is no command to execute');
    const found = commands.map((command) => ({ command, ...this.#find(command) }));
    const results = together(found, ({ command, handler }) =>
      validate(handler.input, command.input, (reason, cause) => failed(handler.name, reason, cause)),
    );
    const toSteps = (settled: readonly SchemaResult<unknown>[]): Validated => {
      const steps: Step[] = [];
      for (const [index, result] of settled.entries()) {
        if (result.issues !== undefined) return { kind: 'invalid', issues: result.issues, index };
        steps.push((found[index] as (typeof found)[number]).toStep(result.value));
      }
      return steps;
    };
    return results instanceof Promise ? deadline.wait(results).then(toSteps) : toSteps(results);
  }

  /** @throws {EngineError} `command_unknown`, `name_invalid` */
  #find(command: Command): { readonly handler: Handler; readonly toStep: (input: unknown) => Step } {
    if (typeof command !== 'object' || command === null) throw invalid(`${String(command)} is no command`);
    if ('decision' in command) {
      const known = this.#decisions.get(command.decision);
      if (known === undefined) throw unknown(command.decision, this.#decisions.keys());
      const { fold, encoder } = known;
      const toStep = (input: unknown) => ({
        handler: fold.handler,
        input,
        encoder,
        boundary: queryBoundary(fold, this.#context.log.casts.widened(askedQuery(fold, input))),
      });
      return { handler: fold.handler, toStep };
    }
    const known = this.#aggregates.get(command.aggregate);
    if (known === undefined) throw unknown(`${command.aggregate}.${command.command}`, this.#aggregates.keys());
    const { fold, encoder } = known;
    const handler = fold.handlers.get(command.command);
    if (handler === undefined) throw unknown(`${command.aggregate}.${command.command}`, fold.handlers.keys());
    const boundary = streamBoundary(fold, streamName(fold.name, command.id));
    return { handler, toStep: (input) => ({ handler, input, encoder, boundary }) };
  }

  #enqueue(plan: Plan): Promise<BatchReceipt> {
    const [first, ...others] = plan.boundaries;
    if (first?.kind === 'stream' && others.length === 0) this.#enqueueForStream(first.key, plan);
    else void this.#queue.run(plan.boundaries.flatMap(queueKeys), () => takeTurn([plan], this.#context));
    return plan.settled;
  }

  /** Those who wait for the same stream take their turn together. */
  #enqueueForStream(stream: string, plan: Plan): void {
    const waiting = this.#waiting.get(stream);
    if (waiting !== undefined && waiting.length < turnMax) {
      waiting.push(plan);
      return;
    }
    const plans = [plan];
    this.#waiting.set(stream, plans);
    void this.#queue.run([stream], () => {
      if (this.#waiting.get(stream) === plans) this.#waiting.delete(stream);
      return takeTurn(plans, this.#context);
    });
  }

  /** Waits until every command has its answer. */
  async end(): Promise<void> {
    if (this.#pendingCount > 0) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
    await this.#sweep.end();
  }
}

/** @throws {EngineError} `decide_failed` */
function askedQuery(fold: AnyDecision, input: unknown): EventQuery {
  try {
    return fold.queryFor(input);
  } catch (error) {
    throw failed(fold.name, `its query failed: ${describe(error)}`, error);
  }
}

type Validated = readonly Step[] | (BatchReceipt & { readonly kind: 'invalid' });

function isSteps(validated: Validated): validated is readonly Step[] {
  return Array.isArray(validated);
}

/** @throws {EngineError} `option_invalid` */
export function checkTimeout(timeoutMs: number): number {
  if (typeof timeoutMs === 'number' && timeoutMs > 0) return timeoutMs;
  throw new EngineError('option_invalid', {
    option: 'timeoutMs',
    value: timeoutMs,
    expected: 'a positive number of ms, or Infinity',
  });
}

function invalid(reason: string): EngineError {
  return new EngineError('request_invalid', { reason });
}

function failed(command: string, reason: string, cause: unknown): EngineError {
  return new EngineError('decide_failed', { command, reason }, { cause });
}

function unknown(command: string, known: Iterable<string>): EngineError {
  return new EngineError('command_unknown', { command, known: [...known] });
}
