import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { deletedType } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import { overfull, refusal } from '../store/admission.ts';
import type { AppendView, JudgedRequest } from '../store/admission.ts';
import type { AppendResult, ImportResult, Receipt } from '../store/port.ts';
import { eventChecksum } from './checksum.ts';
import { checkpoint, openForWriting, restartLog } from './connection.ts';
import type { FileOptions } from './connection.ts';
import { EventIndex } from './event-index.ts';
import { isFatal, toEngineError } from './failures.ts';
import { fileIdentity, requireOnlyName } from './file-identity.ts';
import { HeadRow } from './head-row.ts';
import type { Head } from './head-row.ts';
import { importEvents } from './import-events.ts';
import type { ImportedEvents } from './import-events.ts';
import { IndexBuilder } from './index-builder.ts';
import { IndexRuns } from './index-runs.ts';
import { NameReader } from './name-reader.ts';
import { NameWriter } from './name-writer.ts';
import type { PackedEvent } from './packed-events.ts';
import { unpackGroup } from './packed-group.ts';
import type { PackedGroup } from './packed-group.ts';
import { Receipts } from './receipts.ts';
import { retryWhileBusy } from './retry-while-busy.ts';
import { Search } from './search.ts';
import { StateWriter } from './state-writer.ts';
import type { PackedCommit } from './state-writer.ts';
import { StreamIndex } from './stream-index.ts';
import { StreamStates } from './stream-states.ts';

/** What was recorded elsewhere. */
export interface ImportCall {
  readonly events: ImportedEvents;
  readonly receipts: readonly Receipt[];
}

/** A transaction that is open, on top of what other processes appended. */
interface Transaction {
  /** As it will be. */
  readonly head: Head;
  readonly before: Head;
}

export interface WriterOptions extends FileOptions {
  readonly eventsPerStreamMax: number;
}

/**
 * Written pages after which the log is brought into the database file: 16 MB. So many, because appends to many streams
 * write the same pages of the indexes again and again, and each checkpoint writes each of them once.
 */
const checkpointPages = 4_000;
/** Pages of a log that others never leave for a moment, so that it isn't begun anew by itself. */
const longLogPages = 2 * checkpointPages;

/** Owns the only writing connection of this process; runs in a thread of its own. */
export class Writer {
  readonly #file: string;
  readonly #lockTimeoutMs: number;
  readonly #eventsPerStreamMax: number;
  readonly #db: DatabaseSync;
  readonly #identity: string | undefined;
  readonly #headRow: HeadRow;
  readonly #names: NameWriter;
  readonly #namesById: NameReader;
  readonly #index: EventIndex;
  readonly #indexBuilder: IndexBuilder;
  readonly #streamIndex: StreamIndex;
  readonly #streams: StreamStates;
  readonly #search: Search;
  readonly #receipts: Receipts;
  readonly #state: StateWriter;
  /** Pages in the log, and how many of them are in the database file already. */
  readonly #selectLogState: StatementSync;
  readonly #insertEvent: StatementSync;
  #head: Head;
  /** The group whose transaction is open until somebody says what is committed with it. */
  #staged: (Transaction & { readonly staging: number }) | undefined;
  /** Of the last group that was staged. */
  #lastStaging = 0;
  #isCommitting = false;
  /** Pages of the log at which its new beginning is waited for. */
  #restartPages = longLogPages;
  /** Once set, nothing is written any more: what the connection says can't be trusted. */
  #failure: EngineError | undefined;

  constructor(options: WriterOptions) {
    const { file, lockTimeoutMs, eventsPerStreamMax } = options;
    this.#file = file;
    this.#eventsPerStreamMax = eventsPerStreamMax;
    this.#lockTimeoutMs = lockTimeoutMs;
    this.#db = openForWriting(options);
    const db = this.#db;
    const names = new NameReader(db, file);
    this.#namesById = names;
    this.#identity = fileIdentity(file);
    this.#headRow = new HeadRow(db, file);
    this.#names = new NameWriter(db);
    const runs = new IndexRuns(db, file);
    this.#index = new EventIndex(db, file, runs);
    this.#indexBuilder = new IndexBuilder(db, names, runs);
    this.#streamIndex = new StreamIndex(db, file, names, this.#index);
    this.#streams = new StreamStates(names, this.#streamIndex);
    this.#search = new Search(db, this.#index);
    this.#receipts = new Receipts(db, file);
    this.#state = new StateWriter(db);
    this.#selectLogState = db.prepare('pragma wal_checkpoint(noop)');
    this.#insertEvent = db.prepare('insert into events values (?, ?, ?, ?, ?, ?, ?, ?, null, ?)');
    this.#head = this.#headRow.read();
    // What another process left undone, or an older format did not have.
    this.#transact(() => undefined);
    while (this.#index.parts.tail !== undefined && this.buildIndex());
  }

  append(group: PackedGroup): readonly AppendResult[] {
    const requests = unpackGroup(group);
    return this.#transact((head) => this.#judge(requests, group.now, head));
  }

  /** As `append`, but with events among it the transaction stays open, for `finish` or `abandon`: nothing else may be done before. */
  stage(group: PackedGroup): { readonly results: readonly AppendResult[]; readonly staging: number | undefined } {
    const requests = unpackGroup(group);
    return this.#guarded(() => {
      const transaction = this.#begin();
      const { head, before } = transaction;
      const results = this.#judge(requests, group.now, head);
      if (head.position > before.position) {
        this.#staged = { ...transaction, staging: ++this.#lastStaging };
        return { results, staging: this.#lastStaging };
      }
      this.#commit(transaction);
      return { results, staging: undefined };
    });
  }

  /** @throws {EngineError} `inline_conflict`, or what is wrong with the change; the group is gone then. */
  finish(staging: number, change: PackedCommit | undefined): void {
    const transaction = this.#takeStaged(staging);
    if (transaction === undefined) throw new Error(`group ${staging} is not staged`);
    this.#guarded(() => {
      const result = change === undefined ? 'committed' : this.#state.commit(change);
      if (result !== 'committed') throw new EngineError('inline_conflict', { result });
      this.#commit(transaction);
    });
  }

  /** If it has not ended already. */
  abandon(staging: number): void {
    if (this.#takeStaged(staging) !== undefined) this.#rollBack();
  }

  #takeStaged(staging: number): Transaction | undefined {
    const staged = this.#staged;
    if (staged?.staging !== staging) return undefined;
    this.#staged = undefined;
    return staged;
  }

  get isStaged(): boolean {
    return this.#staged !== undefined;
  }

  #judge(requests: readonly JudgedRequest<PackedEvent>[], now: number, head: Head): readonly AppendResult[] {
    const recordedAt = Math.max(now, head.recordedAt);
    return requests.map((request) => this.#appendOne(request, recordedAt, head));
  }

  #appendOne(request: JudgedRequest<PackedEvent>, recordedAt: number, head: Head): AppendResult {
    const view = this.#view(recordedAt, head);
    const refused = refusal(request, view);
    if (refused !== undefined) return refused;
    const error = overfull(request, view, this.#eventsPerStreamMax);
    if (error !== undefined) return { kind: 'failed', error };

    const before = head.position;
    const versions = request.writes.map(({ stream, events }) => {
      const first = this.#streams.get(stream).version + 1;
      for (const event of events) this.#insert(stream, event, recordedAt, head);
      return first;
    });
    const hasEvents = head.position > before;
    for (const receipt of request.receipts) {
      this.#receipts.add(receipt, recordedAt, hasEvents ? head.position : null, head);
    }
    return { kind: 'appended', position: hasEvents ? before + 1 : 0, versions, recordedAt };
  }

  #view(now: number, head: Head): AppendView {
    return {
      receipt: (key) => this.#receipts.find(key, now, head),
      head: (stream) => {
        const { version, deleted } = this.#streams.get(stream);
        return { stream, version, deleted, hotCount: version };
      },
      firstMatch: ({ failIfMatch, after }) => {
        return this.#search.positions(failIfMatch, { after, until: head.position, backwards: false, limit: 1 })[0];
      },
    };
  }

  /** Writes an event as the next one of its stream and of the store. */
  #insert(stream: string, { type, tags, dataLength, payload }: PackedEvent, recordedAt: number, head: Head): void {
    const state = this.#streams.get(stream);
    if (state.id === 0) state.id = this.#names.newStream(stream, head);
    state.version += 1;
    state.deleted = type.name === deletedType;
    head.position += 1;
    head.recordedAt = recordedAt;
    const typeId = this.#names.type(type, head);
    const tagIds = tags.map((tag) => this.#names.tag(tag, head));
    const tagList = tagIds.length === 0 ? null : tagIds.join(',');
    const row = {
      position: head.position,
      stream: state.id,
      version: state.version,
      type: typeId,
      recordedAt,
      tags: tagList,
      dataLength,
    };
    const crc = eventChecksum({ ...row, segment: null }, payload);
    this.#insertEvent.run(row.position, row.stream, row.version, typeId, recordedAt, tagList, dataLength, payload, crc);
    this.#index.add(state.id, typeId, tagIds);
  }

  import({ events, receipts }: ImportCall): ImportResult {
    return this.#transact((head) => {
      const existing = {
        version: (stream: string) => this.#streams.get(stream).version,
        event: (stream: string, version: number, guess: number) => this.#streamIndex.event(stream, version, guess),
      };
      const result = importEvents(existing, events, head, (stream, event, recordedAt) =>
        this.#insert(stream, event, recordedAt, head),
      );
      for (const receipt of receipts) this.#receipts.import(receipt, head);
      return result;
    });
  }

  /** Here, because the keys are indexed in this thread's memory. */
  receipt(key: string, now: number): Receipt | undefined {
    return retryWhileBusy(this.#file, this.#lockTimeoutMs, () => {
      const head = this.#headRow.read();
      return this.#receipts.find(key, Math.max(now, head.recordedAt), head);
    });
  }

  releaseReceipts(which: { readonly expiredAt: number } | { readonly owner: string }, limit: number): number {
    return this.#transact(() => this.#receipts.release(which, limit));
  }

  /** What is kept beside the events. It can be made again from them, so nobody waits for the disk: it is durable with the next append. */
  state<Result>(change: (state: StateWriter) => Result): Result {
    this.#db.exec('pragma synchronous = normal');
    try {
      return this.#transact(() => change(this.#state));
    } finally {
      this.#db.exec('pragma synchronous = full');
    }
  }

  #transact<Result>(change: (head: Head) => Result): Result {
    return this.#guarded(() => {
      const transaction = this.#begin();
      const result = change(transaction.head);
      this.#commit(transaction);
      return result;
    });
  }

  /** Everything that writes begins here: under the file's lock, on top of what other processes appended. */
  #begin(): Transaction {
    retryWhileBusy(this.#file, this.#lockTimeoutMs, () => this.#db.exec('begin immediate'));
    requireOnlyName(this.#file, this.#identity);
    const head = this.#headRow.read();
    if (!this.#index.refresh(head, (row) => this.#streams.notice(row))) this.#streams.forget();
    return { head, before: { ...head } };
  }

  /** Durable when it returns. */
  #commit({ head, before }: Transaction): void {
    if (Object.entries(head).some(([name, value]) => before[name as keyof Head] !== value)) this.#headRow.write(head);
    this.#isCommitting = true;
    this.#db.exec('commit');
    this.#head = head;
  }

  /** Where something fails nothing of it is left, neither in the file nor in memory. */
  #guarded<Result>(work: () => Result): Result {
    if (this.#failure !== undefined) throw this.#failure;
    this.#isCommitting = false;
    try {
      return work();
    } catch (error) {
      const explained = toEngineError(error, this.#file, this.#isCommitting ? 'unknown' : 'not_written');
      this.#rollBack();
      if (isFatal(error, explained, this.#isCommitting)) this.#failure = explained;
      throw explained;
    }
  }

  #rollBack(): void {
    this.#index.forget();
    this.#indexBuilder.reset();
    this.#streams.forget();
    this.#names.forget();
    this.#namesById.forget();
    this.#receipts.forget();
    try {
      if (this.#db.isTransaction) this.#db.exec('rollback');
    } catch (error) {
      this.#failure = toEngineError(error, this.#file, 'unknown');
    }
  }

  /** Brings the log into the database file, once it is long enough; after a group was answered, so that nobody waits. */
  checkpointIfDue(): void {
    this.#inBackground(() => {
      const { log, checkpointed } = this.#selectLogState.get() as { log: number; checkpointed: number };
      // While somebody reads for long it can't be begun anew, so asking too often would only hold up the appends.
      if (log >= this.#restartPages) this.#restartPages = restartLog(this.#db) ? longLogPages : 2 * log;
      else if (log - checkpointed >= checkpointPages) checkpoint(this.#db, 'passive');
      if (log < longLogPages) this.#restartPages = longLogPages;
    });
  }

  /** Whether there is something to write into the index, or to merge in it. */
  get isIndexDue(): boolean {
    return this.#failure === undefined && this.#indexBuilder.isDue(this.#index.parts);
  }

  /** Does one slice of it. @returns whether that went well. */
  buildIndex(): boolean {
    return this.#inBackground(() => {
      if (this.#indexBuilder.isReading) this.#indexBuilder.read();
      else this.#transact((head) => this.#indexBuilder.step(this.#index.parts, head));
    });
  }

  /** A failure that nobody waits for stops the writing all the same. */
  #inBackground(work: () => void): boolean {
    if (this.#failure !== undefined) return false;
    try {
      work();
      return true;
    } catch (error) {
      const explained = toEngineError(error, this.#file);
      if (isFatal(error, explained, false)) this.#failure ??= explained;
      return false;
    }
  }

  get head(): Head {
    return this.#head;
  }

  close(): void {
    this.#db.close();
  }
}
