/** The files that people write here, for the tests of this folder. */
import { globSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

export const root = join(import.meta.dirname, '..');

export interface SourceFile {
  /** From the root, with slashes: `src/event/json.ts`. */
  readonly path: string;
  readonly text: string;
}

/**
 * The files in these folders; of the root, `.`, only those directly in it. Links are not followed: node_modules/eventsrc
 * leads back to the root.
 */
export function sourceFiles(folders: readonly string[]): readonly SourceFile[] {
  const entries = globSync(
    folders.map((folder) => (folder === '.' ? '*.{ts,mts,mjs}' : `${folder}/**/*.{ts,mts,mjs}`)),
    { cwd: root, withFileTypes: true, exclude: (entry) => ['node_modules', 'dist'].includes(entry.name) },
  );
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}
