import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

export interface Child {
  readonly process: ChildProcess;
  /** The lines printed so far; grows. */
  readonly lines: readonly string[];
  /** Resolves when the next line is printed; rejects if the program ends before. */
  readonly nextLine: () => Promise<void>;
  readonly finished: Promise<Finished>;
}

/** Its failure matters only to those who wait for it. */
function nextWait(): PromiseWithResolvers<void> {
  const wait = Promise.withResolvers<void>();
  wait.promise.catch(() => {});
  return wait;
}

export interface ProgramOptions extends SpawnOptions {
  /** A command that runs the command behind it, such as `setpriv …`. */
  readonly prefix?: readonly string[];
}

const endWithParent = new URL('end-with-parent.ts', import.meta.url).href;

/** Starts a program of test/programs under this Node. It ends with this process, if not before. */
export function startProgram(
  name: string,
  args: readonly string[],
  { prefix = [], ...options }: ProgramOptions = {},
): Child {
  const path = fileURLToPath(new URL(`../programs/${name}.ts`, import.meta.url));
  const [command = '', ...rest] = [...prefix, process.execPath, '--import', endWithParent, path, ...args];
  const child = spawn(command, rest, { stdio: 'pipe', ...options });
  const lines: string[] = [];
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  let next = nextWait();
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      next.resolve();
      next = nextWait();
    });
  }
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      next.reject(new Error(`${name} ended with ${code ?? signal}: ${stderr}`));
      resolve({ code, signal, lines, stderr });
    });
  });
  return { process: child, lines, nextLine: () => next.promise, finished };
}

/** Runs a program to its end, which must be a good one. */
export async function runProgram(
  name: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<readonly string[]> {
  const { code, signal, lines, stderr } = await startProgram(name, args, options).finished;
  if (code !== 0) throw new Error(`${name} ended with ${code ?? signal}: ${stderr}`);
  return lines;
}
