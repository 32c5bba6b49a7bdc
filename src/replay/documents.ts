/** Folding events into the documents of a projection, in memory. */
import type { RecordedEvent } from '../event/codec.ts';
import { EngineError, describe } from '../ground/errors.ts';
import { TaskFailed, foldTasks } from '../projection/fold.ts';
import type { Task } from '../projection/fold.ts';
import type { AnyProjection, ViewDocument } from '../projection/projection.ts';
import type {
  DocumentChange,
  DocumentFrame,
  DocumentsFrame,
  Replayed,
  ReplayedDocument,
  ReplayedDocuments,
} from './subject.ts';
import type { Target, Valued } from './target.ts';

/** Documents, by key, and folding into them. */
export class Documents {
  readonly #projection: AnyProjection;
  readonly #freezes: boolean;
  readonly #documents = new Map<string, ViewDocument>();

  constructor(projection: AnyProjection, freezes: boolean) {
    this.#projection = projection;
    this.#freezes = freezes;
  }

  get(key: string): ViewDocument | undefined {
    return this.#documents.get(key);
  }

  get all(): ReadonlyMap<string, ViewDocument> {
    return this.#documents;
  }

  clear(): void {
    this.#documents.clear();
  }

  /** All of these, or none. @param only the one document that is meant. @throws {EngineError} `fold_failed` */
  fold(events: readonly RecordedEvent[], only?: string): void {
    const tasks = events.map((event) => taskOf(this.#projection, event, only));
    let after: ReadonlyMap<string, ViewDocument | null>;
    try {
      after = foldTasks(this.#projection, tasks, this.#documents, this.#freezes);
    } catch (error) {
      if (error instanceof TaskFailed) throw foldFailed(this.#projection.name, error.task.event, error.cause);
      throw error;
    }
    for (const [key, document] of after) {
      if (document === null) this.#documents.delete(key);
      else this.#documents.set(key, document);
    }
  }

  /** The keys of an event. @throws {EngineError} `fold_failed` */
  keysOf(event: RecordedEvent): readonly string[] {
    try {
      return this.#projection.keysOf(event);
    } catch (error) {
      throw foldFailed(this.#projection.name, event, error);
    }
  }
}

/** An event, to be folded: into all documents that it concerns, or into one. */
export function taskOf(projection: AnyProjection, event: RecordedEvent, only?: string): Task {
  try {
    const keys = projection.keysOf(event);
    if (only === undefined) return { event, keys };
    return { event, keys: keys.includes(only) ? [only] : [] };
  } catch (error) {
    return { event, keys: [], keyless: { error } };
  }
}

export function foldFailed(fold: string, event: RecordedEvent, error: unknown): EngineError {
  const { position, stream, type } = event;
  return new EngineError('fold_failed', { fold, position, stream, type, reason: describe(error) }, { cause: error });
}

/** All documents. */
export class AllDocuments implements Target<DocumentsFrame<unknown>, ReplayedDocuments<unknown>> {
  readonly #documents: Documents;

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  begin(): void {
    this.#documents.clear();
  }

  take(events: readonly RecordedEvent[]): void {
    this.#documents.fold(events);
  }

  show(event: RecordedEvent): DocumentsFrame<unknown> {
    const before = this.#documents.keysOf(event).map((key) => [key, this.#documents.get(key)] as const);
    this.#documents.fold([event]);
    const documents = before.map(([key, was]): DocumentChange<unknown> => ({
      key,
      before: was,
      after: this.#documents.get(key),
    }));
    return { event, documents };
  }

  result(replayed: Replayed): ReplayedDocuments<unknown> {
    return { ...replayed, documents: new Map(this.#documents.all) };
  }
}

/** One document; its events are all that it is given. */
export class OneDocument implements Target<DocumentFrame<unknown>, ReplayedDocument<unknown>>, Valued {
  readonly #documents: Documents;
  readonly #key: string;

  constructor(documents: Documents, key: string) {
    this.#documents = documents;
    this.#key = key;
  }

  get value(): unknown {
    return this.#documents.get(this.#key);
  }

  begin(): void {
    this.#documents.clear();
  }

  take(events: readonly RecordedEvent[]): void {
    this.#documents.fold(events, this.#key);
  }

  show(event: RecordedEvent): DocumentFrame<unknown> {
    const before = this.value;
    this.take([event]);
    return { event, before, document: this.value };
  }

  result(replayed: Replayed): ReplayedDocument<unknown> {
    return { ...replayed, document: this.value };
  }
}
