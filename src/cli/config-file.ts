/** Finds and loads `eventsrc.config.ts`. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkConfig } from '../engine/config.ts';
import type { Config } from '../engine/config.ts';
import { CliError, usageError } from './failure.ts';

export interface LoadedConfig extends Config {
  /** Absent where there is no config. */
  readonly file?: string;
  /** What its paths are relative to. */
  readonly folder: string;
}

const names = ['ts', 'mts', 'js', 'mjs'].map((ending) => `eventsrc.config.${ending}`);

/** @param given what `--config` says. Default: the config in the current folder, if there is one. @throws {CliError} */
export async function loadConfig(given: string | undefined): Promise<LoadedConfig> {
  const file = given === undefined ? names.map((name) => resolve(name)).find(existsSync) : resolve(given);
  if (file === undefined) return { folder: process.cwd() };
  if (!existsSync(file)) throw usageError(`${file} does not exist`, 'Name the config with --config FILE.');
  const { default: config } = await importModule(file);
  if (typeof config !== 'object' || config === null || Array.isArray(config) || config instanceof Promise) {
    throw new CliError(`${file} exports no config`, 'End it with: export default defineConfig({ … });');
  }
  checkConfig(config);
  return { ...config, file, folder: dirname(file) };
}

/** For a file that waits for something before it exports anything. */
const loadTimeoutMs = 5_000;

/** Runs a file of the user's, TypeScript or JavaScript, as Node.js does. @throws {CliError} */
export async function importModule(file: string): Promise<{ readonly default?: unknown }> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`it took longer than ${loadTimeoutMs} ms`)), loadTimeoutMs);
  try {
    return (await Promise.race([import(pathToFileURL(file).href), late.promise])) as { default?: unknown };
  } catch (cause) {
    const { code, message } = (cause ?? {}) as { code?: unknown; message?: unknown };
    const says = typeof message === 'string' ? (message.split('\n', 1)[0] ?? '') : String(cause);
    throw new CliError(`${file} cannot be loaded: ${says}`, remedyFor(code), { cause });
  } finally {
    clearTimeout(timer);
  }
}

function remedyFor(code: unknown): string {
  switch (code) {
    case 'ERR_MODULE_NOT_FOUND':
      return 'Install the package, or write the import with its ending: ./account.ts';
    case 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX':
      return 'Node.js only strips types: leave out enums, namespaces and parameter properties (erasableSyntaxOnly).';
    default:
      return 'Correct the file; --debug shows where it failed.';
  }
}
