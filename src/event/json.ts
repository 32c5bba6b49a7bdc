import { EngineError } from '../ground/errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Levels of nesting that can be stored: deeper values overflow the stacks of parsers elsewhere. */
export const depthMax = 500;

/** What the walk found besides plain values. */
interface Findings {
  negativeZero: boolean;
}

/**
 * The JSON text of `value`, from which `JSON.parse` makes an equal value.
 * @param name what the value is called in the paths of errors, for example `data`.
 * @throws {EngineError} `data_unfaithful` with the path to whatever JSON would drop or change: undefined,
 * functions, symbols, BigInt, NaN and the infinities, Dates and other class instances, holes, lone surrogates, cycles.
 */
export function toFaithfulJson(value: unknown, name: string): string {
  const findings: Findings = { negativeZero: false };
  inspect(value, undefined, name, 0, findings);
  if (!findings.negativeZero) return JSON.stringify(value);
  return JSON.stringify(value, (_key, item: unknown) => (Object.is(item, -0) ? rawNegativeZero() : item));
}

/** The way from the root to a value, kept as links so that the walk builds text only for an error. */
interface Place {
  readonly parent: Place | undefined;
  readonly value: object;
  key: string | number;
}

function inspect(value: unknown, place: Place | undefined, name: string, depth: number, findings: Findings): void {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw unfaithful(place, name, 'a lone surrogate');
      return;
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw unfaithful(place, name, String(value));
      if (value === 0 && Object.is(value, -0)) findings.negativeZero = true;
      return;
    case 'object':
      if (value === null) return;
      if (depth >= depthMax) throw tooDeep(place, name);
      if (Array.isArray(value)) inspectArray(value, place, name, depth, findings);
      else inspectObject(value, place, name, depth, findings);
      return;
    case 'undefined':
      throw unfaithful(place, name, 'undefined');
    default:
      throw unfaithful(place, name, `a ${typeof value}`);
  }
}

function inspectArray(
  value: readonly unknown[],
  parent: Place | undefined,
  name: string,
  depth: number,
  findings: Findings,
): void {
  const place: Place = { parent, value, key: 0 };
  for (let index = 0; index < value.length; index++) {
    place.key = index;
    if (!(index in value)) throw unfaithful(place, name, 'a hole in an array');
    inspect(value[index], place, name, depth + 1, findings);
  }
  // `length` is the one own property of an array that is not an element.
  if (Reflect.ownKeys(value).length !== value.length + 1)
    throw unfaithful(parent, name, 'an array with further properties');
}

function inspectObject(
  value: object,
  parent: Place | undefined,
  name: string,
  depth: number,
  findings: Findings,
): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !isForeignPlain(prototype)) {
    throw unfaithful(parent, name, `an instance of ${className(value)}`);
  }
  const keys = Object.keys(value);
  if (Reflect.ownKeys(value).length !== keys.length) throw unfaithful(parent, name, 'a symbol or a hidden property');
  const place: Place = { parent, value, key: '' };
  for (const key of keys) {
    place.key = key;
    if (!key.isWellFormed()) throw unfaithful(place, name, 'a lone surrogate in a key');
    inspect((value as Record<string, unknown>)[key], place, name, depth + 1, findings);
  }
}

/** Plain objects made in another realm (a vm context, a test runner's sandbox) have another Object.prototype. */
function isForeignPlain(prototype: unknown): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty');
}

function className(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'a class';
}

/** A cycle is only looked for where it shows: the walk pays nothing for it. */
function tooDeep(place: Place | undefined, name: string): EngineError {
  const line: Place[] = [];
  for (let at = place; at !== undefined; at = at.parent) line.unshift(at);
  const first = line.findIndex(({ value }, index) => line.findIndex((other) => other.value === value) < index);
  if (first === -1) return unfaithful(place, name, `more than ${depthMax} levels`);
  return unfaithful(line[first - 1], name, 'a cycle');
}

function unfaithful(place: Place | undefined, name: string, found: string): EngineError {
  const steps: string[] = [];
  for (let at = place; at !== undefined; at = at.parent) steps.push(pathStep(at.key));
  return new EngineError('data_unfaithful', { path: name + steps.reverse().join(''), found });
}

/** `.key`, `[3]` or `["odd key"]`. */
export function pathStep(key: PropertyKey): string {
  if (typeof key === 'number') return `[${key}]`;
  const text = String(key);
  return /^[A-Za-z_$][\w$]*$/.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
}

function rawNegativeZero(): unknown {
  // In every supported runtime (V8 11.4), not yet in TypeScript's library.
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('-0');
}
