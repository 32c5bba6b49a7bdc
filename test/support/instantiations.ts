import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from './temporary.ts';

const root = join(import.meta.dirname, '..', '..');

/** The path of a file of this repository, to be imported by a module that is written elsewhere; quoted. */
export function quotedPath(file: string): string {
  return JSON.stringify(join(root, file));
}

/**
 * What a module costs the type checker: instantiations, not seconds, which depend on the machine.
 * @throws if it does not compile.
 */
export async function instantiations(module: string): Promise<number> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'module.ts'), module);
  const config = JSON.parse(await readFile(join(root, 'tsconfig.json'), 'utf8')) as { compilerOptions: object };
  const compilerOptions = { ...config.compilerOptions, typeRoots: [join(root, 'node_modules/@types')] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['module.ts'] }));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const args = [tsc, '-p', folder, '--extendedDiagnostics'];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((error: unknown) => {
    throw new Error((error as { stdout?: string }).stdout, { cause: error });
  });
  return Number(/Instantiations:\s+(\d+)/.exec(stdout)?.[1]);
}
