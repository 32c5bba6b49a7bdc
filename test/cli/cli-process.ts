/** The command line as users run it: what is built, in a process of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';

export const program = join(import.meta.dirname, '../../dist/cli/bin.js');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What is piped in. Default: nothing. */
  readonly input?: string | Uint8Array;
  /** Whether there is more to come, which the test writes itself. */
  readonly holdsInput?: boolean;
  readonly stdio?: StdioOptions;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Without what this machine's user has set. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(EVENTSRC_|NODE_|VITEST|FORCE_COLOR|NO_COLOR)/.test(name)),
);

export function startCli(
  args: readonly string[],
  { cwd, env, input, holdsInput, stdio = 'pipe' }: CliOptions = {},
): Running {
  const child = spawn(process.execPath, [program, ...args], { cwd, env: { ...environment, ...env }, stdio });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  // It may end before it has read everything.
  child.stdin?.on('error', () => {});
  if (holdsInput !== true) child.stdin?.end(input);
  const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('utf8');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout: text(stdout), stderr: text(stderr) }));
  });
  return { process: child, ended };
}

/** Runs it to its end, of whatever kind. Nothing of ours is ever shown to a user with a stack trace. */
export async function cli(args: readonly string[], options?: CliOptions): Promise<Ended> {
  const ended = await startCli(args, options).ended;
  expect(ended.stderr).not.toMatch(/^\s+at .*[:)]\d+|node:internal/m);
  expect(ended.signal).toBeNull();
  return ended;
}

/** Runs it to a good end. @returns what it printed. */
export async function done(args: readonly string[], options?: CliOptions): Promise<string> {
  const { code, stdout, stderr } = await cli(args, options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

/** Runs it to a good end. @returns the values that it printed, one a line. */
export async function printed<Value>(args: readonly string[], options?: CliOptions): Promise<readonly Value[]> {
  const text = await done([...args, '--json'], options);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Value);
}

/** Runs it to a bad end: one line that says what happened, and one that says what to do. */
export async function failing(
  args: readonly string[],
  options?: CliOptions,
): Promise<{ readonly code: number; readonly error: string; readonly remedy: string; readonly stdout: string }> {
  const { code, stdout, stderr } = await cli(args, options);
  const lines = stderr.trimEnd().split('\n');
  expect(code, stdout).not.toBe(0);
  const [error = '', remedy = ''] = lines.slice(-2);
  expect(error).toMatch(/^error: ./);
  expect(remedy).toMatch(/^ {2}\S/);
  return { code: code ?? -1, error, remedy, stdout };
}
