/**
 * How snapshots are kept: for each stream a list of them, and each state as a document of its own. What is read is taken for
 * nothing but bytes that somebody may have changed.
 */
import type { Json } from '../event/json.ts';
import { hasCode } from '../ground/errors.ts';
import type { Place } from '../store/moment.ts';
import type { Document, DocumentDelete, DocumentPage, DocumentPut, StateStore } from '../store/state-port.ts';
import type { Distrust } from './notice.ts';
import type { Snapshot } from './snapshot.ts';
import { decodeState, snapshotDigest } from './state-codec.ts';
import type { EncodedState, StateEncoding } from './state-codec.ts';

/** A snapshot, as it is listed. */
export interface Entry extends Place {
  readonly id: string;
  readonly deleted: boolean;
  /** Which code wrote it: see code.ts. */
  readonly code: string;
  /** How many samples of that code there were: whoever has not folded all of them does not know whether it is the same. */
  readonly samples: number;
  readonly encoding: StateEncoding;
  /** How many. */
  readonly bytes: number;
  readonly digest: string;
  /** Why it is not used any more. */
  readonly aside?: Distrust;
}

/** The snapshots of a stream, the newest first. */
export interface Listed {
  readonly entries: readonly Entry[];
  /** 0 if there is no list. */
  readonly revision: number;
  /** A list of a later format is left alone; one that is damaged is written anew. */
  readonly condition: 'readable' | 'damaged' | 'later';
}

const lists = 'snapshot/lists';
const states = 'snapshot/states';
export const codesCollection = 'snapshot/codes';
/** Of the list. */
const format = 1;

const none: Listed = { entries: [], revision: 0, condition: 'readable' };

/** How long collections that are not there are not asked for again, in ms: until somebody makes them, there is nothing to be found. */
const absentMs = 1_000;

export class Catalog {
  readonly state: StateStore;
  #prepared: Promise<void> | undefined;
  #absentUntil = 0;

  constructor(state: StateStore) {
    this.state = state;
  }

  /** Makes the collections; for those who only read, they may be missing. */
  prepare(): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #prepare(): Promise<void> {
    for (const name of [lists, states, codesCollection]) await this.state.define({ name, indexes: [] });
    this.#absentUntil = 0;
  }

  /** Of several streams, in their order. */
  async lists(streams: readonly string[]): Promise<readonly Listed[]> {
    const documents = await this.#get(lists, streams);
    return documents.map(toListed);
  }

  async list(stream: string): Promise<Listed> {
    return (await this.lists([stream]))[0] ?? none;
  }

  /** The streams that have lists, page by page. */
  async *streams(signal?: AbortSignal): AsyncGenerator<readonly string[]> {
    let after: string | undefined;
    do {
      signal?.throwIfAborted();
      const page = await this.#page(after);
      if (page.documents.length > 0) yield page.documents.map(({ key }) => key);
      after = page.next;
    } while (after !== undefined);
  }

  async #page(after: string | undefined): Promise<DocumentPage> {
    const query = { where: { kind: 'all', of: [] }, orderBy: [], limit: 500, after } as const;
    try {
      return await this.state.find(lists, query);
    } catch (error) {
      if (hasCode(error, 'collection_unknown')) return { documents: [], scanned: false };
      throw error;
    }
  }

  /** What a snapshot says, if it is what was written, and is still there. */
  async read(stream: string, entry: Entry): Promise<Snapshot | 'damaged' | 'missing' | 'replaced'> {
    const found = await this.#read(stream, entry);
    if (typeof found !== 'string') return found;
    // The list was read before the state: others may have removed both meanwhile, or put another snapshot there.
    const { entries } = await this.list(stream);
    return entries.some(({ digest }) => digest === entry.digest) ? found : 'replaced';
  }

  async #read(stream: string, entry: Entry): Promise<Snapshot | 'damaged' | 'missing'> {
    const [document] = await this.#get(states, [stateKey(stream, entry.version)]);
    if (document === undefined) return 'missing';
    const { value } = document;
    if (!(value instanceof Uint8Array) || snapshotDigest(stream, entry, value) !== entry.digest) return 'damaged';
    try {
      const state = await decodeState({ encoding: entry.encoding, bytes: value });
      const { version, position, recordedAt, id, deleted, digest } = entry;
      return { state, version, position, recordedAt, id, deleted, digest };
    } catch {
      return 'damaged';
    }
  }

  /** What is known of the codes of an aggregate: see code.ts. */
  async codes(aggregate: string): Promise<Document | undefined> {
    return (await this.#get(codesCollection, [aggregate]))[0];
  }

  async #get(collection: string, keys: readonly string[]): Promise<readonly (Document | undefined)[]> {
    const nothing = () => keys.map(() => undefined);
    if (performance.now() < this.#absentUntil) return nothing();
    try {
      return await this.state.get(collection, keys);
    } catch (error) {
      if (!hasCode(error, 'collection_unknown')) throw error;
      this.#absentUntil = performance.now() + absentMs;
      return nothing();
    }
  }
}

interface Addition {
  readonly puts: readonly DocumentPut[];
  readonly deletes: readonly DocumentDelete[];
}

/** Puts a snapshot among those of its stream; beyond `kept`, those that are not used any more are removed, then the oldest. */
export function addition(
  stream: string,
  { entries, revision }: Listed,
  { entry, encoded, kept }: { readonly entry: Entry; readonly encoded: EncodedState; readonly kept: number },
): Addition {
  const others = entries.filter(({ version }) => version !== entry.version);
  const sorted = [entry, ...others].sort((a, b) => b.version - a.version);
  const [used, aside] = [
    sorted.filter((one) => one.aside === undefined),
    sorted.filter((one) => one.aside !== undefined),
  ];
  const removed = [...used, ...aside].slice(kept).filter((one) => one !== entry);
  const state = { collection: states, key: stateKey(stream, entry.version), value: encoded.bytes };
  return {
    puts: [
      state,
      listPut(
        stream,
        sorted.filter((one) => !removed.includes(one)),
        revision,
      ),
    ],
    deletes: removed.map(({ version }) => ({ collection: states, key: stateKey(stream, version) })),
  };
}

export function listPut(stream: string, entries: readonly Entry[], revision: number): DocumentPut {
  const value = { format, snapshots: entries } as unknown as Json;
  return { collection: lists, key: stream, value, ifRevision: revision };
}

/** The version before the name, which may hold whatever one likes. */
function stateKey(stream: string, version: number): string {
  return `${version} ${stream}`;
}

function toListed(document: Document | undefined): Listed {
  if (document === undefined) return none;
  const { revision } = document;
  const value = document.value as { readonly format?: unknown; readonly snapshots?: unknown } | null;
  if (typeof value?.format === 'number' && value.format > format) return { entries: [], revision, condition: 'later' };
  const listed =
    value?.format === format && Array.isArray(value.snapshots) ? (value.snapshots as unknown[]) : undefined;
  const isSound =
    listed?.every(isEntry) === true && new Set(listed.map(({ version }) => version)).size === listed.length;
  if (!isSound) return { entries: [], revision, condition: 'damaged' };
  return { entries: listed.toSorted((a, b) => b.version - a.version), revision, condition: 'readable' };
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Readonly<Record<keyof Entry, unknown>>;
  const counts = [entry.version, entry.position, entry.recordedAt, entry.samples, entry.bytes];
  const isCounted = counts.every(Number.isSafeInteger);
  const isEncoded = entry.encoding === 'json' || entry.encoding === 'json+deflate';
  const isNamed = [entry.id, entry.digest, entry.code].every((text) => typeof text === 'string');
  return isCounted && isEncoded && isNamed && typeof entry.deleted === 'boolean';
}
