import { systemClock } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import { defaultLimits } from '../ground/limits.ts';
import type { StoreHead } from '../store/port.ts';
import { realPath } from './file-identity.ts';
import { isBackup } from './inspect.ts';
import { SqliteEventStore } from './store.ts';
import { ThreadLink } from './thread-link.ts';

export interface FileProgress {
  readonly phase: 'copying' | 'verifying';
  /** Of `total`: bytes while copying, events while verifying. */
  readonly done: number;
  readonly total: number;
}

export interface FileWork {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: FileProgress) => void) | undefined;
}

/**
 * Looks at everything in a file, which may be in use: its structure and indexes, and each event and receipt against its
 * checksum.
 * @returns what there is, as of the moment it was opened.
 * @throws {EngineError} `store_corrupt`, and what opening it throws; the signal's reason, when aborted.
 */
export async function verify(file: string, { signal, onProgress }: FileWork = {}): Promise<StoreHead> {
  const path = realPath(file);
  // A backup stays as it is.
  const readOnly = isBackup(path);
  const options = { file: path, create: false, readOnly, lockTimeoutMs: 30_000 };
  await using store = await SqliteEventStore.open(options, { clock: systemClock, limits: defaultLimits });
  const head = await store.head();
  const { position: total } = head;
  onProgress?.({ phase: 'verifying', done: 0, total });
  const thread = new ThreadLink('search-thread', options.file, options);
  try {
    await thread.call('check', undefined);
  } finally {
    await thread.end();
  }
  signal?.throwIfAborted();
  let done = 0;
  for await (const page of store.read({ until: total, pageSize: 1_024 }, signal)) {
    done += page.length;
    onProgress?.({ phase: 'verifying', done, total });
  }
  for await (const _ of store.receipts(signal));
  if (done !== total)
    throw new EngineError('store_corrupt', { file: options.file, where: `${total - done} of its events are missing` });
  return head;
}
