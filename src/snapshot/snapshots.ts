/** States that are kept, so that not every stream is folded from its first event. Never a source of truth. */
import type { RecordedEvent } from '../event/codec.ts';
import { deletedType } from '../event/event.ts';
import { isBy } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { StateStore } from '../store/state-port.ts';
import { Catalog, listPut } from './catalog.ts';
import type { Entry } from './catalog.ts';
import { Code } from './code.ts';
import type { Distrust, SnapshotNoticeTaker } from './notice.ts';
import { Sampler } from './sampler.ts';
import type { Capture, Refold, StreamFold } from './snapshot.ts';
import { isMismatch, verifyStream } from './verify.ts';
import type { Fault, Verified } from './verify.ts';
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
}

/** Streams of an aggregate whose types of events are noted for the samples of its code. */
const watchedMax = 1_000;
const toldMax = 1_000;

/** What is noted of an aggregate whose events are taken in. */
interface Watch {
  /** Types that no sample needs any more. */
  readonly enough: Set<string>;
  /** Others, by stream. */
  readonly wanted: Map<string, Set<string>>;
}

export class Snapshots {
  readonly #context: SnapshotsContext;
  readonly #writer: SnapshotWriter;
  readonly #sampler: Sampler;
  /** By the definition itself, not by its name: another one may make other states. */
  readonly #codes = new Map<StreamFold, Promise<Code>>();
  readonly #watches = new Map<StreamFold, Watch>();
  /** Codes that make other states, though their samples say nothing of it. */
  readonly #distrusted = new Set<string>();
  /** What was not believed, to say so once. */
  readonly #told = new Set<string>();
  #catalog: Promise<Catalog | undefined> | undefined;

  constructor(context: SnapshotsContext) {
    this.#context = context;
    this.#writer = new SnapshotWriter({
      catalog: () => this.#openCatalog(),
      codeOf: (aggregate) => this.#codeOf(aggregate),
      forget: (aggregate) => void this.#codes.delete(aggregate),
      refold: context.refold,
      notice: context.notice,
      enough: (aggregate, types) => {
        for (const type of types) this.#watchOf(aggregate).enough.add(type);
      },
    });
    this.#sampler = new Sampler(context.sampleEveryMs, async (aggregate, stream, signal) => {
      const { faults } = await this.verify(aggregate, stream, signal);
      if (faults.some(isMismatch)) await this.distrustCode(aggregate);
    });
  }

  /** The states that loading a stream can begin with, the newest first; each is what was written, by this very code. */
  async *usable(aggregate: StreamFold, stream: string, at?: Moment): AsyncGenerator<Capture> {
    if (aggregate.snapshots.every === Infinity) return;
    const catalog = await this.#openCatalog();
    if (catalog === undefined) return;
    const { entries, condition } = await catalog.list(stream);
    if (condition !== 'readable') this.#distrust(aggregate, stream, 0, condition === 'later' ? 'future' : 'damaged');
    const then = entries.filter((entry) => entry.aside === undefined && (at === undefined || isBy(at, entry)));
    if (then.length === 0) return;
    const { name } = await this.#codeOf(aggregate);
    for (const entry of then.filter(({ code }) => code === name)) {
      const capture = await catalog.read(stream, entry);
      if (typeof capture === 'string') {
        await this.reject(aggregate, stream, entry.version, capture);
        continue;
      }
      this.#sampler.used(aggregate, stream);
      yield capture;
    }
  }

  /** Says that a snapshot is not to be believed, and sees to it that nobody comes upon it again. */
  async reject(aggregate: StreamFold, stream: string, version: number, reason: Distrust): Promise<void> {
    this.#distrust(aggregate, stream, version, reason);
    await this.#setAside(stream, new Map([[version, reason]]));
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
    const { enough, wanted } = this.#watchOf(aggregate);
    if (!enough.has(type)) {
      const types = wanted.get(stream) ?? new Set();
      if (wanted.size < watchedMax) wanted.set(stream, types.add(type));
    }
    if (version % every !== 0) return;
    this.#writer.add({ aggregate, stream, capture: captureOf(event, state), wanted: wanted.get(stream) ?? new Set() });
    wanted.delete(stream);
  }

  #watchOf(aggregate: StreamFold): Watch {
    const known = this.#watches.get(aggregate);
    if (known !== undefined) return known;
    const watch = { enough: new Set<string>(), wanted: new Map<string, Set<string>>() };
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
    const { name } = await this.#codeOf(aggregate);
    return entries.map((entry) => ({ ...entry, usable: entry.code === name && entry.aside === undefined }));
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
    if (catalog === undefined || entries.length === 0) return { versions: [], faults: [] };
    const { name } = await this.#codeOf(aggregate);
    const mine = entries.filter(({ code, aside }) => code === name && aside === undefined);
    const { refold } = this.#context;
    const verified = await verifyStream(aggregate, stream, mine, { catalog, refold, signal });
    for (const fault of verified.faults) this.#tell(aggregate, stream, fault);
    await this.#setAside(stream, new Map(verified.faults.map(({ version, reason }) => [version, reason])));
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
  async distrustCode(aggregate: StreamFold): Promise<void> {
    this.#distrusted.add((await this.#codeOf(aggregate)).name);
    this.#codes.delete(aggregate);
    this.#watches.delete(aggregate);
  }

  async #setAside(stream: string, reasons: ReadonlyMap<number, Distrust>): Promise<void> {
    const catalog = await this.#openCatalog();
    if (!this.#context.writes || catalog === undefined || reasons.size === 0) return;
    const { entries, revision } = await catalog.list(stream);
    const updated = entries.map((entry) => {
      const aside = reasons.get(entry.version);
      return aside === undefined ? entry : { ...entry, aside };
    });
    // Where somebody else changes the list meanwhile, it is found out again.
    if (entries.length > 0) await catalog.state.commit({ puts: [listPut(stream, updated, revision)] });
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
    return Code.identify(aggregate, catalog, this.#context, this.#distrusted);
  }

  /** Resolves once all that is due has been written. */
  settled(): Promise<void> {
    return this.#writer.settled();
  }

  /** Writes what is due, and ends. */
  async close(): Promise<void> {
    await this.#sampler.close();
    await this.#writer.close();
  }
}

/** A snapshot of a stream. */
export interface SnapshotInfo extends Omit<Entry, 'code'> {
  /** Whether the code of this process uses it: it was written by code that makes the same states, and nothing speaks against it. */
  readonly usable: boolean;
}

export function captureOf({ version, position, recordedAt, id, type }: RecordedEvent, state: unknown): Capture {
  return { state, version, position, recordedAt, id, deleted: type === deletedType };
}
