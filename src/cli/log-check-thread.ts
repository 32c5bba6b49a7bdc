/** The thread that checks ranges of positions, with a store and a config of its own, one after another as it is given them. */
import { Writable } from 'node:stream';
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckLogOptions } from '../schema/check-log.ts';
import type { LogCheck } from '../schema/log-checker.ts';
import { explain } from './failure.ts';
import type { Failure } from './failure.ts';
import { schemasOf } from './schemas.ts';
import { Session } from './session.ts';
import type { CommonOptions } from './session.ts';
import { Terminal } from './terminal.ts';

/** What it is started with. */
export interface CheckThreadData {
  readonly options: CommonOptions;
}

/** What it is asked for. */
export type CheckRange = Omit<CheckLogOptions, 'onProgress' | 'signal'>;

/** What it says, first of all, and after each range. */
export type CheckReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'checked'; readonly check: LogCheck }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly stack: string };

const port = parentPort as NonNullable<typeof parentPort>;
const { options } = workerData as CheckThreadData;
const silent = new Terminal(process.stdout, new Writable({ write: (_chunk, _encoding, done) => done() }), true);

/** While nothing is listened to, the thread lives only as long as it has something to do: a schema that never answers ends it. */
function nextRange(): Promise<CheckRange> {
  return new Promise((resolve) => port.once('message', resolve));
}

function tell(reply: CheckReply): void {
  port.postMessage(reply);
}

try {
  const session = new Session(silent, new AbortController().signal, options);
  await using log = await session.openLog('existing');
  const schemas = await schemasOf(log, await session.config());
  tell({ kind: 'ready' });
  // Ended from outside.
  for (;;) tell({ kind: 'checked', check: await schemas.checkLog(await nextRange()) });
} catch (error) {
  tell({ kind: 'failed', failure: explain(error), stack: error instanceof Error ? (error.stack ?? '') : '' });
}
