import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript-6.0';
import type { SourceFile } from './source-files.ts';

const workerPattern = /new URL\(\s*['"`](\.[^'"`$]+)['"`]\s*,\s*import\.meta\.url/g;

/** All that a file imports, re-exports, imports dynamically or names for a worker, as it is written there. */
export function specifiersOf({ text }: SourceFile): readonly string[] {
  const imported = ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName);
  const named = [...text.matchAll(workerPattern)].map(([, specifier]) => String(specifier));
  return [...imported, ...named];
}

/** The path, from the root, that a relative specifier stands for. */
export function resolveRelative(file: SourceFile, specifier: string): string {
  return posix.join(posix.dirname(file.path), specifier);
}

export function isRelative(specifier: string): boolean {
  return specifier.startsWith('.');
}

export function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** `@scope/name` or `name`, without the path inside the package. */
export function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
