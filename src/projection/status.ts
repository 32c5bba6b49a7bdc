/** How consumers stand, and telling when one is behind. */
import { hasCode } from '../ground/errors.ts';
import type { Position } from '../store/port.ts';
import type { Condition } from '../store/state-port.ts';
import { Build } from './build.ts';
import type { Lag } from './freshness.ts';
import type { Failure, NoticeTaker } from './notice.ts';
import { parkedCollection } from './parking.ts';
import type { AnyConsumer } from './registry.ts';
import type { Site } from './site.ts';
import { slotStates } from './slot.ts';
import type { Skipped } from './slot.ts';

export interface SlotStatus {
  readonly slot: number;
  readonly position: Position;
  /** Why it stands still. */
  readonly fault?: Failure;
  /** Events that an operator had it leave out; the last 100. */
  readonly skipped: readonly Skipped[];
}

export interface ConsumerStatus {
  readonly kind: AnyConsumer['kind'];
  readonly name: string;
  readonly version: number;
  readonly mode: AnyConsumer['mode'];
  /**
   * `never_run`: nobody has ever worked on this version of it, so it has no slots; `building`: has never been up to date; `faulted`: at least one
   * of its slots stands still.
   */
  readonly state: 'never_run' | 'building' | 'running' | 'faulted';
  /** That serves; 0 if there is none. */
  readonly generation: number;
  readonly lag: Lag;
  readonly sla?: { readonly maxLagMs: number; readonly isKept: boolean };
  readonly slots: readonly SlotStatus[];
  /** Events that were put aside. */
  readonly parked: number;
  /** The generation that is being built beside it; or has been, and waits for `adopt` or `drop`. */
  readonly building?: BuildingStatus;
  /** Generations that served before, and are still there. */
  readonly retired: readonly number[];
}

export interface BuildingStatus {
  readonly generation: number;
  readonly position: Position;
  /** Whether it has been up to date once. */
  readonly isBuilt: boolean;
  /** Why it stands still. */
  readonly fault?: Failure;
}

/** Events that are counted, at most. */
const countMax = 10_000;

export async function statusOf(site: Site, consumer: AnyConsumer): Promise<ConsumerStatus> {
  try {
    return await begunStatus(site, consumer);
  } catch (error) {
    if (!hasCode(error, 'consumer_never_run')) throw error;
    const { kind, name, version, mode } = consumer;
    const lag = await site.freshness(new Build(consumer, 1)).lag(countMax);
    return { kind, name, version, mode, state: 'never_run', generation: 0, lag, slots: [], parked: 0, retired: [] };
  }
}

/** @throws {EngineError} `consumer_never_run` */
async function begunStatus(site: Site, consumer: AnyConsumer): Promise<ConsumerStatus> {
  const { registration, build, freshness } = await site.current(consumer);
  const states = await slotStates(site.registry.control, build.slots);
  const lag = await freshness.lag(countMax);
  const found = await site.state.checkpoints(`${build.name}#`);
  const slots = build.slots.map((name, slot) => {
    const { fault, skipped = [] } = states[slot] ?? {};
    const position = found.find((checkpoint) => checkpoint.name === name)?.position ?? 0;
    return { slot, position, skipped, ...(fault !== undefined && { fault }) };
  });
  const { kind, name, version, mode, maxLagMs } = consumer;
  const isFaulted = slots.some(({ fault }) => fault !== undefined);
  const isBuilt = states.every(({ caughtUp }) => caughtUp);
  return {
    kind,
    name,
    version,
    mode,
    state: isFaulted ? 'faulted' : isBuilt ? 'running' : 'building',
    generation: registration.active,
    lag,
    ...(maxLagMs !== undefined && { sla: { maxLagMs, isKept: lag.ms <= maxLagMs } }),
    slots,
    parked: (await site.state.count(parkedCollection, ofSlots(build.slots))).count,
    ...(await buildingOf(site, consumer, registration.building)),
    retired: registration.retired,
  };
}

async function buildingOf(
  site: Site,
  consumer: AnyConsumer,
  generation: number,
): Promise<Pick<ConsumerStatus, 'building'>> {
  if (generation === 0) return {};
  const build = new Build(consumer, generation);
  const position = await site.freshness(build).position();
  const states = await slotStates(site.registry.control, build.slots);
  const fault = states.find((state) => state.fault !== undefined)?.fault;
  const isBuilt = states.every(({ caughtUp }) => caughtUp);
  return { building: { generation, position, isBuilt, ...(fault !== undefined && { fault }) } };
}

function ofSlots(slots: readonly string[]): Condition {
  return { kind: 'in', path: 'slot', values: slots };
}

interface Watched {
  readonly site: Site;
  readonly consumer: AnyConsumer;
  position: Position;
  /** Since when it has stood there with events waiting. */
  waitingSince: number | undefined;
  isKept: boolean;
}

/** Looks at every consumer now and then, whoever works on it: one that nobody works on is what it is for. */
export class Watchdog {
  readonly #watched: readonly Watched[];
  readonly #notice: NoticeTaker;
  readonly #now: () => number;
  readonly #stallMs: number;

  constructor(
    consumers: readonly { readonly site: Site; readonly consumer: AnyConsumer }[],
    { notice, now, stallMs }: { notice: NoticeTaker; now: () => number; stallMs: number },
  ) {
    this.#watched = consumers.map((one) => ({ ...one, position: -1, waitingSince: undefined, isKept: true }));
    this.#notice = notice;
    this.#now = now;
    this.#stallMs = stallMs;
  }

  /** @throws what reading throws. */
  async look(): Promise<void> {
    for (const watched of this.#watched) await this.#lookAt(watched);
  }

  async #lookAt(watched: Watched): Promise<void> {
    const { site, consumer } = watched;
    const { name, version, maxLagMs } = consumer;
    const { build, freshness } = await site.serving(consumer);
    const { position, events, ms } = await freshness.lag(1_000);
    const who = { consumer: name, version };
    this.#notice({ kind: 'lag', ...who, generation: build.generation, position, events, ms });
    if (maxLagMs !== undefined && watched.isKept !== ms <= maxLagMs) {
      watched.isKept = ms <= maxLagMs;
      this.#notice({ kind: watched.isKept ? 'sla_kept' : 'sla_broken', ...who, maxLagMs, lagMs: ms });
    }
    const now = this.#now();
    if (events === 0 || position !== watched.position) watched.waitingSince = events === 0 ? undefined : now;
    watched.position = position;
    if (watched.waitingSince === undefined || now - watched.waitingSince < this.#stallMs) return;
    this.#notice({ kind: 'stalled', ...who, position, forMs: now - watched.waitingSince });
    // Again only after as long a time.
    watched.waitingSince = now;
  }
}
