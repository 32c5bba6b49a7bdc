import type { AnyAggregate } from '../command/aggregate.ts';
import { streamBoundary } from '../command/boundary.ts';
import type { Folding } from '../command/folding.ts';
import { splitStreamName, streamName } from '../event/names.ts';
import { checkKeys, checkSignal, optionInvalid } from '../ground/check-options.ts';
import type { SnapshotInfo, Snapshots } from '../snapshot/snapshots.ts';
import { isMismatch } from '../snapshot/verify.ts';
import type { Fault, Verified } from '../snapshot/verify.ts';

/** Which snapshots are verified; those of aggregates that the engine was not opened with can't be. */
export interface VerifyOptions {
  /** Default: all. */
  readonly aggregate?: AnyAggregate;
  /** Of one instance; with an aggregate only. */
  readonly id?: string;
  /** Told of each stream as it has been verified. */
  readonly onProgress?: (progress: VerifyProgress) => void;
  readonly signal?: AbortSignal;
}

export interface VerifyProgress {
  readonly stream: string;
  readonly streams: number;
  readonly snapshots: number;
}

/** A snapshot that says something else than the events do, and is not used any more. */
export interface SnapshotFault extends Fault {
  readonly stream: string;
}

export interface VerifyResult {
  readonly streams: number;
  /** Those that this code would use, all of which were looked at. */
  readonly snapshots: number;
  readonly faults: readonly SnapshotFault[];
}

const verifyKeys = ['aggregate', 'id', 'onProgress', 'signal'] satisfies (keyof VerifyOptions)[];

/** States that are kept so that not every stream is folded from its first event. */
export class EngineSnapshots {
  readonly #snapshots: Snapshots;
  readonly #folding: Folding;
  readonly #aggregates: readonly AnyAggregate[];
  readonly #checkOpen: () => void;

  /** @internal Use `engine.snapshots`. */
  constructor(snapshots: Snapshots, folding: Folding, aggregates: readonly AnyAggregate[], checkOpen: () => void) {
    this.#snapshots = snapshots;
    this.#folding = folding;
    this.#aggregates = aggregates;
    this.#checkOpen = checkOpen;
  }

  /**
   * The streams that have snapshots, page by page; those too of aggregates that the engine was not opened with.
   * @throws {EngineError} `option_invalid`, `engine_closed`; the signal's reason, when aborted.
   */
  async *streams(signal?: AbortSignal): AsyncGenerator<readonly string[]> {
    checkSignal(signal);
    this.#checkOpen();
    yield* this.#snapshots.streams(signal);
  }

  /** Those of one instance, the newest first. @throws {EngineError} `name_invalid`, `engine_closed` */
  async list(aggregate: AnyAggregate, id: string): Promise<readonly SnapshotInfo[]> {
    this.#checkOpen();
    return this.#snapshots.list(aggregate, streamName(aggregate.name, id));
  }

  /**
   * Keeps the state of one instance now, whatever its version. An instance without events has none to be kept.
   * @throws as `engine.load`; `data_unfaithful` for a state that JSON cannot carry.
   */
  async take(aggregate: AnyAggregate, id: string): Promise<readonly SnapshotInfo[]> {
    this.#checkOpen();
    const stream = streamName(aggregate.name, id);
    const { version } = await this.#folding.latest(streamBoundary(aggregate, stream));
    if (version > 0) await this.#snapshots.take(aggregate, stream, version);
    return this.#snapshots.list(aggregate, stream);
  }

  /**
   * Folds streams anew, from their first events, and compares with their snapshots. What differs, or is damaged, is set aside and never used
   * again. (A sample of what is used is verified in the background in any case.)
   * @throws {EngineError} `option_invalid`, `engine_closed`; the signal's reason, when aborted.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyResult> {
    checkKeys('the options of verify', options, verifyKeys);
    const { aggregate, id, onProgress, signal } = options;
    checkSignal(signal);
    this.#checkOpen();
    if (id !== undefined && aggregate === undefined) throw optionInvalid('id', id, 'an aggregate beside it');
    let [streams, snapshots] = [0, 0];
    const faults: SnapshotFault[] = [];
    const mistaken = new Map<AnyAggregate, Verified['evidence']>();
    try {
      for await (const [definition, stream] of this.#streams(aggregate, id, signal)) {
        this.#checkOpen();
        const verified = await this.#snapshots.verify(definition, stream, signal);
        streams += 1;
        snapshots += verified.versions.length;
        faults.push(...verified.faults.map((fault) => ({ stream, ...fault })));
        if (verified.faults.some(isMismatch) && !mistaken.has(definition)) mistaken.set(definition, verified.evidence);
        onProgress?.({ stream, streams, snapshots });
      }
    } finally {
      // Not before, as then none of its other snapshots would be looked at; and even if not all of them could be.
      for (const [definition, evidence] of mistaken) await this.#snapshots.distrustCode(definition, evidence);
    }
    return { streams, snapshots, faults };
  }

  async *#streams(
    aggregate: AnyAggregate | undefined,
    id: string | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly [AnyAggregate, string]> {
    if (aggregate !== undefined && id !== undefined) {
      yield [aggregate, streamName(aggregate.name, id)];
      return;
    }
    const known = new Map((aggregate === undefined ? this.#aggregates : [aggregate]).map((one) => [one.name, one]));
    for await (const page of this.#snapshots.streams(signal)) {
      for (const stream of page) {
        const definition = known.get(splitStreamName(stream).aggregate);
        if (definition !== undefined) yield [definition, stream];
      }
    }
  }

  /** Resolves once all snapshots that are due have been written, or could not be. For tests, and before a planned stop. */
  async settled(): Promise<void> {
    this.#checkOpen();
    await this.#snapshots.settled();
  }
}
