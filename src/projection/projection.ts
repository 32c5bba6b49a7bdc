import type { RecordedFields } from '../event/codec.ts';
import type { Json } from '../event/json.ts';
import { EngineError } from '../ground/errors.ts';
import { checkCollection } from '../store/state-commit.ts';
import { checkConsumer, distinctKeys } from './consumer.ts';
import type { Consumer, ConsumerMode, ConsumerOptions } from './consumer.ts';
import { handlerOf, handlersOf, SourceInterest } from './source.ts';
import type { AnyEventFrom, DeletedEvent, EventFrom, EventSource, TypeOf } from './source.ts';
import type { PathOf } from './where-types.ts';

/** A document of a view: a JSON object. */
export interface ViewDocument {
  readonly [field: string]: unknown;
}

/** A projection, whatever its types: what an engine is opened with. */
export interface AnyProjection extends Consumer {
  readonly kind: 'projection';
  readonly indexes: readonly (readonly string[])[];
  /** The document of a key before its first event. */
  start(): ViewDocument;
  /** The next document; null where it is to be deleted. */
  fold(document: ViewDocument, event: RecordedFields): ViewDocument | null;
}

/** A fold of events into documents, by key. */
export interface Projection<
  Name extends string,
  Document,
  From extends readonly EventSource[] = readonly EventSource[],
> extends AnyProjection {
  readonly name: Name;
  /** @internal Carry the types. */
  readonly document?: Document;
  readonly from?: From;
}

/** What a view's documents are. */
export type InferDocument<P extends AnyProjection> = P extends Projection<string, infer Document> ? Document : never;

/** Any event that a projection may fold. */
export type InferProjected<P extends AnyProjection> =
  P extends Projection<string, infer _Document, infer From> ? AnyEventFrom<From> : RecordedFields;

type Folds<From extends readonly EventSource[], Document> = {
  readonly [Type in TypeOf<From>]: 'ignore' | ((document: Document, event: EventFrom<From, Type>) => Document | null);
} & {
  /** A tombstone. Default `'ignore'`. */
  readonly $deleted?: 'ignore' | ((document: Document, event: DeletedEvent) => Document | null);
  /** An event of a type that its aggregate does not declare. Default: `onUnknown` says. */
  readonly $unknown?: (document: Document, event: RecordedFields) => Document | null;
};

/**
 * Declares a projection: a fold of events into documents, one for each key, kept as a view that can be queried. Everything is inferred.
 * @throws {EngineError} `definition_invalid`
 */
export function defineProjection<
  const Name extends string,
  const From extends readonly EventSource[],
  Document extends object,
  On extends Folds<NoInfer<From>, NoInfer<Document>>,
>(
  definition: ConsumerOptions & {
    /** Matches `[a-z][A-Za-z0-9_]*`. */
    readonly name: Name;
    /**
     * To be raised whenever the same events would be folded into other documents: then the view is built anew beside the old one, which
     * goes on serving those who still run the old definition. Default 1.
     */
    readonly version?: number;
    /**
     * `'async'`: soon after the append. `'inline'`: in the append's own transaction, so that a view is never behind; appends take
     * longer, and an event that cannot be folded is not appended. `'live'`: in the memory of each process, from the first event on
     * whenever it starts. Default `'async'`.
     */
    readonly mode?: ConsumerMode;
    /** The aggregates whose events it folds. */
    readonly from: From;
    /** Which documents an event concerns: one, several or (an empty list) none. Pure. */
    readonly key: (event: AnyEventFrom<NoInfer<From>>) => string | readonly string[];
    /** The document of a key before its first event. */
    readonly initial: Document | (() => Document);
    /** Paths of fields, or lists of paths, by which documents are found and ordered without looking at them all. */
    readonly indexes?: readonly (PathOf<NoInfer<Document>> | readonly PathOf<NoInfer<Document>>[])[];
    /**
     * The folds: pure, each returns the next document and never changes the one it is given; null deletes it. Every event of `from` has
     * one, or `'ignore'`. (A type parameter of its own, so that literals stay as they are: docs/decisions/0012.)
     */
    readonly on: On;
  },
): Projection<Name, Document, From> {
  const { name, version = 1, mode = 'async', from, key, initial, indexes = [], on } = definition;
  const checked = checkConsumer(name, version, definition);
  const refuse = (reason: string, cause?: unknown) =>
    new EngineError('definition_invalid', { name, reason }, cause === undefined ? {} : { cause });
  if (!['async', 'inline', 'live'].includes(mode)) throw refuse(`mode is 'async', 'inline' or 'live'`);
  if (mode !== 'async' && checked.slots > 1) throw refuse(`a projection that is ${mode} has one slot`);
  if (mode === 'inline' && checked.onFailure === 'park')
    throw refuse('what cannot be folded inline is not appended, so nothing is parked');
  if (typeof key !== 'function') throw refuse('key is not a function');
  // The one place where the types of a definition are set aside: from here on it is looked up by name.
  const folds = handlersOf<AnyFold>(name, from, on);
  const keyOf = key as (event: RecordedFields) => unknown;
  const paths = (indexes as readonly (string | readonly string[])[]).map((index) =>
    typeof index === 'string' ? [index] : index,
  );
  checkCollection({ name, indexes: paths });
  const interest = new SourceInterest(from, new Set(folds.keys()), checked.onUnknown);
  const projection: AnyProjection = {
    kind: 'projection',
    name,
    version,
    mode,
    ...checked,
    interest,
    indexes: paths,
    keysOf: (event) => {
      interest.require(event);
      return distinctKeys(keyOf(event));
    },
    start: () =>
      typeof initial === 'function' ? (initial as () => ViewDocument)() : structuredClone(initial as ViewDocument),
    fold: (document, event) => checkFolded(handlerOf(folds, event)(document, event)),
  };
  return projection as Projection<Name, Document, From>;
}

type AnyFold = (document: ViewDocument, event: RecordedFields) => unknown;

function checkFolded(next: unknown): ViewDocument | null {
  if (next === null) return null;
  if (next instanceof Promise) throw new TypeError('the fold returned a promise: folds are synchronous');
  if (typeof next !== 'object' || Array.isArray(next))
    throw new TypeError(
      `the fold returned ${next === undefined ? 'undefined' : 'no object'}: it returns a document, or null to delete it`,
    );
  return next as ViewDocument;
}

/** What of a document is compared and kept. */
export function jsonOf(document: ViewDocument): Json {
  return document as Json;
}
