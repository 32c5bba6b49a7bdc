import type { Position } from '../store/port.ts';
import type { StateStore } from '../store/state-port.ts';
import { delay } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import { LinkedSignal } from '../ground/linked-signal.ts';
import type { EventLog } from '../store/log.ts';
import { MemoryStateStore } from '../store/memory-state.ts';
import { InlineFolding } from './inline.ts';
import type { NoticeTaker } from './notice.ts';
import { obeyed, parkedEvents, retry, skip, unpark } from './operate.ts';
import type { Parked } from './parking.ts';
import type { AnyProjection } from './projection.ts';
import { adopt, rebuild } from './rebuild.ts';
import type { RebuildOptions, RebuildResult } from './rebuild.ts';
import type { AnyConsumer } from './registry.ts';
import { Site } from './site.ts';
import type { SiteContext } from './site.ts';
import { Watchdog, statusOf } from './status.ts';
import type { ConsumerStatus } from './status.ts';
import { View } from './view.ts';
import type { ViewSource } from './view.ts';
import type { Employed, WorkersOptions } from './workers.ts';

/** Which consumers are worked on in this process: all, none, or those named. */
export type Run = 'all' | 'none' | readonly string[];

export interface ReadSideOptions {
  readonly consumers: readonly AnyConsumer[];
  readonly run: Run;
  readonly workers: WorkersOptions;
  readonly stallMs: number;
  readonly notice: NoticeTaker;
  readonly now: () => number;
  readonly random: () => number;
}

const watchMs = 1_000;

/** All that consumes the events of a log: who works on it, and what is read of it. */
export class ReadSide {
  readonly #log: EventLog;
  readonly #options: ReadSideOptions;
  readonly #byName: ReadonlyMap<string, AnyConsumer>;
  readonly #kept: Site;
  readonly #live: Site;
  readonly #closing = new AbortController();
  /** What has been told of queries that had to scan. */
  readonly #scans = new Set<string>();
  #watch: Promise<void> = Promise.resolve();
  #unfold: () => void = () => {};

  /** @throws {EngineError} `definition_changed`, `statement_failed`, `consumer_unknown` */
  static async open(log: EventLog, state: StateStore, options: ReadSideOptions): Promise<ReadSide> {
    const readSide = new ReadSide(log, state, options);
    try {
      await readSide.#start(state);
    } catch (error) {
      await readSide.close();
      throw error;
    }
    return readSide;
  }

  private constructor(log: EventLog, state: StateStore, options: ReadSideOptions) {
    const { notice, now, random, workers, consumers } = options;
    const context: SiteContext = { log, notice, now, random, workers };
    this.#log = log;
    this.#options = options;
    this.#byName = new Map(consumers.map((consumer) => [consumer.name, consumer]));
    this.#kept = new Site(state, context);
    this.#live = new Site(new MemoryStateStore({ now }), context);
  }

  async #start(state: StateStore): Promise<void> {
    const { run, consumers, notice, now, stallMs, workers } = this.#options;
    if (Array.isArray(run)) for (const name of run as readonly string[]) this.#named(name);
    const isRun = ({ name }: AnyConsumer) => run === 'all' || (run !== 'none' && run.includes(name));
    await this.#live.employ(consumers.filter(({ mode }) => mode === 'live'));
    const employed = await this.#kept.employ(consumers.filter((one) => one.mode !== 'live' && isRun(one)));
    // Also where others do the work: what is appended here is folded here.
    const known = await this.#kept.know(consumers.filter((one) => one.mode === 'inline' && !isRun(one)));
    const inline = [...employed, ...known].flatMap(inlineOf);
    if (inline.length > 0) {
      const folding = new InlineFolding({ log: this.#log, state, options: workers }, inline, this.#kept);
      this.#unfold = this.#log.foldInline(
        folding,
        inline.map(({ projection }) => projection.name),
      );
    }
    const watched = consumers.map((consumer) => ({ site: this.#siteOf(consumer), consumer }));
    if (run !== 'none') this.#watch = this.#keepWatch(new Watchdog(watched, { notice, now, stallMs }));
  }

  async #keepWatch(watchdog: Watchdog): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      try {
        await delay(watchMs, signal);
        await watchdog.look();
      } catch {
        // Where the store fails, the workers say so.
        if (signal.aborted) return;
      }
    }
  }

  /** @throws {EngineError} `consumer_unknown` */
  #named(name: string): AnyConsumer {
    const consumer = this.#byName.get(name);
    if (consumer !== undefined) return consumer;
    throw new EngineError('consumer_unknown', { consumer: String(name), known: [...this.#byName.keys()] });
  }

  #projection(given: AnyProjection | string): AnyProjection {
    const consumer = this.#named(typeof given === 'string' ? given : given.name);
    const refuse = (reason: string) => new EngineError('consumer_refused', { consumer: consumer.name, reason });
    if (consumer.kind !== 'projection') throw refuse('it is no projection');
    if (typeof given !== 'string' && given.version !== consumer.version)
      throw refuse(`this engine was opened with version ${consumer.version} of it, not ${given.version}`);
    return consumer;
  }

  /** One of which there are generations. */
  #generational(given: AnyProjection | string): AnyProjection {
    const projection = this.#projection(given);
    if (projection.mode !== 'live') return projection;
    const reason = 'it is live: it is built whenever a process starts';
    throw new EngineError('consumer_refused', { consumer: projection.name, reason });
  }

  #siteOf({ mode }: AnyConsumer): Site {
    return mode === 'live' ? this.#live : this.#kept;
  }

  view<Document>(given: AnyProjection | string): View<Document> {
    const projection = this.#projection(given);
    const site = this.#siteOf(projection);
    const source: ViewSource = {
      serving: (look) => site.serving(projection, look),
      current: () => site.current(projection),
      isReplaced: (build) => site.isReplaced(projection, build),
      begun: (timeoutMs, signal) => site.begun(projection, timeoutMs, signal),
      find: (collection, query) => site.state.find(collection, query),
      get: async (collection, key) => (await site.state.get(collection, [key]))[0]?.value,
      count: (collection, where) => site.state.count(collection, where),
      scanned: (paths) => {
        const key = `${projection.name} ${paths.join()}`;
        if (this.#scans.has(key) || this.#scans.size > 1_000) return;
        this.#scans.add(key);
        const { name: consumer, version } = projection;
        this.#options.notice({ kind: 'scanned', consumer, version, paths });
      },
    };
    return new View<Document>(source);
  }

  async status(): Promise<readonly ConsumerStatus[]> {
    const statuses: ConsumerStatus[] = [];
    for (const consumer of this.#byName.values()) statuses.push(await statusOf(this.#siteOf(consumer), consumer));
    return statuses;
  }

  /**
   * Resolves once every consumer has dealt with every event, those too that they bring about meanwhile.
   * @throws {EngineError} `consumer_faulted`, `stale`; the signal's reason, when aborted.
   */
  async settled(timeoutMs: number, signal?: AbortSignal): Promise<Position> {
    const { now } = this.#options;
    const end = now() + timeoutMs;
    for (;;) {
      const { position: head } = await this.#log.head();
      for (const consumer of this.#byName.values())
        await this.#settle(consumer, head, Math.max(0, end - now()), signal);
      if ((await this.#log.head()).position === head) return head;
    }
  }

  async #settle(consumer: AnyConsumer, head: Position, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const site = this.#siteOf(consumer);
    const { build, freshness } = await site.current(consumer);
    const held = await freshness.hold({ atLeast: head }, timeoutMs, signal, () => site.isReplaced(consumer, build));
    if (held.kind === 'replaced') return this.#settle(consumer, head, timeoutMs - held.waitedMs, signal);
    if (held.kind === 'held') return undefined;
    const { fault } = held.stale;
    if (fault !== undefined) throw new EngineError('consumer_faulted', { consumer: consumer.name, ...fault });
    throw new EngineError('stale', held.stale);
  }

  async rebuild(given: AnyProjection | string, options: RebuildOptions): Promise<RebuildResult> {
    const projection = this.#generational(given);
    const clock = { now: this.#options.now, delay };
    using linked = new LinkedSignal([this.#closing.signal, options.signal]);
    return await rebuild(this.#kept, projection, { ...options, signal: linked.signal }, clock);
  }

  async adopt(given: AnyProjection | string): Promise<number> {
    return adopt(this.#kept, this.#generational(given));
  }

  async drop(given: AnyProjection | string, generation: number): Promise<void> {
    await this.#kept.registry.drop(this.#generational(given), generation);
  }

  async dropVersion(given: AnyProjection | string, version: number): Promise<void> {
    await this.#kept.registry.dropVersion(this.#generational(given), version);
  }

  parked(name: string): AsyncIterable<Parked> {
    const consumer = this.#named(name);
    return parkedEvents(this.#siteOf(consumer), consumer);
  }

  async retry(name: string, actor: string | undefined, signal: AbortSignal): Promise<void> {
    const consumer = this.#named(name);
    await retry(this.#siteOf(consumer), consumer, actor);
    await obeyed(this.#siteOf(consumer), consumer, signal);
  }

  async skip(
    name: string,
    position: Position,
    why: { readonly reason: string; readonly actor?: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const consumer = this.#named(name);
    await skip(this.#siteOf(consumer), consumer, position, why);
    await obeyed(this.#siteOf(consumer), consumer, signal);
  }

  async unpark(
    name: string,
    which: { readonly key?: string | undefined; readonly actor?: string | undefined },
    signal: AbortSignal,
  ): Promise<void> {
    const consumer = this.#named(name);
    await unpark(this.#siteOf(consumer), consumer, which);
    await obeyed(this.#siteOf(consumer), consumer, signal);
  }

  /** Lets everybody finish what they are at. */
  async close(): Promise<void> {
    this.#unfold();
    this.#closing.abort(new EngineError('engine_closed', {}));
    await this.#watch;
    await Promise.all([this.#kept.workers.stop(), this.#live.workers.stop()]);
    await this.#live.state[Symbol.asyncDispose]();
  }
}

function inlineOf({ consumer, probe }: Employed) {
  return consumer.kind === 'projection' && consumer.mode === 'inline' ? [{ projection: consumer, probe }] : [];
}
