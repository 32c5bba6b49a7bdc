/** The thread that owns the writing connection, so that a durable commit never holds up the event loop. */
import { workerData } from 'node:worker_threads';
import { EngineError } from '../ground/errors.ts';
import type { AppendResult } from '../store/port.ts';
import { toWire } from './thread-link.ts';
import type { WireError } from './thread-link.ts';
import { serve } from './thread-server.ts';
import { Writer } from './writer.ts';
import type { ImportCall, PackedGroup, WriterOptions } from './writer.ts';

export type WiredResult =
  | Exclude<AppendResult, { kind: 'failed' }>
  | { readonly kind: 'failed'; readonly error: WireError };

/** How long nothing is tried after a slice of the index failed, for example because the disk is full. */
const retryMs = 1_000;
/** For every so many events a slice: enough to write their runs, to merge them, and to delete what was merged. */
const eventsPerSlice = 100;

const options = workerData as WriterOptions;
let writer: Writer | undefined;
let timer: NodeJS.Timeout | undefined;
/** The last position when the index was written last. */
let indexedAt = 0;

serve(options.file, handle, () => {
  writer?.checkpointIfDue();
  if (writer?.isIndexDue === true) timer ??= setTimeout(maintain, 0);
});

/**
 * Writes the index, in slices so small that nobody notices who waits for a group that arrives meanwhile; after large groups
 * so many of them that the index is never far behind.
 */
function maintain(): void {
  timer = undefined;
  if (writer === undefined) return;
  const { position } = writer.head;
  let isBuilt = true;
  for (let left = 1 + (position - indexedAt) / eventsPerSlice; left >= 1 && isBuilt && writer.isIndexDue; left--)
    isBuilt = writer.buildIndex();
  indexedAt = position;
  writer.checkpointIfDue();
  if (!isBuilt || writer.isIndexDue) timer = setTimeout(maintain, isBuilt ? 0 : retryMs);
}

function handle(kind: string, argument: unknown): unknown {
  if (kind === 'open') {
    writer ??= new Writer(options);
    indexedAt = writer.head.position;
    return writer.head;
  }
  if (writer === undefined) throw new EngineError('store_closed', {});
  switch (kind) {
    case 'append':
      return writer.append(argument as PackedGroup).map(wired);
    case 'import':
      return writer.import(argument as ImportCall);
    case 'receipt': {
      const { key, now } = argument as { key: string; now: number };
      return writer.receipt(key, now);
    }
    case 'releaseReceipts': {
      const { which, limit } = argument as { which: { expiredAt: number } | { owner: string }; limit: number };
      return writer.releaseReceipts(which, limit);
    }
    case 'close':
      writer.close();
      writer = undefined;
      return undefined;
    default:
      throw new Error(`unknown call ${kind}`);
  }
}

function wired(result: AppendResult): WiredResult {
  return result.kind === 'failed' ? { kind: 'failed', error: toWire(result.error) } : result;
}
