/** Runs one command: its session, Ctrl-C, and what is said at its end. */
import { exitCodes, explain, ReaderGone } from './failure.ts';
import { Session } from './session.ts';
import type { CommonOptions } from './session.ts';
import { Terminal } from './terminal.ts';

const graceMs = 5_000;
/** And the exit codes that shells have for them: 128 and the signal's number. */
const stopSignals = { SIGINT: exitCodes.interrupted, SIGTERM: 143, SIGHUP: 129 };

class Interrupted extends Error {
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

/** @returns the exit code. */
export async function runCommand(options: CommonOptions, work: (session: Session) => Promise<void>): Promise<number> {
  const terminal = new Terminal(process.stdout, process.stderr, options.json === true);
  const controller = new AbortController();
  for (const [signal, exitCode] of Object.entries(stopSignals)) {
    process.on(signal, () => {
      // Who asks twice does not want to wait.
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Interrupted(exitCode));
    });
  }
  // Nobody listens any more, or the disk behind it is full: work that goes on would be for nothing.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    controller.abort(error.code === 'EPIPE' ? new ReaderGone() : error);
  });
  process.stderr.on('error', () => {});
  const stopped = Promise.withResolvers<never>();
  // What was begun is given a moment to leave things in order.
  controller.signal.addEventListener('abort', () =>
    setTimeout(stopped.reject, graceMs, controller.signal.reason).unref(),
  );
  try {
    await Promise.race([work(new Session(terminal, controller.signal, options)), stopped.promise]);
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (!controller.signal.aborted) return endOf(error, terminal, options);
    // Whatever still waits, for input or for a lock, is waited for no more.
    return process.exit(endOf(controller.signal.reason, terminal, options));
  }
}

function endOf(error: unknown, terminal: Terminal, { debug }: CommonOptions): number {
  if (error instanceof ReaderGone) return exitCodes.done;
  if (error instanceof Interrupted) {
    terminal.note('interrupted');
    return error.exitCode;
  }
  const failure = explain(error);
  terminal.fail(failure);
  if (debug === true) terminal.note(stackOf(error));
  return failure.exitCode;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? error.message;
  return error.cause === undefined ? stack : `${stack}\nCaused by: ${stackOf(error.cause)}`;
}
