/** A view as it was. */
import type { RecordedEvent } from '../event/codec.ts';
import { checkKeys, optionInvalid } from '../ground/check-options.ts';
import { describe } from '../ground/errors.ts';
import { Build } from '../projection/build.ts';
import { EventFeed } from '../projection/feed.ts';
import { TaskFailed } from '../projection/fold.ts';
import type { Task } from '../projection/fold.ts';
import type { Bound, Freshness, Hold } from '../projection/freshness.ts';
import { ViewHandling } from '../projection/handling.ts';
import type { AnyProjection } from '../projection/projection.ts';
import { View } from '../projection/view.ts';
import type { ViewSource } from '../projection/view.ts';
import { MemoryStateStore } from '../store/memory-state.ts';
import type { Moment } from '../store/moment.ts';
import type { Position } from '../store/port.ts';
import { checkProjection } from './about.ts';
import { checkMomentOf, checkWatching } from './check-options.ts';
import type { ReplayContext } from './context.ts';
import { foldFailed, taskOf } from './documents.ts';
import type { ReplayProgress } from './options.ts';
import { scopeOf } from './scope.ts';
import { Teller } from './teller.ts';
import { Timeline } from './timeline.ts';

export interface PastViewOptions {
  /** What is done about an event that cannot be folded: throw `fold_failed`, or go on without it. Default `'stop'`. */
  readonly onFailure?: 'stop' | 'leave_out';
  readonly signal?: AbortSignal;
  /** Told about ten times a second, and at the end. */
  readonly onProgress?: (progress: ReplayProgress) => void;
}

/** An event that a view leaves out, as it cannot be folded. */
export interface LeftOut {
  readonly position: Position;
  readonly stream: string;
  readonly type: string;
  readonly reason: string;
}

/** What a view leaves out. */
interface Omissions {
  readonly count: number;
  /** The first 100 of them. */
  readonly events: readonly LeftOut[];
}

const optionKeys = ['onFailure', 'signal', 'onProgress'] satisfies (keyof PastViewOptions)[];
const shownMax = 100;
/** Documents kept at hand while they are folded, at least. */
const cached = 1_000;

/**
 * The documents of a projection as they were at a moment, in this process's memory. It gets no further: a read that demands an event behind
 * its moment finds it stale, at once.
 */
export class PastView<Document> extends View<Document> {
  /** Every event up to here is in it. */
  readonly position: Position;
  /** The events that it leaves out. */
  readonly leftOut: Omissions;

  /** @internal Use `engine.past.view`. */
  constructor(source: ViewSource, position: Position, leftOut: Omissions) {
    super(source);
    this.position = position;
    this.leftOut = leftOut;
  }
}

export async function pastView(
  context: ReplayContext,
  given: AnyProjection,
  at: Moment,
  options: PastViewOptions,
): Promise<PastView<unknown>> {
  const projection = checkProjection(given);
  checkMomentOf({ kind: 'documents' }, at, 'at');
  checkKeys('the options of a view', options, optionKeys);
  checkWatching({ signal: options.signal, onProgress: options.onProgress });
  const { onFailure = 'stop', signal, onProgress } = options;
  if (onFailure !== 'stop' && onFailure !== 'leave_out')
    throw optionInvalid('onFailure', onFailure, `'stop' or 'leave_out'`);
  const state = new MemoryStateStore(context);
  const build = new Build(projection, 1);
  await state.define({ name: build.collection, indexes: projection.indexes });
  const timeline = new Timeline(context.log, scopeOf({ kind: 'documents', projection }));
  const { position: until } = await timeline.end(at, signal);
  const work = new Construction(build, projection, state, {
    freezes: context.freezes,
    leavesOut: onFailure !== 'stop',
  });
  const teller = new Teller(onProgress, context);
  let [events, position, recordedAt]: [number, Position, number | undefined] = [0, 0, undefined];
  const progress = (fraction: number): ReplayProgress => ({ events, position, recordedAt, until, fraction });
  for await (const page of timeline.pages(0, until, signal)) {
    await work.take(page);
    events += page.length;
    ({ position, recordedAt } = page.at(-1) as RecordedEvent);
    teller.tell(() => progress(position / until));
  }
  teller.tellLast(progress(1));
  const freshness = new FixedFreshness(context, projection, until);
  return new PastView(sourceOf(state, build, freshness), until, work.leftOut);
}

/** Folds into documents that are kept in memory. */
class Construction {
  readonly #projection: AnyProjection;
  readonly #state: MemoryStateStore;
  readonly #handling: ViewHandling;
  readonly #leavesOut: boolean;
  readonly #omitted: LeftOut[] = [];
  #count = 0;

  constructor(
    build: Build,
    projection: AnyProjection,
    state: MemoryStateStore,
    { freezes, leavesOut }: { readonly freezes: boolean; readonly leavesOut: boolean },
  ) {
    this.#projection = projection;
    this.#state = state;
    this.#handling = new ViewHandling(build, projection, state, { cached, freezes });
    this.#leavesOut = leavesOut;
  }

  get leftOut(): Omissions {
    return { count: this.#count, events: this.#omitted };
  }

  /** @throws {EngineError} `fold_failed` */
  async take(events: readonly RecordedEvent[]): Promise<void> {
    const tasks = events.map((event) => taskOf(this.#projection, event));
    try {
      await this.#commit(tasks);
    } catch {
      for (const task of tasks) await this.#takeAlone(task);
    }
  }

  async #takeAlone(task: Task): Promise<void> {
    try {
      await this.#commit([task]);
    } catch (error) {
      const cause = error instanceof TaskFailed ? error.cause : error;
      if (!this.#leavesOut) throw foldFailed(this.#projection.name, task.event, cause);
      const { position, stream, type } = task.event;
      this.#count += 1;
      if (this.#omitted.length < shownMax) this.#omitted.push({ position, stream, type, reason: describe(cause) });
    }
  }

  async #commit(tasks: readonly Task[]): Promise<void> {
    const { change, committed } = await this.#handling.take(tasks);
    await this.#state.commit(change);
    committed();
  }
}

/** How fresh something is that moves no more. */
class FixedFreshness implements Pick<Freshness, 'hold' | 'position' | 'positions'> {
  readonly #context: ReplayContext;
  readonly #projection: AnyProjection;
  readonly #position: Position;
  readonly #feed: EventFeed;

  constructor(context: ReplayContext, projection: AnyProjection, position: Position) {
    this.#context = context;
    this.#projection = projection;
    this.#position = position;
    this.#feed = new EventFeed(context.log, projection.interest);
  }

  async position(): Promise<Position> {
    return this.#position;
  }

  async positions(): Promise<readonly Position[]> {
    return [this.#position];
  }

  /** A bound holds as that of any view does, or not; there is nothing to wait for. */
  async hold(bound: Bound): Promise<Hold> {
    const { atLeast = 0, maxLagMs } = bound;
    const position = this.#position;
    if (atLeast <= position && maxLagMs === undefined) return { kind: 'held' };
    const { position: head } = await this.#context.log.head();
    const next = await this.#feed.first(position, head);
    const isFar = atLeast <= position || (atLeast <= head && (next === undefined || next.position > atLeast));
    const ageMs = next === undefined ? 0 : this.#context.now() - next.recordedAt;
    if (isFar && (maxLagMs === undefined || next === undefined || (ageMs >= 0 && ageMs <= maxLagMs)))
      return { kind: 'held' };
    const lagMs = next === undefined ? 0 : Math.max(1, ageMs);
    const { name: view } = this.#projection;
    const stale = { view, position, head, lagMs, isBuilding: false, ...bound, waitedMs: 0, isPast: true };
    return { kind: 'stale', stale };
  }
}

function sourceOf(state: MemoryStateStore, build: Build, freshness: FixedFreshness): ViewSource {
  const served = { build, freshness };
  return {
    serving: async () => served,
    current: async () => served,
    isReplaced: async () => false,
    begun: async (timeoutMs) => timeoutMs,
    find: (collection, query) => state.find(collection, query),
    get: async (collection, key) => (await state.get(collection, [key]))[0]?.value,
    count: (collection, where) => state.count(collection, where),
    scanned: () => {
      // In memory all queries look at all documents.
    },
  };
}
