/** The thread that owns the writing connection, so that a durable commit never holds up the event loop. */
import { workerData } from 'node:worker_threads';
import { EngineError } from '../ground/errors.ts';
import type { AppendResult } from '../store/port.ts';
import type { PackedGroup } from './packed-group.ts';
import { toWire } from './thread-link.ts';
import type { WireError } from './thread-link.ts';
import { serve } from './thread-server.ts';
import type { PackedCommit, StateCall } from './state-writer.ts';
import { Writer } from './writer.ts';
import type { ImportCall, WriterOptions } from './writer.ts';

export type WiredResult =
  | Exclude<AppendResult, { kind: 'failed' }>
  | { readonly kind: 'failed'; readonly error: WireError };

/** A group that was judged. Where there are events of it, it is staged under a number, and is to be finished or abandoned. */
export interface WiredStaging {
  readonly results: readonly WiredResult[];
  readonly staging: number | undefined;
}

export interface FinishCall {
  readonly staging: number;
  /** What is committed with the events. */
  readonly change: PackedCommit | undefined;
}

/** How long nothing is tried after a slice of the index failed, for example because the disk is full. */
const retryMs = 1_000;
/** For every so many events a slice: enough to write their runs, to merge them, and to delete what was merged. */
const eventsPerSlice = 45;
/** Slices that may be owed while calls wait: then they are done first, so that the index is never far behind. */
const owedMax = 400;

const options = workerData as WriterOptions;
let writer: Writer | undefined;
/** Of the slices to come. */
let scheduled: NodeJS.Immediate | NodeJS.Timeout | undefined;
/** Slices that are due for what was appended, and the last position that is counted among them. */
let owed = 0;
let owedUntil = 0;

serve(options.file, {
  handle,
  afterwards: () => {
    if (writer === undefined || writer.isStaged) return false;
    const { position } = writer.head;
    owed += (position - owedUntil) / eventsPerSlice;
    owedUntil = position;
    writer.checkpointIfDue();
    if (writer.isIndexDue) scheduled ??= setImmediate(maintain);
    return scheduled !== undefined;
  },
  // Nothing else belongs into a transaction that is open.
  mustWait: (kind) => writer?.isStaged === true && kind !== 'finish' && kind !== 'abandon',
});

/** Writes the index while nothing is asked for, in slices so small that who asks meanwhile hardly waits. */
function maintain(): void {
  scheduled = undefined;
  // What is staged is followed by a call that schedules this anew.
  if (writer === undefined || writer.isStaged) return;
  let isBuilt = true;
  do {
    isBuilt = writer.buildIndex();
    owed -= 1;
  } while (isBuilt && owed > owedMax && writer.isIndexDue);
  if (!writer.isIndexDue) owed = 0;
  writer.checkpointIfDue();
  if (!isBuilt) scheduled = setTimeout(maintain, retryMs);
  else if (writer.isIndexDue) scheduled = setImmediate(maintain);
}

function handle(kind: string, argument: unknown): unknown {
  if (kind === 'open') {
    writer ??= new Writer(options);
    owedUntil = writer.head.position;
    return writer.head;
  }
  if (writer === undefined) throw new EngineError('store_closed', {});
  switch (kind) {
    case 'append':
      return writer.append(argument as PackedGroup).map(wired);
    case 'stage': {
      const { results, staging } = writer.stage(argument as PackedGroup);
      return { results: results.map(wired), staging } satisfies WiredStaging;
    }
    case 'finish': {
      const { staging, change } = argument as FinishCall;
      return writer.finish(staging, change);
    }
    case 'abandon':
      return writer.abandon(argument as number);
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
    case 'state':
      return writer.state((state) => state.handle(argument as StateCall));
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
