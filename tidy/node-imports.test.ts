import { expect, test } from 'vitest';
import { isBuiltin, specifiersOf } from './imports.ts';
import { sourceFiles } from './source-files.ts';
import type { SourceFile } from './source-files.ts';

/** Backends and faces, and the one module of the core that digests. */
const allowed = /^src\/((sqlite|postgres|nats|cli|server|testing)\/|ground\/digest\.ts$)/;

function nodeImports(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter(({ path }) => !allowed.test(path))
    .flatMap((file) =>
      specifiersOf(file)
        .filter(isBuiltin)
        .map((name) => `${file.path} imports ${name}: the core runs anywhere. Pass in what it needs, or move it.`),
    );
}

test('the core of src knows Node.js in one place only', () => {
  expect(nodeImports(sourceFiles(['src']))).toEqual([]);
});

test.each([`import { hash } from 'node:crypto';`, `import fs from 'fs';`, `await import('fs/promises');`])(
  'the check finds %s',
  (text) => {
    expect(nodeImports([{ path: 'src/store/log.ts', text }])).toHaveLength(1);
    expect(nodeImports([{ path: 'src/sqlite/store.ts', text }])).toEqual([]);
  },
);
