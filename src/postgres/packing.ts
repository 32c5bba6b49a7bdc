/** How a group becomes one statement: its bytes as one literal, everything else as lists of numbers that point into it. */
import type { Draft } from '../event/event.ts';
import { toUtf8 } from '../event/bytes.ts';
import type { ReceiptDraft } from '../store/port.ts';

/** Bytes one after the other, and where each field ends. */
class Payload {
  readonly #fields: Uint8Array[] = [];
  readonly ends: number[] = [0];
  #length = 0;

  /** @returns the field's number, from 1. */
  add(bytes: Uint8Array): number {
    this.#fields.push(bytes);
    this.#length += bytes.length;
    this.ends.push(this.#length);
    return this.#fields.length;
  }

  toHex(): string {
    return Buffer.concat(this.#fields, this.#length).toString('hex');
  }
}

/** Names, each once; numbered from 1 in the order in which they were first met. */
class Names {
  readonly #numbers = new Map<string, number>();

  number(name: string): number {
    let number = this.#numbers.get(name);
    if (number === undefined) this.#numbers.set(name, (number = this.#numbers.size + 1));
    return number;
  }

  get all(): IterableIterator<string> {
    return this.#numbers.keys();
  }

  get count(): number {
    return this.#numbers.size;
  }
}

/** What both appends and imports send: names (first those of streams), then the fields of events and receipts, then others. */
export class Packing {
  readonly payload: Payload = new Payload();
  readonly names: Names = new Names();
  readonly #streamCount: number;
  readonly #events: readonly Draft[];
  readonly #receipts: readonly ReceiptDraft[];
  readonly #receiptFields: readonly number[];

  /** @param streams whose names come first, as often as they are named. */
  constructor(streams: readonly string[], events: readonly Draft[], receipts: readonly ReceiptDraft[]) {
    const { names, payload } = this;
    for (const stream of streams) names.number(stream);
    this.#streamCount = names.count;
    for (const { type, encoding, tags } of events) for (const name of [type, encoding, ...tags]) names.number(name);
    for (const { key, owner } of receipts)
      for (const name of owner === undefined ? [key] : [key, owner]) names.number(name);
    for (const name of names.all) payload.add(toUtf8(name));
    for (const { bodyDigest, metadata, data } of events)
      for (const bytes of [bodyDigest, metadata, data]) payload.add(bytes);
    this.#receiptFields = receipts.map(({ commandDigest, outcome }) => {
      const field = payload.add(commandDigest);
      payload.add(outcome);
      return field;
    });
    this.#events = events;
    this.#receipts = receipts;
  }

  /** Of either function; to be asked for when everything has been added. */
  get arguments(): Readonly<Record<string, Argument>> {
    const { names, payload } = this;
    const events = this.#events;
    const receipts = this.#receipts;
    return {
      payload: { bytes: payload.toHex() },
      ends: integers(payload.ends),
      name_count: { integer: names.count },
      stream_count: { integer: this.#streamCount },
      event_types: integers(events.map(({ type }) => names.number(type))),
      event_schema_versions: bigints(events.map(({ schemaVersion }) => schemaVersion)),
      event_encodings: integers(events.map(({ encoding }) => names.number(encoding))),
      tag_events: integers(events.flatMap(({ tags }, index) => tags.map(() => index + 1))),
      tag_names: integers(events.flatMap(({ tags }) => tags.map((tag) => names.number(tag)))),
      receipt_keys: integers(receipts.map(({ key }) => names.number(key))),
      receipt_fields: integers(this.#receiptFields),
      receipt_owners: integers(receipts.map(({ owner }) => (owner === undefined ? 0 : names.number(owner)))),
      receipt_expiries: bigints(receipts.map(({ expiresAt }) => expiresAt)),
    };
  }
}

/** An argument of a function: only digits and hexadecimal digits, so nothing needs to be quoted. */
export type Argument =
  | { readonly bytes: string }
  | { readonly integers: readonly (number | null)[]; readonly type: 'integer' | 'bigint' }
  | { readonly booleans: readonly boolean[] }
  | { readonly integer: number }
  | { readonly bigint: number | bigint | null };

export const integers = (list: readonly number[]): Argument => ({ integers: list, type: 'integer' });
export const bigints = (list: readonly (number | null)[]): Argument => ({ integers: list, type: 'bigint' });

/** The statement that calls a function. */
export function callOf(schema: string, name: string, parameters: Readonly<Record<string, Argument>>): string {
  const list = Object.entries(parameters).map(([parameter, value]) => `${parameter} => ${literal(value)}`);
  return `select "${schema}".${name}(${list.join(', ')}) as answer`;
}

/** Each statement sees what was committed before it: what is looked at under a lock is as new as the lock. */
export const beginning = 'begin isolation level read committed';

/**
 * One message that begins a transaction, makes the call, and commits: a client that stalls or dies while it sends has not
 * begun, and one that does so later holds up nobody.
 */
export function transaction(call: string): string {
  return `${beginning}; ${call}; commit`;
}

function literal(argument: Argument): string {
  if ('bytes' in argument) return `decode('${argument.bytes}', 'hex')`;
  if ('booleans' in argument) return `'{${argument.booleans.join()}}'::boolean[]`;
  if ('integer' in argument) return String(argument.integer);
  if ('bigint' in argument) return `${argument.bigint === null ? 'null' : `'${argument.bigint}'`}::bigint`;
  const list = argument.integers.map((value) => (value === null ? 'null' : String(value)));
  return `'{${list.join()}}'::${argument.type}[]`;
}
