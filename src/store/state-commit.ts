/** What every backend refuses of what is to be kept as state. */
import { utf8Length } from '../event/bytes.ts';
import { EngineError } from '../ground/errors.ts';
import type { Collection, StateCapabilities, StateCommit } from './state-port.ts';

/** Paths in one index, and paths of a collection that are indexed: each is a column. */
const pathsPerIndexMax = 4;
const indexedPathsMax = 32;
/** UTF-8 bytes of a document's key: as many as fit into every backend's indexes; an aggregate's id is at most 1,022. */
const keyBytesMax = 1_536;
const nameMax = 200;

/** @throws {EngineError} `name_invalid`, `request_invalid` */
export function checkCollection({ name, indexes }: Collection): void {
  checkStateName('collection', name);
  for (const index of indexes) {
    if (index.length === 0 || index.length > pathsPerIndexMax)
      throw invalid(`An index has 1 to ${pathsPerIndexMax} paths, one of ${name} has ${index.length}`);
    for (const path of index) checkPath(path);
  }
  if (new Set(indexes.flat()).size > indexedPathsMax)
    throw invalid(`At most ${indexedPathsMax} paths of a collection are indexed`);
}

/** @throws {EngineError} `request_invalid` */
function checkPath(path: unknown): void {
  const isPath = typeof path === 'string' && path.isWellFormed() && path.split('.').every((name) => name !== '');
  if (!isPath) throw invalid(`${JSON.stringify(path)} is no path: names of fields, joined by dots`);
}

/** @throws {EngineError} `request_invalid` */
export function requireSame(kept: Collection, wanted: Collection): void {
  if (JSON.stringify(kept.indexes) === JSON.stringify(wanted.indexes)) return;
  throw invalid(`The collection ${wanted.name} is there with other indexes`);
}

/** What would end the transaction, or work on more than tables; behind comments, too. */
const refusedStatement =
  /^(?:[\s;]|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare|pragma|attach|detach|vacuum|set|reset|discard|listen|unlisten)\b/i;

/** @throws {EngineError} `name_invalid`, `request_invalid` */
export function checkCommit(change: StateCommit, { sql }: StateCapabilities): void {
  const { puts = [], deletes = [], checkpoints = [], statements = [] } = change;
  if (statements.length > 0 && sql === 'none')
    throw invalid('This store speaks no SQL, so a change may have no statements');
  for (const { sql: text } of statements)
    if (refusedStatement.test(text))
      throw invalid(`The statement ${JSON.stringify(text.slice(0, 100))} would not stay inside the change`);
  for (const { key } of [...puts, ...deletes]) checkDocumentKey(key);
  requireOnce(
    'document',
    [...puts, ...deletes].map(({ collection, key }) => `${collection} ${key}`),
  );
  requireOnce(
    'checkpoint',
    checkpoints.map(({ name }) => name),
  );
  for (const { name, from, to } of checkpoints) {
    checkStateName('checkpoint', name);
    for (const position of [from, to])
      if (!Number.isSafeInteger(position) || position < 0) throw invalid(`${position} is no position`);
  }
}

/** @throws {EngineError} `name_invalid` */
export function checkStateName(what: string, name: string): void {
  checkText(what, name, nameMax, 'UTF-16 units');
}

/** @throws {EngineError} `name_invalid` */
export function checkDocumentKey(key: string): void {
  checkText('document key', key, keyBytesMax, 'bytes of UTF-8');
}

function checkText(what: string, name: string, max: number, unit: 'UTF-16 units' | 'bytes of UTF-8'): void {
  const refuse = (reason: string) => new EngineError('name_invalid', { what, name: String(name), reason });
  if (typeof name !== 'string') throw refuse(`it is a ${typeof name}, not a string`);
  if (name === '') throw refuse('it is empty');
  if (!name.isWellFormed()) throw refuse('it holds a lone surrogate');
  if (name.includes('\0')) throw refuse('it holds a NUL character');
  const length = unit === 'UTF-16 units' ? name.length : utf8Length(name);
  if (length > max) throw refuse(`it is longer than ${max} ${unit}`);
}

function requireOnce(what: string, names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw invalid(`A change names a ${what} twice`);
}

function invalid(reason: string): EngineError {
  return new EngineError('request_invalid', { reason });
}

/** How far a clock may be set back before what it said is taken for nothing, in ms. */
const setBackMs = 1_000;

/** Whether a lease still holds, also where the clock was set back since it was taken: nobody waits for it to catch up. */
export function isRunning({ takenAt, expiresAt }: { takenAt: number; expiresAt: number }, now: number): boolean {
  return expiresAt > now && takenAt <= now + setBackMs;
}
