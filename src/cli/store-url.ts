import { isAbsolute, resolve } from 'node:path';
import type { Backend } from '../store/port.ts';
import { memory } from '../store/memory.ts';
import { sqlite } from '../sqlite/index.ts';
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

/** @param create whether a store that does not exist is made. */
export function backendAt(location: StoreLocation, create: boolean): Backend {
  return location.kind === 'memory' ? memory() : sqlite(location.file, { create });
}
