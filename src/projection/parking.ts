/** Events that a consumer has put aside, with all later ones of their keys, so that the order of each key is kept. */
import { toHex, toUtf8 } from '../event/bytes.ts';
import type { RecordedEvent } from '../event/codec.ts';
import type { Json } from '../event/json.ts';
import { sha256 } from '../ground/digest.ts';
import { EngineError } from '../ground/errors.ts';
import type { Position } from '../store/port.ts';
import type { Condition, DocumentDelete, DocumentPut, StateStore } from '../store/state-port.ts';
import type { Failure } from './notice.ts';

export const parkedCollection = '$parked';
/** Parked events of one slot: then something is wrong that parking does not help against. */
const parkedMax = 10_000;
const perPage = 1_000;

/** A parked event. */
export interface Parked extends Failure {
  /** `balances@1.1#0` */
  readonly slot: string;
  /** Empty where even its key could not be found. */
  readonly key: string;
  /** Whether it is only here because an earlier event of its key is. */
  readonly isBehind: boolean;
}

/** Makes room for them. */
export async function prepareParking(state: StateStore): Promise<void> {
  await state.define({ name: parkedCollection, indexes: [['slot', 'key', 'position']] });
}

/** Pages of what slots have parked: in the order of slots, keys and positions. */
export async function* parkedOf(state: StateStore, slots: readonly string[]): AsyncGenerator<Parked> {
  for (const slot of slots) yield* select(state, { kind: 'eq', path: 'slot', value: slot });
}

async function* select(state: StateStore, where: Condition): AsyncGenerator<Parked> {
  let after: string | undefined;
  do {
    const orderBy = (['slot', 'key', 'position'] as const).map((path) => ({ path, direction: 'asc' as const }));
    const page = await state.find(parkedCollection, { where, orderBy, after, limit: perPage });
    for (const { value } of page.documents) yield value as unknown as Parked;
    after = page.next;
  } while (after !== undefined);
}

/** What one slot has parked. */
export class Parking {
  readonly #state: StateStore;
  readonly #slot: string;
  /** How many of each key. */
  readonly #countOf = new Map<string, number>();
  #count = 0;

  constructor(state: StateStore, slot: string) {
    this.#state = state;
    this.#slot = slot;
  }

  async load(): Promise<void> {
    this.#countOf.clear();
    this.#count = 0;
    for await (const { key } of select(this.#state, { kind: 'eq', path: 'slot', value: this.#slot })) this.#add(key, 1);
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  has(key: string): boolean {
    return this.#countOf.has(key);
  }

  get keys(): readonly string[] {
    return [...this.#countOf.keys()];
  }

  /** @throws {EngineError} `limit_exceeded` */
  put(event: RecordedEvent, key: string, failure: Pick<Failure, 'reason' | 'attempts' | 'at'>): DocumentPut {
    if (this.#count < parkedMax) return this.#put(event, key, failure, this.has(key));
    throw new EngineError('limit_exceeded', {
      limit: 'parked events',
      value: this.#count + 1,
      max: parkedMax,
      subject: this.#slot,
    });
  }

  /** The first of its key, which has failed again. */
  putAgain(event: RecordedEvent, key: string, failure: Pick<Failure, 'reason' | 'attempts' | 'at'>): DocumentPut {
    return this.#put(event, key, failure, false);
  }

  #put(
    event: RecordedEvent,
    key: string,
    { reason, attempts, at }: Pick<Failure, 'reason' | 'attempts' | 'at'>,
    isBehind: boolean,
  ): DocumentPut {
    const { position, stream, version, type } = event;
    const parked: Parked = {
      slot: this.#slot,
      key,
      position,
      stream,
      version,
      type,
      reason,
      attempts,
      at,
      isBehind,
    };
    return { collection: parkedCollection, key: this.#documentKey(position, key), value: parked as unknown as Json };
  }

  delete(position: Position, key: string): DocumentDelete {
    return { collection: parkedCollection, key: this.#documentKey(position, key) };
  }

  /** The change has been committed. */
  added(key: string): void {
    this.#add(key, 1);
  }

  removed(key: string): void {
    this.#add(key, -1);
  }

  #add(key: string, change: number): void {
    const count = (this.#countOf.get(key) ?? 0) + change;
    if (count > 0) this.#countOf.set(key, count);
    else this.#countOf.delete(key);
    this.#count += change;
  }

  /** Those of a key, the oldest first. */
  of(key: string): AsyncGenerator<Parked> {
    const is = (path: string, value: string): Condition => ({ kind: 'eq', path, value });
    return select(this.#state, { kind: 'all', of: [is('slot', this.#slot), is('key', key)] });
  }

  /** Keys may be as long as a document's own, so they are hashed. */
  #documentKey(position: Position, key: string): string {
    const digits = String(position).padStart(16, '0');
    return `${this.#slot}@${digits}/${toHex(sha256(toUtf8(key))).slice(0, 32)}`;
  }
}
