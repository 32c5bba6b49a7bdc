/** What of a document is kept, and how its fields are ordered: the same on every backend. */
import { compareCodePoints } from '../event/names.ts';
import { toFaithfulJson } from '../event/json.ts';
import type { Json } from '../event/json.ts';
import { EngineError } from '../ground/errors.ts';
import type { DocumentPath, DocumentValue } from './state-port.ts';

/** Which no JSON text holds unescaped: PostgreSQL refuses it in text. */
const nul = /\\u0000/;

/**
 * The JSON text of a document.
 * @throws {EngineError} `data_unfaithful` for whatever would not come back as it is, on every backend.
 */
export function documentText(value: Json): string {
  const text = toFaithfulJson(value, 'document');
  // The text has an escaped backslash before a harmless u0000 only in pairs.
  if (nul.test(text) && holdsNul(value))
    throw new EngineError('data_unfaithful', { path: 'document', found: 'a NUL character' });
  return text;
}

function holdsNul(value: Json): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, part]) => key.includes('\0') || holdsNul(part));
}

export function isBytes(value: DocumentValue): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** The field at a path; undefined if there is none. Lists have no fields. */
export function fieldAt(value: unknown, path: DocumentPath): unknown {
  let field = value;
  for (const name of path.split('.')) {
    if (typeof field !== 'object' || field === null || Array.isArray(field) || !Object.hasOwn(field, name))
      return undefined;
    field = (field as Readonly<Record<string, unknown>>)[name];
  }
  return field;
}

/** Characters of a string that count when documents are ordered: as many as fit into every backend's indexes. */
const orderedMax = 200;

/**
 * A text whose order by code points is the order of values: missing < null < false < true < numbers < strings < the rest.
 * Different scalars have different keys, but for strings that agree in their first 200 UTF-16 units.
 */
export function sortKey(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return '0';
    case 'boolean':
      return value ? '3' : '2';
    case 'number':
      return `4${numberKey(value)}`;
    case 'string':
      return `5${cut(value)}`;
    default:
      return value === null ? '1' : '6';
  }
}

/** Whether no other string has the sort key of this one. */
export function isOrderedWhole(text: string): boolean {
  return text.length < orderedMax - 1;
}

function cut(text: string): string {
  if (text.length <= orderedMax) return text;
  const shorter = text.slice(0, orderedMax);
  // Not through the middle of a character.
  return shorter.isWellFormed() ? shorter : shorter.slice(0, -1);
}

const float = new DataView(new ArrayBuffer(8));
const signBit = 0x8000_0000;

/** IEEE 754 orders positive numbers as their bits, negative ones the other way round. */
function numberKey(value: number): string {
  // Without a sign, also of zero.
  float.setFloat64(0, value === 0 ? 0 : value);
  const [high, low] = [float.getUint32(0), float.getUint32(4)];
  // In two halves: whole ones would have to be BigInts, which are slow.
  return high < signBit ? hexadecimal(high + signBit) + hexadecimal(low) : hexadecimal(~high) + hexadecimal(~low);
}

function hexadecimal(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0');
}

/** The sort key of a document at a path. Bytes have no fields. */
export function sortKeyAt(value: DocumentValue, path: DocumentPath): string {
  return sortKey(isBytes(value) ? undefined : fieldAt(value, path));
}

export function sortKeys(value: DocumentValue, paths: readonly DocumentPath[]): string[] {
  return paths.map((path) => sortKeyAt(value, path));
}

/** Compares lists of sort keys, each in its direction, then the documents' keys. */
export function compareRanks(a: Rank, b: Rank, descending: readonly boolean[]): number {
  for (const [index, key] of a.keys.entries()) {
    const order = compareCodePoints(key, b.keys[index] as string);
    if (order !== 0) return descending[index] === true ? -order : order;
  }
  return compareCodePoints(a.key, b.key);
}

/** Where a document stands in an order. */
export interface Rank {
  readonly keys: readonly string[];
  readonly key: string;
}
