/** The port that a backend implements to keep events. Its rules are in admission.ts; memory.ts is the model to read first. */
import type { Draft, PortableEvent, Recorded } from '../event/event.ts';
import type { EventQuery } from '../event/query.ts';
import type { Clock } from '../ground/clock.ts';
import type { EngineError } from '../ground/errors.ts';
import type { Limits } from '../ground/limits.ts';
import type { StateCommit, StateStore } from './state-port.ts';

/** Place in the store's order, 1 for the first event; 0 is before all. */
export type Position = number;

/**
 * What a stream must be like for a write to it to be made.
 * - a number: at exactly this version; 0 is a stream that never existed
 * - `'any'`: whatever, but not deleted
 * - `'no_stream'`: never existed
 * - `'stream_exists'`: has events and is not deleted
 * - `'deleted'`: its last event is a tombstone; this re-creates it, its versions go on counting
 */
export type ExpectedVersion = number | 'any' | 'no_stream' | 'stream_exists' | 'deleted';

export interface StreamWrite {
  readonly stream: string;
  readonly expected: ExpectedVersion;
  /** At least one; a tombstone only as the last. */
  readonly events: readonly Draft[];
}

/** The expected state of a stream that is read but not written. A number also matches a deleted stream. */
export interface StreamCheck {
  readonly stream: string;
  readonly expected: ExpectedVersion;
}

/** Fails the append if an event after the position matches. */
export interface AppendCondition {
  readonly failIfMatch: EventQuery;
  readonly after: Position;
}

/** What a command left behind, so that its repetition can be answered. */
export interface ReceiptDraft {
  readonly key: string;
  readonly commandDigest: Uint8Array;
  readonly outcome: Uint8Array;
  /** Milliseconds since the epoch, after which the key is free again; null while its owner lives. */
  readonly expiresAt: number | null;
  /** Whoever releases it, for example a saga instance. */
  readonly owner?: string | undefined;
}

export interface Receipt extends ReceiptDraft {
  readonly recordedAt: number;
  /** Of the last event of its append; absent where there was none. */
  readonly position?: Position | undefined;
}

/** One caller's all-or-nothing request. */
export interface AppendRequest {
  /**
   * In the order in which their events are to stand. A stream may come again, to go on behind the events of another: then
   * only the first expectation counts. May be empty where there are receipts.
   */
  readonly writes: readonly StreamWrite[];
  readonly checks: readonly StreamCheck[];
  readonly conditions: readonly AppendCondition[];
  /**
   * Of the commands that it does; each key once. Kept if everything else holds. If there is a live one with one of
   * their keys, that one is returned instead, before any other check.
   */
  readonly receipts: readonly ReceiptDraft[];
}

/** Why a request was not appended: expected outcomes, as data. */
export type Refusal =
  | {
      readonly kind: 'version_conflict';
      readonly stream: string;
      readonly expected: ExpectedVersion;
      readonly actual: number;
    }
  | { readonly kind: 'stream_deleted'; readonly stream: string; readonly actual: number }
  /** `condition`: its index; `position`: the first event that matched. */
  | { readonly kind: 'condition_conflict'; readonly condition: number; readonly position: Position }
  | { readonly kind: 'duplicate'; readonly receipt: Receipt };

export type AppendResult =
  | {
      readonly kind: 'appended';
      /** Of the first event; the others follow without gaps, in the order of the writes. 0 if there are none. */
      readonly position: Position;
      /** Of the first event of each write. */
      readonly versions: readonly number[];
      readonly recordedAt: number;
    }
  | Refusal
  /** This request alone could not be made, for a reason that is no expected outcome. */
  | { readonly kind: 'failed'; readonly error: EngineError };

/**
 * Sees what would become of each request if the group were committed now, and says what is to be committed with it
 * (undefined: nothing). It may read events and documents, as they were before the group; it must not wait for anything that
 * is written to the store: that would wait for it.
 */
export type Inline = (results: readonly AppendResult[]) => Promise<StateCommit | undefined>;

/** All bounds must hold. */
export interface ReadQuery {
  readonly stream?: string | undefined;
  readonly match?: EventQuery | undefined;
  /** Positions above this. */
  readonly after?: Position | undefined;
  /** Positions up to and with this. */
  readonly until?: Position | undefined;
  /** Only with `stream`: versions above this. */
  readonly afterVersion?: number | undefined;
  /** Only with `stream`: versions up to and with this. */
  readonly untilVersion?: number | undefined;
  /** `recordedAt` at or after this, in ms since the epoch. */
  readonly recordedFrom?: number | undefined;
  /** `recordedAt` at or before this: always a prefix of the store. */
  readonly recordedUntil?: number | undefined;
  /** From the newest to the oldest. Default false. */
  readonly backwards?: boolean | undefined;
  /** Events in all. Default: no limit. */
  readonly limit?: number | undefined;
  /** Events in a page, at most. Default 256. */
  readonly pageSize?: number | undefined;
}

export interface StreamHead {
  readonly stream: string;
  /** Of the last event; 0 if the stream never existed. */
  readonly version: number;
  readonly deleted: boolean;
  /** Events whose bodies are in the store, not in an archive. */
  readonly hotCount: number;
}

export interface StreamsQuery {
  readonly prefix?: string | undefined;
  /** Names above this, in the order of code points: the last of the page before. */
  readonly after?: string | undefined;
  /** At most this many. */
  readonly limit: number;
}

export interface StoreHead {
  /** Of the last event; 0 if there is none. */
  readonly position: Position;
  /** Of the last event; 0 if there is none. */
  readonly recordedAt: number;
  readonly streamCount: number;
}

/** What a backend can do. The conformance suite runs what is declared and skips the rest with a reason. */
export interface Capabilities {
  /** Documents can be written in the append's own transaction. */
  readonly sharedTransaction: boolean;
  /** Positions have no gaps. */
  readonly gapless: boolean;
  /** How exactly append conditions are checked: by their query, against any new event, or not at all. */
  readonly conditions: 'matched' | 'whole_log' | 'none';
  /** One request may write several streams. */
  readonly multiStream: boolean;
  /** Events that one group should not exceed; a single larger request is still taken. */
  readonly appendMax: number;
  /** Groups that may be handed over before the first is answered. They are committed in the order of their calls. */
  readonly groupsInFlight: number;
}

export interface EventStore extends AsyncDisposable {
  readonly capabilities: Capabilities;

  /**
   * Commits a group of independent requests together, judged in order, each seeing those before it. The
   * results are in the order of the group. When it resolves, what was appended survives the death of the machine.
   *
   * `inline`, which is only for backends with `sharedTransaction`, is called once the requests were judged and staged, if
   * something would be appended: nobody sees any of it yet, and whoever else appends or imports waits. The change it gives is
   * made by the state store that was opened last beside this one, in the same transaction: events and change, or neither. Where
   * a staging is lost before it is committed (the server was restarted, say) the group is staged anew, and `inline` called anew.
   * @throws {EngineError} `store_failed`, `store_full` and the like, if nothing of the group can be relied on;
   * `inline_conflict` if the change did not find what it builds on, or what a state store's `commit` throws, and then nothing
   * was written.
   * @throws what `inline` throws, as it is; nothing was written.
   */
  append(group: readonly AppendRequest[], inline?: Inline): Promise<readonly AppendResult[]>;

  /**
   * Pages of events in position order, none of them empty. What was committed before the first page was asked
   * for is seen; what is appended meanwhile is not.
   * @throws the signal's reason, when aborted.
   */
  read(query: ReadQuery, signal?: AbortSignal): AsyncIterable<readonly Recorded[]>;

  /** The event with this id (32 bytes). */
  find(id: Uint8Array): Promise<Recorded | undefined>;

  heads(streams: readonly string[]): Promise<readonly StreamHead[]>;
  streams(query: StreamsQuery): Promise<readonly StreamHead[]>;
  /**
   * The types that events were recorded as, each once, in the order of their code points. Whoever looks for events by an index learns from
   * it that there are types that it does not know; of a store that cannot say so, all events are looked at.
   */
  types?(): Promise<readonly string[]>;
  head(): Promise<StoreHead>;

  /**
   * Resolves with the store's position as soon as it is past `after`, whoever appended.
   * @throws the signal's reason, when aborted; `store_closed`, when closed meanwhile.
   */
  appended(after: Position, signal?: AbortSignal): Promise<Position>;

  /** The live receipt with this key. */
  receipt(key: string): Promise<Receipt | undefined>;

  /**
   * Pages of the receipts that are kept, live or not, none of the pages empty: in the order in which they were made, as
   * of the moment the first page is asked for. Of several with one key, the last counts.
   * @throws the signal's reason, when aborted.
   */
  receipts(signal?: AbortSignal): AsyncIterable<readonly Receipt[]>;

  /** Removes receipts, at most `limit` of them: those expired at a time, or an owner's. Returns how many. */
  releaseReceipts(which: { readonly expiredAt: number } | { readonly owner: string }, limit: number): Promise<number>;

  /**
   * Appends events recorded elsewhere, in order, all or none, with their versions and times; positions are given
   * anew (the same ones, where a whole store is copied into an empty one). An event that is there already is skipped.
   * The caller has verified digests and ids. With them go receipts, as they are, but for those of whose key the store has
   * one of the same time or later.
   * @throws {EngineError} `import_refused` if a stream's versions would have a gap or differ, or time would run backwards.
   */
  import(events: readonly PortableEvent[], receipts: readonly Receipt[]): Promise<ImportResult>;
}

/** What became of events recorded elsewhere. */
export interface ImportResult {
  readonly imported: number;
  /** Were there already. */
  readonly skipped: number;
}

export interface BackendOptions {
  readonly clock: Clock;
  readonly limits: Limits;
}

/** Where a store is kept: made by `memory()`, `sqlite(file)` and the like, opened by `openLog`. */
export interface Backend {
  /** For people, for example `sqlite:bank.db`. */
  readonly name: string;
  openEvents(options: BackendOptions): Promise<EventStore>;
  /** Documents beside the events of a store that this backend has opened, to be closed before it. Absent: it keeps events only. */
  openState?(events: EventStore, options: BackendOptions): Promise<StateStore>;
}
