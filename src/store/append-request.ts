import { deletedType } from '../event/event.ts';
import { checkReceiptKey, checkStreamName } from '../event/names.ts';
import { checkEventQuery } from '../event/query.ts';
import { EngineError } from '../ground/errors.ts';
import type { AppendRequest, ExpectedVersion, ReceiptDraft, StreamWrite } from './port.ts';

const expectations: readonly unknown[] = ['any', 'no_stream', 'stream_exists', 'deleted'] satisfies ExpectedVersion[];

/**
 * Refuses what cannot be meant, before anything is sent. Returns the number of events.
 * @throws {EngineError} `request_invalid`, `name_invalid`
 */
export function checkAppendRequest(request: AppendRequest): number {
  const { writes, checks, conditions, receipts } = request;
  if (writes.length === 0 && receipts.length === 0) throw invalid('An append needs events or a receipt');
  const streams = new Set<string>();
  let eventCount = 0;
  for (const write of writes) {
    if (streams.has(write.stream)) throw invalid(`${write.stream} is written twice in one append`);
    streams.add(write.stream);
    checkWrite(write);
    eventCount += write.events.length;
  }
  for (const { stream, expected } of checks) checkExpected(checkStreamName(stream), expected);
  for (const { failIfMatch, after } of conditions) {
    checkEventQuery(failIfMatch);
    if (!Number.isSafeInteger(after) || after < 0)
      throw invalid(`after of an append condition is ${after}, expected a position`);
  }
  for (const receipt of receipts) checkReceipt(receipt);
  if (new Set(receipts.map(({ key }) => key)).size < receipts.length)
    throw invalid('Two receipts of one append have the same key');
  return eventCount;
}

function checkWrite({ stream, expected, events }: StreamWrite): void {
  checkExpected(stream, expected);
  if (events.length === 0) throw invalid(`The write to ${stream} has no events`);
  const tombstone = events.findIndex(({ type }) => type === deletedType);
  if (tombstone !== -1 && tombstone !== events.length - 1) throw invalid(`Events follow the tombstone of ${stream}`);
}

function checkReceipt({ key, commandDigest, outcome, expiresAt }: ReceiptDraft): void {
  checkReceiptKey(key);
  if (!(commandDigest instanceof Uint8Array) || !(outcome instanceof Uint8Array)) {
    throw invalid('The command digest and the outcome of a receipt are bytes');
  }
  if (expiresAt !== null && !Number.isSafeInteger(expiresAt)) {
    throw invalid(`expiresAt of a receipt is ${String(expiresAt)}, expected milliseconds since the epoch or null`);
  }
}

/** @throws {EngineError} `request_invalid` */
export function checkExpected(stream: string, expected: unknown): void {
  if (expectations.includes(expected)) return;
  if (Number.isSafeInteger(expected) && (expected as number) >= 0) return;
  throw invalid(
    `The expected version of ${stream} is ${String(expected)}, expected a version or one of ${expectations.join(', ')}`,
  );
}

function invalid(reason: string): EngineError {
  return new EngineError('request_invalid', { reason });
}
