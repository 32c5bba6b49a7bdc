import { availableParallelism } from 'node:os';
import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { toEngineError } from './failures.ts';
import { toWire } from './thread-link.ts';
import type { Reply } from './thread-link.ts';

interface Call {
  readonly call: number;
  readonly kind: string;
  readonly argument: unknown;
}

/**
 * How long a thread stays awake for the next call, where it has a processor to itself: to wake it up takes about as long, and
 * who calls one after another has the next one ready before.
 */
const awakeMs = availableParallelism() > 1 ? 0.05 : 0;

/**
 * Answers the calls of a `ThreadLink`, one after another. `afterwards` runs once the answer is on its way, and says whether
 * there is something else to do before the next call.
 */
export function serve(
  file: string,
  handle: (kind: string, argument: unknown) => unknown,
  afterwards: () => boolean = () => false,
): void {
  const port = parentPort as MessagePort;
  port.on('message', (first: Call) => {
    for (let next: Call | undefined = first; next !== undefined;) {
      const { call, kind, argument } = next;
      port.postMessage(answer(call, kind, argument));
      next = afterwards() ? undefined : nextCall(port);
    }
  });

  port.postMessage('ready' satisfies Reply);

  function answer(call: number, kind: string, argument: unknown): Reply {
    try {
      return { call, result: handle(kind, argument) };
    } catch (error) {
      return { call, error: toWire(toEngineError(error, file)) };
    }
  }
}

/** The call that comes within a moment, if one does. */
function nextCall(port: MessagePort): Call | undefined {
  for (const until = performance.now() + awakeMs; performance.now() < until;) {
    const received = receiveMessageOnPort(port) as { readonly message: Call } | undefined;
    if (received !== undefined) return received.message;
  }
  return undefined;
}
