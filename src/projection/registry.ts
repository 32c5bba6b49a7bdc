/** What the store knows of the consumers: which versions of which definitions, and which of their generations serve. */
import { toHex, toUtf8 } from '../event/bytes.ts';
import type { Json } from '../event/json.ts';
import { sha256 } from '../ground/digest.ts';
import { EngineError, hasCode } from '../ground/errors.ts';
import type { Position } from '../store/port.ts';
import type { SqlStatement, StateStore } from '../store/state-port.ts';
import { Build, buildName, collectionOf, definitionName } from './build.ts';
import type { Consumer } from './consumer.ts';
import { Control, consumersCollection } from './control.ts';
import type { Kept } from './control.ts';
import type { HostedConsumer } from './hosted.ts';
import type { AnyProjection } from './projection.ts';
import type { AnyReactor } from './reactor.ts';
import type { AnyTables } from './tables.ts';

export type AnyConsumer = AnyProjection | AnyTables | AnyReactor | HostedConsumer;

/** One version of a definition, as the store knows it. */
export interface Registration {
  readonly kind: Consumer['kind'];
  readonly name: string;
  readonly version: number;
  readonly slots: number;
  readonly indexes: readonly (readonly string[])[];
  /** What is handled, in order. */
  readonly types: readonly string[];
  /** The generation that serves. */
  readonly active: number;
  /** The one that is being built beside it; 0 if there is none. */
  readonly building: number;
  /** Those that served before, and have not been dropped. */
  readonly retired: readonly number[];
  /** The last that was ever begun. No number comes twice: what is left of a generation that was dropped would be taken for the new one's. */
  readonly latest: number;
}

export class Registry {
  readonly control: Control;
  readonly #state: StateStore;

  constructor(state: StateStore) {
    this.#state = state;
    this.control = new Control(state);
  }

  async prepare(): Promise<void> {
    await this.#state.define({ name: consumersCollection, indexes: [] });
  }

  /**
   * Makes a definition known, unless it is; what it needs is made with it.
   * @param position where a reactor begins that is to begin now.
   * @throws {EngineError} `definition_changed`; `statement_failed` where tables cannot be made.
   */
  async register(consumer: AnyConsumer, position: Position): Promise<Registration> {
    const wanted = describeDefinition(consumer);
    const key = definitionName(consumer);
    for (;;) {
      const kept = await this.control.get(key);
      if (kept !== undefined) return this.#known(consumer, kept.value as unknown as Registration, wanted);
      if ('indexes' in consumer) await this.#defineView(new Build(consumer, 1));
      const statements: readonly SqlStatement[] = consumer.kind === 'tables' ? consumer.create : [];
      const begins = 'startAt' in consumer && consumer.startAt === 'now' ? position : 0;
      const checkpoints = new Build(consumer, 1).slots.map((name) => ({ name, from: 0, to: begins }));
      const puts = [{ collection: consumersCollection, key, value: wanted as unknown as Json, ifRevision: 0 }];
      const change = { puts, statements, checkpoints: begins > 0 ? checkpoints : [] };
      if (await this.control.change(change)) return wanted;
    }
  }

  /** @throws {EngineError} `definition_changed` */
  #known(consumer: AnyConsumer, kept: Registration, wanted: Registration): Registration {
    const refuse = (changed: string) =>
      new EngineError('definition_changed', { consumer: consumer.name, version: consumer.version, changed });
    if (kept.kind !== wanted.kind) throw refuse(`it was a definition of the kind ${kept.kind}`);
    if (kept.slots !== wanted.slots) throw refuse(`it had ${kept.slots} slots, now ${wanted.slots}`);
    if (JSON.stringify(kept.indexes) !== JSON.stringify(wanted.indexes)) throw refuse('it had other indexes');
    return kept;
  }

  /**
   * The epoch under which a definition that handles these types may commit. It becomes another one as soon as somebody else handles others,
   * so that a worker of an older deployment does not pass by what it knows nothing of. Undefined: this definition is the older one.
   */
  async epochOf(consumer: Consumer): Promise<number | undefined> {
    if (!(await this.#isCurrent(consumer))) return undefined;
    const epoch = await this.#takeTypes(consumer);
    // Looked at again: whoever changed it meanwhile sees that the epoch is another one.
    return (await this.#isCurrent(consumer)) ? epoch : undefined;
  }

  async #isCurrent(consumer: Consumer): Promise<boolean> {
    return textOf((await this.registration(consumer)).types) === textOf(consumer.interest.types);
  }

  async #takeTypes(consumer: Consumer): Promise<number> {
    const owner = toHex(sha256(toUtf8(textOf(consumer.interest.types))));
    for (;;) {
      const lease = await this.#state.lease(typesLease(consumer), owner, 0);
      if (lease !== undefined) return lease.epoch;
    }
  }

  /**
   * Lets a definition handle other types than before.
   * @param check throws where that cannot be: no worker of an older deployment moves while it looks.
   */
  async retype(consumer: Consumer, check: () => Promise<void>): Promise<void> {
    const before = (await this.registration(consumer)).types;
    for (;;) {
      const epoch = await this.#takeTypes(consumer);
      try {
        await check();
      } catch (error) {
        await this.#update(consumer, (kept) => ({ ...kept, types: before }));
        throw error;
      }
      await this.#update(consumer, (kept) => ({ ...kept, types: consumer.interest.types }));
      if ((await this.#takeTypes(consumer)) === epoch) return;
    }
  }

  async #defineView(build: Build): Promise<void> {
    const { indexes } = build.consumer as AnyProjection | HostedConsumer;
    await this.#state.define({ name: build.collection, indexes });
  }

  /** @throws {EngineError} `consumer_never_run` */
  async registration(consumer: Pick<Consumer, 'name' | 'version'>): Promise<Registration> {
    const kept = await this.#kept(consumer);
    if (kept === undefined) throw neverRun(consumer);
    return kept.value as unknown as Registration;
  }

  async isKnown(consumer: Pick<Consumer, 'name' | 'version'>): Promise<boolean> {
    return (await this.#kept(consumer)) !== undefined;
  }

  /** Where nobody has run anything, there is not even the collection. */
  async #kept(consumer: Pick<Consumer, 'name' | 'version'>): Promise<Kept | undefined> {
    try {
      return await this.control.get(definitionName(consumer));
    } catch (error) {
      if (hasCode(error, 'collection_unknown')) return undefined;
      throw error;
    }
  }

  /** Begins a further generation, or finds the one that was begun. */
  async beginRebuild(projection: AnyProjection): Promise<Build> {
    const { building } = await this.#update(projection, async (kept) => {
      if (kept.building > 0) return undefined;
      const next = kept.latest + 1;
      // Before anybody works on it.
      await this.#defineView(new Build(projection, next));
      return { ...kept, building: next, latest: next };
    });
    return new Build(projection, building);
  }

  /** The generation that was built serves from now on. @throws {EngineError} `consumer_refused` if it was dropped meanwhile. */
  async switchOver(projection: AnyProjection, generation: number): Promise<void> {
    const { active } = await this.#update(projection, (kept) =>
      kept.building === generation
        ? { ...kept, active: generation, building: 0, retired: [...kept.retired, kept.active] }
        : undefined,
    );
    if (active !== generation) throw refusedDropped(projection, generation);
  }

  /** @throws {EngineError} `consumer_refused` */
  async requireThere(projection: AnyProjection, generation: number): Promise<void> {
    const { active, building } = await this.registration(projection);
    if (active !== generation && building !== generation) throw refusedDropped(projection, generation);
  }

  /** Removes a generation that does not serve, with its documents; also one that was being removed. @throws {EngineError} `consumer_refused` */
  async drop(projection: AnyProjection, generation: number): Promise<void> {
    const refuse = (reason: string) => new EngineError('consumer_refused', { consumer: projection.name, reason });
    await this.#update(projection, (kept) => {
      if (!(Number.isSafeInteger(generation) && generation >= 1 && generation <= kept.latest))
        throw refuse(`it never had a generation ${generation}`);
      if (kept.active === generation) throw refuse(`its generation ${generation} serves`);
      const retired = kept.retired.filter((one) => one !== generation);
      return { ...kept, retired, building: kept.building === generation ? 0 : kept.building };
    });
    await this.#state.drop(collectionOf(buildName(projection, generation)));
  }

  /**
   * Removes all that is left of a lower version, which nobody must run any more.
   * @throws {EngineError} `consumer_refused` if it is no lower one, `consumer_never_run`
   */
  async dropVersion(projection: AnyProjection, version: number): Promise<void> {
    const { name } = projection;
    const reason = `version ${version} is not lower than ${projection.version}, which this engine was opened with`;
    if (!(version < projection.version)) throw new EngineError('consumer_refused', { consumer: name, reason });
    const { latest, slots } = await this.registration({ name, version });
    const old = { name, version, slots };
    const generations = Array.from({ length: latest }, (_, index) => buildName(old, index + 1));
    const keys = generations.flatMap((build) => Array.from({ length: slots }, (_, slot) => `${build}#${slot}`));
    for (const build of generations) await this.#state.drop(collectionOf(build));
    const key = definitionName(old);
    const deletes = [key, `${key}?probe`, ...keys].map((one) => ({ collection: consumersCollection, key: one }));
    await this.control.change({ deletes });
  }

  async #update(
    consumer: Pick<Consumer, 'name' | 'version'>,
    make: (kept: Registration) => Registration | undefined | Promise<Registration | undefined>,
  ): Promise<Registration> {
    const value = await this.control.update(definitionName(consumer), async (kept) => {
      if (kept === undefined) throw neverRun(consumer);
      return (await make(kept as unknown as Registration)) as unknown as Json | undefined;
    });
    return value as unknown as Registration;
  }
}

/** Of the types that a definition handles: its owner is whoever handles just these. */
export function typesLease(consumer: Pick<Consumer, 'name' | 'version'>): string {
  return `${definitionName(consumer)}/types`;
}

function textOf(types: readonly string[]): string {
  return types.join('\n');
}

function describeDefinition(consumer: AnyConsumer): Registration {
  const { kind, name, version, slots, interest } = consumer;
  const indexes = 'indexes' in consumer ? consumer.indexes : [];
  return {
    kind,
    name,
    version,
    slots,
    indexes,
    types: interest.types,
    active: 1,
    building: 0,
    retired: [],
    latest: 1,
  };
}

function refusedDropped({ name: consumer }: AnyProjection, generation: number): EngineError {
  return new EngineError('consumer_refused', {
    consumer,
    reason: `its generation ${generation} was dropped meanwhile`,
  });
}

function neverRun({ name: consumer, version }: Pick<Consumer, 'name' | 'version'>): EngineError {
  return new EngineError('consumer_never_run', { consumer, version });
}
