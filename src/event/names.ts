import { EngineError } from '../ground/errors.ts';
import { utf8Length } from './bytes.ts';

/** Bytes of UTF-8 in a stream name. */
export const streamBytesMax = 1_024;
/** Bytes of UTF-8 in an event type or a receipt key. */
const typeBytesMax = 256;

const aggregatePattern = /^[a-z][A-Za-z0-9_]*$/;
const controlPattern = /\p{Cc}/u;

/**
 * The stream of one aggregate instance: `<aggregate>-<id>`.
 * @throws {EngineError} `name_invalid`
 */
export function streamName(aggregate: string, id: string): string {
  if (!aggregatePattern.test(aggregate)) {
    throw invalid('aggregate name', aggregate, 'it must match [a-z][A-Za-z0-9_]*');
  }
  return checkStreamName(`${aggregate}-${id}`);
}

/** Splits a valid stream name at its first dash. */
export function splitStreamName(stream: string): { readonly aggregate: string; readonly aggregateId: string } {
  const dash = stream.indexOf('-');
  return { aggregate: stream.slice(0, dash), aggregateId: stream.slice(dash + 1) };
}

/** @throws {EngineError} `name_invalid` */
export function checkStreamName(stream: string): string {
  const dash = checkText('stream name', stream).indexOf('-');
  if (dash === -1 || !aggregatePattern.test(stream.slice(0, dash))) {
    throw invalid('stream name', stream, 'it must be <aggregate>-<id>, the aggregate matching [a-z][A-Za-z0-9_]*');
  }
  if (dash === stream.length - 1) throw invalid('stream name', stream, 'the id is empty');
  checkBytes('stream name', stream, streamBytesMax);
  return stream;
}

/**
 * An event type of the user's own; the engine's begin with `$`.
 * @throws {EngineError} `name_invalid`
 */
export function checkEventType(type: string): string {
  if (checkText('event type', type).startsWith('$'))
    throw invalid('event type', type, 'types that begin with $ are reserved');
  return checkBytes('event type', type, typeBytesMax);
}

/** @throws {EngineError} `name_invalid` */
export function checkReceiptKey(key: string): string {
  return checkBytes('receipt key', checkText('receipt key', key), typeBytesMax);
}

/** Whoever releases receipts, for example a saga instance. @throws {EngineError} `name_invalid` */
export function checkOwner(owner: string): string {
  return checkBytes('owner of a receipt', checkText('owner of a receipt', owner), typeBytesMax);
}

/**
 * Tags as they are stored: each once, in the order of their code points.
 * @throws {EngineError} `name_invalid`
 */
export function normalizeTags(tags: readonly string[]): readonly string[] {
  if (!Array.isArray(tags)) throw invalid('list of tags', String(tags), 'it is no list');
  const copied = [...tags];
  for (const tag of copied) checkText('tag', tag);
  return copied.length < 2 ? copied : [...new Set(copied)].sort(compareCodePoints);
}

/** Orders strings as their UTF-8 bytes: `<` compares UTF-16 units, which puts U+FF5E after an emoji. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [x, y] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (x === y) continue;
    const surrogates = Number(isSurrogate(x)) - Number(isSurrogate(y));
    return surrogates === 0 ? x - y : surrogates;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

function checkText(what: string, name: string): string {
  if (typeof name !== 'string') throw invalid(what, String(name), `it is a ${typeof name}, not a string`);
  if (name === '') throw invalid(what, name, 'it is empty');
  if (controlPattern.test(name)) throw invalid(what, name, 'it holds a control character');
  if (!name.isWellFormed()) throw invalid(what, name, 'it holds a lone surrogate');
  return name;
}

function checkBytes(what: string, name: string, max: number): string {
  // A UTF-16 unit is at most three bytes of UTF-8, so short names need no counting.
  if (name.length * 3 > max && utf8Length(name) > max)
    throw invalid(what, name, `it is longer than ${max} bytes of UTF-8`);
  return name;
}

function invalid(what: string, name: string, reason: string): EngineError {
  return new EngineError('name_invalid', { what, name, reason });
}
