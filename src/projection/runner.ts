import { EngineError, describe, hasCode } from '../ground/errors.ts';
import type { ErrorCode } from '../ground/errors.ts';
import { LinkedSignal } from '../ground/linked-signal.ts';
import type { EventLog } from '../store/log.ts';
import type { Position } from '../store/port.ts';
import type { DocumentDelete, DocumentPut, StateCommit, StateStore } from '../store/state-port.ts';
import type { Build } from './build.ts';
import { slotOf } from './consumer.ts';
import type { Consumer } from './consumer.ts';
import type { Control } from './control.ts';
import { EventFeed } from './feed.ts';
import type { Batch } from './feed.ts';
import { TaskFailed } from './fold.ts';
import type { Task } from './fold.ts';
import { distinct, endOfEvent, isKnown, isUnknown, middleOf, putAside } from './tasks-of-event.ts';
import type { ToPark } from './tasks-of-event.ts';
import type { Handling } from './handling.ts';
import type { Failure, NoticeTaker } from './notice.ts';
import { Parking } from './parking.ts';
import type { Probe } from './probe.ts';
import { changeSlot, slotStates } from './slot.ts';
import type { SlotRequest, SlotState } from './slot.ts';
import { checkpointAt } from './checkpoint.ts';

/** What a runner needs of the process that it runs in. */
export interface RunnerContext {
  readonly log: EventLog;
  readonly state: StateStore;
  readonly control: Control;
  readonly notice: NoticeTaker;
  readonly now: () => number;
  readonly random: () => number;
  /** How often what is controlled has changed, as far as this process knows. */
  readonly rings: () => number;
  /** Resolves once it has changed again. */
  readonly rung: (after: number, signal: AbortSignal) => Promise<unknown>;
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Events in a batch: at first; and, as long as that is quick, twice as many each time, since more of smaller ones would leave who is behind
 * further behind. Where folds are slow fewer, so that they do not hold up everything else, and are not begun from far back.
 */
const batchSize = { first: 100, least: 10, most: 2_000 };
const quickMs = 200;
const slowMs = 500;
/** How far its checkpoint may lag behind a runner that has met nothing of interest. */
const unstoredMax = 1_000;
/** How long what a reactor has done may be known to nobody else. */
const reactedMs = 200;
const retryMs = 100;
const retryMaxMs = 10_000;
const skippedMax = 100;

/** What an event brings about, rather than the store. */
const ownFaults: readonly ErrorCode[] = [
  'data_unfaithful',
  'name_invalid',
  'request_invalid',
  'statement_failed',
  'limit_exceeded',
];

/** Somebody else has moved what this runner took for its own. */
class Displaced extends Error {
  readonly by: 'lease' | 'checkpoint';

  constructor(by: 'lease' | 'checkpoint') {
    super(`displaced: ${by}`);
    this.by = by;
  }
}

type Fences = NonNullable<StateCommit['fences']>;

export interface RunnerParts {
  readonly slot: number;
  /** Of the slot's lease, and of the types that are handled. */
  readonly fences: Fences;
  readonly handling: Handling;
  readonly probe: Probe | undefined;
  /** Whether the store has failed again and again at what comes next, so that it may not be the store. */
  readonly suspects: boolean;
}

/** Works on one slot of a build, while it holds the lease. Whatever it believes, a checkpoint that has moved refutes it. */
export class SlotRunner {
  readonly #context: RunnerContext;
  readonly #build: Build;
  readonly #slot: number;
  readonly #name: string;
  readonly #fences: Fences;
  readonly #handling: Handling;
  readonly #probe: Probe | undefined;
  readonly #feed: EventFeed;
  readonly #parking: Parking;
  /** Up to here everything has been dealt with, and up to there that is committed. */
  #position: Position = 0;
  #stored: Position = 0;
  #storedAt = 0;
  #batchSize = batchSize.first;
  #state: SlotState = { caughtUp: false, requests: [], skipped: [] };
  #ringsSeen = -1;
  /** Whether all there was has been dealt with since the slot is held. */
  #isUpToDate = false;
  /** Whether what the store fails with is taken to be an event's fault. */
  readonly #suspects: boolean;
  #ahead: { readonly after: Position; readonly batch: Promise<Batch | undefined> } | undefined;

  constructor(context: RunnerContext, build: Build, { slot, fences, handling, probe, suspects }: RunnerParts) {
    this.#context = context;
    this.#build = build;
    this.#slot = slot;
    this.#name = build.slot(slot);
    this.#fences = fences;
    this.#handling = handling;
    this.#probe = slot === 0 ? probe : undefined;
    this.#feed = new EventFeed(context.log, build.consumer.interest);
    this.#parking = new Parking(context.state, this.#name);
    this.#suspects = suspects;
  }

  /**
   * Resolves when the lease was lost.
   * @throws the signal's reason, when aborted; whatever the store fails with.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.#load();
    for (;;) {
      try {
        await this.#step(signal);
      } catch (error) {
        if (error instanceof Displaced) {
          if (error.by === 'lease') return;
          await this.#load();
        } else {
          if (signal.aborted) await this.#flush().catch(() => undefined);
          throw error;
        }
      }
    }
  }

  async #load(): Promise<void> {
    this.#ahead = undefined;
    this.#handling.forget();
    await this.#parking.load();
    this.#position = this.#stored = await this.#storedPosition();
    this.#ringsSeen = -1;
  }

  async #storedPosition(): Promise<Position> {
    return checkpointAt(this.#context.state, this.#name);
  }

  async #step(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#context.rings() !== this.#ringsSeen) await this.#obey(signal);
    const { fault } = this.#state;
    if (fault !== undefined) return this.#standStill(fault, signal);
    const batch = await this.#next(signal);
    if (batch === undefined) await this.#rest(signal);
    else await this.#deal(batch, signal);
  }

  /** Until somebody has acted; what older code did not know may be known here. */
  async #standStill({ position, isUnknown: isUnknownThere = false }: Failure, signal: AbortSignal): Promise<void> {
    if (isUnknownThere && (await isKnown(this.#build.consumer, this.#feed, position)))
      return this.#change((state) => {
        const { fault: _, ...rest } = state;
        return rest;
      });
    await this.#context.rung(this.#ringsSeen, signal);
    // Perhaps newer code has taken over: then the fence says so.
    if (isUnknownThere) await this.#store({}, this.#stored);
  }

  /** One that folds inline may have been overtaken by the appends themselves. */
  async #next(signal: AbortSignal): Promise<Batch | undefined> {
    if (this.#build.consumer.mode === 'inline' && (await this.#storedPosition()) !== this.#stored) await this.#load();
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead?.after === this.#position) return ahead.batch;
    return this.#feed.next(this.#position, this.#batchSize, signal);
  }

  /** Reads on while a batch is dealt with, where another one is full already: else there is more to read afterwards. */
  #readAhead({ position, head }: Batch, signal: AbortSignal): void {
    if (head - position < this.#batchSize) return;
    const batch = this.#feed.next(position, this.#batchSize, signal);
    // Who waits for it hears of it; else nobody needs to.
    batch.catch(() => undefined);
    this.#ahead = { after: position, batch };
  }

  /** Everything there is has been dealt with. */
  async #rest(signal: AbortSignal): Promise<void> {
    if (!this.#state.caughtUp) return this.#catchUp();
    if (!this.#isUpToDate) {
      this.#isUpToDate = true;
      await this.#handling.caughtUp?.();
      return;
    }
    using linked = new LinkedSignal([signal]);
    await Promise.race([
      this.#context.log.appended(this.#position, linked.signal),
      this.#context.rung(this.#ringsSeen, linked.signal),
    ]);
  }

  async #catchUp(): Promise<void> {
    await this.#flush();
    await this.#change((state) => ({ ...state, caughtUp: true }));
    const { name: consumer, version } = this.#build.consumer;
    const { generation } = this.#build;
    this.#context.notice({ kind: 'caught_up', consumer, version, generation, position: this.#position });
  }

  async #deal(batch: Batch, signal: AbortSignal): Promise<void> {
    this.#readAhead(batch, signal);
    const tasks = batch.events.flatMap((event) => this.#task(event) ?? []);
    const begun = this.#context.now();
    if (this.#isReactor) {
      for (let index = 0; index < tasks.length;) {
        signal.throwIfAborted();
        const group = tasks.slice(index, endOfEvent(tasks, index));
        if (!(await this.#take(group, (group[0] as Task).event.position, signal))) return;
        index += group.length;
      }
    } else if (tasks.length > 0 && !(await this.#take(tasks, batch.position, signal))) return;
    this.#position = batch.position;
    this.#pace(this.#context.now() - begun);
    const isForOthers = batch.events.length > tasks.length;
    if (isForOthers || this.#isReactor || this.#position - this.#stored >= unstoredMax) await this.#flush();
    // Not only when there is nothing more: where events come without a pause that is never.
    if (!this.#state.caughtUp && batch.position >= batch.head) await this.#catchUp();
  }

  #pace(ms: number): void {
    if (ms > slowMs) this.#batchSize = Math.max(batchSize.least, Math.floor(this.#batchSize / 2));
    else if (ms < quickMs) this.#batchSize = Math.min(batchSize.most, this.#batchSize * 2);
  }

  /** Undefined where none of its keys is of this slot. */
  #task(event: Task['event']): Task | undefined {
    try {
      const { slots } = this.#build.consumer;
      const all = this.#build.consumer.keysOf(event);
      const keys = slots === 1 ? all : all.filter((key) => slotOf(key, slots) === this.#slot);
      return keys.length > 0 ? { event, keys } : undefined;
    } catch (error) {
      return { event, keys: [], keyless: { error } };
    }
  }

  /** Deals with tasks, and where some cannot be, with those before them and then with each by itself. @returns false if it stands still now. */
  async #take(tasks: readonly Task[], until: Position, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#commit(tasks, until, signal);
      return true;
    } catch (error) {
      if (!this.#isOwnFault(error, signal)) throw error;
      this.#handling.forget();
      if (tasks.length === 0) throw error;
      if (endOfEvent(tasks, 0) === tasks.length) return this.#insist(tasks, until, error, signal);
      const culprit = error instanceof TaskFailed ? error.task.event.position : undefined;
      const failed = tasks.findIndex(({ event }) => event.position === culprit);
      const before = tasks.slice(0, failed > 0 ? failed : middleOf(tasks, failed));
      const last = before.at(-1)?.event.position ?? until;
      return (await this.#take(before, last, signal)) && this.#take(tasks.slice(before.length), until, signal);
    }
  }

  /** Tries again what failed once, and then does what was declared for that. @param tasks of one stored event. */
  async #insist(tasks: readonly Task[], until: Position, error: unknown, signal: AbortSignal): Promise<boolean> {
    const [task] = tasks as readonly [Task];
    const { attempts, onFailure } = this.#policyFor(error);
    let failure = this.#failure(task, error, 1);
    for (let attempt = 2; attempt <= attempts; attempt++) {
      const waitMs = Math.min(retryMaxMs, retryMs * 2 ** (attempt - 2));
      await this.#context.delay(waitMs * (0.5 + this.#context.random() / 2), signal);
      try {
        await this.#commit(
          tasks.map((one) => ({ ...one, attempt })),
          until,
          signal,
        );
        return true;
      } catch (another) {
        if (!this.#isOwnFault(another, signal)) throw another;
        failure = this.#failure(task, another, attempt);
      }
    }
    if (onFailure === 'park') {
      try {
        await this.#commit([], until, signal, { tasks, failure });
        return true;
      } catch (tooMany) {
        if (!this.#isOwnFault(tooMany, signal)) throw tooMany;
        failure = this.#failure(task, tooMany, failure.attempts);
      }
    }
    await this.#flush();
    await this.#change((state) => ({ ...state, fault: failure }));
    this.#context.notice({ kind: 'faulted', ...this.#who(), failure });
    return false;
  }

  /** What this code does not know, no further attempt makes known. */
  #policyFor(error: unknown): Pick<Consumer, 'attempts' | 'onFailure'> {
    const { consumer } = this.#build;
    if (!isUnknown(error)) return consumer;
    return { attempts: 1, onFailure: consumer.onUnknown === 'park' ? 'park' : 'stop' };
  }

  /** Those whose keys are parked already wait behind them. */
  async #commit(
    tasks: readonly Task[],
    until: Position,
    signal: AbortSignal,
    put?: { readonly tasks: readonly Task[]; readonly failure: Failure },
  ): Promise<void> {
    const free = this.#parking.isEmpty ? tasks : tasks.flatMap((task) => this.#freed(task));
    const parked: ToPark[] = this.#parking.isEmpty ? [] : distinct(tasks.flatMap((task) => this.#parkedOf(task)));
    if (put !== undefined) parked.push(...putAside(put.tasks, put.failure));
    const taken = await this.#handling.take(free, signal);
    const probed = this.#probe?.put(free.map(({ event }) => event));
    const puts: readonly DocumentPut[] = [
      ...(taken.change.puts ?? []),
      ...parked.map(({ event, key, failure }) => this.#parking.put(event, key, failure)),
      ...(probed === undefined ? [] : [probed.put]),
    ];
    const change = { ...taken.change, puts };
    // What a reactor did is done; that it was is noted down for several at once.
    if (this.#isReactor && isNothing(change) && this.#context.now() - this.#storedAt < reactedMs)
      this.#position = until;
    else await this.#store(change, until);
    taken.committed();
    probed?.kept();
    for (const { key } of parked) this.#parking.added(key);
    if (put !== undefined)
      for (const { key, failure } of parked)
        if (key !== '') this.#context.notice({ kind: 'parked', ...this.#who(), key, failure });
  }

  #freed(task: Task): readonly Task[] {
    const keys = task.keys.filter((key) => !this.#parking.has(key));
    return keys.length > 0 || task.keyless !== undefined ? [{ ...task, keys }] : [];
  }

  #parkedOf(task: Task): readonly ToPark[] {
    return task.keys
      .filter((key) => this.#parking.has(key))
      .map((key) => ({ key, event: task.event, failure: this.#behind(task) }));
  }

  /** @throws {Displaced} */
  async #store(change: StateCommit, until: Position): Promise<void> {
    const result = await this.#context.state.commit({
      ...change,
      fences: this.#fences,
      checkpoints: [{ name: this.#name, from: this.#stored, to: until }],
    });
    if (result !== 'committed') throw new Displaced(result === 'fenced' ? 'lease' : 'checkpoint');
    this.#position = this.#stored = until;
    this.#storedAt = this.#context.now();
  }

  async #flush(): Promise<void> {
    if (this.#position !== this.#stored) await this.#store({}, this.#position);
  }

  /** Looks at how the slot stands, and does what is asked of it. */
  async #obey(signal: AbortSignal): Promise<void> {
    this.#ringsSeen = this.#context.rings();
    const [state] = await slotStates(this.#context.control, [this.#name]);
    if (state !== undefined) this.#state = state;
    for (const request of this.#state.requests) {
      await this.#fulfil(request, signal);
    }
  }

  async #fulfil(request: SlotRequest, signal: AbortSignal): Promise<void> {
    if (request.kind === 'unpark') await this.#unpark(request.key, signal);
    const { fault } = this.#state;
    const isSkip = request.kind === 'skip' && fault?.position === request.position;
    const along = isSkip ? { checkpoints: [{ name: this.#name, from: this.#stored, to: request.position }] } : {};
    await this.#change((state) => {
      const { fault: stands, ...rest } = state;
      // By what it says: where an answer was lost it may be gone already.
      const done = state.requests.findIndex((one) => areSame(one, request));
      const requests = state.requests.filter((_, index) => index !== done);
      if (request.kind === 'unpark') return { ...state, requests };
      if (!isSkip) return request.kind === 'retry' ? { ...rest, requests } : { ...state, requests };
      const { position, reason, actor } = request;
      const skipped = [...state.skipped, { position, reason, actor, at: this.#context.now() }].slice(-skippedMax);
      return { ...rest, requests, skipped, ...(stands?.position === position ? {} : { fault: stands }) };
    }, along);
    if (isSkip) this.#position = this.#stored = request.position;
  }

  /** One after another, each key up to the first that still cannot be dealt with. */
  async #unpark(wanted: string | undefined, signal: AbortSignal): Promise<void> {
    await this.#flush();
    for (const key of wanted === undefined ? this.#parking.keys : [wanted]) await this.#unparkKey(key, signal);
  }

  async #unparkKey(key: string, signal: AbortSignal): Promise<void> {
    for await (const { position } of this.#parking.of(key)) {
      // One that is no longer of interest is dealt with.
      const tasks = (await this.#feed.at(position)).flatMap((event) => this.#task(event) ?? []);
      const [task] = tasks;
      const meant =
        key === '' ? tasks : tasks.map((one) => ({ ...one, keys: one.keys.filter((name) => name === key) }));
      try {
        const taken = await this.#handling.take(meant, signal);
        const deletes: readonly DocumentDelete[] = [
          ...(taken.change.deletes ?? []),
          this.#parking.delete(position, key),
        ];
        await this.#store({ ...taken.change, deletes }, this.#stored);
        taken.committed();
        this.#parking.removed(key);
      } catch (error) {
        if (!this.#isOwnFault(error, signal)) throw error;
        this.#handling.forget();
        if (task === undefined) return;
        const failure = this.#failure(task, error, 1);
        await this.#store({ puts: [this.#parking.putAgain(task.event, key, failure)] }, this.#stored);
        this.#context.notice({ kind: 'parked', ...this.#who(), key, failure });
        return;
      }
    }
  }

  /** @throws {Displaced} */
  async #change(make: (state: SlotState) => SlotState, along: StateCommit = {}): Promise<void> {
    let next = this.#state;
    const isDone = await changeSlot(this.#context.control, this.#name, (state) => (next = make(state)), {
      ...along,
      fences: this.#fences,
    });
    if (!isDone) throw new Displaced('lease');
    this.#state = next;
  }

  #failure({ event }: Task, error: unknown, attempts: number): Failure {
    const { position, stream, version, type } = event;
    const cause = error instanceof TaskFailed ? error.cause : error;
    const reason = keepable(cause instanceof EngineError ? cause.summary : describe(cause));
    const unknown = isUnknown(error) && { isUnknown: true };
    return { position, stream, version, type, reason, ...unknown, attempts, at: this.#context.now() };
  }

  #behind(task: Task): Failure {
    return this.#failure(task, 'an earlier event of its key is parked', 0);
  }

  /** Whether it is an event that brings an error about, rather than the store or somebody else. */
  #isOwnFault(error: unknown, signal: AbortSignal): boolean {
    if (signal.aborted || error instanceof Displaced) return false;
    if (!(error instanceof EngineError)) return true;
    return ownFaults.some((code) => hasCode(error, code)) || (this.#suspects && hasCode(error, 'store_failed'));
  }

  get #isReactor(): boolean {
    return this.#build.consumer.kind === 'reactor';
  }

  #who(): { readonly consumer: string; readonly version: number; readonly slot: number } {
    const { name: consumer, version } = this.#build.consumer;
    return { consumer, version, slot: this.#slot };
  }
}

const reasonMax = 1_000;

/** What any store keeps of a text. */
function keepable(text: string): string {
  return text.slice(0, reasonMax).toWellFormed().replaceAll('\0', '\ufffd');
}

function areSame(a: SlotRequest, b: SlotRequest): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isNothing({ puts = [], deletes = [], statements = [] }: StateCommit): boolean {
  return puts.length + deletes.length + statements.length === 0;
}
