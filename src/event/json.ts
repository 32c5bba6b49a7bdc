import { EngineError } from '../ground/errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Levels of nesting that can be stored: deeper values overflow the stacks of parsers elsewhere. */
export const depthMax = 500;

/**
 * The JSON text of `value`, from which `JSON.parse` makes an equal value. Each property is read once, and what was
 * read is what is written: neither `toJSON` nor a getter that changes its mind has a say.
 * @param name what the value is called in the paths of errors, for example `data`.
 * @throws {EngineError} `data_unfaithful` with the path to whatever JSON would drop or change: undefined,
 * functions, symbols, BigInt, NaN and the infinities, Dates and other class instances, holes, lone surrogates, cycles.
 */
export function toFaithfulJson(value: unknown, name: string): string {
  return textOf(value, undefined, { name, isCanonical: false, isExact: false }, 0);
}

/** The same for a value of which `JSON.parse` makes one that also behaves the same: objects without a prototype would come back with one. */
export function toExactJson(value: unknown, name: string): string {
  return textOf(value, undefined, { name, isCanonical: false, isExact: true }, 0);
}

/** The same with keys in order and without those that are undefined: one text for whatever is asked for in other words. */
export function toCanonicalJson(value: unknown, name: string): string {
  return textOf(value, undefined, { name, isCanonical: true, isExact: false }, 0);
}

interface Writing {
  readonly name: string;
  readonly isCanonical: boolean;
  readonly isExact: boolean;
}

/** The way from the root to a value, kept as links so that the walk builds paths only for an error. */
interface Place {
  readonly parent: Place | undefined;
  readonly value: object;
  key: string | number;
}

function textOf(value: unknown, place: Place | undefined, writing: Writing, depth: number): string {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw unfaithful(place, writing.name, 'a lone surrogate');
      return quoted(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) throw unfaithful(place, writing.name, String(value));
      return Object.is(value, -0) ? '-0' : String(value);
    case 'object':
      if (value === null) return 'null';
      if (depth >= depthMax) throw tooDeep(place, writing.name);
      return Array.isArray(value)
        ? textOfArray(value, place, writing, depth)
        : textOfObject(value, place, writing, depth);
    case 'undefined':
      throw unfaithful(place, writing.name, 'undefined');
    default:
      throw unfaithful(place, writing.name, `a ${typeof value}`);
  }
}

function textOfArray(value: readonly unknown[], parent: Place | undefined, writing: Writing, depth: number): string {
  // Array.prototype, of whatever realm, is an array itself; that of a subclass is not.
  if (!Array.isArray(Object.getPrototypeOf(value)))
    throw unfaithful(parent, writing.name, `an instance of ${className(value)}`);
  const place: Place = { parent, value, key: 0 };
  const { length } = value;
  let text = '[';
  for (let index = 0; index < length; index++) {
    place.key = index;
    const item = value[index];
    if (item === undefined && !(index in value)) throw unfaithful(place, writing.name, 'a hole in an array');
    if (index > 0) text += ',';
    text += textOf(item, place, writing, depth + 1);
  }
  // `length` is the one own property of an array that is not an element.
  if (Reflect.ownKeys(value).length !== length + 1)
    throw unfaithful(parent, writing.name, 'an array with further properties');
  return `${text}]`;
}

function textOfObject(value: object, parent: Place | undefined, writing: Writing, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !isForeignPlain(prototype)) {
    throw unfaithful(parent, writing.name, `an instance of ${className(value)}`);
  }
  if (writing.isExact && prototype === null) throw unfaithful(parent, writing.name, 'an object without a prototype');
  const keys = Object.keys(value);
  // Asked for apart, which is four times as quick as both at once.
  if (Object.getOwnPropertyNames(value).length !== keys.length || Object.getOwnPropertySymbols(value).length > 0)
    throw unfaithful(parent, writing.name, 'a symbol or a hidden property');
  if (writing.isCanonical) keys.sort();
  const place: Place = { parent, value, key: '' };
  let text = '{';
  for (const key of keys) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined && writing.isCanonical) continue;
    place.key = key;
    if (text.length > 1) text += ',';
    text += keyTexts.get(key) ?? keyText(place, key, writing);
    text += textOf(item, place, writing, depth + 1);
  }
  return `${text}}`;
}

/** Keys are few and come again and again. */
const keyTexts = new Map<string, string>();
const keyTextsMax = 1_000;

function keyText(place: Place, key: string, { name }: Writing): string {
  if (!key.isWellFormed()) throw unfaithful(place, name, 'a lone surrogate in a key');
  const text = `${quoted(key)}:`;
  if (keyTexts.size >= keyTextsMax) keyTexts.clear();
  if (key.length <= 64) keyTexts.set(key, text);
  return text;
}

const needsEscape = /["\\\u0000-\u001f]/;

function quoted(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`;
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
