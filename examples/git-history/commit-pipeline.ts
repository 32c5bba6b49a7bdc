import type { LogAppendResult, Refusal } from 'eventsrc';
import { appendAfter, commitWrites, placeChanges } from './commit-append.ts';
import type { HistoryEnd } from './commit-append.ts';
import type { HistoryLog } from './events.ts';
import type { Commit } from './history-source.ts';
import { PathVersions } from './path-versions.ts';

export interface PipelineLimits {
  /** Commits sent and not yet confirmed. They share the store's commits, so many cost little more than one. */
  readonly commitsInFlight: number;
  /** Their events, however many commits they are; a single larger commit is sent alone. */
  readonly eventsInFlight: number;
  /** Streams whose versions are kept in memory. */
  readonly versionsKept: number;
}

export const defaultPipelineLimits: PipelineLimits = {
  commitsInFlight: 64,
  eventsInFlight: 20_000,
  versionsKept: 1_000_000,
};

export interface RecordedCommit {
  readonly id: string;
  readonly events: number;
}

/** An append that was sent. Errors are kept as data until its turn comes. */
interface Sent {
  readonly id: string;
  readonly events: number;
  readonly settled: Promise<{ readonly result: LogAppendResult } | { readonly error: unknown }>;
}

/** Sends commits to the store one after another without waiting for each to be confirmed. */
export class CommitPipeline {
  readonly #log: HistoryLog;
  readonly #limits: PipelineLimits;
  readonly #onRecorded: (commit: RecordedCommit) => void;
  readonly #versions: PathVersions;
  readonly #inFlight: Sent[] = [];
  #eventsInFlight = 0;
  /** Where the history ends, and the store's last position, once all in flight is done. */
  #end: HistoryEnd;
  #lastPosition: number;
  #refusal: Refusal | undefined;

  /** `end` is where the history ends in the store, `lastPosition` the store's last. */
  constructor(
    log: HistoryLog,
    start: { readonly end: HistoryEnd; readonly lastPosition: number },
    limits: PipelineLimits,
    onRecorded: (commit: RecordedCommit) => void,
  ) {
    this.#log = log;
    this.#limits = limits;
    this.#onRecorded = onRecorded;
    this.#versions = new PathVersions(log);
    this.#end = start.end;
    this.#lastPosition = start.lastPosition;
  }

  /** Why a commit was refused. From then on every other is refused too: drain, look where the store stands, begin anew. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** Resolves when the commit is sent, which may have to wait for others to be confirmed. Not to be called concurrently. */
  async send(commit: Commit): Promise<void> {
    const changes = placeChanges(commit);
    const events = changes.length + 1;
    await this.#makeRoom(events);
    await this.#versions.load(changes.map(({ stream }) => stream));
    const writes = commitWrites(commit, changes, (stream) => this.#versions.take(stream));
    const append = this.#log.append(writes, appendAfter(this.#end));
    const settled = append.then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    this.#inFlight.push({ id: commit.id, events, settled });
    this.#eventsInFlight += events;
    this.#lastPosition += events;
    this.#end = { commit: commit.id, position: this.#lastPosition };
  }

  async #makeRoom(events: number): Promise<void> {
    const { commitsInFlight, eventsInFlight, versionsKept } = this.#limits;
    while (this.#inFlight.length >= commitsInFlight || this.#eventsInFlight + events > eventsInFlight) {
      if (!(await this.#settleOldest())) break;
    }
    if (this.#versions.size <= versionsKept) return;
    await this.drain();
    this.#versions.clear();
  }

  /** Waits until everything that was sent is confirmed or refused. */
  async drain(): Promise<void> {
    while (await this.#settleOldest());
  }

  /** False if there is none. @throws whatever the append did. */
  async #settleOldest(): Promise<boolean> {
    const oldest = this.#inFlight.shift();
    if (oldest === undefined) return false;
    const { id, events, settled } = oldest;
    const outcome = await settled;
    this.#eventsInFlight -= events;
    if ('error' in outcome) throw outcome.error;
    if (outcome.result.kind === 'appended') this.#onRecorded({ id, events });
    else this.#refusal ??= outcome.result;
    return true;
  }
}
