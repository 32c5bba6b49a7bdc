import { isAbsolute, resolve } from 'node:path';
import type { Backend } from '../store/port.ts';
import { memory } from '../store/memory.ts';
import { sqlite } from '../sqlite/index.ts';
import { isBackup } from '../sqlite/inspect.ts';
import { usageError } from './failure.ts';

/** Where a store is, as `--store` says it. */
export type StoreLocation =
  | { readonly kind: 'memory' }
  /** An absolute path. */
  | { readonly kind: 'sqlite'; readonly file: string };

const remedy = 'Write sqlite:FILE or memory:, for example --store sqlite:bank.db';

/** @param folder what a relative file is relative to. @throws {CliError} */
export function parseStoreUrl(url: string, folder: string): StoreLocation {
  const colon = url.indexOf(':');
  const [scheme, rest] = [url.slice(0, Math.max(colon, 0)), url.slice(colon + 1)];
  switch (scheme) {
    case 'memory':
      if (rest !== '') throw usageError(`${url} is no store: nothing follows memory:`, remedy);
      return { kind: 'memory' };
    case 'sqlite': {
      const file = rest.startsWith('//') ? rest.slice(2) : rest;
      if (file === '' || file.includes('\0')) throw usageError(`${JSON.stringify(url)} names no file`, remedy);
      return { kind: 'sqlite', file: isAbsolute(file) ? file : resolve(folder, file) };
    }
    default:
      throw usageError(`${JSON.stringify(url)} is not the URL of a store that this version knows`, remedy);
  }
}

/** @param toWrite whether it is to be written, and made if it does not exist; else a backup is left as it is. */
export function backendAt(location: StoreLocation, toWrite: boolean): Backend {
  if (location.kind === 'memory') return memory();
  const { file } = location;
  return sqlite(file, { create: toWrite, readOnly: !toWrite && isBackup(file) });
}
