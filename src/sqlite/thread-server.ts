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

interface Served {
  handle(kind: string, argument: unknown): unknown;
  /** Runs once an answer is on its way, and says whether there is something else to do before the next call. */
  afterwards?(): boolean;
  /** Whether a call of this kind has to wait for others that are still to come. */
  mustWait?(kind: string): boolean;
}

/** Answers the calls of a `ThreadLink`, one after another. */
export function serve(file: string, { handle, afterwards = () => false, mustWait = () => false }: Served): void {
  const port = parentPort as MessagePort;
  /** In the order in which they came. */
  const waiting: Call[] = [];
  port.on('message', (first: Call) => {
    for (let next: Call | undefined = first; next !== undefined; next = following()) {
      if (mustWait(next.kind)) waiting.push(next);
      else port.postMessage(answer(next));
    }
  });

  /** Those that had to wait come before those that have not even arrived. */
  function following(): Call | undefined {
    const isBusy = afterwards();
    const [longest] = waiting;
    if (longest !== undefined && !mustWait(longest.kind)) return waiting.shift();
    return isBusy ? undefined : nextCall(port);
  }

  port.postMessage('ready' satisfies Reply);

  function answer({ call, kind, argument }: Call): Reply {
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
