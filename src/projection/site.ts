/** Where consumers keep their state: beside the events, or, what is live, in this process's memory. */
import { EngineError, hasCode } from '../ground/errors.ts';
import { LinkedSignal } from '../ground/linked-signal.ts';
import type { EventLog } from '../store/log.ts';
import type { Position } from '../store/port.ts';
import type { StateStore } from '../store/state-port.ts';
import { Build, definitionName } from './build.ts';
import type { Consumer } from './consumer.ts';
import { EventFeed } from './feed.ts';
import { Freshness } from './freshness.ts';
import type { NoticeTaker } from './notice.ts';
import { prepareParking } from './parking.ts';
import { Probe } from './probe.ts';
import { Registry } from './registry.ts';
import type { AnyConsumer, Registration } from './registry.ts';
import { workersCollection } from './share.ts';
import type { Look, Serving } from './view.ts';
import { Workers } from './workers.ts';
import type { Employed, WorkersOptions } from './workers.ts';

export interface SiteContext {
  readonly log: EventLog;
  readonly notice: NoticeTaker;
  readonly now: () => number;
  readonly random: () => number;
  readonly workers: WorkersOptions;
}

/** How long what is known of who serves is taken to be true where nobody listens for changes, in ms. */
const knownMs = 1_000;

interface Known extends Serving {
  readonly rings: Position;
  readonly at: number;
}

export class Site {
  readonly state: StateStore;
  readonly registry: Registry;
  readonly workers: Workers;
  readonly #context: SiteContext;
  readonly #known = new Map<string, Known>();
  readonly #active = new Map<string, Omit<Known, 'freshness'>>();

  constructor(state: StateStore, context: SiteContext) {
    this.state = state;
    this.registry = new Registry(state);
    this.#context = context;
    this.workers = new Workers(this.registry, context, context.workers);
  }

  /**
   * Begins to work on these, and makes them known where they are not.
   * @throws {EngineError} `definition_changed`, `statement_failed`
   */
  async employ(consumers: readonly AnyConsumer[]): Promise<readonly Employed[]> {
    if (consumers.length === 0) return [];
    await this.registry.prepare();
    await prepareParking(this.state);
    await this.state.define({ name: workersCollection, indexes: [['build']] });
    const rings = await this.registry.control.count();
    const { position } = await this.#context.log.head();
    const employed: Employed[] = [];
    for (const consumer of consumers) employed.push(await this.#employ(consumer, position));
    this.workers.start(employed, rings);
    return employed;
  }

  /** Those of these that somebody has worked on, without working on them. */
  async know(consumers: readonly AnyConsumer[]): Promise<readonly Employed[]> {
    const known: Employed[] = [];
    for (const consumer of consumers) {
      try {
        await this.registry.registration(consumer);
      } catch (error) {
        if (hasCode(error, 'consumer_never_run')) continue;
        throw error;
      }
      const { position } = await this.#context.log.head();
      known.push(await this.#employ(consumer, position));
    }
    return known;
  }

  epochOf(consumer: AnyConsumer): Promise<number | undefined> {
    return this.registry.epochOf(consumer);
  }

  async #employ(consumer: AnyConsumer, position: Position): Promise<Employed> {
    const { notice, log } = this.#context;
    const { name, version, interest } = consumer;
    const registration = await this.registry.register(consumer, position);
    const feed = new EventFeed(log, interest);
    const probe = await Probe.open(consumer, this.registry.control, feed, (types) =>
      notice({ kind: 'schemas_changed', consumer: name, version, types }),
    );
    const { types } = interest;
    if (types.join('\n') === registration.types.join('\n')) return { consumer, registration, probe };
    // What has been passed by does not concern a saga, whatever it takes from now on.
    const check = consumer.kind === 'saga' ? async () => {} : () => this.#requireNew(consumer, registration);
    await this.registry.retype(consumer, check);
    return { consumer, registration: { ...registration, types }, probe };
  }

  /** A type that it ignored so far must not lie behind it already. @throws {EngineError} `definition_changed` */
  async #requireNew(consumer: AnyConsumer, registration: Registration): Promise<void> {
    const { log } = this.#context;
    const added = consumer.interest.types.filter((type) => !registration.types.includes(type));
    if (added.length === 0) return;
    const { active, building } = registration;
    const builds = [active, ...(building > 0 ? [building] : [])].map((generation) => new Build(consumer, generation));
    // Of whichever slot is the furthest.
    const positions = await Promise.all(builds.map((build) => this.freshness(build).positions()));
    const until = Math.max(...positions.flat());
    for await (const page of log.recorded({ match: [{ types: added }], until, pageSize: 64 })) {
      const missed = page.find((event) => consumer.interest.has(event));
      if (missed === undefined) continue;
      throw new EngineError('definition_changed', {
        consumer: consumer.name,
        version: consumer.version,
        changed: `it now takes ${missed.type}, of which it has passed by one at position ${missed.position}`,
      });
    }
  }

  /**
   * Whom to read from: what served before, until what serves now has come as far, so that nobody who reads goes back.
   * @throws {EngineError} `consumer_never_run`
   */
  async serving(consumer: AnyConsumer, look: Look = 'known'): Promise<Serving> {
    const name = definitionName(consumer);
    const { rings } = this.workers;
    const now = this.#context.now();
    const before = this.#known.get(name);
    if (look === 'known' && before?.rings === rings && now - before.at < knownMs) return before;
    const current = await this.current(consumer);
    const isOther = before !== undefined && before.build.generation !== current.build.generation;
    if (isOther && look !== 'anew' && !(await current.freshness.covers(before.freshness))) return before;
    const known = this.#known.get(name);
    // Whoever looked later may have been quicker.
    if (known !== undefined && known.build.generation > current.build.generation) return known;
    this.#known.set(name, { ...current, rings, at: now });
    return current;
  }

  /** What serves now. @throws {EngineError} `consumer_never_run` */
  async current(consumer: AnyConsumer): Promise<Serving & { readonly registration: Registration }> {
    const registration = await this.registry.registration(consumer);
    const known = this.#known.get(definitionName(consumer));
    const isKnown = known?.build.generation === registration.active;
    const build = isKnown ? known.build : new Build(consumer, registration.active);
    return { registration, build, freshness: isKnown ? known.freshness : this.freshness(build) };
  }

  /** The same, as it was known lately. */
  async active(consumer: AnyConsumer): Promise<Build> {
    const { rings } = this.workers;
    const now = this.#context.now();
    const name = definitionName(consumer);
    const known = this.#active.get(name);
    if (known?.rings === rings && now - known.at < knownMs) return known.build;
    const { build } = await this.current(consumer);
    this.#active.set(name, { build, rings, at: now });
    return build;
  }

  /** Waits until somebody has begun to work on it. @returns the ms that are left; 0 if nobody has. */
  async begun(consumer: AnyConsumer, timeoutMs: number, outer: AbortSignal | undefined): Promise<number> {
    const { control } = this.registry;
    const { now } = this.#context;
    const end = now() + timeoutMs;
    using linked = new LinkedSignal([outer], { ms: timeoutMs, reason: undefined });
    const { signal } = linked;
    try {
      for (;;) {
        const rings = await control.count();
        if (await this.registry.isKnown(consumer)) return Math.max(1, end - now());
        await control.changed(rings, signal);
      }
    } catch (error) {
      outer?.throwIfAborted();
      if (signal.aborted) return 0;
      throw error;
    }
  }

  async isReplaced(consumer: AnyConsumer, build: Build): Promise<boolean> {
    return (await this.registry.registration(consumer)).active !== build.generation;
  }

  feed({ interest }: Consumer): EventFeed {
    return new EventFeed(this.#context.log, interest);
  }

  freshness(build: Build): Freshness {
    return new Freshness(this.#context.log, this.state, build, this.#context.now);
  }
}
