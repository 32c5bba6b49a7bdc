/** Sagas and schedules: what of them is given to the engine, and how they are worked on. */
import type { Executor } from '../command/executor.ts';
import { KeyedQueue } from '../command/keyed-queue.ts';
import type { AggregateCommand, Command, DecisionCommand } from '../command/command.ts';
import { checkKeys, optionInvalid } from '../ground/check-options.ts';
import { delay, readClock } from '../ground/clock.ts';
import type { Clock, Timer } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import { RecentCache } from '../ground/recent-cache.ts';
import type { HostedConsumer } from '../projection/hosted.ts';
import type { Run } from '../projection/read-side.ts';
import type { AnyImplementation } from '../saga/activity.ts';
import { Desks } from '../saga/desks.ts';
import { EndWatch } from '../saga/end-watch.ts';
import { SagaHandle, startInstance } from '../saga/handle.ts';
import type { ActOptions } from '../saga/handle.ts';
import { Permits } from '../saga/permits.ts';
import type { SagaRuntime } from '../saga/runtime.ts';
import { sagaConsumer } from '../saga/saga-consumer.ts';
import type { AnySaga } from '../saga/saga.ts';
import { Sagas } from '../saga/sagas.ts';
import { scheduleName, scheduleSaga, successorOf } from '../saga/schedule.ts';
import type { EventLog } from '../store/log.ts';
import type { StateStore } from '../store/state-port.ts';
import { sagaNoticeTaker } from './hooks.ts';
import type { EngineHooks } from './hooks.ts';

export interface SagaSettings {
  readonly sagas?: readonly AnySaga[];
  /** How the activities of sagas are done, made by `activity.implement`. Tests give fakes. */
  readonly activities?: readonly AnyImplementation[];
  /** Whether `schedule` can be used, and what was scheduled is done here. Default false. */
  readonly schedules?: boolean;
}

interface SagaParts extends SagaSettings {
  readonly run?: Run;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly hooks: EngineHooks | undefined;
}

/** Why what sagas are at is broken off. */
const closed = new EngineError('engine_closed', {});

/** When, and how often. */
export type ScheduleTime =
  /** Once. A Date, or ms since the epoch. */
  | { readonly at: Date | number }
  /** Every so many ms, for the first time after so many, or at `from`. What is missed while nobody works is made up for once. */
  | { readonly every: number; readonly from?: Date | number };

/** A command that is to be executed later. */
export interface Schedule {
  readonly id: string;
  /** Whether it had been scheduled before, under this id. */
  readonly duplicate: boolean;
}

const everyMinMs = 10;
/** Ids of those that take over from others. */
const successorPattern = /~\d+$/;
/** Instances of which it is remembered how far they had come when something was added to them. */
const latelyMax = 1_000;

/** All of them. */
export class SagaSide {
  readonly consumers: readonly HostedConsumer[];
  readonly #runtime: SagaRuntime;
  readonly #state: StateStore | undefined;
  readonly #closing: AbortController;

  private constructor(
    runtime: SagaRuntime,
    consumers: readonly HostedConsumer[],
    state: StateStore | undefined,
    closing: AbortController,
  ) {
    this.#closing = closing;
    this.#runtime = runtime;
    this.consumers = consumers;
    this.#state = state;
  }

  /** Begins nothing more: what is under way is taken up by whoever works on it next. */
  stop(): void {
    this.#closing.abort(closed);
  }

  sagas(checkOpen: () => void): Sagas {
    return new Sagas(this.#runtime, this.consumers, this.#state, checkOpen);
  }

  /** @throws {EngineError} `definition_invalid`, `saga_version_absent`, `option_invalid` */
  static async open(log: EventLog, executor: Executor, parts: SagaParts): Promise<SagaSide> {
    const { schedules = false, activities = [], clock, newId, hooks } = parts;
    if (typeof schedules !== 'boolean') throw optionInvalid('schedules', schedules, 'true or false');
    const given = [...(parts.sagas ?? []), ...(schedules ? [scheduleSaga] : [])];
    const implementations = new Map(activities.map((one) => [one.activity, one]));
    checkSagas(given, implementations, parts.run ?? 'all');
    const closing = new AbortController();
    const desks = new Desks();
    const runtime: SagaRuntime = {
      log,
      executor,
      sagas: new Map(given.map((saga) => [saga.name, saga])),
      implementations,
      permits: new Permits(),
      ends: new EndWatch(log, desks),
      desks,
      outside: new KeyedQueue(),
      lately: new RecentCache(latelyMax),
      notice: sagaNoticeTaker(hooks),
      closing: closing.signal,
      now: () => readClock(clock),
      random: Math.random,
      newId,
    };
    const state = given.length === 0 ? undefined : await log.state();
    if (given.length > 0 && state === undefined)
      throw optionInvalid(
        'sagas',
        given.map(({ name }) => name),
        'a store that keeps documents',
      );
    const wait = 'wait' in clock ? (clock as Timer).wait.bind(clock) : delay;
    const consumers: HostedConsumer[] = [];
    for (const saga of given) consumers.push(sagaConsumer(() => runtime, saga, await startOf(log, saga), wait));
    const sagaSide = new SagaSide(runtime, consumers, state, closing);
    if (given.length > 0) {
      const sagas = sagaSide.sagas(() => {});
      // Who only looks writes nothing.
      if (given.some(({ name }) => isRun(parts.run, name))) await sagas.prepare();
      await sagas.checkVersions();
      log.discountStreams(await sagas.startedEver());
    }
    return sagaSide;
  }

  async start(
    saga: AnySaga,
    id: string,
    input: unknown,
    options: ActOptions,
  ): Promise<{ readonly handle: SagaHandle; readonly duplicate: boolean }> {
    checkKeys('the options of start', options, ['actor', 'metadata']);
    const known = this.#known(saga);
    const { duplicate, standing } = await startInstance(this.#runtime, known, id, input, options);
    return { handle: new SagaHandle(this.#runtime, known, id, standing), duplicate };
  }

  handle(saga: AnySaga, id: string): SagaHandle {
    return new SagaHandle(this.#runtime, this.#known(saga), id);
  }

  /** @throws {EngineError} `saga_unknown` */
  #known(given: AnySaga): AnySaga {
    const known = this.#runtime.sagas.get(given?.name);
    if (known !== undefined) return known;
    throw new EngineError('saga_unknown', { saga: String(given?.name), known: [...this.#runtime.sagas.keys()] });
  }

  /** @throws {EngineError} `option_invalid`, `name_invalid`; `saga_exists` if something else was scheduled under this id. */
  async schedule(
    command: Command,
    time: ScheduleTime,
    { id = this.#runtime.newId(), ...options }: ActOptions & { readonly id?: string | undefined },
  ): Promise<Schedule> {
    const saga = this.#schedules();
    checkKeys('the options of schedule', options, ['actor', 'metadata']);
    checkScheduleId(saga, id);
    const input = { command: plainCommand(command), ...plannedTime(time), id, generation: 0 };
    const { duplicate } = await startInstance(this.#runtime, saga, id, input, options);
    return { id, duplicate };
  }

  /** Follows it to the instance that is running now. */
  async unschedule(id: string, reason: string, options: ActOptions): Promise<boolean> {
    const saga = this.#schedules();
    for (let [generation, instance] = [0, id]; ;) {
      const handle = new SagaHandle(this.#runtime, saga, instance);
      const { status, result, failure } = await handle.state();
      if (status === 'completed') {
        if ((result as { readonly successor?: string } | undefined)?.successor === undefined) return false;
        instance = successorOf(id, generation);
        generation += 1;
      } else if (failure !== undefined) return false;
      // Else it has ended meanwhile, and may have a successor.
      else if ((await handle.cancel(reason, options)).status !== 'completed') return true;
    }
  }

  #schedules(): AnySaga {
    const saga = this.#runtime.sagas.get(scheduleName);
    if (saga === undefined)
      throw optionInvalid('schedules', false, 'true, given to openEngine, for commands to be scheduled');
    return saga;
  }
}

/** The same whenever it is asked for: who schedules the same once more has scheduled it. */
function plannedTime(time: ScheduleTime): { readonly at?: number; readonly every: number } {
  if (typeof time !== 'object' || time === null) throw optionInvalid('time', time, '{ at } or { every }');
  if ('at' in time) {
    checkKeys('the time', time, ['at']);
    return { at: timeOf('at', time.at), every: 0 };
  }
  checkKeys('the time', time, ['every', 'from']);
  const { every, from } = time;
  if (!(Number.isFinite(every) && every >= everyMinMs))
    throw optionInvalid('every', every, `a number of ms, at least ${everyMinMs}`);
  return { every: Math.round(every), ...(from !== undefined && { at: timeOf('from', from) }) };
}

/** @throws {EngineError} `name_invalid`, `option_invalid` */
function checkScheduleId(saga: AnySaga, id: string): void {
  // Those who take over have longer ids.
  saga.stream(successorOf(id, Number.MAX_SAFE_INTEGER));
  if (successorPattern.test(id)) throw optionInvalid('id', id, 'one that does not end with ~ and a number');
}

function timeOf(option: string, given: Date | number): number {
  const time = typeof given === 'number' || given instanceof Date ? Number(given) : Number.NaN;
  if (Number.isFinite(time) && Math.abs(time) <= 8.64e15) return Math.ceil(time);
  throw optionInvalid(option, given, 'a Date, or ms since the epoch');
}

function plainCommand(command: Command): object {
  if (typeof command !== 'object' || command === null) throw optionInvalid('command', command, 'a command');
  if ('decision' in command) {
    const { decision, input } = command as DecisionCommand;
    return { decision, input: input ?? null };
  }
  const { aggregate, id, command: name, input } = command as AggregateCommand;
  return { aggregate, id, command: name, input: input ?? null };
}

/** One that has instances has been worked on elsewhere: this is a copy of that store, and what had come by then is still to be dealt with. */
async function startOf(log: EventLog, { name, startAt }: AnySaga): Promise<HostedConsumer['startAt']> {
  if (startAt === 'first_event') return startAt;
  const [any] = await log.streams({ prefix: `${name}-`, limit: 1 });
  return any === undefined ? 'now' : 'first_event';
}

function isRun(run: Run = 'all', name: string): boolean {
  return run === 'all' || (run !== 'none' && run.includes(name));
}

/** @throws {EngineError} `definition_invalid` */
function checkSagas(
  sagas: readonly AnySaga[],
  implementations: ReadonlyMap<string, AnyImplementation>,
  run: Run,
): void {
  const names = new Set(sagas.map(({ name }) => name));
  for (const { name, children, activities, previous } of sagas) {
    const refuse = (reason: string) => new EngineError('definition_invalid', { name, reason });
    for (const child of children)
      if (!names.has(child)) throw refuse(`its child ${child} is not among the sagas of the engine`);
    if (!isRun(run, name)) continue;
    for (const activity of [activities, ...previous.map((one) => one.activities)].flatMap((map) => [...map.keys()]))
      if (!implementations.has(activity))
        throw refuse(`its activity ${activity} has no implementation: give ${activity}.implement(…) in \`activities\``);
  }
}
