/** What the store knows of the consumers: which versions of which definitions, and which of their generations serve. */
import type { Json } from '../event/json.ts';
import { EngineError, hasCode } from '../ground/errors.ts';
import type { Position } from '../store/port.ts';
import type { SqlStatement, StateStore } from '../store/state-port.ts';
import { Build, buildName, collectionOf, definitionName } from './build.ts';
import type { Consumer } from './consumer.ts';
import { Control, consumersCollection } from './control.ts';
import type { Kept } from './control.ts';
import type { AnyProjection } from './projection.ts';
import type { AnyReactor } from './reactor.ts';
import type { AnyTables } from './tables.ts';

export type AnyConsumer = AnyProjection | AnyTables | AnyReactor;

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
      if (consumer.kind === 'projection') await this.#defineView(new Build(consumer, 1));
      const statements: readonly SqlStatement[] = consumer.kind === 'tables' ? consumer.create : [];
      const begins = consumer.kind === 'reactor' && consumer.startAt === 'now' ? position : 0;
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

  async #defineView(build: Build): Promise<void> {
    const { indexes } = build.consumer as AnyProjection;
    await this.#state.define({ name: build.collection, indexes });
  }

  /** @throws {EngineError} `consumer_never_run` */
  async registration(consumer: Pick<Consumer, 'name' | 'version'>): Promise<Registration> {
    const kept = await this.#kept(consumer);
    if (kept === undefined) throw neverRun(consumer);
    return kept.value as unknown as Registration;
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

  /** Replaces the types that are handled. */
  async retype(consumer: Consumer, types: readonly string[]): Promise<void> {
    await this.#update(consumer, (kept) => ({ ...kept, types }));
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

  /** The generation that was built serves from now on. */
  async switchOver(projection: AnyProjection, generation: number): Promise<void> {
    await this.#update(projection, (kept) =>
      kept.building === generation
        ? { ...kept, active: generation, building: 0, retired: [...kept.retired, kept.active] }
        : undefined,
    );
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

function describeDefinition(consumer: AnyConsumer): Registration {
  const { kind, name, version, slots, interest } = consumer;
  const indexes = consumer.kind === 'projection' ? consumer.indexes : [];
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

function neverRun({ name: consumer, version }: Pick<Consumer, 'name' | 'version'>): EngineError {
  return new EngineError('consumer_never_run', { consumer, version });
}
