import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Failure } from './failure.ts';

/** Variables that would make git look elsewhere than into the repository that was named. */
const redirections = [
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_DIR',
  'GIT_GRAFT_FILE',
  'GIT_INDEX_FILE',
  'GIT_NAMESPACE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_SHALLOW_FILE',
  'GIT_WORK_TREE',
];

const stderrCharactersMax = 4_096;

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why git could not be started. */
  readonly error?: NodeJS.ErrnoException;
}

/** A running git. Its output and its exit code are one thing here: see `output`. */
export class GitProcess implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #command: string | undefined;
  readonly #ending: Promise<Ending>;
  #stderr = '';

  /** `options` are git's own, such as --git-dir; `args` begin with the command. */
  constructor(options: readonly string[], args: readonly string[], signal?: AbortSignal) {
    this.#command = args[0];
    // In a process group of its own, so that Ctrl-C reaches only this process, which then ends git in good order.
    const detached = process.platform !== 'win32';
    this.#child = spawn('git', [...options, ...args], {
      env: environment(),
      stdio: 'pipe',
      detached,
      windowsHide: true,
    });
    this.#ending = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve({ code: null, signal: null, error }));
      this.#child.once('close', (code, killedBy) => resolve({ code, signal: killedBy }));
    });
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(0, stderrCharactersMax);
    });
    // A git that ends early closes its input; how it ended is told by its exit code.
    this.#child.stdin.on('error', () => {});
    const stop = () => this.#child.kill();
    signal?.addEventListener('abort', stop, { once: true });
    void this.#ending.then(() => signal?.removeEventListener('abort', stop));
    if (signal?.aborted === true) stop();
  }

  get input(): NodeJS.WritableStream {
    return this.#child.stdin;
  }

  /**
   * What git prints. It only comes to an end if git succeeded, so whoever has read it all knows that it is complete.
   * @throws {Failure} if git failed or was stopped, after all that it printed.
   */
  async *output(): AsyncGenerator<Buffer> {
    for await (const chunk of this.#child.stdout) yield chunk as Buffer;
    const ending = await this.#ending;
    if (ending.code !== 0) throw this.#failure(ending);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    this.#child.stdout.destroy();
    await this.#ending;
  }

  #failure({ code, signal, error }: Ending): Failure {
    if (error?.code === 'ENOENT') {
      return new Failure('The program `git` was not found.', 'Install git, or put it on the PATH.', { cause: error });
    }
    if (error !== undefined) {
      return new Failure(`git cannot be run: ${error.message}.`, 'Check that it is installed.', { cause: error });
    }
    const fatal = /^(?:fatal|error): (.*)$/m.exec(this.#stderr)?.[1] ?? this.#stderr.split('\n', 1)[0] ?? '';
    const ending = signal === null ? `exit code ${code}` : `ended by ${signal}`;
    const reason = fatal === '' ? ending : fatal.replace(/\.$/, '');
    return new Failure(
      `git ${this.#command} failed: ${reason}.`,
      'Check the repository with `git fsck`, then try again.',
    );
  }
}

/** Runs git to its end and returns what it printed. @throws {Failure} */
export async function gitText(options: readonly string[], args: readonly string[]): Promise<string> {
  await using git = new GitProcess(options, args);
  git.input.end();
  const chunks: Buffer[] = [];
  for await (const chunk of git.output()) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !redirections.includes(name));
  // Messages in English, because they are read here; no waiting for a password, and no lock taken for a mere look.
  return { ...Object.fromEntries(inherited), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };
}
