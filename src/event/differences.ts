import { pathStep } from './json.ts';

/** A field in which two values differ. */
export interface FieldChange {
  /** Where: `items[3].price`; empty where the whole value is meant. */
  readonly path: string;
  /** Undefined where it was not there, or is not. */
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * The fields in which two values differ, in the order of the first. Objects and lists are looked into, one field or place after
 * another; anything else is compared as a whole.
 */
export function changesBetween(before: unknown, after: unknown): readonly FieldChange[] {
  return [...changesIn('', before, after)];
}

function* changesIn(path: string, before: unknown, after: unknown): Generator<FieldChange> {
  if (Object.is(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++)
      yield* changesIn(path + pathStep(index), before[index], after[index]);
    return;
  }
  if (isPlain(before) && isPlain(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
      yield* changesIn(joined(path, name), own(before, name), own(after, name));
    return;
  }
  if (!isSame(before, after)) yield { path, before, after };
}

/** Not what it inherits: a field may be called `constructor`. */
function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function joined(path: string, name: string): string {
  const step = pathStep(name);
  return path === '' && step.startsWith('.') ? step.slice(1) : path + step;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Of what is neither a list nor a plain object: a Date, a Map, and the like. */
function isSame(before: unknown, after: unknown): boolean {
  if (before instanceof Date && after instanceof Date) return Object.is(before.getTime(), after.getTime());
  if (before instanceof Map && after instanceof Map) return isSameList([...before], [...after]);
  if (before instanceof Set && after instanceof Set) return isSameList([...before], [...after]);
  if (ArrayBuffer.isView(before) && ArrayBuffer.isView(after))
    return isSameList([...bytesOf(before)], [...bytesOf(after)]);
  return isSameInstance(before, after);
}

/** An instance of a class is what its fields are; one that shows none is only itself. */
function isSameInstance(before: unknown, after: unknown): boolean {
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return false;
  if (Object.getPrototypeOf(before) !== Object.getPrototypeOf(after) || Object.keys(before).length === 0) return false;
  return isAlike({ ...before }, { ...after });
}

function isSameList(before: readonly unknown[], after: readonly unknown[]): boolean {
  return before.length === after.length && isAlike(before, after);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The names and places that lead to a field. */
export type Steps = readonly (string | number)[];

/** Whether a field is the one that is asked for, part of it, or holds it; however the path that was asked for is written. */
export function concerns(path: string, asked: Steps): boolean {
  return (stepsOf(path) ?? []).every((step, depth) => depth >= asked.length || String(step) === String(asked[depth]));
}

const steps = /(?:^|\.)([A-Za-z_$][\w$]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;

/** The names and places of a path; undefined for what is no path. */
export function stepsOf(path: string): Steps | undefined {
  const found: (string | number)[] = [];
  for (let at = 0; at < path.length; at = steps.lastIndex) {
    steps.lastIndex = at;
    const [, name, index, quoted] = steps.exec(path) ?? [];
    if (name === undefined && index === undefined && quoted === undefined) return undefined;
    if (index !== undefined) found.push(Number(index));
    else found.push(name ?? unquoted(quoted as string));
  }
  return found;
}

function unquoted(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}

/** What a value has at a path; undefined where it has nothing there. */
export function partAt(value: unknown, path: Steps): unknown {
  let part = value;
  for (const step of path) {
    const isThere = Array.isArray(part) || isPlain(part);
    part = isThere && Object.hasOwn(part as object, step) ? (part as Record<PropertyKey, unknown>)[step] : undefined;
  }
  return part;
}

/** Whether two values have no field in which they differ. */
export function isAlike(before: unknown, after: unknown): boolean {
  return changesIn('', before, after).next().done === true;
}
