/** Runs one command: its session, Ctrl-C, and what is said at its end. */
import { setTimeout as delay } from 'node:timers/promises';
import { exitCodes, explain, ReaderGone } from './failure.ts';
import { Session } from './session.ts';
import type { CommonOptions } from './session.ts';
import { Terminal } from './terminal.ts';

const graceMs = 5_000;
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

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
  const releases = stopSignals.map((signal, index) => {
    // 128 and the signal's number, as shells have it.
    const exitCode = [exitCodes.interrupted, 143, 129][index] as number;
    const stop = () => {
      // Who asks twice does not want to wait.
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Interrupted(exitCode));
    };
    process.on(signal, stop);
    return () => process.off(signal, stop);
  });
  // Nobody listens any more, or the disk behind it is full: work that goes on would be for nothing.
  const outputFailed = Promise.withResolvers<never>();
  outputFailed.promise.catch(() => {});
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EPIPE' ? new ReaderGone() : error;
    controller.abort(reason);
    outputFailed.reject(reason);
  });
  process.stderr.on('error', () => {});
  const working = work(new Session(terminal, controller.signal, options));
  try {
    await Promise.race([working, outputFailed.promise]);
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    // What was begun is given a moment to leave things in order.
    await Promise.race([working.catch(() => {}), delay(graceMs, undefined, { ref: false })]);
    return endOf(controller.signal.aborted ? controller.signal.reason : error, terminal, options);
  } finally {
    for (const release of releases) release();
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
