/**
 * Which code makes the states. Its text is no evidence: it changes with every minifier, and does not show what it imports. So what
 * counts is the aggregate's `snapshotVersion`, the schemas of its events, and what it makes of a sample of streams, which is folded
 * anew when code first uses the snapshots of others: if one state is another one, it is other code, and has snapshots of its own.
 */
import { toHex, toUtf8 } from '../event/bytes.ts';
import type { Json } from '../event/json.ts';
import { toCanonicalJson } from '../event/json.ts';
import { schemaDigest } from '../event/schema-digest.ts';
import { sha256 } from '../ground/digest.ts';
import { hasCode } from '../ground/errors.ts';
import type { Document, DocumentPut } from '../store/state-port.ts';
import { codesCollection } from './catalog.ts';
import type { Catalog } from './catalog.ts';
import type { SnapshotNoticeTaker } from './notice.ts';
import type { Capture, Refold, StreamFold } from './snapshot.ts';

/** A state of a stream that is folded anew to know code by. */
export interface Sampled {
  readonly stream: string;
  readonly version: number;
  /** Of the event there: another history says nothing about the code. */
  readonly id: string;
  /** Of the events up to it. */
  readonly types: readonly string[];
  readonly digest: string;
}

/** Code that has written snapshots. */
interface Known {
  /** A random name: a number could come twice, if what is known were lost. */
  readonly code: string;
  readonly snapshotVersion: number;
  readonly schemas: string;
  readonly sample: readonly Sampled[];
}

/** Samples that each type of event is in, if it can be had. */
const samplesPerType = 2;
/** Events that are folded at most to know code again; and codes that are remembered of an aggregate, the newest ones. */
const sampledEventsMax = 20_000;
const knownMax = 8;

const foldFailures = ['evolve_failed', 'event_unhandled', 'data_unfaithful'] as const;

/** What is known of an aggregate's code where it has turned out not to be the one that it seemed. */
export interface Distrusted {
  /** Codes that it is certainly not. */
  readonly codes: ReadonlySet<string>;
  /** States that it makes, and that those do not. */
  readonly evidence: readonly Sampled[];
}

/** The code of one aggregate in this process. */
export class Code {
  readonly name: string;
  readonly #aggregate: StreamFold;
  readonly #schemas: string;
  /** Those that it was compared with. */
  readonly #others: ReadonlySet<string>;
  #sample: readonly Sampled[];
  /** To be among its first samples. */
  readonly #evidence: readonly Sampled[];

  private constructor(
    aggregate: StreamFold,
    known: readonly Known[],
    { code, schemas, sample }: Omit<Known, 'snapshotVersion'>,
    evidence: readonly Sampled[] = [],
  ) {
    this.#evidence = evidence;
    this.name = code;
    this.#aggregate = aggregate;
    this.#schemas = schemas;
    this.#others = new Set(known.map((other) => other.code));
    this.#sample = sample;
  }

  /**
   * Finds out which code this is, of those that have written snapshots; if of none of them, it is new.
   */
  static async identify(
    aggregate: StreamFold,
    catalog: Catalog,
    { refold, notice }: { readonly refold: Refold; readonly notice: SnapshotNoticeTaker },
    { codes: distrusted, evidence }: Distrusted,
  ): Promise<Code> {
    const schemas = schemasOf(aggregate);
    const known = await knownCodes(catalog, aggregate);
    const alike = known.filter(
      (one) =>
        one.snapshotVersion === aggregate.snapshots.version && one.schemas === schemas && !distrusted.has(one.code),
    );
    let changed: Sampled | undefined;
    for (const one of alike) {
      const doubt = await firstDoubt(aggregate, one.sample, refold);
      if (doubt === undefined) return new Code(aggregate, known, one);
      if (doubt.isOfCode) changed ??= doubt.sampled;
    }
    const [newest] = alike;
    if (changed !== undefined && newest === known[0]) {
      const { stream, version } = changed;
      const { name, snapshots } = aggregate;
      notice({ kind: 'code_changed', aggregate: name, snapshotVersion: snapshots.version, stream, version });
    }
    return new Code(aggregate, known, { code: crypto.randomUUID(), schemas, sample: [] }, evidence);
  }

  /** Whether a type of event is in too few samples, with those that are about to be added. */
  lacks(type: string, added: readonly Sampled[] = []): boolean {
    return [...this.#sample, ...added].filter(({ types }) => types.includes(type)).length < samplesPerType;
  }

  /** Whether a snapshot may be written by it without one more sample. */
  get isSampled(): boolean {
    return this.#sample.length > 0;
  }

  /** How many samples say that this is the code. */
  get samples(): number {
    return this.#sample.length;
  }

  /**
   * The version of a stream whose state is to be one more sample; undefined if none is needed, or it would be too much to fold.
   * @param wanted types of events that it has. @param added samples that are about to be added.
   */
  versionToSample(
    { stream, version }: { readonly stream: string; readonly version: number },
    wanted: ReadonlySet<string>,
    added: readonly Sampled[],
  ): number | undefined {
    const sample = [...this.#sample, ...added];
    // There must be one, also of a stream that is too long.
    if (sample.length === 0) return Math.min(version, sampledEventsMax / 2);
    const isThere = sample.some((sampled) => sampled.stream === stream && sampled.version === version);
    const events = sample.reduce((sum, sampled) => sum + sampled.version, 0);
    if (isThere || events + version > sampledEventsMax) return undefined;
    return [...wanted].some((type) => this.lacks(type, added)) ? version : undefined;
  }

  /**
   * To be written with the snapshots of which it takes samples.
   * @returns undefined where it has been forgotten, or others have become known that it may be, or more samples of it, which may tell it
   * apart: it must be identified anew.
   */
  async put(
    catalog: Catalog,
    added: readonly Sampled[],
  ): Promise<{ readonly put: DocumentPut; readonly samples: number; readonly written: () => void } | undefined> {
    const { name, snapshots } = this.#aggregate;
    const document = await catalog.codes(name);
    const known = readCodes(document?.value);
    const mine = known.find(({ code }) => code === this.name);
    if (mine !== undefined && mine.sample.length !== this.#sample.length) return undefined;
    if (mine === undefined && (this.isSampled || known.some(({ code }) => !this.#others.has(code)))) return undefined;
    const sample = [...(mine?.sample ?? this.#evidence), ...added];
    const updated = { code: this.name, snapshotVersion: snapshots.version, schemas: this.#schemas, sample };
    const codes = [updated, ...known.filter(({ code }) => code !== this.name)].slice(0, knownMax);
    return {
      put: codesPut(name, codes, document),
      samples: sample.length,
      written: () => (this.#sample = sample),
    };
  }

  /** Forgets it, so that nobody uses what it has written. @returns false where others have changed what is known of codes. */
  async remove(catalog: Catalog): Promise<boolean> {
    const { name } = this.#aggregate;
    const document = await catalog.codes(name);
    const known = readCodes(document?.value);
    const codes = known.filter(({ code }) => code !== this.name);
    if (document === undefined || codes.length === known.length) return true;
    return (await catalog.state.commit({ puts: [codesPut(name, codes, document)] })) === 'committed';
  }
}

/** The states by which code is told from the one whose snapshots said something else of these; few, and not of many events. */
export function evidenceOf(stream: string, captures: readonly Capture[]): readonly Sampled[] {
  return captures
    .filter(({ version }) => version <= sampledEventsMax / 4)
    .slice(0, samplesPerType)
    .map(({ version, id, state }) => ({ stream, version, id, types: [], digest: stateDigest(state) }));
}

/** A state that is not what was written down, and whether it is the code that makes another one of the same events. */
interface Doubt {
  readonly sampled: Sampled;
  readonly isOfCode: boolean;
}

async function firstDoubt(
  aggregate: StreamFold,
  sample: readonly Sampled[],
  refold: Refold,
): Promise<Doubt | undefined> {
  for (const sampled of sample) {
    const { stream, version, id, digest } = sampled;
    try {
      const capture = (await refold(aggregate, stream, [version])).captures.get(version);
      if (capture?.id !== id) return { sampled, isOfCode: false };
      if (stateDigest(capture.state) !== digest) return { sampled, isOfCode: true };
    } catch (error) {
      // What the other code folded, this one does not; a store that fails says nothing about either.
      if (!foldFailures.some((code) => hasCode(error, code))) throw error;
      return { sampled, isOfCode: true };
    }
  }
  return undefined;
}

/** Those that were written with last come first. */
async function knownCodes(catalog: Catalog, { name }: StreamFold): Promise<readonly Known[]> {
  return readCodes((await catalog.codes(name))?.value);
}

function codesPut(aggregate: string, codes: readonly Known[], before: Document | undefined): DocumentPut {
  const value = { codes } as unknown as Json;
  return { collection: codesCollection, key: aggregate, value, ifRevision: before?.revision ?? 0 };
}

function readCodes(value: unknown): readonly Known[] {
  const codes = (value as { readonly codes?: unknown } | null | undefined)?.codes;
  return Array.isArray(codes) ? codes.filter(isKnown) : [];
}

function isKnown(value: unknown): value is Known {
  const known = value as Partial<Known> | null;
  return (
    typeof known?.code === 'string' &&
    Array.isArray(known.sample) &&
    known.sample.length > 0 &&
    known.sample.every(isSampled)
  );
}

function isSampled(value: unknown): boolean {
  const sampled = value as Partial<Sampled> | null;
  return (
    [sampled?.stream, sampled?.id, sampled?.digest].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(sampled?.version) &&
    Array.isArray(sampled?.types)
  );
}

function schemasOf({ events }: StreamFold): string {
  const digests = Object.keys(events)
    .sort()
    .map((type) => `${type} ${schemaDigest([events[type]].flatMap((schema) => schema ?? []))}`);
  return toHex(sha256(toUtf8(digests.join('\n'))));
}

export function stateDigest(state: unknown): string {
  return toHex(sha256(toUtf8(toCanonicalJson(state, 'state'))));
}
