/**
 * Makes the command line one program with everything it needs, since the published package has no dependencies: what it
 * uses of others is bundled in, with their licenses; the engine is not, so that a config and the command line share it.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { rolldown } from 'rolldown';
import type { Plugin } from 'rolldown';

/** The demo is an example of the repository: what users would write. The bench is the repository's, without its peers. */
const entries: Readonly<Record<string, string>> = {
  bin: 'src/cli/bin.ts',
  'log-check-thread': 'src/cli/log-check-thread.ts',
  bench: 'bench/own.ts',
  'grow-eventsrc': 'bench/large/grow-eventsrc.ts',
  'grow-raw': 'bench/large/grow-raw.ts',
  'open-store': 'bench/large/open-store.ts',
  'raw-export': 'bench/move/raw-export.ts',
  'raw-import': 'bench/move/raw-import.ts',
  'peak-memory': 'bench/move/peak-memory.ts',
  demo: 'examples/order-fulfilment/main.ts',
  'unlucky-clerk': 'examples/order-fulfilment/unlucky-clerk.ts',
  'unlucky-worker': 'examples/order-fulfilment/unlucky-worker.ts',
};
const doors: Readonly<Record<string, string>> = {
  eventsrc: 'index.js',
  'eventsrc/postgres': 'postgres/index.js',
  'eventsrc/sqlite': 'sqlite/index.js',
};

/** @param output where the compiler has put the rest of what ships. */
export async function bundleCli(root: string, output: string): Promise<void> {
  const input = Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(root, file)]));
  const build = await rolldown({ input, platform: 'node', plugins: [engineStaysOutside(root)], logLevel: 'warn' });
  const dir = join(output, 'cli');
  // All in one folder, so that the way out of it is the same for all.
  const { output: chunks } = await build.write({
    dir,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  });
  await build.close();
  const modules = chunks.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  writeFileSync(join(dir, 'THIRD-PARTY-LICENSES.txt'), licensesOf(root, modules));
}

/** What the package has as modules of its own is imported from there. */
function engineStaysOutside(root: string): Plugin {
  const source = join(root, 'src');
  return {
    name: 'engine-stays-outside',
    resolveId(specifier, importer) {
      const door = doors[specifier];
      if (door !== undefined) return { id: `../${door}`, external: true };
      if (importer === undefined || !specifier.startsWith('.')) return null;
      const path = relative(source, resolve(dirname(importer), specifier)).replaceAll(sep, '/');
      if (path.startsWith('..') || path.startsWith('cli/')) return null;
      return { id: `../${path.replace(/\.ts$/, '.js')}`, external: true };
    },
  };
}

function licensesOf(root: string, modules: readonly string[]): string {
  const prefix = join(root, 'node_modules') + sep;
  const packages = new Set(
    modules
      .filter((module) => module.startsWith(prefix))
      .map((module) => /^(@[^/\\]+[/\\])?[^/\\]+/.exec(module.slice(prefix.length))?.[0] ?? ''),
  );
  const texts = [...packages].sort().map((name) => {
    const folder = join(prefix, name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
      string,
      string
    >;
    const [file] = globSync('{LICENSE,LICENCE,license,licence}*', { cwd: folder });
    const text = file !== undefined && existsSync(join(folder, file)) ? readFileSync(join(folder, file), 'utf8') : '';
    return `${name} ${version} (${license})\n\n${text.trim()}`;
  });
  return `The command line contains parts of these packages.\n\n${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
