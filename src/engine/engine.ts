import type { AnyAggregate, InferState } from '../command/aggregate.ts';
import { streamBoundary } from '../command/boundary.ts';
import type { Folded, LoadedState, StreamBoundary } from '../command/boundary.ts';
import type { BatchReceipt, Command, CommandReceipt, EmittedBy } from '../command/command.ts';
import type { AnyDecision } from '../command/decision.ts';
import { Executor, checkExecuteOptions } from '../command/executor.ts';
import type { ExecuteOptions } from '../command/executor.ts';
import type { TurnContext } from '../command/turn.ts';
import { Folding } from '../command/folding.ts';
import type { EventSchemas, RecordedEvent } from '../event/codec.ts';
import { streamName } from '../event/names.ts';
import { delay, readClock, systemClock } from '../ground/clock.ts';
import { LinkedSignal } from '../ground/linked-signal.ts';
import type { Clock } from '../ground/clock.ts';
import { checkKeys, checkSignal, optionInvalid } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';
import type { LimitWarning, Limits } from '../ground/limits.ts';
import { checkCheckpointName, followCheckpointed } from '../projection/checkpointed.ts';
import { Consumers } from './consumers.ts';
import type { AnyProjection, InferDocument } from '../projection/projection.ts';
import type { ReadSide } from '../projection/read-side.ts';
import type { View } from '../projection/view.ts';
import { EventLog, openLog } from '../store/log.ts';
import type { EventBatch, LogOptions, OpenLog } from '../store/log.ts';
import { checkMoment } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { Backend, ReadQuery } from '../store/port.ts';
import type { SubscribeQuery } from '../store/subscription.ts';
import type { SagaHandle } from '../saga/handle.ts';
import type { ActOptions } from '../saga/handle.ts';
import type { InferSagaInput } from '../saga/define-saga.ts';
import type { AnySaga } from '../saga/saga.ts';
import type { Sagas } from '../saga/sagas.ts';
import { SagaSide } from './saga-side.ts';
import type { SagaSettings, Schedule, ScheduleTime } from './saga-side.ts';
import type { CompatibilityOptions } from '../schema/verdict.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { observed, snapshotNoticeTaker } from './hooks.ts';
import type { EngineHooks } from './hooks.ts';
import type { Past } from '../replay/past.ts';
import type { StartReplay } from '../replay/replay.ts';
import { openReplaySide } from './replay-side.ts';
import { openReadSide } from './read-options.ts';
import type { ConsumerSettings } from './read-options.ts';
import { checkDefinitions, checkSettings } from './check-options.ts';
import { EngineSchemas } from './schema-side.ts';
import { EngineSnapshots } from './snapshots.ts';

export interface EngineOptions extends ConsumerSettings, SagaSettings {
  /** Where: `memory()`, `sqlite(file)`; or a log that is open already, which keeps its own clock and limits, and stays open. */
  readonly store: Backend | OpenLog;
  readonly aggregates?: readonly AnyAggregate[];
  readonly decisions?: readonly AnyDecision[];
  /** How compatible new versions of events must be with those that were appended. Default: not at all, since casts lead to them. */
  readonly schemas?: CompatibilityOptions;
  readonly limits?: Partial<Limits>;
  readonly clock?: Clock;
  /** Makes ids for `decide` and for commands. Default: random UUIDs. */
  readonly newId?: () => string;
  /** How long a command may take, in ms; also Infinity. Default 5,000. */
  readonly commandTimeoutMs?: number;
  /** How long the receipt of a command with an idempotency key is kept, in ms; also Infinity. Default 300,000. */
  readonly idempotencyWindowMs?: number;
  /** How often a command that lost a race to another process is decided again. Default 20. */
  readonly conflictRetries?: number;
  /** States of streams and queries kept in memory, at least; at most twice as many. Default 10,000. */
  readonly cachedStates?: number;
  /** Whether states are frozen, so that a `decide` or `evolve` that changes one fails. Default: unless NODE_ENV is `production`. */
  readonly freezeStates?: boolean;
  /** Whether states are kept as snapshots; those that are kept are used in any case. Default true. */
  readonly snapshots?: boolean;
  /** How often the snapshots of a stream are verified in the background, one of those that were used lately, in ms; also Infinity. Default 60,000. */
  readonly snapshotSampleMs?: number;
  readonly hooks?: EngineHooks;
  /** Told once per subject when a limit is near or passed. Default: `console.warn`. */
  readonly onWarning?: (warning: LimitWarning) => void;
}

export interface LoadOptions {
  /** Default: now. */
  readonly at?: Moment;
  /** Whether to begin with a snapshot, if there is one, or with the first event. Default `'from_snapshot'`. */
  readonly mode?: 'from_snapshot' | 'full';
  readonly signal?: AbortSignal;
}

/**
 * Opens an engine.
 * @throws {EngineError} `definition_invalid`, `option_invalid`, `schema_changed`, `schema_incompatible`, and what the backend says: `store_unavailable`,
 * `store_corrupt` and the like.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const { store, aggregates = [], decisions = [], clock = systemClock } = options;
  checkDefinitions(options);
  const settings = checkSettings(options);
  const isOpen = store instanceof EventLog;
  const log: EventLog = isOpen ? store : await openLog({ ...logOptions(options), store: store as Backend, clock });
  const schemas = await openSchemas(log, options, clock).catch(async (error: unknown) => {
    if (!isOpen) await log.close();
    throw error;
  });
  const freezes = options.freezeStates ?? isDevelopment();
  const newId = options.newId ?? (() => crypto.randomUUID());
  const snapshots = new Snapshots({
    writes: options.snapshots ?? true,
    sampleEveryMs: settings.snapshotSampleMs,
    state: () => log.state(),
    refold: (aggregate, stream, versions, signal) =>
      folding.refold(streamBoundary(aggregate, stream), versions, signal),
    notice: snapshotNoticeTaker(options.hooks),
    forgetStates: () => folding.forget(),
  });
  const folding = new Folding(log, settings.cachedStates, freezes, snapshots);
  const executor = new Executor(
    {
      aggregates,
      decisions,
      timeoutMs: settings.commandTimeoutMs,
      windowMs: settings.idempotencyWindowMs,
      pendingMax: log.limits.pendingCommands,
      registrationOf: (fold) => schemas.registrationOf(fold),
    },
    {
      log,
      commit: observedCommit(log, options.hooks),
      folding,
      now: () => readClock(clock),
      newId,
      typesOf: new Map(aggregates.map(({ name, events }) => [name, new Set(Object.keys(events))])),
      conflictsMax: settings.conflictRetries,
      backOff,
    },
  );
  try {
    const { hooks } = options;
    const parts = {
      ...options,
      clock,
      newId: () => crypto.randomUUID(),
      cached: settings.cachedStates,
      freezes,
      hooks,
    };
    const sagaSide = await SagaSide.open(log, executor, parts);
    const readSide = await openReadSide(log, { ...parts, hosted: sagaSide.consumers });
    const more = { aggregates, schemas, snapshots, hooks, readSide, sagaSide, clock, freezes, ownsLog: !isOpen };
    return new Engine(log, folding, executor, more);
  } catch (error) {
    if (!isOpen) await log.close();
    throw error;
  }
}

function openSchemas(log: EventLog, options: EngineOptions, clock: Clock): Promise<EngineSchemas> {
  const { projections = [], tables = [], reactors = [] } = options;
  const consumers = [...projections, ...tables, ...reactors];
  return EngineSchemas.open(log, { ...options, consumers, now: () => readClock(clock) });
}

function logOptions({ limits, onWarning }: EngineOptions): Pick<LogOptions<EventSchemas>, 'limits' | 'onWarning'> {
  return { ...(limits !== undefined && { limits }), ...(onWarning !== undefined && { onWarning }) };
}

/** Executes commands and loads states. */
export class Engine implements AsyncDisposable {
  /** What the engine writes to, for reading events, following them, moving them. */
  readonly log: EventLog;
  readonly #folding: Folding;
  readonly #executor: Executor;
  /** How projections, tables and reactors stand, and what an operator can do about them. */
  readonly consumers: Consumers;
  /** The instances of sagas that have not ended, and what an operator can do about them. */
  readonly sagas: Sagas;
  /** The schemas that events were appended with, and whether what is declared goes with them. */
  readonly schemas: EngineSchemas;
  /** The snapshots of states: which there are, and whether they are right. */
  readonly snapshots: EngineSnapshots;
  readonly #snapshots: Snapshots;
  readonly #hooks: EngineHooks | undefined;
  readonly #readSide: ReadSide | undefined;
  readonly #sagaSide: SagaSide;
  /** Begins a replay of what happened: at any pace, from or to any moment. */
  readonly replay: StartReplay;
  /** Looks into what happened: what changed, when, why, and what else could have come of it. */
  readonly past: Past;
  readonly #ownsLog: boolean;
  #closing: Promise<void> | undefined;
  /** Fires when it is closed. */
  readonly #ending = new AbortController();

  /** @internal Use `openEngine`. */
  constructor(
    log: EventLog,
    folding: Folding,
    executor: Executor,
    {
      aggregates,
      schemas,
      snapshots,
      hooks,
      readSide,
      sagaSide,
      clock,
      freezes,
      ownsLog,
    }: {
      readonly aggregates: readonly AnyAggregate[];
      readonly schemas: EngineSchemas;
      readonly snapshots: Snapshots;
      readonly hooks: EngineHooks | undefined;
      readonly readSide: ReadSide | undefined;
      readonly sagaSide: SagaSide;
      readonly clock: Clock;
      readonly freezes: boolean;
      readonly ownsLog: boolean;
    },
  ) {
    this.log = log;
    this.#folding = folding;
    this.#executor = executor;
    this.consumers = new Consumers(readSide, () => this.#checkOpen());
    this.schemas = schemas;
    this.snapshots = new EngineSnapshots(snapshots, folding, aggregates, () => this.#checkOpen());
    this.#snapshots = snapshots;
    this.#readSide = readSide;
    this.#sagaSide = sagaSide;
    this.sagas = sagaSide.sagas(() => this.#checkOpen());
    this.#hooks = hooks;
    this.#ownsLog = ownsLog;
    const { replay, past } = openReplaySide({ log, folding, clock, freezes, closing: this.#ending.signal }, () =>
      this.#checkOpen(),
    );
    this.replay = replay;
    this.past = past;
  }

  /**
   * Validates, decides and appends. When it returns `accepted` the events are durable. Commands of one stream are done
   * in the order of their calls, unless a schema is asynchronous.
   * @throws {EngineError} `command_unknown`, `decide_failed`, `evolve_failed`, `event_unhandled`, `event_invalid`,
   * `event_type_unknown`, `data_unfaithful`, `limit_exceeded`, `name_invalid`, `option_invalid`,
   * `idempotency_key_reused`, `command_queue_full`, `engine_closed`: nothing was written. `command_timeout`, `command_aborted`,
   * `store_failed`: `details.outcome` says whether it may have been.
   */
  async execute<C extends Command>(command: C, options: ExecuteOptions = {}): Promise<CommandReceipt<EmittedBy<C>>> {
    const receipt = await this.#execute([command], options);
    if (receipt.kind === 'accepted') return receipt as CommandReceipt<EmittedBy<C>>;
    const { index: _, ...alone } = receipt;
    return alone;
  }

  /**
   * Executes several commands in one atomic append: each is decided upon what those before it lead to; if one is not
   * accepted, nothing is written, and `index` says which.
   * @throws as `execute`.
   */
  async executeAll<const C extends Command>(
    commands: readonly C[],
    options: Omit<ExecuteOptions, 'expectedVersion'> = {},
  ): Promise<BatchReceipt<EmittedBy<C>>> {
    return (await this.#execute(commands, options)) as BatchReceipt<EmittedBy<C>>;
  }

  async #execute(commands: readonly Command[], options: ExecuteOptions): Promise<BatchReceipt> {
    this.#checkOpen();
    checkExecuteOptions(options);
    const hook = this.#hooks?.execute;
    if (hook === undefined) return this.#executor.execute(commands, options);
    const { idempotencyKey, metadata } = options;
    const call = { commands, idempotencyKey, traceparent: metadata?.traceparent };
    return observed(hook, call, () => this.#executor.execute(commands, options));
  }

  /**
   * The state of one instance, now or at an earlier moment. An instance that does not exist has the initial state at version 0.
   * @throws {EngineError} `name_invalid`, `option_invalid`, `evolve_failed`, `event_unhandled`, `store_corrupt`, `engine_closed`;
   * the signal's reason, when aborted.
   */
  async load<A extends AnyAggregate>(
    aggregate: A,
    id: string,
    options: LoadOptions = {},
  ): Promise<LoadedState<InferState<A>>> {
    checkKeys('the options of load', options, loadKeys);
    const { at, mode = 'from_snapshot', signal } = options;
    checkSignal(signal);
    if (at !== undefined) checkMoment(at);
    if (mode !== 'from_snapshot' && mode !== 'full') throw optionInvalid('mode', mode, `'from_snapshot' or 'full'`);
    this.#checkOpen();
    const boundary = streamBoundary(aggregate, streamName(aggregate.name, id));
    const folded = await this.#fold(boundary, at, mode, signal);
    return folded as LoadedState<InferState<A>>;
  }

  #fold(
    boundary: StreamBoundary,
    at: Moment | undefined,
    mode: NonNullable<LoadOptions['mode']>,
    signal: AbortSignal | undefined,
  ): Promise<Folded> {
    if (mode === 'full') return this.#folding.fromFirst(boundary, at, signal);
    return at === undefined ? this.#folding.latest(boundary, signal) : this.#folding.fromSnapshot(boundary, at, signal);
  }

  /** Pages of what happened to one instance, typed. `log.read` has more ways of asking. */
  history<A extends AnyAggregate>(
    aggregate: A,
    id: string,
    query: Omit<ReadQuery, 'stream'> = {},
    signal?: AbortSignal,
  ): AsyncGenerator<readonly RecordedEvent<A['events']>[]> {
    const stream = streamName(aggregate.name, id);
    return this.log.read({ ...query, stream }, signal) as AsyncGenerator<readonly RecordedEvent<A['events']>[]>;
  }

  /** The documents of a projection that this engine was opened with. @throws {EngineError} `consumer_unknown`, `engine_closed` */
  view<P extends AnyProjection>(projection: P): View<InferDocument<P>> {
    this.#checkOpen();
    if (this.#readSide !== undefined) return this.#readSide.view<InferDocument<P>>(projection);
    throw new EngineError('consumer_unknown', { consumer: projection.name, known: [] });
  }

  /**
   * Starts an instance of a saga that takes an input. One that was started with the same input before is the same one.
   * @throws {EngineError} `saga_exists` if it was started with something else; `saga_unknown`, `event_invalid`, `name_invalid`, `data_unfaithful`, `engine_closed`
   */
  async start<S extends AnySaga>(
    saga: S,
    id: string,
    input: InferSagaInput<S>,
    options: ActOptions = {},
  ): Promise<SagaHandle<S> & { readonly duplicate: boolean }> {
    this.#checkOpen();
    const { handle, duplicate } = await this.#sagaSide.start(saga, id, input, options);
    return Object.assign(handle as SagaHandle<S>, { duplicate });
  }

  /** One instance of a saga that this engine was opened with, whether it is there or not. @throws {EngineError} `saga_unknown`, `name_invalid`, `engine_closed` */
  saga<S extends AnySaga>(saga: S, id: string): SagaHandle<S> {
    this.#checkOpen();
    return this.#sagaSide.handle(saga, id) as SagaHandle<S>;
  }

  /**
   * Has a command executed at a time, or again and again; whichever process then works. It is kept in the store, and is executed exactly once
   * each time.
   * @param options.id a second command under the same id is not scheduled. Not with ~ and a number at its end. Default: a new one.
   * @throws {EngineError} `option_invalid`, also where the engine was opened without `schedules`; `name_invalid`, `saga_exists`, `engine_closed`
   */
  async schedule(
    command: Command,
    time: ScheduleTime,
    options: ActOptions & { readonly id?: string } = {},
  ): Promise<Schedule> {
    this.#checkOpen();
    return this.#sagaSide.schedule(command, time, options);
  }

  /** Ends a schedule. @returns whether it was still to be executed. @throws {EngineError} `saga_not_found`, `engine_closed` */
  async unschedule(id: string, reason: string, options: ActOptions = {}): Promise<boolean> {
    this.#checkOpen();
    return this.#sagaSide.unschedule(id, reason, options);
  }

  /**
   * Batches of events, without end, as `log.subscribe`; with a `checkpoint`, from where they were followed to under this name: that a
   * batch has been dealt with is noted down when the next one is asked for, so each event comes at least once.
   * @throws {EngineError} `checkpoint_taken` if somebody else follows under the same name; `option_invalid` where the store keeps no
   * checkpoints; the signal's reason, when aborted.
   */
  async *subscribe(
    { checkpoint, ...query }: SubscribeQuery & { readonly checkpoint?: string } = {},
    signal?: AbortSignal,
  ): AsyncGenerator<EventBatch> {
    this.#checkOpen();
    if (checkpoint !== undefined) checkCheckpointName(checkpoint);
    if (checkpoint === undefined) {
      yield* this.log.subscribe(query, signal);
      return;
    }
    const state = await this.log.state();
    if (state === undefined) throw optionInvalid('checkpoint', checkpoint, 'a store that keeps checkpoints');
    if (query.after !== undefined) throw optionInvalid('after', query.after, 'a checkpoint or a position, not both');
    yield* followCheckpointed(this.log, state, checkpoint, query, signal);
  }

  /**
   * Resolves once every projection, table and reactor has dealt with every event, those too that they bring about meanwhile, and every saga has
   * ended, is stuck or waits for an event or a timer; whoever works on them. For tests, and before a planned stop.
   * @param options.timeoutMs also Infinity. Default 30,000.
   * @throws {EngineError} `consumer_faulted` if one stands still; `stale` or `saga_running` if the time is up; the signal's reason, when aborted.
   */
  async settled(options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {}): Promise<void> {
    checkKeys('the options of settled', options, ['timeoutMs', 'signal']);
    const { timeoutMs = 30_000, signal } = options;
    if (!(typeof timeoutMs === 'number' && timeoutMs >= 0))
      throw optionInvalid('timeoutMs', timeoutMs, 'a number of ms');
    checkSignal(signal);
    this.#checkOpen();
    const end = performance.now() + timeoutMs;
    for (;;) {
      await this.#readSide?.settled(Math.max(0, end - performance.now()), signal);
      const busy = await this.sagas.busy();
      if (busy === undefined) return;
      const { saga, id, status } = busy;
      if (performance.now() >= end) throw new EngineError('saga_running', { saga, id, status, waitedMs: timeoutMs });
      const { position } = await this.log.head();
      using linked = new LinkedSignal([signal, this.#ending.signal]);
      await Promise.race([this.log.appended(position, linked.signal), delay(busyLookMs, linked.signal)]);
    }
  }

  /** @throws {EngineError} `engine_closed` */
  #checkOpen(): void {
    if (this.#closing !== undefined) throw new EngineError('engine_closed', {});
  }

  /** Waits for the commands and events that are being dealt with, then closes the store. Later calls fail with `engine_closed`. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#ending.abort(new EngineError('engine_closed', {}));
    this.#sagaSide.stop();
    await this.#executor.end();
    await this.#readSide?.close();
    await this.#snapshots.close();
    if (this.#ownsLog) await this.log.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** How often it is looked whether sagas are still at work. */
const busyLookMs = 20;
const loadKeys = ['at', 'mode', 'signal'] satisfies (keyof LoadOptions)[];

function observedCommit(log: EventLog, hooks: EngineHooks | undefined): TurnContext['commit'] {
  const hook = hooks?.append;
  if (hook === undefined) return (request, signal) => log.commit(request, signal);
  return (request, signal) => observed(hook, request, () => log.commit(request, signal));
}

const backOffMaxMs = 50;

/** Full jitter: a random share of a wait that doubles (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015). */
function backOff(conflicts: number): Promise<void> {
  const waitMs = Math.random() * Math.min(backOffMaxMs, 2 ** conflicts);
  return new Promise((resolve) => setTimeout(resolve, waitMs));
}

function isDevelopment(): boolean {
  return (globalThis as { process?: NodeJS.Process }).process?.env?.['NODE_ENV'] !== 'production';
}
