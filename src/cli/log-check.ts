/** Checks the whole log on several threads: each is given one range of positions after another. */
import { Worker } from 'node:worker_threads';
import type { CheckLogOptions } from '../schema/check-log.ts';
import { joinedChecks } from '../schema/log-checker.ts';
import type { LogCheck } from '../schema/log-checker.ts';
import { CliError } from './failure.ts';
import type { CheckRange, CheckReply, CheckThreadData } from './log-check-thread.ts';
import type { CommonOptions } from './session.ts';

/** Positions that a thread is given at once: a fraction of a second of work, so that all have some until the end. */
const rangeMax = 10_000;
const rangeMin = 500;

export interface ThreadedCheck extends Omit<CheckLogOptions, 'signal'> {
  readonly after: number;
  /** A position that there is. */
  readonly until: number;
  readonly limit: number;
  readonly threads: number;
}

/**
 * What one thread would find, in the same order.
 * @param options by which each thread finds the store and the config.
 * @throws {CliError} as a thread says; the signal's reason, when aborted.
 */
export async function checkInThreads(
  options: CommonOptions,
  { threads, onProgress, ...all }: ThreadedCheck,
  signal: AbortSignal,
): Promise<LogCheck> {
  const { after, until, limit } = all;
  const ranges = rangesOf(all, threads);
  const checks: LogCheck[] = [];
  const workers = Array.from({ length: Math.min(threads, ranges.length) }, () => new CheckThread({ options }));
  let [begun, done] = [0, 0];
  const work = async (worker: CheckThread) => {
    await worker.ready;
    while (begun < ranges.length) {
      const index = begun++;
      const range = ranges[index] as Range;
      checks[index] = await worker.check({ ...all, ...range, limit });
      done += range.until - range.after;
      onProgress?.({ done, total: until - after });
    }
  };
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    await Promise.race([Promise.all(workers.map(work)), aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    await Promise.all(workers.map((worker) => worker.end()));
  }
  return joinedChecks(checks, limit);
}

interface Range {
  readonly after: number;
  readonly until: number;
}

function rangesOf({ after, until }: Range, threads: number): readonly Range[] {
  const length = Math.min(rangeMax, Math.max(rangeMin, Math.ceil((until - after) / (threads * 4))));
  const count = Math.ceil((until - after) / length);
  return Array.from({ length: count }, (_, index) => ({
    after: after + index * length,
    until: Math.min(until, after + (index + 1) * length),
  }));
}

/** One thread, as seen from here. */
class CheckThread {
  readonly #worker: Worker;
  /** Rejects with what went wrong. */
  readonly ready: Promise<void>;
  #next = Promise.withResolvers<CheckReply>();

  constructor(workerData: CheckThreadData) {
    // In the sources the module ends in .ts, in the package in .js.
    const [ending = '.js'] = /\.[cm]?[jt]s(?=$|[?#])/.exec(import.meta.url) ?? [];
    // What the config prints when it is loaded, this process has printed.
    const streams = { stdin: false, stdout: true, stderr: true };
    this.#worker = new Worker(new URL(`./log-check-thread${ending}`, import.meta.url), { workerData, ...streams });
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker.on('message', (reply: CheckReply) => this.#next.resolve(reply));
    this.#worker.on('error', (error) => this.#next.reject(error));
    this.#worker.on('exit', () => this.#next.reject(endedEarly()));
    this.ready = this.#reply().then(() => undefined);
    // Whoever waits for it is told, also if that is later.
    this.ready.catch(() => {});
  }

  async check(range: CheckRange): Promise<LogCheck> {
    this.#worker.postMessage(range);
    const reply = await this.#reply();
    if (reply.kind === 'checked') return reply.check;
    throw new Error(`a thread said ${reply.kind} instead of what it had found`);
  }

  async #reply(): Promise<CheckReply> {
    const reply = await this.#next.promise;
    this.#next = Promise.withResolvers();
    this.#next.promise.catch(() => {});
    if (reply.kind !== 'failed') return reply;
    const { summary, remedy, exitCode } = reply.failure;
    const cause = Object.assign(new Error(summary), { stack: reply.stack });
    throw new CliError(summary, remedy, { cause, isUsage: exitCode === 2 });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

function endedEarly(): CliError {
  return new CliError(
    'A thread waits for something that never happens',
    'Look for a promise that is never settled, in the config or its schemas; --threads 1 does without threads.',
  );
}
