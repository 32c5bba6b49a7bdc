/** How far behind a build is, and waiting until it is no further behind than demanded. */
import type { StaleDetails } from '../ground/errors.ts';
import { onAbort } from '../ground/on-abort.ts';
import { RecentCache } from '../ground/recent-cache.ts';
import type { EventLog } from '../store/log.ts';
import type { Position } from '../store/port.ts';
import type { StateStore } from '../store/state-port.ts';
import type { Build } from './build.ts';
import { Control } from './control.ts';
import { EventFeed } from './feed.ts';
import type { Failure } from './notice.ts';
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

/** A look at a build: whether that is enough. */
type Look =
  | { readonly isHeld: true }
  | {
      readonly isHeld: false;
      /** Why it gets no further. */
      readonly fault: Failure | undefined;
      /** Resolves when it is worth looking again, even if nothing about consumers has changed; absent while it is being built. */
      readonly moved?: (signal: AbortSignal) => Promise<unknown>;
    };

/** What became of waiting for a bound; `replaced`: another generation serves now, and this one may move no more. */
export type Hold =
  | { readonly kind: 'held' }
  | { readonly kind: 'stale'; readonly stale: StaleDetails }
  | { readonly kind: 'replaced'; readonly waitedMs: number };

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
  /** By bounds: the last events that they need, which stay the same. */
  readonly #needed = new RecentCache<Position, Position>(1_000);

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
    const position = Math.min(...(await this.positions()));
    this.#reached = Math.max(this.#reached, position);
    return position;
  }

  /** The same, of each slot. */
  async positions(): Promise<readonly Position[]> {
    const found = await this.#state.checkpoints(`${this.#build.name}#`);
    const positions = new Map(found.map(({ name, position }) => [name, position]));
    return this.#build.slots.map((slot) => positions.get(slot) ?? 0);
  }

  /** Whether everything is in it that is in another generation, in each slot. */
  async covers(other: Freshness): Promise<boolean> {
    const wanted = await other.positions();
    const positions = await this.positions();
    for (const [slot, position] of positions.entries())
      if (!(await this.#holds(position, wanted[slot] ?? 0))) return false;
    return true;
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
   * @param isReplaced whether it no longer serves: asked whenever something about consumers has changed.
   * @returns how things stand, if it does not hold when the time is up, or its consumer stands still.
   * @throws the signal's reason, when aborted.
   */
  async hold(
    bound: Bound,
    timeoutMs: number,
    signal?: AbortSignal,
    isReplaced: () => Promise<boolean> = async () => false,
  ): Promise<Hold> {
    const begun = this.#now();
    if (await this.#comesSoon(bound, timeoutMs, signal)) return { kind: 'held' };
    const controller = new AbortController();
    const leave = onAbort(signal, () => controller.abort(signal?.reason));
    if (signal?.aborted) controller.abort(signal.reason);
    const timer = timeoutMs < timerMax ? setTimeout(() => controller.abort(timeIsUp), timeoutMs) : undefined;
    try {
      while (!this.#isKnownToHold(bound)) {
        // First: what changes while it is looked at is noticed.
        const rings = await this.#control.count();
        const look = await this.#look(bound);
        if (look.isHeld) return { kind: 'held' };
        const { aborted, reason } = controller.signal;
        if (aborted && reason !== timeIsUp) throw reason;
        if (aborted || (look.fault !== undefined && !(await isReplaced())))
          return await this.#explain(look.fault, bound, begun);
        if (await isReplaced()) return { kind: 'replaced', waitedMs: this.#now() - begun };
        try {
          await this.#change(look, rings, controller.signal);
        } catch (error) {
          if (error !== timeIsUp) throw error;
        }
      }
      return { kind: 'held' };
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  #isKnownToHold({ atLeast = 0, maxLagMs }: Bound): boolean {
    return this.#isBuilt && maxLagMs === undefined && atLeast <= this.#reached;
  }

  /**
   * Whether a bound on the position holds now or in a moment: most who wait do so for the batch that is under way. To look closer,
   * at how the slots stand and whether it still serves, would cost them more than that.
   */
  async #comesSoon({ atLeast = 0, maxLagMs }: Bound, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.#isKnownToHold({ atLeast, maxLagMs })) return true;
    if (!this.#isBuilt || maxLagMs !== undefined || signal?.aborted) return false;
    if (this.#head < atLeast) this.#head = (await this.#log.head()).position;
    if (this.#head < atLeast) return false;
    const last = await this.#lastNeeded(atLeast);
    if (last > this.#reached && !(await this.#passes(last - 1, Math.min(soonMs, timeoutMs), signal))) return false;
    this.#reached = Math.max(this.#reached, atLeast);
    return true;
  }

  /** Whether every slot is past a position within so many ms. @throws the signal's reason, when aborted. */
  async #passes(after: Position, ms: number, outer?: AbortSignal): Promise<boolean> {
    const controller = new AbortController();
    const leave = onAbort(outer, () => controller.abort(outer?.reason));
    const timer = setTimeout(() => controller.abort(timeIsUp), ms);
    try {
      await this.#allPast(after, controller.signal);
      return true;
    } catch (error) {
      if (error !== timeIsUp) throw error;
      return false;
    } finally {
      clearTimeout(timer);
      leave();
      // Where one slot fails, nobody waits for the others.
      controller.abort(nobodyWaits);
    }
  }

  async #allPast(after: Position, signal: AbortSignal): Promise<void> {
    await Promise.all(this.#build.slots.map((slot) => this.#state.moved(slot, after, signal)));
  }

  /** By the figures that are told, or held after all: it has moved on since it was looked at. */
  async #explain(fault: Failure | undefined, bound: Bound, begun: number): Promise<Hold> {
    const { atLeast = 0, maxLagMs = Infinity } = bound;
    const position = await this.position();
    const { position: head } = await this.#log.head();
    const lagMs = await this.#lagMs(position, head);
    const isFar = position >= atLeast || (head >= atLeast && position >= (await this.#lastNeeded(atLeast)));
    if (this.#isBuilt && isFar && lagMs <= maxLagMs) return { kind: 'held' };
    const { name: view } = this.#build.consumer;
    const waitedMs = this.#now() - begun;
    const stands = fault === undefined ? {} : { fault: { position: fault.position, reason: fault.reason } };
    const stale = { view, position, head, lagMs, isBuilding: !this.#isBuilt, ...bound, waitedMs, ...stands };
    return { kind: 'stale', stale };
  }

  async #look({ atLeast = 0, maxLagMs }: Bound): Promise<Look> {
    const states = await slotStates(this.#control, this.#build.slots);
    const fault = states.find((state) => state.fault !== undefined)?.fault;
    this.#isBuilt ||= states.every(({ caughtUp }) => caughtUp);
    if (!this.#isBuilt) return { isHeld: false, fault };
    if (atLeast > this.#reached && (await this.position()) < atLeast) {
      const moved = await this.#missing(atLeast);
      if (moved !== undefined) return { isHeld: false, fault, moved };
    }
    if (maxLagMs === undefined) return { isHeld: true };
    const position = await this.position();
    const lagMs = await this.#lagMs(position, (await this.#log.head()).position);
    if (lagMs <= maxLagMs) return { isHeld: true };
    return { isHeld: false, fault, moved: (signal) => this.#allPast(position, signal) };
  }

  /** What has to come for the bound to hold; undefined where nothing of interest lies between. */
  async #missing(atLeast: Position): Promise<((signal: AbortSignal) => Promise<unknown>) | undefined> {
    const { position: head } = await this.#log.head();
    // What the store does not have yet cannot be in the view either.
    if (head < atLeast) return (signal) => this.#log.appended(atLeast - 1, signal);
    const last = await this.#lastNeeded(atLeast);
    if (last <= this.#reached) return undefined;
    return async (signal) => {
      await this.#allPast(last - 1, signal);
      this.#reached = Math.max(this.#reached, atLeast);
    };
  }

  /** The last event of interest up to a position that the store has; 0 if all of them are known to be in it. */
  async #lastNeeded(atLeast: Position): Promise<Position> {
    const known = this.#needed.get(atLeast);
    if (known !== undefined) return known;
    const last = (await this.#feed.last(this.#reached, atLeast))?.position ?? 0;
    this.#needed.set(atLeast, last);
    return last;
  }

  /** A bound holds if nothing of interest lies between. */
  async #holds(position: Position, atLeast: Position): Promise<boolean> {
    return position >= atLeast || (await this.#feed.first(position, atLeast)) === undefined;
  }

  /** Resolves when it is worth looking again. */
  async #change(look: Look & { readonly isHeld: false }, rings: Position, outer: AbortSignal): Promise<void> {
    const controller = new AbortController();
    const leave = onAbort(outer, () => controller.abort(outer.reason));
    if (outer.aborted) controller.abort(outer.reason);
    const { signal } = controller;
    try {
      await Promise.race([this.#control.changed(rings, signal), ...(look.moved ? [look.moved(signal)] : [])]);
    } finally {
      leave();
      controller.abort(nobodyWaits);
    }
  }
}

const soonMs = 25;
/** A reason that is there already: without one, each abort makes an exception with a stack. */
const nobodyWaits = new Error('nobody waits any longer');
const timeIsUp = new Error('the time is up');
const timerMax = 2 ** 31 - 1;
