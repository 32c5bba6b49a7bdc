/** Where consumers keep their state: beside the events, or, what is live, in this process's memory. */
import { EngineError } from '../ground/errors.ts';
import type { EventLog } from '../store/log.ts';
import type { Position } from '../store/port.ts';
import type { StateStore } from '../store/state-port.ts';
import { Build, definitionName } from './build.ts';
import { EventFeed } from './feed.ts';
import { Freshness } from './freshness.ts';
import type { NoticeTaker } from './notice.ts';
import { prepareParking } from './parking.ts';
import { Probe } from './probe.ts';
import { Registry } from './registry.ts';
import type { AnyConsumer, Registration } from './registry.ts';
import { workersCollection } from './share.ts';
import type { Serving } from './view.ts';
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
  readonly registration: Registration;
  readonly rings: Position;
  readonly at: number;
}

export class Site {
  readonly state: StateStore;
  readonly registry: Registry;
  readonly workers: Workers;
  readonly #context: SiteContext;
  readonly #known = new Map<string, Known>();

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
    const { position } = await this.#context.log.head();
    const employed: Employed[] = [];
    for (const consumer of consumers) employed.push(await this.#employ(consumer, position));
    await this.workers.start(employed);
    return employed;
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
    await this.#requireNew(consumer, registration);
    await this.registry.retype(consumer, types);
    return { consumer, registration: { ...registration, types }, probe };
  }

  /** A type that it ignored so far must not lie behind it already. @throws {EngineError} `definition_changed` */
  async #requireNew(consumer: AnyConsumer, registration: Registration): Promise<void> {
    const { log, now } = this.#context;
    const added = consumer.interest.types.filter((type) => !registration.types.includes(type));
    if (added.length === 0) return;
    const build = new Build(consumer, registration.active);
    const until = await new Freshness(log, this.state, build, now).position();
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

  /** @throws {EngineError} `consumer_never_run` */
  async serving(consumer: AnyConsumer, again = false): Promise<Serving & { readonly registration: Registration }> {
    const name = definitionName(consumer);
    const { rings } = this.workers;
    const now = this.#context.now();
    const known = this.#known.get(name);
    if (!again && known?.rings === rings && now - known.at < knownMs) return known;
    const registration = await this.registry.registration(consumer);
    const isSame = known?.build.generation === registration.active;
    const build = isSame ? known.build : new Build(consumer, registration.active);
    const freshness = isSame ? known.freshness : this.freshness(build);
    const found = { registration, build, freshness, rings, at: now };
    this.#known.set(name, found);
    return found;
  }

  freshness(build: Build): Freshness {
    return new Freshness(this.#context.log, this.state, build, this.#context.now);
  }
}
