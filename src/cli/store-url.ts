import { isAbsolute, resolve } from 'node:path';
import type { Backend } from '../store/port.ts';
import { memory } from '../store/memory.ts';
import { postgres } from '../postgres/index.ts';
import { sqlite } from '../sqlite/index.ts';
import { isBackup } from '../sqlite/inspect.ts';
import { usageError } from './failure.ts';
import type { OpenMode } from './session.ts';

/** Where a store is, as `--store` says it. */
export type StoreLocation =
  | { readonly kind: 'memory' }
  /** An absolute path. */
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string };

const remedy =
  'Write sqlite:FILE, postgres://USER:PASSWORD@HOST/DATABASE?schema=SCHEMA or memory:, for example --store sqlite:bank.db';

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
    case 'postgres':
    case 'postgresql':
      if (!rest.startsWith('//') || !URL.canParse(url))
        throw usageError(`${scheme}: is not followed by what makes a URL`, remedy);
      return { kind: 'postgres', url };
    default:
      throw usageError(`${JSON.stringify(url)} is not the URL of a store that this version knows`, remedy);
  }
}

/** Somebody waits at a terminal. */
const patienceMs = 10_000;

/** @param mode unless it is written, a backup is left as it is. */
export function backendAt(location: StoreLocation, mode: OpenMode): Backend {
  if (location.kind === 'memory') return memory();
  if (location.kind === 'postgres')
    return postgres(location.url, { migrate: mode === 'create', timeoutMs: patienceMs });
  const { file } = location;
  return sqlite(file, { create: mode === 'create', readOnly: mode === 'existing' && isBackup(file) });
}
