import type { Transferable } from 'node:worker_threads';
import { Worker } from 'node:worker_threads';
import { EngineError } from '../ground/errors.ts';
import type { ErrorCode, ErrorDetails } from '../ground/errors.ts';

/** An error on its way between threads: classes do not survive it. */
export interface WireError {
  readonly code: ErrorCode;
  readonly details: ErrorDetails[ErrorCode];
  readonly cause: string | undefined;
}

/** Of a thread to its `ThreadLink`: that its module is loaded, then an answer to each call. */
export type Reply =
  | 'ready'
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly error: WireError };

export function toWire(error: EngineError): WireError {
  const { cause } = error;
  return { code: error.code, details: error.details, cause: cause instanceof Error ? cause.message : undefined };
}

export function fromWire({ code, details, cause }: WireError): EngineError {
  return new EngineError(code, details, cause === undefined ? {} : { cause: new Error(cause) });
}

/** The modules beside this one that are run as threads. */
type ThreadName = 'writer-thread' | 'search-thread';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls a thread that answers with `serve`, and keeps the process alive only while an answer is awaited. */
export class ThreadLink {
  readonly #file: string;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #name: ThreadName;
  #lastCall = 0;
  #isReady = false;
  /** What further calls are told. */
  #end: EngineError | undefined;

  /**
   * @throws {EngineError} `thread_unstartable`; calls throw it where it shows only later.
   */
  constructor(name: ThreadName, file: string, workerData: unknown) {
    this.#file = file;
    this.#name = name;
    this.#worker = startWorker(name, workerData);
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error: unknown) => this.#die(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => this.#die(new Error(`the thread ended with code ${code}`)));
  }

  call<Result>(kind: string, argument: unknown, transfer: readonly Transferable[] = []): Promise<Result> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const call = ++this.#lastCall;
    return new Promise((resolve, reject) => {
      try {
        this.#worker.postMessage({ call, kind, argument }, transfer);
      } catch (error) {
        const reason = `Part of it can't be handed to another thread (${messageOf(error)})`;
        return reject(new EngineError('request_invalid', { reason }, { cause: error }));
      }
      this.#waiting.set(call, { resolve: resolve as (result: unknown) => void, reject });
      this.#worker.ref();
    });
  }

  #settle(reply: Reply): void {
    if (reply === 'ready') {
      this.#isReady = true;
      return;
    }
    const waiting = this.#waiting.get(reply.call);
    this.#waiting.delete(reply.call);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in reply) waiting?.reject(fromWire(reply.error));
    else waiting?.resolve(reply.result);
  }

  #die(cause: Error): void {
    const outcome = this.#name === 'writer-thread' ? 'unknown' : 'not_written';
    this.#end ??= this.#isReady
      ? new EngineError('store_failed', { file: this.#file, reason: cause.message, outcome }, { cause })
      : unstartable(this.#name, cause);
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }

  /** Whether it answers no more calls. */
  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  /** Once it has answered what it was asked. */
  async end(): Promise<void> {
    await this.call('close', undefined).catch(() => undefined);
    this.#end ??= new EngineError('store_closed', {});
    await this.#worker.terminate();
  }
}

/** What these threads make is soon of no use: left alone, V8 lets it pile up to 48 MB in each. */
const maxYoungGenerationSizeMb = 16;

function startWorker(name: ThreadName, workerData: unknown): Worker {
  // In the sources the module ends in .ts, in the package in .js, elsewhere as whoever packed it liked.
  const [ending = '.js'] = /\.[cm]?[jt]s(?=$|[?#])/.exec(import.meta.url) ?? [];
  try {
    // Options of the main program (--input-type, --import) are not meant for this thread.
    return new Worker(new URL(`./${name}${ending}`, import.meta.url), {
      workerData,
      execArgv: [],
      stdin: false,
      resourceLimits: { maxYoungGenerationSizeMb },
    });
  } catch (error) {
    throw unstartable(name, error);
  }
}

function unstartable(name: ThreadName, cause: unknown): EngineError {
  return new EngineError('thread_unstartable', { thread: name, reason: messageOf(cause) }, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
