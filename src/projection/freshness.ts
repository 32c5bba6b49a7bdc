/** How far behind a build is, and waiting until it is no further behind than demanded. */
import type { StaleDetails } from '../ground/errors.ts';
import { LinkedSignal } from '../ground/linked-signal.ts';
import { SharedLook } from '../ground/shared-look.ts';
import type { EventLog } from '../store/log.ts';
import type { Position } from '../store/port.ts';
import type { StateStore } from '../store/state-port.ts';
import type { Build } from './build.ts';
import { Control } from './control.ts';
import { EventFeed } from './feed.ts';
import type { Failure } from './notice.ts';
import { slotStates } from './slot.ts';
import type { SlotState } from './slot.ts';
import { isKnown } from './tasks-of-event.ts';

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

/** A look at a build: how it stands, and whether that is enough. */
type Look = { readonly isHeld: true } | ({ readonly isHeld: false } & Behind);

interface Behind {
  readonly isBuilding: boolean;
  /** Why it gets no further. */
  readonly fault: Failure | undefined;
  readonly head: Position;
  readonly position: Position;
  /** Once it is past this, it is worth looking again. */
  readonly wanted: Position;
}

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
  /** Many wait at a time, and all want to know the same. */
  readonly #positions = new SharedLook(() => this.#lookAtPositions());
  readonly #states = new SharedLook(() => slotStates(this.#control, this.#build.slots));
  /** Once it has been up to date it has been so for good. */
  #isBuilt = false;
  /** The last event of interest up to a position; 0 if there is none. What has happened stays, so this does, too. */
  #looked: { readonly until: Position; readonly last: Position } = { until: 0, last: 0 };

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
    return Math.min(...(await this.positions()));
  }

  /** The same, of each slot. */
  positions(): Promise<readonly Position[]> {
    return this.#positions.ask();
  }

  async #lookAtPositions(): Promise<readonly Position[]> {
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
    const ms = lagOf(await this.#ageMs(position, head));
    return { position, head, ms, events: ms === 0 ? 0 : await this.#feed.count(position, head, countMax) };
  }

  /** How long ago the oldest event was recorded that waits; negative where the clocks disagree; undefined where none waits. */
  async #ageMs(position: Position, head: Position): Promise<number | undefined> {
    const oldest = await this.#feed.first(position, head);
    return oldest && this.#now() - oldest.recordedAt;
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
    if (this.#isBuilt && bound.atLeast === undefined && bound.maxLagMs === undefined) return { kind: 'held' };
    const begun = this.#now();
    // What has happened stays: once it is known it is not looked up again.
    let last = await this.#lastUntil(bound.atLeast ?? 0);
    if (await this.#comesSoon(last, bound, timeoutMs, signal)) return { kind: 'held' };
    using linked = new LinkedSignal([signal], { ms: timeoutMs, reason: timeIsUp });
    for (let rings: Position | undefined; ; rings = await this.#control.count()) {
      last ??= await this.#lastUntil(bound.atLeast ?? 0);
      const look = await this.#look(last, bound);
      if (look.isHeld) return { kind: 'held' };
      const { aborted, reason } = linked.signal;
      if (aborted && reason !== timeIsUp) throw reason;
      if (aborted || (look.fault !== undefined && !(await isReplaced()))) return this.#explain(look, bound, begun);
      // Looked at again after counting: what changes from then on is noticed.
      if (rings === undefined) continue;
      if (await isReplaced()) return { kind: 'replaced', waitedMs: this.#now() - begun };
      try {
        await this.#change(look, rings, bound, linked.signal);
      } catch (error) {
        if (error !== timeIsUp) throw error;
      }
    }
  }

  /**
   * Whether a bound on the position holds now or in a moment: most who wait do so for the batch that is under way. To look closer,
   * at how the slots stand and whether it still serves, would cost them more than that.
   */
  async #comesSoon(
    last: Position | undefined,
    { maxLagMs }: Bound,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<boolean> {
    if (!this.#isBuilt || maxLagMs !== undefined || signal?.aborted || last === undefined) return false;
    return last === 0 || this.#passes(last - 1, Math.min(soonMs, timeoutMs), signal);
  }

  /** Position of the last event of interest up to another; 0 if there is none; undefined where the store does not have that yet. */
  async #lastUntil(position: Position): Promise<Position | undefined> {
    const { until, last } = this.#looked;
    if (position <= until && last <= position) return last;
    if (position > until && (await this.#log.head()).position < position) return undefined;
    const [after, before] = position > until ? [until, last] : [0, 0];
    const found = (await this.#feed.last(after, position))?.position ?? before;
    if (position > this.#looked.until) this.#looked = { until: position, last: found };
    return found;
  }

  /** Whether every slot is past a position within so many ms. @throws the signal's reason, when aborted. */
  async #passes(after: Position, ms: number, outer?: AbortSignal): Promise<boolean> {
    // Where one fails, nobody waits for the others.
    using linked = new LinkedSignal([outer], { ms, reason: timeIsUp });
    const { signal } = linked;
    try {
      await Promise.all(this.#build.slots.map((slot) => this.#state.moved(slot, after, signal)));
      return true;
    } catch (error) {
      if (error !== timeIsUp) throw error;
      return false;
    }
  }

  async #explain({ isBuilding, head, position, fault }: Behind, bound: Bound, begun: number): Promise<Hold> {
    const lagMs = lagOf(await this.#ageMs(position, head));
    const { name: view } = this.#build.consumer;
    const waitedMs = this.#now() - begun;
    const stands = fault === undefined ? {} : { fault: { position: fault.position, reason: fault.reason } };
    return { kind: 'stale', stale: { view, position, head, lagMs, isBuilding, ...bound, waitedMs, ...stands } };
  }

  /** @param last event of interest up to the bound; undefined where the store does not have all up to there. */
  async #look(last: Position | undefined, { atLeast, maxLagMs }: Bound): Promise<Look> {
    if (this.#isBuilt && maxLagMs === undefined && (atLeast === undefined || (await this.position()) >= atLeast))
      return { isHeld: true };
    const states = await this.#states.ask();
    this.#isBuilt ||= states.every(({ caughtUp }) => caughtUp);
    const isBuilding = !this.#isBuilt;
    if (!isBuilding && atLeast === undefined && maxLagMs === undefined) return { isHeld: true };
    const position = await this.position();
    const { position: head } = await this.#log.head();
    const ageMs = maxLagMs === undefined ? undefined : await this.#ageMs(position, head);
    // Of an event from the future nobody knows how old it is.
    const isRecent = maxLagMs === undefined || ageMs === undefined || (ageMs >= 0 && ageMs <= maxLagMs);
    // What the store did not have cannot have been in the view either, but may be by now.
    const isFar = (last !== undefined && last <= position) || position >= (atLeast ?? 0);
    if (!isBuilding && isRecent && isFar) return { isHeld: true };
    const fault = await this.#faultOf(states);
    // Who waits for one event alone does not look again at each batch before it.
    const wanted = isBuilding || maxLagMs !== undefined ? position : Math.max(position, (last ?? 0) - 1);
    return { isHeld: false, isBuilding, fault, position, wanted, head };
  }

  /** Where newer code stands still no longer, it has only to come to it. */
  async #faultOf(states: readonly SlotState[]): Promise<Failure | undefined> {
    const fault = states.find((state) => state.fault !== undefined)?.fault;
    const isOutgrown = fault?.isUnknown === true && (await isKnown(this.#build.consumer, this.#feed, fault.position));
    return isOutgrown ? undefined : fault;
  }

  /** A bound holds if nothing of interest lies between. */
  async #holds(position: Position, atLeast: Position): Promise<boolean> {
    return position >= atLeast || (await this.#feed.first(position, atLeast)) === undefined;
  }

  /** Resolves when it is worth looking again. */
  async #change({ wanted, head }: Behind, rings: Position, { atLeast }: Bound, outer: AbortSignal): Promise<void> {
    using linked = new LinkedSignal([outer]);
    const { signal } = linked;
    // Those that are ahead of the slowest change nothing.
    const waits: Promise<unknown>[] = [
      Promise.all(this.#build.slots.map((slot) => this.#state.moved(slot, wanted, signal))),
      this.#control.changed(rings, signal),
    ];
    if (atLeast !== undefined && atLeast > head) waits.push(this.#log.appended(head, signal));
    await Promise.race(waits);
  }
}

/** At least 1 where something waits. */
function lagOf(ageMs: number | undefined): number {
  return ageMs === undefined ? 0 : Math.max(1, ageMs);
}

const soonMs = 100;
/** A reason that is there already: without one, each abort makes an exception with a stack. */
const timeIsUp = new Error('the time is up');
