import { deletedType } from '../event/event.ts';
import { checkOwner, checkReceiptKey, checkStreamName } from '../event/names.ts';
import { checkEventQuery } from '../event/query.ts';
import { EngineError } from '../ground/errors.ts';
import type {
  AppendCondition,
  AppendRequest,
  ExpectedVersion,
  Receipt,
  ReceiptDraft,
  StreamCheck,
  StreamWrite,
} from './port.ts';

const expectations: readonly unknown[] = ['any', 'no_stream', 'stream_exists', 'deleted'] satisfies ExpectedVersion[];

/** Checks, conditions or receipts of one append. */
const guardsMax = 1_000;

/** Bytes of a receipt's command digest and outcome. */
const receiptBytesMax = 65_536;

/** What an append demands besides its writes. */
export type Guards = Omit<AppendRequest, 'writes'>;

/**
 * Refuses what cannot be meant, and returns a copy of the rest: what the caller does to it afterwards, or has put into
 * it besides, goes nowhere.
 * @throws {EngineError} `request_invalid`, `name_invalid`
 */
export function checkGuards({ checks, conditions, receipts }: Guards): Guards {
  for (const [what, list] of Object.entries({ checks, conditions, receipts })) {
    if (!Array.isArray(list)) throw invalid(`The ${what} of an append are no list`);
    if (list.length > guardsMax) throw invalid(`An append has ${list.length} ${what}, at most ${guardsMax} are taken`);
  }
  return {
    checks: checks.map(checkCheck),
    conditions: conditions.map(checkCondition),
    receipts: receipts.map((receipt) => checkReceiptBytes(checkReceipt(receipt))),
  };
}

/** @throws {EngineError} `request_invalid` for a stream that is written twice, and events that cannot follow each other. */
export function checkWrites(writes: readonly StreamWrite[]): readonly StreamWrite[] {
  const streams = new Set<string>();
  for (const { stream, expected, events } of writes) {
    if (streams.has(stream)) throw invalid(`${stream} is written twice in one append`);
    streams.add(stream);
    checkExpected(stream, expected);
    if (events.length === 0) throw invalid(`The write to ${stream} has no events`);
    const tombstone = events.findIndex(({ type }) => type === deletedType);
    if (tombstone !== -1 && tombstone !== events.length - 1) throw invalid(`Events follow the tombstone of ${stream}`);
  }
  return writes;
}

function checkCheck({ stream, expected }: StreamCheck): StreamCheck {
  checkExpected(checkStreamName(stream), expected);
  return { stream, expected };
}

function checkCondition({ failIfMatch, after }: AppendCondition): AppendCondition {
  if (!Number.isSafeInteger(after) || after < 0)
    throw invalid(`after of an append condition is ${String(after)}, expected a position`);
  return { failIfMatch: checkEventQuery(failIfMatch), after };
}

function checkReceipt({ key, commandDigest, outcome, expiresAt, owner }: ReceiptDraft): ReceiptDraft {
  checkReceiptKey(key);
  if (owner !== undefined) checkOwner(owner);
  if (!(commandDigest instanceof Uint8Array) || !(outcome instanceof Uint8Array)) {
    throw invalid('The command digest and the outcome of a receipt are bytes');
  }
  if (expiresAt !== null && !Number.isSafeInteger(expiresAt)) {
    throw invalid(`expiresAt of a receipt is ${String(expiresAt)}, expected milliseconds since the epoch or null`);
  }
  return {
    key,
    commandDigest: Uint8Array.from(commandDigest),
    outcome: Uint8Array.from(outcome),
    expiresAt,
    ...(owner !== undefined && { owner }),
  };
}

function checkReceiptBytes(receipt: ReceiptDraft): ReceiptDraft {
  const byteCount = receipt.commandDigest.length + receipt.outcome.length;
  if (byteCount <= receiptBytesMax) return receipt;
  throw invalid(`A receipt has ${byteCount} bytes of digest and outcome, at most ${receiptBytesMax} are taken`);
}

/** Receipts that were made elsewhere, of whatever size. @throws {EngineError} `request_invalid`, `name_invalid` */
export function checkReceipts(receipts: readonly Receipt[]): readonly Receipt[] {
  return receipts.map((receipt) => {
    const { recordedAt, position } = receipt;
    for (const [name, value] of Object.entries({ recordedAt, position: position ?? 0 })) {
      if (!Number.isSafeInteger(value) || value < 0) throw invalid(`${name} of a receipt is ${String(value)}`);
    }
    return { ...checkReceipt(receipt), recordedAt, ...(position !== undefined && { position }) };
  });
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
