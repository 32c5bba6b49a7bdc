import type { StaleDetails } from '../ground/errors.ts';
import { EngineError, hasCode } from '../ground/errors.ts';
import { checkKeys, checkSignal } from '../ground/check-options.ts';
import type { Position } from '../store/port.ts';
import type { Condition, DocumentPage, Order } from '../store/state-port.ts';
import type { Build } from './build.ts';
import type { Bound, Freshness } from './freshness.ts';
import { pathsOf } from './condition-paths.ts';
import { toCondition, toOrders } from './where.ts';
import type { OrderBy, Where } from './where-types.ts';

/** How fresh a read must be, and how long it may wait for that. */
export interface ReadOptions extends Bound {
  /** How long to wait for the bound, or for a view that is being built, in ms; also Infinity. Default 5,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface FindQuery<Document> {
  /** Default: all. */
  readonly where?: Where<Document>;
  /** Default: by key. */
  readonly orderBy?: OrderBy<Document>;
  /** At most this many: 1 to 10,000. Default 100. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
}

export interface ViewPage<Document> {
  readonly documents: readonly { readonly key: string; readonly document: Document }[];
  /** Leads to the next page; absent if there is none. */
  readonly next?: string;
  /** Whether documents were looked at that no declared index led to. */
  readonly scanned: boolean;
  /** Every event up to here is in it, at least. */
  readonly position: Position;
}

/** What a read found, or why it is too far behind. */
export type SafeRead<Value> =
  | { readonly kind: 'fresh'; readonly value: Value }
  | { readonly kind: 'stale'; readonly stale: StaleDetails };

/** Whether to look up what serves: not where it has been lately, again, or because what served has been dropped. */
export type Look = 'known' | 'again' | 'anew';

/** A build that serves, and how fresh it is. */
export interface Serving {
  readonly build: Build;
  readonly freshness: Freshness;
}

/** The same, of whatever is read from. */
type Served = Pick<Serving, 'build'> & {
  readonly freshness: Pick<Freshness, 'hold' | 'position' | 'positions'>;
};

/** Where a view's documents come from. */
export interface ViewSource {
  /** What to read from. */
  serving(look: Look): Promise<Served>;
  /** What serves now, which may be behind what served before. */
  current(): Promise<Served>;
  isReplaced(build: Build): Promise<boolean>;
  /** Waits until somebody has begun to work on it. @returns the ms that are left; 0 if nobody has. */
  begun(timeoutMs: number, signal: AbortSignal | undefined): Promise<number>;
  find(collection: string, query: FindArguments): Promise<DocumentPage>;
  get(collection: string, key: string): Promise<unknown>;
  count(collection: string, where: Condition): Promise<{ readonly count: number; readonly scanned: boolean }>;
  scanned(paths: readonly string[]): void;
}

interface FindArguments {
  readonly where: Condition;
  readonly orderBy: readonly Order[];
  readonly limit: number;
  readonly after?: string | undefined;
  readonly paged: boolean;
}

const findKeys = ['where', 'orderBy', 'limit', 'after'] satisfies (keyof FindQuery<unknown>)[];
const readKeys = ['atLeast', 'maxLagMs', 'timeoutMs', 'signal'] satisfies (keyof ReadOptions)[];
const limitMax = 10_000;
const defaultTimeoutMs = 5_000;

/**
 * The documents of a projection. Every read takes a bound on how stale they may be; it waits until the bound holds, and throws `stale` with the
 * figures where it does not in time, or with `safe…` returns them.
 */
export class View<Document> {
  readonly #source: ViewSource;

  /** @internal Use `engine.view`. */
  constructor(source: ViewSource) {
    this.#source = source;
  }

  /** The document with this key. @throws {EngineError} `stale`, `option_invalid`; the signal's reason, when aborted. */
  async get(key: string, options: ReadOptions = {}): Promise<Document | undefined> {
    return valueOf(await this.safeGet(key, options));
  }

  /** The documents that a query finds. @throws {EngineError} `stale`, `query_invalid`, `option_invalid`; the signal's reason, when aborted. */
  async findMany(query: FindQuery<Document> = {}, options: ReadOptions = {}): Promise<readonly Document[]> {
    return valueOf(await this.safeFindMany(query, options));
  }

  /** The first of them. @throws as `findMany`. */
  async findFirst(query: FindQuery<Document> = {}, options: ReadOptions = {}): Promise<Document | undefined> {
    return valueOf(await this.safeFindFirst(query, options));
  }

  /** A page of them, with their keys, a cursor to the next page, and whether it had to scan. @throws as `findMany`. */
  async findPage(query: FindQuery<Document> = {}, options: ReadOptions = {}): Promise<ViewPage<Document>> {
    return valueOf(await this.safeFindPage(query, options));
  }

  /** How many documents fulfil a condition. @throws as `findMany`. */
  async count(query: Pick<FindQuery<Document>, 'where'> = {}, options: ReadOptions = {}): Promise<number> {
    return valueOf(await this.safeCount(query, options));
  }

  /** Waits until the bound holds. @returns up to which position every event is in the view. @throws as `findMany`. */
  async fresh(options: ReadOptions = {}): Promise<Position> {
    return valueOf(await this.#read(options, ({ freshness }) => freshness.position()));
  }

  async safeGet(key: string, options: ReadOptions = {}): Promise<SafeRead<Document | undefined>> {
    return this.#read(
      options,
      async ({ build }) => (await this.#source.get(build.collection, key)) as Document | undefined,
    );
  }

  async safeFindMany(
    query: FindQuery<Document> = {},
    options: ReadOptions = {},
  ): Promise<SafeRead<readonly Document[]>> {
    return mapped(await this.#find(query, options, false), ({ documents }) =>
      documents.map(({ value }) => value as Document),
    );
  }

  async safeFindFirst(
    query: FindQuery<Document> = {},
    options: ReadOptions = {},
  ): Promise<SafeRead<Document | undefined>> {
    const found = await this.#find({ ...query, limit: 1 }, options, false);
    return mapped(found, ({ documents }) => documents[0]?.value as Document | undefined);
  }

  async safeFindPage(
    query: FindQuery<Document> = {},
    options: ReadOptions = {},
  ): Promise<SafeRead<ViewPage<Document>>> {
    let position: Position = 0;
    // Before the documents: they are at least so fresh.
    const found = await this.#find(query, options, true, async ({ freshness }) => {
      position = await freshness.position();
    });
    return mapped(found, ({ documents, next, scanned }) => ({
      documents: documents.map(({ key, value }) => ({ key, document: value as Document })),
      ...(next !== undefined && { next }),
      scanned,
      position,
    }));
  }

  async safeCount(
    query: Pick<FindQuery<Document>, 'where'> = {},
    options: ReadOptions = {},
  ): Promise<SafeRead<number>> {
    checkKeys('a query of a view', query, ['where']);
    const where = toCondition(query.where === undefined ? {} : query.where);
    return this.#read(options, async ({ build }) => {
      const { count, scanned } = await this.#source.count(build.collection, where);
      if (scanned) this.#source.scanned(pathsOf(where, []));
      return count;
    });
  }

  #find(
    query: FindQuery<Document>,
    options: ReadOptions,
    paged: boolean,
    before?: (serving: Served) => Promise<void>,
  ): Promise<SafeRead<DocumentPage>> {
    checkKeys('a query of a view', query, findKeys);
    const { limit = 100, after } = query;
    if (!Number.isInteger(limit) || limit < 1 || limit > limitMax)
      throw new EngineError('option_invalid', {
        option: 'limit',
        value: limit,
        expected: `an integer from 1 to ${limitMax}`,
      });
    const where = toCondition(query.where === undefined ? {} : query.where);
    const orderBy = toOrders(query.orderBy === undefined ? [] : query.orderBy);
    return this.#read(options, async (serving) => {
      await before?.(serving);
      const page = await this.#source.find(serving.build.collection, { where, orderBy, limit, after, paged });
      if (page.scanned) this.#source.scanned(pathsOf(where, orderBy));
      return page;
    });
  }

  async #read<Value>(options: ReadOptions, read: (serving: Served) => Promise<Value>): Promise<SafeRead<Value>> {
    checkKeys('the options of a read', options, readKeys);
    const { atLeast, maxLagMs, timeoutMs = defaultTimeoutMs, signal } = options;
    checkSignal(signal);
    signal?.throwIfAborted();
    if (atLeast !== undefined && !Number.isSafeInteger(atLeast))
      throw new EngineError('option_invalid', { option: 'atLeast', value: atLeast, expected: 'a position' });
    checkAmount('atLeast', atLeast);
    checkAmount('maxLagMs', maxLagMs);
    checkAmount('timeoutMs', timeoutMs);
    for (let look: Look = 'known'; ; look = 'anew') {
      const { serving, leftMs } = await this.#serving(look, timeoutMs, signal);
      const held = await this.#held(serving, { atLeast, maxLagMs }, leftMs, signal);
      if (held.kind === 'stale') return held;
      try {
        return { kind: 'fresh', value: await read(held.serving) };
      } catch (error) {
        if (look === 'anew' || !hasCode(error, 'collection_unknown')) throw error;
      }
    }
  }

  /** One that nobody has run yet is waited for, as one that is being built is. */
  async #serving(
    look: Look,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly serving: Served; readonly leftMs: number }> {
    try {
      return { serving: await this.#source.serving(look), leftMs: timeoutMs };
    } catch (error) {
      if (!hasCode(error, 'consumer_never_run')) throw error;
      const leftMs = await this.#source.begun(timeoutMs, signal);
      if (leftMs === 0) throw error;
      return { serving: await this.#source.serving('anew'), leftMs };
    }
  }

  /** Waits for a bound, in what serves then, also where that changes meanwhile: what served before moves no more. */
  async #held(
    serving: Served,
    bound: Bound,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<
    { readonly kind: 'held'; readonly serving: Served } | { readonly kind: 'stale'; readonly stale: StaleDetails }
  > {
    const { build, freshness } = serving;
    const held = await freshness.hold(bound, timeoutMs, signal, () => this.#source.isReplaced(build));
    if (held.kind === 'stale') return held;
    if (held.kind === 'held') return { kind: 'held', serving };
    // At least as far as what served before: nobody who reads goes back.
    const atLeast = Math.max(bound.atLeast ?? 0, ...(await freshness.positions()));
    const leftMs = Math.max(0, timeoutMs - held.waitedMs);
    const next = await this.#held(await this.#source.current(), { ...bound, atLeast }, leftMs, signal);
    if (next.kind === 'held') await this.#source.serving('again');
    return next;
  }
}

/** @throws {EngineError} `option_invalid` */
function checkAmount(option: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return;
  throw new EngineError('option_invalid', { option, value, expected: 'a number of at least 0' });
}

/** @throws {EngineError} `stale` */
function valueOf<Value>(read: SafeRead<Value>): Value {
  if (read.kind === 'fresh') return read.value;
  throw new EngineError('stale', read.stale);
}

function mapped<Value, Made>(read: SafeRead<Value>, make: (value: Value) => Made): SafeRead<Made> {
  return read.kind === 'fresh' ? { kind: 'fresh', value: make(read.value) } : read;
}
