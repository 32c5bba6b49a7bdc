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

export type Reply =
  | { readonly call: number; readonly result: unknown }
  | { readonly call: number; readonly error: WireError };

export function toWire(error: EngineError): WireError {
  const { cause } = error;
  return { code: error.code, details: error.details, cause: cause instanceof Error ? cause.message : undefined };
}

export function fromWire({ code, details, cause }: WireError): EngineError {
  return new EngineError(code, details, cause === undefined ? {} : { cause: new Error(cause) });
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls a thread that answers with `serve`, and keeps the process alive only while an answer is awaited. */
export class ThreadLink {
  readonly #file: string;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #lastCall = 0;
  #death: EngineError | undefined;

  /** @param name of a module beside this one, without its ending. */
  constructor(name: string, file: string, workerData: unknown) {
    this.#file = file;
    // In the sources the module ends in .ts, in the package in .js.
    const ending = import.meta.url.slice(-3);
    // Options of the main program (--input-type, --import) are not meant for this thread.
    this.#worker = new Worker(new URL(`./${name}${ending}`, import.meta.url), {
      workerData,
      execArgv: [],
      stdin: false,
    });
    this.#worker.unref();
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error: unknown) => this.#die(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => this.#die(new Error(`the thread ended with code ${code}`)));
  }

  call<Result>(kind: string, argument: unknown, transfer: readonly Transferable[] = []): Promise<Result> {
    if (this.#death !== undefined) return Promise.reject(this.#death);
    const call = ++this.#lastCall;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve: resolve as (result: unknown) => void, reject });
      this.#worker.ref();
      this.#worker.postMessage({ call, kind, argument }, transfer);
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.call);
    this.#waiting.delete(reply.call);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in reply) waiting?.reject(fromWire(reply.error));
    else waiting?.resolve(reply.result);
  }

  #die(cause: Error): void {
    this.#death ??= new EngineError(
      'store_failed',
      { file: this.#file, reason: cause.message, outcome: 'unknown' },
      { cause },
    );
    for (const { reject } of this.#waiting.values()) reject(this.#death);
    this.#waiting.clear();
  }

  async end(): Promise<void> {
    await this.call('close', undefined).catch(() => undefined);
    this.#death ??= new EngineError('store_closed', {});
    await this.#worker.terminate();
  }
}
