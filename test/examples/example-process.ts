import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { env } from './git-repository.ts';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** An example's program, in an environment that is the same for whoever runs the tests. */
export function startExample(
  name: 'order-fulfilment' | 'git-history' | 'git-history/demo',
  args: readonly string[],
  variables: NodeJS.ProcessEnv = {},
): Running {
  const mainFile = fileURLToPath(new URL(`../../examples/${name}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [mainFile, ...args], {
    env: { ...env, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') }),
    );
  });
  return { process: child, ended };
}

export function startGitHistory(args: readonly string[], variables?: NodeJS.ProcessEnv): Running {
  return startExample('git-history', args, variables);
}

export function gitHistory(args: readonly string[], variables?: NodeJS.ProcessEnv): Promise<Ended> {
  return startGitHistory(args, variables).ended;
}

/** Imports with --json. @returns what it printed. */
export async function importJson(
  repository: string,
  file: string,
  ...args: readonly string[]
): Promise<{ readonly commits: number; readonly events: number; readonly seconds: number }> {
  const { code, signal, stdout, stderr } = await gitHistory([
    'import',
    repository,
    '--store',
    `sqlite:${file}`,
    '--json',
    ...args,
  ]);
  if (code !== 0) throw new Error(`The import ended with ${code ?? signal}: ${stderr}`);
  return JSON.parse(stdout.toString('utf8')) as { commits: number; events: number; seconds: number };
}
