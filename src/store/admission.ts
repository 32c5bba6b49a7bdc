/** The rules of appending, written once for every backend that judges requests in this process. */
import { EngineError } from '../ground/errors.ts';
import type {
  AppendCondition,
  ExpectedVersion,
  Position,
  Receipt,
  ReceiptDraft,
  Refusal,
  StreamCheck,
  StreamHead,
} from './port.ts';

/** What the judgement needs to see of a store, as of the lock under which it appends. */
export interface AppendView {
  /** The live receipt with this key. */
  receipt(key: string): Receipt | undefined;
  head(stream: string): StreamHead;
  /** The first event after the condition's position that it matches. */
  firstMatch(condition: AppendCondition): Position | undefined;
}

/** What the judgement needs to know of a request: how many events, not which. */
export interface JudgedRequest<Event = unknown> {
  readonly writes: readonly {
    readonly stream: string;
    readonly expected: ExpectedVersion;
    readonly events: readonly Event[];
  }[];
  readonly checks: readonly StreamCheck[];
  readonly conditions: readonly AppendCondition[];
  readonly receipts: readonly ReceiptDraft[];
}

/** Why `request` cannot be appended to the store as it is, or undefined if it can. */
export function refusal(request: JudgedRequest, view: AppendView): Refusal | undefined {
  for (const { key } of request.receipts) {
    const receipt = view.receipt(key);
    if (receipt !== undefined) return { kind: 'duplicate', receipt };
  }
  const judged = new Set<string>();
  for (const { stream, expected } of request.writes) {
    if (judged.has(stream)) continue;
    judged.add(stream);
    const { version, deleted } = view.head(stream);
    if (deleted && expected !== 'deleted') return { kind: 'stream_deleted', stream, actual: version };
    if (!isAsExpected(expected, version, deleted))
      return { kind: 'version_conflict', stream, expected, actual: version };
  }
  for (const { stream, expected } of request.checks) {
    const { version, deleted } = view.head(stream);
    if (!isAsExpected(expected, version, deleted))
      return { kind: 'version_conflict', stream, expected, actual: version };
  }
  for (const [index, condition] of request.conditions.entries()) {
    const position = view.firstMatch(condition);
    if (position !== undefined) return { kind: 'condition_conflict', condition: index, position };
  }
  return undefined;
}

/** Whether a stream is what a writer expects of it. */
export function isAsExpected(expected: ExpectedVersion, version: number, deleted: boolean): boolean {
  switch (expected) {
    case 'any':
      return true;
    case 'no_stream':
      return version === 0;
    case 'stream_exists':
      return version > 0 && !deleted;
    case 'deleted':
      return deleted;
    default:
      return version === expected;
  }
}

/** The limit on a stream's events, which only the backend can check: it knows the stream's size under its lock. */
export function overfull(request: JudgedRequest, view: AppendView, max: number): EngineError | undefined {
  const counts = new Map<string, number>();
  for (const { stream, events } of request.writes) {
    const value = (counts.get(stream) ?? view.head(stream).hotCount) + events.length;
    counts.set(stream, value);
    if (value > max)
      return new EngineError('limit_exceeded', { limit: 'eventsPerStream', value, max, subject: stream });
  }
  return undefined;
}

/** The state of a receipt's key at a time. */
export function isLive(receipt: Receipt, now: number): boolean {
  return receipt.expiresAt === null || receipt.expiresAt > now;
}
