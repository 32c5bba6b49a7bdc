/** What each kind of consumer does with events. */
import { RecentCache } from '../ground/recent-cache.ts';
import { documentText } from '../store/document-value.ts';
import type { DocumentPut, StateCommit, StateStore } from '../store/state-port.ts';
import type { Build } from './build.ts';
import { TaskFailed, foldTasks } from './fold.ts';
import type { Documents, Task } from './fold.ts';
import type { SlotPlace } from './hosted.ts';
import { jsonOf } from './projection.ts';
import type { AnyProjection, ViewDocument } from './projection.ts';
import { react } from './react.ts';
import type { AnyReactor } from './reactor.ts';
import type { AnyConsumer } from './registry.ts';
import type { AnyTables } from './tables.ts';

/** What events lead to. */
export interface Taken {
  readonly change: StateCommit;
  /** To be called when the change has been committed. */
  readonly committed: () => void;
}

export interface Handling {
  /** @throws {TaskFailed} at the first that cannot be dealt with. */
  take(tasks: readonly Task[], signal: AbortSignal): Promise<Taken>;
  /** Somebody else may have changed what is remembered. */
  forget(): void;
  /** All there is has been dealt with, for the first time since the slot is held. */
  caughtUp?(): Promise<void>;
  /** The slot is held no longer. */
  end?(): Promise<void>;
}

export interface HandlingOptions {
  /** Documents kept in memory, at least. */
  readonly cached: number;
  readonly freezes: boolean;
}

export function handlingOf(place: SlotPlace, options: HandlingOptions): Handling {
  const { build, state } = place;
  const consumer = build.consumer as AnyConsumer;
  switch (consumer.kind) {
    case 'projection':
      return new ViewHandling(build, consumer, state, options);
    case 'tables':
      return { take: async (tasks) => ({ change: statementsOf(consumer, tasks), committed }), forget: committed };
    case 'reactor':
      return { take: async (tasks, signal) => reactions(consumer, tasks, signal), forget: committed };
    case 'saga':
      return consumer.handling(place);
    default:
      return consumer satisfies never;
  }
}

function committed(): void {
  // Nothing is remembered.
}

function statementsOf(tables: AnyTables, tasks: readonly Task[]): StateCommit {
  const statements = tasks.flatMap((task) => {
    try {
      if (task.keyless !== undefined) throw task.keyless.error;
      return tables.statements(task.event);
    } catch (error) {
      throw new TaskFailed(task, error);
    }
  });
  return { statements };
}

async function reactions(reactor: AnyReactor, tasks: readonly Task[], signal: AbortSignal): Promise<Taken> {
  for (const task of tasks) {
    if (task.keyless !== undefined) throw new TaskFailed(task, task.keyless.error);
    await react(reactor, task, signal);
  }
  return { change: {}, committed };
}

/** Folds into documents; those that were used lately are kept in memory: nobody else changes them while the lease is held. */
export class ViewHandling implements Handling {
  readonly #build: Build;
  readonly #projection: AnyProjection;
  readonly #state: StateStore;
  readonly #freezes: boolean;
  readonly #cache: RecentCache<string, ViewDocument | null>;

  constructor(build: Build, projection: AnyProjection, state: StateStore, { cached, freezes }: HandlingOptions) {
    this.#build = build;
    this.#projection = projection;
    this.#state = state;
    this.#freezes = freezes;
    this.#cache = new RecentCache(cached);
  }

  async take(tasks: readonly Task[]): Promise<Taken> {
    const before = await this.#load(new Set(tasks.flatMap(({ keys }) => keys)));
    const after = foldTasks(this.#projection, tasks, before, this.#freezes);
    return {
      change: changeOf(this.#build.collection, before, after),
      committed: () => {
        for (const [key, document] of after) this.#cache.set(key, document);
      },
    };
  }

  /** Finds the task of which a document comes that cannot be kept. @throws {TaskFailed} */
  async blame(tasks: readonly Task[]): Promise<void> {
    const documents = new Map(await this.#load(new Set(tasks.flatMap(({ keys }) => keys))));
    for (const task of tasks) {
      try {
        for (const [key, document] of foldTasks(this.#projection, [task], documents, this.#freezes)) {
          if (document !== null) documentText(jsonOf(document));
          documents.set(key, document);
        }
      } catch (error) {
        throw error instanceof TaskFailed ? error : new TaskFailed(task, error);
      }
    }
  }

  async #load(keys: ReadonlySet<string>): Promise<Documents> {
    const documents = new Map<string, ViewDocument | null>();
    const missing: string[] = [];
    for (const key of keys) {
      const cached = this.#cache.get(key);
      if (cached === undefined) missing.push(key);
      else documents.set(key, cached);
    }
    if (missing.length > 0) {
      const found = await this.#state.get(this.#build.collection, missing);
      for (const [index, key] of missing.entries())
        documents.set(key, (found[index]?.value as ViewDocument | undefined) ?? null);
    }
    return documents;
  }

  forget(): void {
    this.#cache.clear();
  }
}

/** What is to be committed for documents to become others. */
function changeOf(
  collection: string,
  before: Documents,
  after: Documents,
): Required<Pick<StateCommit, 'puts' | 'deletes'>> {
  const puts: DocumentPut[] = [];
  const deletes: { collection: string; key: string }[] = [];
  for (const [key, document] of after) {
    if (document !== null) puts.push({ collection, key, value: jsonOf(document) });
    else if (before.get(key) !== null) deletes.push({ collection, key });
  }
  return { puts, deletes };
}
