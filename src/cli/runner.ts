/** Runs what was typed to its end, whatever end that is: done, failed, Ctrl-C, a closed pipe, a promise that never settles. */
import { CliError, exitCodes, explain, ReaderGone } from './failure.ts';
import { Terminal } from './terminal.ts';

/** What is common to a run of the program. */
export interface Run {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C, and when nobody reads the output any more. */
  readonly signal: AbortSignal;
  /** Of the process, where nothing fails. */
  exitCode: number;
}

/** How long work that was stopped may take to leave things in order. */
const graceMs = 5_000;
/** And the exit codes that shells have for them: 128 and the signal's number. */
const stopSignals = { SIGINT: exitCodes.interrupted, SIGTERM: 143 };

class Interrupted extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/** Does not come back: the process ends with it, also where a config has left something open. */
export async function runToEnd(argv: readonly string[], work: (run: Run) => Promise<void>): Promise<never> {
  const terminal = new Terminal(process.stdout, process.stderr, argv.includes('--json'));
  const controller = new AbortController();
  const { signal } = controller;
  const run: Run = { terminal, signal, exitCode: exitCodes.done };
  for (const [name, exitCode] of Object.entries(stopSignals)) {
    process.on(name, () => {
      // Who asks twice does not want to wait.
      if (signal.aborted) process.exit(exitCode);
      controller.abort(new Interrupted(exitCode));
    });
  }
  // Nobody listens any more, or the disk behind it is full: work that goes on would be for nothing.
  let outputFailure: unknown;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    outputFailure ??= error.code === 'EPIPE' ? new ReaderGone() : error;
    controller.abort(outputFailure);
  });
  process.stderr.on('error', () => {});
  const stopped = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => setTimeout(stopped.reject, graceMs, signal.reason).unref());
  // Also of what a config has begun and nobody waits for.
  process.on('uncaughtException', stopped.reject);
  process.once('beforeExit', () => stopped.reject(neverEnding()));
  try {
    await Promise.race([work(run), stopped.promise]);
  } catch (error) {
    run.exitCode = end(signal.aborted ? signal.reason : error, terminal, argv.includes('--debug'));
  }
  await new Promise((resolve) => process.stdout.write('', resolve));
  // It may have been done before that showed.
  if (outputFailure !== undefined && run.exitCode === exitCodes.done)
    run.exitCode = end(outputFailure, terminal, false);
  process.exit(run.exitCode);
}

function neverEnding(): CliError {
  return new CliError(
    'It waits for something that never happens',
    'Look for a promise that is never settled, in the config, its schemas or the function of --map.',
  );
}

/** @returns the exit code. */
function end(error: unknown, terminal: Terminal, isDebug: boolean): number {
  if (error instanceof ReaderGone) return exitCodes.done;
  if (error instanceof Interrupted) {
    terminal.note('interrupted');
    return error.exitCode;
  }
  const failure = explain(error);
  terminal.fail(failure);
  if (isDebug) terminal.showStack(stackOf(error));
  return failure.exitCode;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`;
}
