/** The port that a backend implements to keep documents: views, checkpoints, leases. memory-state.ts is the model. */
import type { Json } from '../event/json.ts';
import type { Position } from './port.ts';

/** JSON without NUL characters, or bytes. */
export type DocumentValue = Json | Uint8Array;

export interface Document {
  readonly key: string;
  readonly value: DocumentValue;
  /** How often it was put: 1 at first. A document that was deleted and put again begins anew. */
  readonly revision: number;
}

/** Where in a document: names of fields, joined by dots: `address.city`. */
export type DocumentPath = string;

/** Documents that are found by one another's fields. */
export interface Collection {
  readonly name: string;
  /** Each a list of paths: documents are found and ordered by the first, then by the next. */
  readonly indexes: readonly (readonly DocumentPath[])[];
}

export type Comparison = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte';
export type Scalar = null | boolean | number | string;

/**
 * Which documents. A field is compared with a value of its own kind only: `gt 5` is true of no string, and of no document
 * without the field. `ne` and `not` are true of whatever `eq` and the rest are not true of.
 */
export type Condition =
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  | { readonly kind: 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: Comparison; readonly path: DocumentPath; readonly value: Scalar }
  | { readonly kind: 'in'; readonly path: DocumentPath; readonly values: readonly Scalar[] }
  | { readonly kind: 'startsWith'; readonly path: DocumentPath; readonly value: string }
  /** Whether there is such a field, also if it is null. */
  | { readonly kind: 'exists'; readonly path: DocumentPath; readonly value: boolean }
  /** A string that holds this one, or a list with this element. */
  | { readonly kind: 'contains'; readonly path: DocumentPath; readonly value: Scalar }
  /** A list with an element that fulfils this. */
  | { readonly kind: 'some'; readonly path: DocumentPath; readonly of: Condition };

export interface Order {
  readonly path: DocumentPath;
  readonly direction: 'asc' | 'desc';
}

export interface DocumentQuery {
  readonly where: Condition;
  /** Then by key. Missing < null < false < true < numbers < strings (by code points; their first 200 count) < the rest. */
  readonly orderBy: readonly Order[];
  /** `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
  /** Whether `next` is wanted. Default true. Without it nobody need look for one document more; a store may give it all the same. */
  readonly paged?: boolean | undefined;
}

export interface DocumentPage {
  readonly documents: readonly Document[];
  /** Leads to the next page; absent if there is none. */
  readonly next?: string | undefined;
  /** Whether documents were looked at that no index led to. */
  readonly scanned: boolean;
}

/** A change, all or nothing. Data only. */
export interface StateCommit {
  /** Each must still be in its owner's hand. */
  readonly fences?: readonly { readonly lease: string; readonly epoch: number }[] | undefined;
  /** Each must still stand at `from` (0: not there yet), and is set to `to`. */
  readonly checkpoints?: readonly CheckpointMove[] | undefined;
  /** Each key of a collection at most once, among the deletes too. */
  readonly puts?: readonly DocumentPut[] | undefined;
  readonly deletes?: readonly DocumentDelete[] | undefined;
  /** On tables of the user's own, where the backend speaks SQL; placeholders are the backend's. */
  readonly statements?: readonly SqlStatement[] | undefined;
}

export interface CheckpointMove {
  readonly name: string;
  readonly from: Position;
  readonly to: Position;
}

export interface DocumentPut {
  readonly collection: string;
  readonly key: string;
  readonly value: DocumentValue;
  /** 0: is not there yet. Default: whatever it is. */
  readonly ifRevision?: number | undefined;
}

export interface DocumentDelete {
  readonly collection: string;
  readonly key: string;
  readonly ifRevision?: number | undefined;
}

export interface SqlStatement {
  readonly sql: string;
  readonly params: readonly (string | number | null | Uint8Array)[];
}

/** What became of a change; but for `committed`, nothing did. */
export type StateCommitResult = 'committed' | 'fenced' | 'checkpoint_moved' | 'revision_moved';

export interface Checkpoint {
  readonly name: string;
  readonly position: Position;
}

export interface StateCapabilities {
  /** Whether changes may carry statements, and in what language. */
  readonly sql: 'none' | 'sqlite' | 'postgres';
}

export interface StateStore extends AsyncDisposable {
  readonly capabilities: StateCapabilities;

  /**
   * Makes a collection, unless it is there.
   * @throws {EngineError} `request_invalid` if it is there with other indexes.
   */
  define(collection: Collection): Promise<void>;
  /** Removes a collection with its documents. One that is not there is no error. */
  drop(collection: string): Promise<void>;
  /** Names of collections that begin so, in the order of their code points. */
  collections(prefix: string): Promise<readonly string[]>;

  /** In the order asked for. @throws {EngineError} `collection_unknown` */
  get(collection: string, keys: readonly string[]): Promise<readonly (Document | undefined)[]>;
  /** As of one moment. @throws {EngineError} `collection_unknown` */
  find(collection: string, query: DocumentQuery): Promise<DocumentPage>;
  count(collection: string, where: Condition): Promise<{ readonly count: number; readonly scanned: boolean }>;

  /**
   * @throws {EngineError} `data_unfaithful` for a value that is neither bytes nor JSON as it is kept; `collection_unknown`;
   * `statement_failed`; `request_invalid`: nothing was changed.
   */
  commit(change: StateCommit): Promise<StateCommitResult>;

  /** Those whose names begin so, in the order of their code points. */
  checkpoints(prefix: string): Promise<readonly Checkpoint[]>;
  /**
   * Resolves with the checkpoint's position as soon as it is past `after`, whoever moved it.
   * @throws the signal's reason, when aborted; `store_closed`, when closed meanwhile.
   */
  moved(checkpoint: string, after: Position, signal?: AbortSignal): Promise<Position>;

  /**
   * Takes a lease that is free, or renews one's own, for `ttlMs` from now, by the store's clock. The epoch is another one with every
   * new owner, and grows. Undefined while it is another's.
   */
  lease(name: string, owner: string, ttlMs: number): Promise<{ readonly epoch: number } | undefined>;
  /** Gives it back, if the epoch is still the one. */
  release(name: string, epoch: number): Promise<void>;
}
