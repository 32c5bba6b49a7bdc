/** What users ask of a view, checked and put into the words of the port. where-types.ts says what can be written. */
import { pathStep } from '../event/json.ts';
import { EngineError } from '../ground/errors.ts';
import type { Comparison, Condition, DocumentPath, Order, Scalar } from '../store/state-port.ts';
import type { Operands } from './where-types.ts';

/** Levels of `and`, `or`, `not` and `some` inside one another, the outermost included. */
const levelsMax = 32;
/** Comparisons and combinations of a query, and whatever is listed in these: SQLite nests no more than 1,000 expressions. */
const partsMax = 1_000;
/** Fields to order by: each is a column, and a step of the condition that tells where the next page begins. */
const ordersMax = 32;

/** Where in a query, for errors, and how much may still follow. The path is put together once there is an error. */
interface Place {
  readonly parent: Place | undefined;
  readonly key: string | number;
  readonly level: number;
  readonly budget: { readonly max: number; left: number };
}

/**
 * The condition that a `Where` stands for; for `{}`, one that all documents fulfil. It is checked as if no type had been:
 * it may come from JavaScript, or have been JSON.
 * @throws {EngineError} `query_invalid`, with the place in it, for what cannot be meant: an operator that does not
 * exist, a value that JSON does not have or that its operator does not take, undefined, operators of which there are
 * none, an empty name in a path; for NUL characters and lone surrogates, which no document holds; for more than 32
 * levels or 1,000 parts.
 */
export function toCondition(where: unknown): Condition {
  return conditionOf(where, outermost('where', partsMax));
}

/**
 * The order that an `OrderBy` stands for; for `{}` and `[]`, that of keys alone.
 * @throws {EngineError} `query_invalid` for another direction, for what is no path, for a path named twice, for more than
 * 32 paths; for an object with several names of which one is a whole number: JavaScript would move it to the front.
 */
export function toOrders(orderBy: unknown): readonly Order[] {
  const place = outermost('orderBy', ordersMax);
  const orders = Array.isArray(orderBy)
    ? itemsOf(orderBy, place).flatMap(([item, at]) => ordersOf(item, at))
    : ordersOf(orderBy, place);
  const paths = new Set<DocumentPath>();
  for (const { path } of orders) {
    if (paths.has(path)) throw refused(place, `${JSON.stringify(path)} is named twice`);
    paths.add(path);
  }
  return orders;
}

function ordersOf(orderBy: unknown, place: Place): readonly Order[] {
  const entries = entriesOf(orderBy, place, "an object such as { field: 'asc' }, or a list of such");
  return entries.map(([path, direction]) => {
    const at = inside(place, path);
    spend(at);
    checkPath(path, at);
    if (entries.length > 1 && isMovedToFront(path))
      throw refused(at, 'among several names of an object a number comes first; order by a list of objects instead');
    if (direction === 'asc' || direction === 'desc') return { path, direction };
    throw refused(at, `expected 'asc' or 'desc', found ${show(direction)}`);
  });
}

function isMovedToFront(name: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(name);
}

function conditionOf(where: unknown, place: Place): Condition {
  if (place.level > levelsMax) throw refused(place, `it is more than ${levelsMax} levels deep`);
  const entries = entriesOf(where, place, 'an object with conditions of fields');
  return allOf(entries.map(([name, value]) => partOf(name, value, inside(place, name))));
}

function partOf(name: string, value: unknown, place: Place): Condition {
  switch (name) {
    case 'and':
      return allOf(conditionsOf(value, place));
    case 'or':
      return { kind: 'any', of: conditionsOf(value, place) };
    case 'not':
      spend(place);
      return { kind: 'not', of: conditionOf(value, deeper(place)) };
    default:
      checkPath(name, place);
      return fieldConditionOf(name, value, place);
  }
}

function conditionsOf(list: unknown, place: Place): readonly Condition[] {
  spend(place);
  return itemsOf(list, deeper(place)).map(([item, at]) => {
    spend(at);
    return conditionOf(item, at);
  });
}

function fieldConditionOf(path: DocumentPath, value: unknown, place: Place): Condition {
  if (!isObject(value)) {
    spend(place);
    return operations.eq(value, path, place);
  }
  const entries = entriesOf(value, place, 'a value of JSON or operators');
  // As JSON leaves it of { gte: undefined }: whoever wrote that did not mean every document.
  if (entries.length === 0) throw refused(place, `expected an operator: ${operators()}`);
  return allOf(
    entries.map(([name, operand]) => {
      const at = inside(place, name);
      spend(at);
      if (isOperator(name)) return operations[name](operand, path, at);
      const inner = JSON.stringify(`${path}.${name}`);
      throw refused(
        at,
        `there is no such operator (there are ${operators()}), and a field inside another is asked for by its path, ${inner}`,
      );
    }),
  );
}

type Operation = (operand: unknown, path: DocumentPath, place: Place) => Condition;

const operations: { readonly [Name in keyof Operands<unknown>]: Operation } = {
  eq: comparing('eq', scalarOf),
  ne: comparing('ne', scalarOf),
  gt: comparing('gt', boundOf),
  gte: comparing('gte', boundOf),
  lt: comparing('lt', boundOf),
  lte: comparing('lte', boundOf),
  in: (operand, path, place) => {
    const items = itemsOf(operand, place);
    // The first is counted with the operator.
    if (items.length > 1) spend(place, items.length - 1);
    return { kind: 'in', path, values: items.map(([item, at]) => scalarOf(item, at)) };
  },
  contains: (operand, path, place) => ({ kind: 'contains', path, value: scalarOf(operand, place) }),
  startsWith: (operand, path, place) => {
    if (typeof operand !== 'string') throw refused(place, `expected a string, found ${show(operand)}`);
    return { kind: 'startsWith', path, value: checkText(operand, place) };
  },
  exists: (operand, path, place) => {
    if (typeof operand !== 'boolean') throw refused(place, `expected true or false, found ${show(operand)}`);
    return { kind: 'exists', path, value: operand };
  },
  some: (operand, path, place) => ({ kind: 'some', path, of: conditionOf(operand, deeper(place)) }),
};

function isOperator(name: string): name is keyof typeof operations {
  return Object.hasOwn(operations, name);
}

function operators(): string {
  return Object.keys(operations).join(', ');
}

function comparing(kind: Comparison, read: (operand: unknown, place: Place) => Scalar): Operation {
  return (operand, path, place) => ({ kind, path, value: read(operand, place) });
}

function scalarOf(value: unknown, place: Place): Scalar {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string') return checkText(value, place);
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw refused(place, `expected null, a boolean, a number or a string, found ${show(value)}${adviceOn(value)}`);
}

function adviceOn(value: unknown): string {
  if (value === undefined) return '; leave the condition out, or ask for { exists: false }';
  return Array.isArray(value) ? '; ask for { in: [...] }, or of a list for { contains: ... }' : '';
}

/** Of the other kinds, nothing lies between two values. */
function boundOf(value: unknown, place: Place): Scalar {
  if (typeof value === 'string' || typeof value === 'number') return scalarOf(value, place);
  throw refused(place, `expected a number or a string, found ${show(value)}`);
}

function checkPath(path: string, place: Place): void {
  if (path.split('.').includes(''))
    throw refused(place, 'a path is made of names of fields, joined by dots, and one of these is empty');
  checkText(path, place);
}

function checkText(text: string, place: Place): string {
  if (text.includes('\0')) throw refused(place, 'no document holds a NUL character');
  if (!text.isWellFormed()) throw refused(place, 'no document holds a lone surrogate');
  return text;
}

/** Without lists of one and lists in lists, so that whoever looks for an index sees what there is. */
function allOf(conditions: readonly Condition[]): Condition {
  const [first] = conditions;
  // Which is none of one itself: it was made here.
  if (first !== undefined && conditions.length === 1) return first;
  const flat = conditions.flatMap((condition) => (condition.kind === 'all' ? condition.of : condition));
  return flat.length === 1 ? (flat[0] as Condition) : { kind: 'all', of: flat };
}

function entriesOf(value: unknown, place: Place, expected: string): readonly [name: string, value: unknown][] {
  if (!isObject(value) || !isPlain(value)) throw refused(place, `expected ${expected}, found ${show(value)}`);
  const entries: [string, unknown][] = Object.entries(value);
  // Some libraries have symbols for operators: passed over, they would let every document through.
  if (Reflect.ownKeys(value).length !== entries.length)
    throw refused(place, 'it has a symbol or a hidden property, which nobody would look at');
  return entries;
}

/** With holes as undefined. A list that is too long is not looked through first. */
function itemsOf(value: unknown, place: Place): readonly (readonly [item: unknown, at: Place])[] {
  if (!Array.isArray(value)) throw refused(place, `expected a list, found ${show(value)}`);
  if (value.length > place.budget.max) throw tooMany(place);
  return Array.from(value, (item: unknown, index) => [item, inside(place, index)]);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Objects of another realm, such as a test runner's, have another Object.prototype. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function outermost(key: string, max: number): Place {
  return { parent: undefined, key, level: 1, budget: { max, left: max } };
}

function inside(parent: Place, key: string | number): Place {
  return { parent, key, level: parent.level, budget: parent.budget };
}

function deeper({ parent, key, level, budget }: Place): Place {
  return { parent, key, level: level + 1, budget };
}

function pathOf({ parent, key }: Place): string {
  return parent === undefined ? String(key) : pathOf(parent) + pathStep(key);
}

function spend(place: Place, parts = 1): void {
  place.budget.left -= parts;
  if (place.budget.left < 0) throw tooMany(place);
}

function tooMany(place: Place): EngineError {
  return refused(place, `with it the query has more than ${place.budget.max} parts`);
}

function refused(place: Place, reason: string): EngineError {
  return new EngineError('query_invalid', { path: pathOf(place), reason });
}

function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
    case 'object': {
      if (value === null) return 'null';
      if (Array.isArray(value)) return 'a list';
      if (isPlain(value)) return 'an object';
      const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
      return tag === 'Object' ? 'an instance of a class' : `an instance of ${tag}`;
    }
    case 'bigint':
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    default:
      return String(value);
  }
}
