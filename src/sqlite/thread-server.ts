import { parentPort } from 'node:worker_threads';
import { toEngineError } from './failures.ts';
import { toWire } from './thread-link.ts';
import type { Reply } from './thread-link.ts';

interface Call {
  readonly call: number;
  readonly kind: string;
  readonly argument: unknown;
}

/** Answers the calls of a `ThreadLink`, one after another; `afterwards` runs once the answer is on its way. */
export function serve(
  file: string,
  handle: (kind: string, argument: unknown) => unknown,
  afterwards?: () => void,
): void {
  parentPort?.on('message', ({ call, kind, argument }: Call) => {
    parentPort?.postMessage(answer(call, kind, argument));
    afterwards?.();
  });

  parentPort?.postMessage('ready' satisfies Reply);

  function answer(call: number, kind: string, argument: unknown): Reply {
    try {
      return { call, result: handle(kind, argument) };
    } catch (error) {
      return { call, error: toWire(toEngineError(error, file)) };
    }
  }
}
