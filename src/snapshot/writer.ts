/** Writes snapshots behind the backs of those whose states they are. */
import { delay } from '../ground/clock.ts';
import { describe, hasCode } from '../ground/errors.ts';
import { addition } from './catalog.ts';
import type { Catalog, Entry, Listed } from './catalog.ts';
import { stateDigest } from './code.ts';
import type { Code, Sampled } from './code.ts';
import type { SnapshotNoticeTaker } from './notice.ts';
import type { Capture, Refold, StreamFold } from './snapshot.ts';
import { encodeState, snapshotDigest } from './state-codec.ts';
import type { EncodedState } from './state-codec.ts';

/** A state that is to be kept. */
export interface Due {
  readonly aggregate: StreamFold;
  readonly stream: string;
  readonly capture: Capture;
  /** Types of events of which the samples of this code might want to have this stream. */
  readonly wanted: ReadonlySet<string>;
}

export interface WriterContext {
  readonly catalog: () => Promise<Catalog | undefined>;
  readonly codeOf: (aggregate: StreamFold) => Promise<Code>;
  /** To identify it anew. */
  readonly forget: (aggregate: StreamFold) => void;
  readonly refold: Refold;
  readonly notice: SnapshotNoticeTaker;
  readonly failed: (aggregate: StreamFold, error: unknown) => void;
  /** Told of those of whose types of events there may be no sample, as they were not written: the next one of the stream makes up for it. */
  readonly unwritten: (dues: readonly Due[]) => void;
  /** Told that some were written, and of types that no sample needs any more. */
  readonly written: (aggregate: StreamFold, enough: readonly string[]) => void;
}

/** One that is ready to be written. */
interface Ready {
  readonly due: Due;
  readonly encoded: EncodedState;
}

/** Waited for others to be written with, in ms; snapshots in one commit; attempts where others write the same lists. */
const gatherMs = 10;
const together = 64;
const attemptsMax = 3;
/** Streams that wait; of more, the next snapshot will do. */
const waitingMax = 10_000;
/** Waited after a failure, in ms. */
const pauseMs = 1_000;
const stateBytesMax = 16 * 1024 * 1024;
/** From so many on, what is ready is committed without those that are not yet. */
const bytesTogether = 16 * 1024 * 1024;
/** Streams of which it is known that it was told. */
const tooLargeMax = 1_000;

export class SnapshotWriter {
  readonly #context: WriterContext;
  /** By stream: of several states the last. */
  #waiting = new Map<string, Due>();
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  /** Aggregates of which there are states that cannot be kept, to say so once. */
  readonly #unsupported = new WeakSet<StreamFold>();
  /** Streams whose states are too large, to say so once. */
  readonly #tooLarge = new Set<string>();

  constructor(context: WriterContext) {
    this.#context = context;
  }

  add(due: Due): void {
    if (this.#closing.signal.aborted) return;
    const before = this.#waiting.get(due.stream);
    if (before === undefined && this.#waiting.size >= waitingMax) this.#context.unwritten([due]);
    // The later state has come of the events of the one before, too.
    else if (before === undefined) this.#waiting.set(due.stream, due);
    else this.#waiting.set(due.stream, { ...due, wanted: due.wanted.union(before.wanted) });
    this.#running ??= this.#run();
  }

  /** @throws {EngineError} `data_unfaithful` for a state that JSON cannot carry; what the store throws. */
  async write(due: Due): Promise<void> {
    const catalog = await this.#context.catalog();
    if (catalog === undefined) return;
    await catalog.prepare();
    const encoded = await encodeState(due.capture.state);
    await this.#commitAll(catalog, due.aggregate, [{ due, encoded }]);
  }

  /** Resolves once all that waits has been written. */
  async settled(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Writes what waits, without waiting for more. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      await delay(gatherMs, this.#closing.signal).catch(() => undefined);
      const some = [...this.#waiting.values().take(together)];
      for (const { stream } of some) this.#waiting.delete(stream);
      const byAggregate = Map.groupBy(some, ({ aggregate }) => aggregate);
      for (const [aggregate, dues] of byAggregate) await this.#write(aggregate, dues);
    }
    // Not a moment later: what is added in between would wait for the next one.
    this.#running = undefined;
  }

  async #write(aggregate: StreamFold, dues: readonly Due[]): Promise<void> {
    try {
      const catalog = await this.#context.catalog();
      if (catalog === undefined) return;
      await catalog.prepare();
      let ready: Ready[] = [];
      for (const due of dues) {
        const encoded = await this.#encode(due);
        if (encoded === undefined) continue;
        ready.push({ due, encoded });
        if (ready.reduce((sum, one) => sum + one.encoded.bytes.length, 0) < bytesTogether) continue;
        await this.#commitAll(catalog, aggregate, ready);
        ready = [];
      }
      await this.#commitAll(catalog, aggregate, ready);
    } catch (error) {
      this.#context.failed(aggregate, error);
      this.#context.unwritten(dues);
      // Nobody who closes is to wait for a store that fails as often as there are snapshots.
      if (this.#closing.signal.aborted) this.#waiting.clear();
      await delay(pauseMs, this.#closing.signal).catch(() => undefined);
    }
  }

  /** @returns undefined for a state that cannot be kept. */
  async #encode({ aggregate, stream, capture }: Due): Promise<EncodedState | undefined> {
    try {
      const encoded = await encodeState(capture.state);
      if (encoded.bytes.length <= stateBytesMax) return encoded;
      const reason = `it has ${encoded.bytes.length} bytes, of at most ${stateBytesMax}.`;
      if (!this.#tooLarge.has(stream))
        this.#context.notice({ kind: 'unsupported', aggregate: aggregate.name, stream, reason });
      if (this.#tooLarge.size < tooLargeMax) this.#tooLarge.add(stream);
    } catch (error) {
      if (!hasCode(error, 'data_unfaithful')) throw error;
      if (!this.#unsupported.has(aggregate))
        this.#context.notice({ kind: 'unsupported', aggregate: aggregate.name, stream, reason: describe(error) });
      this.#unsupported.add(aggregate);
    }
    return undefined;
  }

  /** All of them at once; where others write the same lists, again, each by itself. */
  async #commitAll(catalog: Catalog, aggregate: StreamFold, ready: readonly Ready[]): Promise<void> {
    let left = ready;
    for (let attempt = 1; attempt <= attemptsMax && left.length > 0; attempt++) {
      const parts = attempt === 1 ? [left] : left.map((one) => [one]);
      const failed: Ready[] = [];
      for (const part of parts) if (!(await this.#commit(catalog, aggregate, part))) failed.push(...part);
      left = failed;
    }
    this.#context.unwritten(left.map(({ due }) => due));
  }

  /** @returns false where others have changed what it builds on. */
  async #commit(catalog: Catalog, aggregate: StreamFold, ready: readonly Ready[]): Promise<boolean> {
    const code = await this.#context.codeOf(aggregate);
    const lists = await catalog.lists(ready.map(({ due }) => due.stream));
    const wanted = ready.flatMap((one, index) => {
      const listed = lists[index] as Listed;
      return isNews(listed, one.due.capture, code) ? [{ ...one, listed }] : [];
    });
    const samples = await this.#sample(aggregate, code, wanted);
    if (wanted.length === 0 || !(code.isSampled || samples.length > 0)) return true;
    const kept = samples.length > 0 ? await code.put(catalog, samples) : undefined;
    if (samples.length > 0 && kept === undefined) {
      this.#context.forget(aggregate);
      return false;
    }
    const additions = wanted.map(({ due, encoded, listed }) => {
      const entry = entryOf(due, encoded, { code: code.name, samples: kept?.samples ?? code.samples });
      return addition(due.stream, listed, { entry, encoded, kept: aggregate.snapshots.kept });
    });
    const result = await catalog.state.commit({
      puts: [...additions.flatMap(({ puts }) => puts), ...(kept === undefined ? [] : [kept.put])],
      deletes: additions.flatMap(({ deletes }) => deletes),
    });
    if (result !== 'committed') return false;
    kept?.written();
    this.#tell(aggregate, code, wanted);
    return true;
  }

  /** States by which the code will be known again. */
  async #sample(aggregate: StreamFold, code: Code, ready: readonly Ready[]): Promise<readonly Sampled[]> {
    const samples: Sampled[] = [];
    for (const { due } of ready) {
      const { stream, capture, wanted } = due;
      const version = code.versionToSample({ stream, version: capture.version }, wanted, samples);
      if (version === undefined) continue;
      const { captures, types } = await this.#context.refold(aggregate, stream, [version]);
      const refolded = captures.get(version);
      if (refolded === undefined) continue;
      samples.push({ stream, version, id: refolded.id, types: [...types], digest: stateDigest(refolded.state) });
    }
    return samples;
  }

  #tell(aggregate: StreamFold, code: Code, written: readonly Ready[]): void {
    const types = new Set(written.flatMap(({ due }) => [...due.wanted]));
    this.#context.written(
      aggregate,
      [...types].filter((type) => !code.lacks(type)),
    );
    for (const { due, encoded } of written) {
      const { stream, capture } = due;
      const { version } = capture;
      this.#context.notice({
        kind: 'written',
        aggregate: aggregate.name,
        stream,
        version,
        bytes: encoded.bytes.length,
      });
    }
  }
}

/** Whether a stream has no such snapshot yet, nor enough newer ones. */
function isNews({ entries, condition }: Listed, { version }: Capture, code: Code): boolean {
  if (condition === 'later') return false;
  return !entries.some((entry) => entry.version >= version && entry.code === code.name && entry.aside === undefined);
}

function entryOf(
  { stream, capture }: Due,
  { encoding, bytes }: EncodedState,
  by: { readonly code: string; readonly samples: number },
): Entry {
  const { version, position, recordedAt, id, deleted } = capture;
  const entry = { version, position, recordedAt, id, deleted, ...by, encoding };
  return { ...entry, bytes: bytes.length, digest: snapshotDigest(stream, entry, bytes) };
}
