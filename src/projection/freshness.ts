/** How far behind a build is, and waiting until it is no further behind than demanded. */
import type { StaleDetails } from '../ground/errors.ts';
import { onAbort } from '../ground/on-abort.ts';
import type { EventLog } from '../store/log.ts';
import type { Position } from '../store/port.ts';
import type { StateStore } from '../store/state-port.ts';
import type { Build } from './build.ts';
import { Control } from './control.ts';
import { EventFeed } from './feed.ts';
import { slotStates } from './slot.ts';

/** What is demanded of a view. */
export interface Bound {
  /** Every event up to this position is in it: that of a receipt, to read one's own writes. */
  readonly atLeast?: Position | undefined;
  /** The oldest event that is not in it is no older than this, in ms. */
  readonly maxLagMs?: number | undefined;
}

export interface Lag {
  /** Up to which all events are in it. */
  readonly position: Position;
  /** Of the store. */
  readonly head: Position;
  /** Age of the oldest event of interest that is not in it, in ms; 0 where there is none. */
  readonly ms: number;
  /** How many of interest are not in it. */
  readonly events: number;
}

/** A look at a build: whether that is enough, and if not, what resolves when it is worth looking again. */
type Look = { readonly isHeld: true } | { readonly isHeld: false; readonly change: Change };
type Change = (signal: AbortSignal) => Promise<unknown>;

const held: Look = { isHeld: true };

export class Freshness {
  readonly #log: EventLog;
  readonly #state: StateStore;
  readonly #control: Control;
  readonly #build: Build;
  readonly #feed: EventFeed;
  readonly #now: () => number;
  /** Once it has been up to date it has been so for good. */
  #isBuilt = false;
  /** Every event up to here is known to be in it. */
  #reached: Position = 0;
  /** The store is known to have events up to here. */
  #head: Position = 0;

  constructor(log: EventLog, state: StateStore, build: Build, now: () => number) {
    this.#log = log;
    this.#state = state;
    this.#control = new Control(state);
    this.#build = build;
    this.#feed = new EventFeed(log, build.consumer.interest);
    this.#now = now;
  }

  /** Up to which everything has been dealt with. */
  async position(): Promise<Position> {
    const { slots } = this.#build;
    const found = await this.#state.checkpoints(`${this.#build.name}#`);
    const positions = new Map(found.map(({ name, position }) => [name, position]));
    return this.#noteReached(Math.min(...slots.map((slot) => positions.get(slot) ?? 0)));
  }

  async isBuilt(): Promise<boolean> {
    if (this.#isBuilt) return true;
    const states = await slotStates(this.#control, this.#build.slots);
    return (this.#isBuilt = states.every(({ caughtUp }) => caughtUp));
  }

  /** @param countMax events to count, at most. */
  async lag(countMax: number): Promise<Lag> {
    const position = await this.position();
    const { position: head } = await this.#log.head();
    const ms = await this.#lagMs(position, head);
    return { position, head, ms, events: ms === 0 ? 0 : await this.#feed.count(position, head, countMax) };
  }

  /** At least 1 where something waits. */
  async #lagMs(position: Position, head: Position): Promise<number> {
    const oldest = await this.#feed.first(position, head);
    return oldest === undefined ? 0 : Math.max(1, this.#now() - oldest.recordedAt);
  }

  /**
   * Waits until the bound holds, and the view has been built; without either it does not wait.
   * @returns undefined if it holds, else how things stand when the time was up.
   * @throws the signal's reason, when aborted.
   */
  async hold(bound: Bound, timeoutMs: number, signal?: AbortSignal): Promise<StaleDetails | undefined> {
    // As most reads find it.
    if (this.#isBuilt && (bound.atLeast ?? 0) <= this.#reached && bound.maxLagMs === undefined) return undefined;
    const begun = this.#now();
    const controller = new AbortController();
    const leave = onAbort(signal, () => controller.abort(signal?.reason));
    if (signal?.aborted) controller.abort(signal.reason);
    const timer = timeoutMs < timerMax ? setTimeout(() => controller.abort(timeIsUp), timeoutMs) : undefined;
    try {
      for (;;) {
        const look = await this.#look(bound);
        if (look.isHeld) return undefined;
        if (controller.signal.aborted) return await this.#explain(bound, begun, controller.signal);
        try {
          await look.change(controller.signal);
        } catch (error) {
          if (error !== timeIsUp) throw error;
        }
      }
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  /** @throws the signal's reason, unless it is that the time is up. */
  async #explain(bound: Bound, begun: number, signal: AbortSignal): Promise<StaleDetails> {
    if (signal.reason !== timeIsUp) throw signal.reason;
    const { name: view } = this.#build.consumer;
    const isBuilding = !(await this.isBuilt());
    const position = await this.position();
    const { position: head } = await this.#log.head();
    const lagMs = await this.#lagMs(position, head);
    return { view, position, head, lagMs, isBuilding, ...bound, waitedMs: this.#now() - begun };
  }

  async #look({ atLeast = 0, maxLagMs }: Bound): Promise<Look> {
    // First: what changes while it is looked at is not missed.
    const rings = this.#isBuilt ? 0 : await this.#control.count();
    if (!(await this.isBuilt())) return behind((signal) => this.#control.changed(rings, signal));
    if (atLeast > this.#reached) {
      const change = await this.#untilReached(atLeast);
      if (change !== undefined) return behind(change);
    }
    if (maxLagMs === undefined) return held;
    const position = await this.position();
    const lagMs = await this.#lagMs(position, (await this.#log.head()).position);
    return lagMs <= maxLagMs ? held : behind((signal) => this.#moved(position, signal));
  }

  /** Undefined where nothing of interest lies between what is known to be in it and the bound. */
  async #untilReached(atLeast: Position): Promise<Change | undefined> {
    if (this.#head < atLeast) this.#head = (await this.#log.head()).position;
    // What the store does not have yet cannot be in the view either.
    if (this.#head < atLeast) return (signal) => this.#log.appended(atLeast - 1, signal);
    const last = await this.#feed.last(this.#reached, atLeast);
    if (last === undefined) {
      this.#noteReached(atLeast);
      return undefined;
    }
    return async (signal) => {
      await this.#moved(last.position - 1, signal);
      this.#noteReached(atLeast);
    };
  }

  #noteReached(position: Position): Position {
    this.#reached = Math.max(this.#reached, position);
    return position;
  }

  /** Resolves once every slot is past a position. */
  async #moved(after: Position, outer: AbortSignal): Promise<void> {
    const { slots } = this.#build;
    const [only] = slots;
    if (only !== undefined && slots.length === 1) {
      await this.#state.moved(only, after, outer);
      return;
    }
    const controller = new AbortController();
    const leave = onAbort(outer, () => controller.abort(outer.reason));
    if (outer.aborted) controller.abort(outer.reason);
    try {
      await Promise.all(slots.map((slot) => this.#state.moved(slot, after, controller.signal)));
    } finally {
      leave();
      // Where one fails, nobody waits for the others.
      controller.abort();
    }
  }
}

function behind(change: Change): Look {
  return { isHeld: false, change };
}

const timeIsUp = new Error('the time is up');
const timerMax = 2 ** 31 - 1;
