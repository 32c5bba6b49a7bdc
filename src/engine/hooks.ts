import type { BatchReceipt, Command } from '../command/command.ts';
import type { CommitResult } from '../store/log.ts';
import { warningOf } from '../projection/notice.ts';
import type { ConsumerNotice, NoticeTaker } from '../projection/notice.ts';
import { sagaWarningOf } from '../saga/notice.ts';
import type { SagaNotice, SagaNoticeTaker } from '../saga/notice.ts';
import { snapshotWarningOf } from '../snapshot/notice.ts';
import type { SnapshotNotice, SnapshotNoticeTaker } from '../snapshot/notice.ts';
import type { AppendRequest } from '../store/port.ts';

/** What became of what a hook saw begin. */
export type Settled<Result> =
  | { readonly kind: 'returned'; readonly result: Result }
  | { readonly kind: 'threw'; readonly error: unknown };

/** Sees something begin, and may return what is to see it end. What it throws is only warned about. */
export type Hook<Call, Result> = (call: Call) => ((settled: Settled<Result>) => void) | undefined | void;

/** Seams for telemetry. One that is not given costs nothing. */
export interface EngineHooks {
  /** Around `execute` and `executeAll`. */
  readonly execute?: Hook<ExecuteCall, BatchReceipt>;
  /** Around each append of commands to the store, of which a command may need several. */
  readonly append?: Hook<AppendRequest, CommitResult>;
  /**
   * What is told of projections, tables and reactors: how far behind they are (about once a second), when they break what they promise, stand
   * still, put an event aside. Default: what is trouble is written by `console.warn`.
   */
  readonly consumer?: (notice: ConsumerNotice) => void;
  /** What is told of snapshots: that they were written, are not believed, come from other code. Default: what is trouble is written by `console.warn`. */
  readonly snapshot?: (notice: SnapshotNotice) => void;
  /** What is told of sagas: started, ended, stuck, an attempt that failed. Default: what is trouble is written by `console.warn`. */
  readonly saga?: (notice: SagaNotice) => void;
}

export function noticeTaker(hooks: EngineHooks | undefined): NoticeTaker {
  return takerOf(hooks?.consumer, warningOf);
}

export function snapshotNoticeTaker(hooks: EngineHooks | undefined): SnapshotNoticeTaker {
  return takerOf(hooks?.snapshot, snapshotWarningOf);
}

export function sagaNoticeTaker(hooks: EngineHooks | undefined): SagaNoticeTaker {
  return takerOf(hooks?.saga, sagaWarningOf);
}

/** Takes notices to the hook; where there is none, troubles to the console. */
function takerOf<Notice>(
  hook: ((notice: Notice) => void) | undefined,
  warning: (notice: Notice) => string | undefined,
): (notice: Notice) => void {
  if (hook !== undefined) return (notice) => void quietly(() => settledQuietly(hook(notice)));
  return (notice) => {
    const text = warning(notice);
    if (text !== undefined) console.warn(`eventsrc: ${text}`);
  };
}

export interface ExecuteCall {
  readonly commands: readonly Command[];
  readonly idempotencyKey: string | undefined;
  readonly traceparent: string | undefined;
}

/** Runs `work` under a hook. */
export async function observed<Call, Result>(
  hook: Hook<Call, Result>,
  call: Call,
  work: () => Promise<Result>,
): Promise<Result> {
  const end = quietly(() => hook(call));
  try {
    const result = await work();
    if (typeof end === 'function') quietly(() => end({ kind: 'returned', result }));
    return result;
  } catch (error) {
    if (typeof end === 'function') quietly(() => end({ kind: 'threw', error }));
    throw error;
  }
}

/** A hook that is asynchronous is not waited for. */
function settledQuietly(result: unknown): void {
  if (result instanceof Promise) result.catch((error: unknown) => console.warn('eventsrc: a hook failed', error));
}

function quietly<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    console.warn('eventsrc: a hook failed', error);
    return undefined;
  }
}
