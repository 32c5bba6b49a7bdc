/** The package as users get it: packed, and unpacked into a project outside the repository. */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './source-files.ts';
import type { SourceFile } from './source-files.ts';

export interface PackedPackage extends Disposable {
  readonly tarball: string;
  /** The package's folder in `node_modules`, and where its programs are linked, as npm does it. */
  readonly installed: string;
  readonly bin: string;
  /** What a user may import: `eventsrc`, `eventsrc/sqlite`. */
  readonly doors: readonly string[];
  /** What the tarball holds at its top. */
  readonly contents: readonly string[];
  readonly modules: readonly SourceFile[];
  /** Writes a project that can import the package, and returns its folder. */
  project(files: Readonly<Record<string, string>>): string;
}

export async function packPackage(): Promise<PackedPackage> {
  const folder = mkdtempSync(join(tmpdir(), 'eventsrc-package-'));
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], root);
  const [packed] = readdirSync(folder);
  if (packed === undefined) throw new Error('npm pack made no tarball');
  await run('tar', ['-xzf', packed], folder);
  const installed = join(folder, 'node_modules/eventsrc');
  mkdirSync(join(folder, 'node_modules'));
  renameSync(join(folder, 'package'), installed);

  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    readonly exports: object;
    readonly bin: Readonly<Record<string, string>>;
  };
  const bin = join(folder, 'node_modules/.bin');
  mkdirSync(bin);
  for (const [name, program] of Object.entries(manifest.bin)) {
    chmodSync(join(installed, program), 0o755);
    symlinkSync(join(installed, program), join(bin, name));
  }
  // What the project that init begins depends on, besides.
  mkdirSync(join(folder, 'node_modules/@types'));
  for (const dependency of ['zod', '@types/node'])
    symlinkSync(join(root, 'node_modules', dependency), join(folder, 'node_modules', dependency));
  const paths = Object.keys(manifest.exports).filter((path) => path !== './package.json');
  return {
    tarball: join(folder, packed),
    installed,
    bin,
    doors: paths.map((path) => path.replace('.', 'eventsrc')),
    contents: readdirSync(installed).sort(),
    modules: globSync('dist/**/*.{js,d.ts}', { cwd: installed }).map((path) => {
      return { path, text: readFileSync(join(installed, path), 'utf8') };
    }),
    project(files) {
      const project = mkdtempSync(join(folder, 'project-'));
      for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text);
      return project;
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

/** What the program wrote to stdout. @throws with all its output, if it fails. */
export function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, encoding: 'utf8', env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')} failed in ${cwd}:\n${stdout}${stderr}`, { cause: error }));
    });
  });
}
