/** All sagas of an engine: which instances there are, and what can be done about them. */
import { checkKeys, optionInvalid } from '../ground/check-options.ts';
import { EngineError, hasCode } from '../ground/errors.ts';
import { Build } from '../projection/build.ts';
import type { HostedConsumer } from '../projection/hosted.ts';
import type { Condition, StateStore } from '../store/state-port.ts';
import { countAll, countsCollection } from './counts.ts';
import type { Counts } from './counts.ts';
import { SagaHandle } from './handle.ts';
import type { InstanceDocument } from './instance-document.ts';
import type { SagaRuntime } from './runtime.ts';
import type { AnySaga } from './saga.ts';
import type { Failure } from './step.ts';

/** An instance that has not ended. */
export interface SagaInfo {
  readonly saga: string;
  readonly id: string;
  /** Of the definition that it runs on. */
  readonly version: number;
  readonly status: 'running' | 'compensating' | 'stuck';
  readonly startedAt: number;
  /** Of its last step. */
  readonly changedAt: number;
  /** When its next timer fires, in ms since the epoch. */
  readonly dueAt?: number;
  /** Why it is compensated. */
  readonly failure?: Failure;
  readonly stuck?: { readonly key?: string; readonly failure: Failure };
}

export interface SagasQuery {
  /** Default: all. */
  readonly saga?: string;
  readonly status?: SagaInfo['status'];
  /** Those that were started before this, in ms since the epoch. */
  readonly startedBefore?: number;
  /** At most so many, the oldest first. Default 100, at most 1,000. */
  readonly limit?: number;
}

/** How many instances a saga has, and has had. */
export interface SagaCounts extends Counts {
  readonly saga: string;
  readonly running: number;
  readonly compensating: number;
  readonly stuck: number;
}

const queryKeys = ['saga', 'status', 'startedBefore', 'limit'] satisfies (keyof SagasQuery)[];
const statuses = ['running', 'compensating', 'stuck'] as const;
const limitMax = 1_000;

export class Sagas {
  readonly #runtime: SagaRuntime;
  readonly #consumers: ReadonlyMap<string, HostedConsumer>;
  readonly #state: StateStore | undefined;
  readonly #checkOpen: () => void;

  /** @internal */
  constructor(
    runtime: SagaRuntime,
    consumers: readonly HostedConsumer[],
    state: StateStore | undefined,
    checkOpen: () => void,
  ) {
    this.#runtime = runtime;
    this.#consumers = new Map(consumers.map((consumer) => [consumer.name, consumer]));
    this.#state = state;
    this.#checkOpen = checkOpen;
  }

  /** Instances that have not ended, the oldest first: as the view of them says, which is a little behind. @throws {EngineError} `saga_unknown` */
  async list(query: SagasQuery = {}): Promise<readonly SagaInfo[]> {
    this.#checkOpen();
    checkKeys('the query of sagas', query, queryKeys);
    const { saga, status, startedBefore, limit = 100 } = query;
    if (status !== undefined && !statuses.includes(status)) throw optionInvalid('status', status, statuses.join(', '));
    if (!(Number.isSafeInteger(limit) && limit >= 1 && limit <= limitMax))
      throw optionInvalid('limit', limit, `an integer from 1 to ${limitMax}`);
    if (startedBefore !== undefined && !Number.isFinite(startedBefore))
      throw optionInvalid('startedBefore', startedBefore, 'ms since the epoch');
    const names = saga === undefined ? [...this.#consumers.keys()] : [this.#named(saga).name];
    const found = await Promise.all(
      names.map(async (name) => {
        const pages = await Promise.all(
          (status === undefined ? statuses : [status]).map((one) => this.#find(name, one, startedBefore, limit)),
        );
        return pages.flat();
      }),
    );
    return found
      .flat()
      .sort((a, b) => a.startedAt - b.startedAt)
      .slice(0, limit);
  }

  async #find(
    saga: string,
    status: SagaInfo['status'],
    startedBefore: number | undefined,
    limit: number,
  ): Promise<readonly SagaInfo[]> {
    const before: Condition[] =
      startedBefore === undefined ? [] : [{ kind: 'lt', path: 'startedAt', value: startedBefore }];
    const found = await this.#in(saga, (state, collection) =>
      state.find(collection, {
        where: { kind: 'all', of: [{ kind: 'eq', path: 'status', value: status }, ...before] },
        orderBy: [{ path: 'startedAt', direction: 'asc' }],
        limit,
        paged: false,
      }),
    );
    return (found?.documents ?? []).map(({ value }) => infoOf(saga, value as unknown as InstanceDocument));
  }

  /** How many there are, by saga. */
  async counts(): Promise<readonly SagaCounts[]> {
    this.#checkOpen();
    const counts: SagaCounts[] = [];
    for (const [saga, consumer] of this.#consumers) {
      const count = async (status: string): Promise<number> => {
        const where: Condition = { kind: 'eq', path: 'status', value: status };
        return (await this.#in(saga, (state, collection) => state.count(collection, where)))?.count ?? 0;
      };
      const [running = 0, compensating = 0, stuck = 0] = await Promise.all(statuses.map(count));
      const ever =
        this.#state === undefined
          ? { started: 0, completed: 0, compensated: 0 }
          : await countAll(this.#state, `${new Build(consumer, 1).name}#`);
      counts.push({ saga, running, compensating, stuck, ...ever });
    }
    return counts;
  }

  /** @internal One in which something is under way or due, or a timer is to fire, as far as the view has come. */
  async busy(): Promise<SagaInfo | undefined> {
    const fires: Condition[] = [
      { kind: 'lte', path: 'dueAt', value: this.#runtime.now() },
      // Until an operator acts its timers do not fire.
      { kind: 'ne', path: 'status', value: 'stuck' },
    ];
    for (const [saga, { slots }] of this.#consumers) {
      const worked: Condition = {
        kind: 'in',
        path: 'slot',
        values: Array.from({ length: slots }, (_, slot) => slot),
      };
      for (const of of [
        [worked, { kind: 'eq', path: 'isBusy', value: true } as const],
        [worked, ...fires],
      ]) {
        const found = await this.#in(saga, (state, collection) =>
          state.find(collection, { where: { kind: 'all', of }, orderBy: [], limit: 1, paged: false }),
        );
        const [first] = found?.documents ?? [];
        if (first !== undefined) return infoOf(saga, first.value as unknown as InstanceDocument);
      }
    }
    return undefined;
  }

  /** One instance, by the names of its saga and its own. @throws {EngineError} `saga_unknown`, `name_invalid` */
  instance(saga: string, id: string): SagaHandle {
    this.#checkOpen();
    return new SagaHandle(this.#runtime, this.#named(saga), id);
  }

  /** The names of the sagas that the engine was opened with. */
  get names(): readonly string[] {
    return [...this.#runtime.sagas.keys()];
  }

  /** @throws {EngineError} `saga_unknown` */
  #named(name: string): AnySaga {
    const saga = this.#runtime.sagas.get(name);
    if (saga !== undefined) return saga;
    throw new EngineError('saga_unknown', { saga: String(name), known: this.names });
  }

  /** @returns undefined where nobody has worked on it yet. */
  async #in<Result>(
    saga: string,
    ask: (state: StateStore, collection: string) => Promise<Result>,
  ): Promise<Result | undefined> {
    const consumer = this.#consumers.get(saga);
    if (this.#state === undefined || consumer === undefined) return undefined;
    try {
      return await ask(this.#state, new Build(consumer, 1).collection);
    } catch (error) {
      if (hasCode(error, 'collection_unknown')) return undefined;
      throw error;
    }
  }

  /**
   * @internal Refuses where instances are running on versions that nobody knows.
   * @throws {EngineError} `saga_version_absent`
   */
  async checkVersions(): Promise<void> {
    for (const [name, saga] of this.#runtime.sagas) {
      const known = [saga, ...saga.previous].map(({ version }) => version);
      const where: Condition = {
        kind: 'not',
        of: { kind: 'in', path: 'version', values: known },
      };
      const absent = await this.#in(name, (state, collection) => state.count(collection, where));
      if ((absent?.count ?? 0) === 0) continue;
      const versions = await this.#absentVersions(name, where);
      throw new EngineError('saga_version_absent', { saga: name, versions });
    }
  }

  async #absentVersions(saga: string, where: Condition) {
    const counts = new Map<number, number>();
    let after: string | undefined;
    do {
      const page = await this.#in(saga, (state, collection) =>
        state.find(collection, { where, orderBy: [], after, limit: limitMax }),
      );
      for (const { value } of page?.documents ?? []) {
        const { version } = value as unknown as InstanceDocument;
        counts.set(version, (counts.get(version) ?? 0) + 1);
      }
      after = page?.next;
    } while (after !== undefined);
    return [...counts].map(([version, instances]) => ({ version, instances }));
  }

  /** @internal What has to be there before anybody works. */
  async prepare(): Promise<void> {
    await this.#state?.define({ name: countsCollection, indexes: [] });
  }

  /** @internal Instances that there have ever been, of all sagas of the store. */
  async startedEver(): Promise<number> {
    return this.#state === undefined ? 0 : (await countAll(this.#state)).started;
  }
}

function infoOf(saga: string, document: InstanceDocument): SagaInfo {
  const { isBusy: _, timers: __, slot: ___, position: ____, streamVersion: _____, ...info } = document;
  return { saga, ...info };
}
