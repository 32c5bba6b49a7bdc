/**
 * node scripts/run.mjs scripts/build.ts [--if-stale]: compiles src/ to dist/. Only files whose content changed are
 * replaced, each by a rename: whoever imports from dist/ meanwhile finds no file missing or half written.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { bundleCli } from './bundle-cli.ts';
import { withLock } from './lock.mjs';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const workFolder = join(root, '.tmp');
/** Holds the digest of the sources that dist/ was made from. Not in dist/ itself, which is published as it is. */
const stamp = join(workFolder, 'built');

await withLock(join(workFolder, 'build.lock'), async () => {
  const digest = sourcesDigest();
  if (process.argv.includes('--if-stale') && isBuiltFrom(digest)) return;
  rmSync(stamp, { force: true });
  const output = mkdtempSync(join(workFolder, 'build-'));
  try {
    if (!compile(output)) {
      process.exitCode = 1;
      return;
    }
    for (const file of filesOf(output)) rewriteEndings(join(output, file));
    // What the compiler leaves behind: the migrations, which are read where they lie.
    for (const file of globSync('**/*.sql', { cwd: join(root, 'src') })) {
      mkdirSync(dirname(join(output, file)), { recursive: true });
      copyFileSync(join(root, 'src', file), join(output, file));
    }
    await bundleCli(root, output);
    publish(output);
    writeFileSync(stamp, digest);
  } finally {
    rmSync(output, { recursive: true });
  }
});

/** A digest of everything that the output depends on. */
function sourcesDigest(): string {
  const hash = createHash('sha256');
  const settings = [
    'tsconfig.json',
    'tsconfig.build.json',
    'scripts/build.ts',
    'scripts/bundle-cli.ts',
    'package-lock.json',
  ];
  const sources = ['src', 'examples'].flatMap((folder) =>
    filesOf(join(root, folder)).map((path) => join(folder, path)),
  );
  for (const file of [...sources, ...settings]) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function isBuiltFrom(digest: string): boolean {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === digest && existsSync(join(dist, 'index.js'));
}

/** Whether the sources are sound; if not, the compiler has said why. */
function compile(output: string): boolean {
  // By its path: the bin link called tsc may belong to one of the older versions that the tests compile with.
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const options = ['-p', 'tsconfig.build.json', '--outDir', output, '--noEmitOnError'];
  return spawnSync(process.execPath, [compiler, ...options], { cwd: root, stdio: 'inherit' }).status === 0;
}

/** The compiler leaves `.ts` in the imports of declarations; they are to name files that ship. */
function rewriteEndings(path: string): void {
  if (!path.endsWith('.d.ts')) return;
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(/(\b(?:from|import)\s*\(?\s*(['"])\.{1,2}\/[^'"]+)\.ts\2/g, '$1.js$2'));
}

function publish(output: string): void {
  const files = filesOf(output);
  for (const file of files) {
    const from = join(output, file);
    const to = join(dist, file);
    if (existsSync(to) && readFileSync(to).equals(readFileSync(from))) continue;
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
  }
  for (const file of filesOf(dist)) if (!files.includes(file)) rmSync(join(dist, file));
}

/** Relative paths, sorted. */
function filesOf(folder: string): string[] {
  const entries = globSync('**/*', { cwd: folder, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}
