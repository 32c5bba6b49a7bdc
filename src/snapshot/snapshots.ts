/** States that are kept, so that not every stream is folded from its first event. Never a source of truth. */
import type { RecordedEvent } from '../event/codec.ts';
import { deletedType } from '../event/event.ts';
import { hasCode } from '../ground/errors.ts';
import { isBy } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { StateStore } from '../store/state-port.ts';
import { Catalog, listPut } from './catalog.ts';
import type { Entry } from './catalog.ts';
import { Code } from './code.ts';
import type { Sampled } from './code.ts';
import type { Distrust, SnapshotNoticeTaker } from './notice.ts';
import { Sampler } from './sampler.ts';
import type { Capture, Refold, Snapshot, StreamFold } from './snapshot.ts';
import { isMismatch, verifyStream } from './verify.ts';
import type { Fault, Verified } from './verify.ts';
import { Watch } from './watch.ts';
import { SnapshotWriter } from './writer.ts';

export interface SnapshotsContext {
  /** Whether snapshots are written. */
  readonly writes: boolean;
  /** How often a snapshot of those that were used is verified, in ms; Infinity: never. */
  readonly sampleEveryMs: number;
  /** Where documents are kept; undefined where a store keeps none. */
  readonly state: () => Promise<StateStore | undefined>;
  readonly refold: Refold;
  readonly notice: SnapshotNoticeTaker;
  /** Forgets the states in memory, so that the events behind them are taken in once more. */
  readonly forgetStates: () => void;
}

const toldMax = 1_000;
/** To forget a code, where others change what is known of codes. */
const attemptsMax = 3;

export class Snapshots {
  readonly #context: SnapshotsContext;
  readonly #writer: SnapshotWriter;
  readonly #sampler: Sampler;
  /** By the definition itself, not by its name: another one may make other states. */
  readonly #codes = new Map<StreamFold, Promise<Code>>();
  /** Of the code that each was last. */
  readonly #names = new Map<StreamFold, string>();
  readonly #watches = new Map<StreamFold, Watch>();
  /** Codes that make other states, though their samples say nothing of it. */
  readonly #distrusted = new Set<string>();
  /** What this code makes, and those do not. */
  readonly #evidence = new Map<StreamFold, readonly Sampled[]>();
  /** Codes that were identified anew, with how many samples there were said to be. */
  readonly #grown = new Set<string>();
  /** What was not believed, to say so once. */
  readonly #told = new Set<string>();
  /** What failed last time, and of which aggregate, to say so once. */
  readonly #failing = new Set<string>();
  #catalog: Promise<Catalog | undefined> | undefined;
  #isClosed = false;

  constructor(context: SnapshotsContext) {
    this.#context = context;
    this.#writer = new SnapshotWriter({
      catalog: () => this.#openCatalog(),
      codeOf: (aggregate) => this.#codeOf(aggregate),
      forget: (aggregate) => void this.#codes.delete(aggregate),
      refold: context.refold,
      notice: context.notice,
      failed: (aggregate, error) => this.#failed(aggregate, 'write', error),
      unwritten: (dues) => {
        for (const { aggregate, stream, wanted } of dues)
          for (const type of wanted) this.#watchOf(aggregate).note(stream, type);
      },
      written: (aggregate, enough) => {
        this.#failing.delete(`write ${aggregate.name}`);
        this.#watchOf(aggregate).enough(enough);
      },
    });
    this.#sampler = new Sampler(context.sampleEveryMs, async (aggregate, stream, signal) => {
      const { faults, evidence } = await this.verify(aggregate, stream, signal);
      if (faults.some(isMismatch)) await this.distrustCode(aggregate, evidence);
    });
  }

  /**
   * The states that loading a stream can begin with, the newest first; each is what was written, by this very code. What keeps them from
   * being read is told, and keeps nobody from loading: there are the events.
   */
  async *usable(aggregate: StreamFold, stream: string, at?: Moment): AsyncGenerator<Snapshot> {
    if (aggregate.snapshots.every === Infinity) return;
    const snapshots = this.#read(aggregate, stream, at);
    for (;;) {
      const next = await snapshots.next().catch((error: unknown) => {
        this.#failed(aggregate, 'read', error);
        return { done: true } as const;
      });
      if (next.done === true) return;
      yield next.value;
    }
  }

  async *#read(aggregate: StreamFold, stream: string, at: Moment | undefined): AsyncGenerator<Snapshot, undefined> {
    const catalog = await this.#openCatalog();
    if (catalog === undefined) return;
    const { entries, condition } = await catalog.list(stream);
    if (condition !== 'readable') this.#distrust(aggregate, stream, 0, condition === 'later' ? 'future' : 'damaged');
    const then = entries.filter((entry) => at === undefined || isBy(at, entry));
    for (const entry of await this.#written(aggregate, then)) {
      const snapshot = await catalog.read(stream, entry);
      if (snapshot === 'replaced') continue;
      if (typeof snapshot === 'string') {
        await this.reject(aggregate, stream, entry, snapshot);
        continue;
      }
      this.#failing.delete(`read ${aggregate.name}`);
      this.#sampler.used(aggregate, stream);
      yield snapshot;
    }
    return undefined;
  }

  #failed({ name: aggregate }: StreamFold, action: 'read' | 'write', error: unknown): void {
    // Whoever reads a backup, or a replica, is not to be told that it can't be written.
    const what = `${action} ${aggregate}`;
    if (this.#isClosed || hasCode(error, 'store_read_only') || this.#failing.has(what)) return;
    this.#failing.add(what);
    this.#context.notice({ kind: 'failed', aggregate, action, error });
  }

  /** Says that a snapshot is not to be believed, and sees to it that nobody comes upon it again. */
  async reject(
    aggregate: StreamFold,
    stream: string,
    { version, digest }: Pick<Snapshot, 'version' | 'digest'>,
    reason: Distrust,
  ): Promise<void> {
    this.#distrust(aggregate, stream, version, reason);
    await this.#setAside(aggregate, stream, new Map([[digest, reason]]));
  }

  #distrust({ name: aggregate }: StreamFold, stream: string, version: number, reason: Distrust): void {
    const key = `${version} ${reason} ${stream}`;
    if (this.#told.has(key)) return;
    if (this.#told.size < toldMax) this.#told.add(key);
    this.#context.notice({ kind: 'skipped', aggregate, stream, version, reason });
  }

  /** Notes that a stream has got an event, and what it has led to. Does nothing that takes time. */
  taken(aggregate: StreamFold, event: RecordedEvent, state: unknown): void {
    const { every } = aggregate.snapshots;
    if (!this.#context.writes || every === Infinity) return;
    const { stream, type, version } = event;
    const watch = this.#watchOf(aggregate);
    watch.note(stream, type);
    if (version % every !== 0) return;
    this.#writer.add({ aggregate, stream, capture: captureOf(event, state), wanted: watch.take(stream) });
  }

  #watchOf(aggregate: StreamFold): Watch {
    const known = this.#watches.get(aggregate);
    if (known !== undefined) return known;
    const watch = new Watch();
    this.#watches.set(aggregate, watch);
    return watch;
  }

  /** Keeps the state of a stream as of a version, folded from its first event. */
  async take(aggregate: StreamFold, stream: string, version: number): Promise<void> {
    const { captures, types } = await this.#context.refold(aggregate, stream, [version]);
    const capture = captures.get(version);
    if (capture !== undefined) await this.#writer.write({ aggregate, stream, capture, wanted: types });
  }

  /** The snapshots of a stream, the newest first, and whether this code can use them. */
  async list(aggregate: StreamFold, stream: string): Promise<readonly SnapshotInfo[]> {
    const catalog = await this.#openCatalog();
    const { entries } = catalog === undefined ? { entries: [] } : await catalog.list(stream);
    if (entries.length === 0) return [];
    const mine = new Set(await this.#written(aggregate, entries));
    return entries.map((entry) => ({ ...entry, usable: mine.has(entry) }));
  }

  /** Streams that have snapshots, page by page. */
  async *streams(signal?: AbortSignal): AsyncGenerator<readonly string[]> {
    const catalog = await this.#openCatalog();
    if (catalog !== undefined) yield* catalog.streams(signal);
  }

  /** Folds a stream anew, and sets aside those of its snapshots that are not what its events lead to. */
  async verify(aggregate: StreamFold, stream: string, signal?: AbortSignal): Promise<Verified> {
    const catalog = await this.#openCatalog();
    const { entries } = catalog === undefined ? { entries: [] } : await catalog.list(stream);
    if (catalog === undefined || entries.length === 0) return { versions: [], faults: [], evidence: [] };
    const mine = await this.#written(aggregate, entries);
    const { refold } = this.#context;
    const verified = await verifyStream(aggregate, stream, mine, { catalog, refold, signal });
    for (const fault of verified.faults) this.#tell(aggregate, stream, fault);
    const reasons = new Map(verified.faults.map(({ version, reason }) => [version, reason]));
    const byDigest = mine.flatMap(({ version, digest }) => {
      const reason = reasons.get(version);
      return reason === undefined ? [] : [[digest, reason] as const];
    });
    await this.#setAside(aggregate, stream, new Map(byDigest));
    return verified;
  }

  #tell({ name: aggregate }: StreamFold, stream: string, { version, reason, change }: Fault): void {
    if (change === undefined) this.#context.notice({ kind: 'skipped', aggregate, stream, version, reason });
    else {
      const { path, before, after } = change;
      this.#context.notice({ kind: 'mismatch', aggregate, stream, version, path, kept: before, refolded: after });
    }
  }

  /**
   * Begins with snapshots of one's own: where one is what was written, and not what its events lead to, it was other code that wrote it,
   * and whatever else.
   */
  async distrustCode(aggregate: StreamFold, evidence: readonly Sampled[]): Promise<void> {
    const code = await this.#codeOf(aggregate);
    this.#distrusted.add(code.name);
    this.#evidence.set(aggregate, evidence);
    this.#codes.delete(aggregate);
    const catalog = await this.#openCatalog();
    if (!this.#context.writes || catalog === undefined) return;
    try {
      for (let attempt = 1; attempt <= attemptsMax; attempt++) if (await code.remove(catalog)) return;
    } catch (error) {
      this.#failed(aggregate, 'write', error);
    }
  }

  /** @param reasons by digest: at the same version there may be another one by now. */
  async #setAside(aggregate: StreamFold, stream: string, reasons: ReadonlyMap<string, Distrust>): Promise<void> {
    const catalog = await this.#openCatalog();
    if (!this.#context.writes || catalog === undefined || reasons.size === 0) return;
    try {
      const { entries, revision } = await catalog.list(stream);
      if (!entries.some(({ digest }) => reasons.has(digest))) return;
      const updated = entries.map((entry) => {
        const aside = reasons.get(entry.digest);
        return aside === undefined ? entry : { ...entry, aside };
      });
      // Where somebody else changes the list meanwhile, it is found out again.
      await catalog.state.commit({ puts: [listPut(stream, updated, revision)] });
    } catch (error) {
      this.#failed(aggregate, 'write', error);
    }
  }

  /** Those of these snapshots that this code has written, and that nothing speaks against. */
  async #written(aggregate: StreamFold, entries: readonly Entry[]): Promise<readonly Entry[]> {
    const believed = entries.filter(({ aside }) => aside === undefined);
    if (believed.length === 0) return [];
    const known = await this.#codeOf(aggregate);
    const most = Math.max(...believed.map(({ code, samples }) => (code === known.name ? samples : 0)));
    // Others have sampled more since, which may show that they are other code. Once: what is listed need not be true.
    if (most > known.samples && !this.#grown.has(`${known.name} ${most}`)) {
      this.#grown.add(`${known.name} ${most}`);
      this.#codes.delete(aggregate);
    }
    const { name, samples } = await this.#codeOf(aggregate);
    return believed.filter((entry) => entry.code === name && entry.samples <= samples);
  }

  #openCatalog(): Promise<Catalog | undefined> {
    return (this.#catalog ??= this.#context.state().then((state) => state && new Catalog(state)));
  }

  #codeOf(aggregate: StreamFold): Promise<Code> {
    const known = this.#codes.get(aggregate);
    if (known !== undefined) return known;
    const code = this.#identify(aggregate);
    this.#codes.set(aggregate, code);
    code.catch(() => this.#codes.delete(aggregate));
    return code;
  }

  async #identify(aggregate: StreamFold): Promise<Code> {
    const catalog = await this.#openCatalog();
    if (catalog === undefined) throw new Error('there is no catalog to look into');
    const evidence = this.#evidence.get(aggregate) ?? [];
    const code = await Code.identify(aggregate, catalog, this.#context, { codes: this.#distrusted, evidence });
    const before = this.#names.get(aggregate);
    this.#names.set(aggregate, code.name);
    if (before !== undefined && before !== code.name) {
      // What one code has samples of, another has not: all that its snapshots will be made of is to be noted again.
      this.#watches.delete(aggregate);
      this.#context.forgetStates();
    }
    return code;
  }

  /** Resolves once all that is due has been written. */
  settled(): Promise<void> {
    return this.#writer.settled();
  }

  /** Writes what is due, and ends. */
  async close(): Promise<void> {
    await this.#sampler.close();
    await this.#writer.close();
    this.#isClosed = true;
  }
}

/** A snapshot of a stream. */
export interface SnapshotInfo extends Omit<Entry, 'code' | 'samples'> {
  /** Whether the code of this process uses it: it was written by code that makes the same states, and nothing speaks against it. */
  readonly usable: boolean;
}

export function captureOf({ version, position, recordedAt, id, type }: RecordedEvent, state: unknown): Capture {
  return { state, version, position, recordedAt, id, deleted: type === deletedType };
}
