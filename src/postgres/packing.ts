/** How a group becomes one statement: its bytes as one literal, everything else as lists of numbers that point into it. */
import type { Draft } from '../event/event.ts';
import { toUtf8 } from '../event/bytes.ts';

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

/** What both appends and imports send: names (first those of streams), then the fields of events, then others. */
export class Packing {
  readonly payload: Payload = new Payload();
  readonly names: Names = new Names();
  readonly streamCount: number;
  readonly types: number[] = [];
  readonly schemaVersions: number[] = [];
  readonly encodings: number[] = [];
  readonly tagEvents: number[] = [];
  readonly tagNames: number[] = [];

  /**
   * @param streams whose names come first, as often as they are named.
   * @param names further names that will be asked for.
   */
  constructor(streams: Iterable<string>, events: readonly Draft[], names: Iterable<string>) {
    for (const stream of streams) this.names.number(stream);
    this.streamCount = this.names.count;
    for (const [index, { type, schemaVersion, encoding, tags }] of events.entries()) {
      this.types.push(this.names.number(type));
      this.schemaVersions.push(schemaVersion);
      this.encodings.push(this.names.number(encoding));
      for (const tag of tags) {
        this.tagEvents.push(index + 1);
        this.tagNames.push(this.names.number(tag));
      }
    }
    for (const name of names) this.names.number(name);
    for (const name of this.names.all) this.payload.add(toUtf8(name));
    for (const { bodyDigest, metadata, data } of events)
      for (const bytes of [bodyDigest, metadata, data]) this.payload.add(bytes);
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

/**
 * One message that begins a transaction, calls the function, and commits: a client that stalls or dies while it sends has not
 * begun, and one that does so later holds up nobody.
 */
export function transaction(schema: string, name: string, parameters: Readonly<Record<string, Argument>>): string {
  const list = Object.entries(parameters).map(([parameter, value]) => `${parameter} => ${literal(value)}`);
  return `begin isolation level read committed; select "${schema}".${name}(${list.join(', ')}) as answer; commit`;
}

function literal(argument: Argument): string {
  if ('bytes' in argument) return `decode('${argument.bytes}', 'hex')`;
  if ('booleans' in argument) return `'{${argument.booleans.join()}}'::boolean[]`;
  if ('integer' in argument) return String(argument.integer);
  if ('bigint' in argument) return `${argument.bigint === null ? 'null' : `'${argument.bigint}'`}::bigint`;
  const list = argument.integers.map((value) => (value === null ? 'null' : String(value)));
  return `'{${list.join()}}'::${argument.type}[]`;
}
