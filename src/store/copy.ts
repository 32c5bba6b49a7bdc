import { areEqual } from '../event/bytes.ts';
import type { Recorded } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import type { EventLog } from './log.ts';
import type { Position, Receipt } from './port.ts';

export interface CopyProgress {
  readonly phase: 'copying' | 'verifying';
  /** Events, of `total`. */
  readonly done: number;
  readonly total: number;
}

export interface CopyOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

export interface CopyResult {
  /** Events copied. */
  readonly events: number;
  /** Events that an earlier copying had brought there. */
  readonly skipped: number;
  /** Receipts that the source keeps, up to the last event that was copied. */
  readonly receipts: number;
}

/** Events in one transaction. */
const batchSize = 4_096;
/** Receipts asked for at once. */
const lookups = 256;

/**
 * Copies a store as it is at this moment, with every position, version, time, id and receipt, into an empty one, and
 * compares the two. Called again after an interruption, or when the source has grown, it goes on where it ended.
 * @throws {EngineError} `copy_refused` if `to` holds anything but the beginning of `from`; what reading and writing throw;
 * the signal's reason, when aborted.
 */
export async function copyLog(
  from: EventLog,
  to: EventLog,
  { signal, onProgress }: CopyOptions = {},
): Promise<CopyResult> {
  const { position: total } = await from.head();
  const { position: present } = await to.head();
  await requireBeginning(from, to, present, total);
  await requireKnownReceipts(from, to, 'outcome', signal);
  let batch: Recorded[] = [];
  let [events, skipped] = [0, present];
  const send = async () => {
    const sent = await to.import(batch);
    events += sent.imported;
    skipped += sent.skipped;
    const done = batch.at(-1)?.position;
    batch = [];
    if (done !== undefined) onProgress?.({ phase: 'copying', done, total });
  };
  for await (const page of from.readRecorded({ after: present, until: total, pageSize: 1_024 }, signal)) {
    batch.push(...page);
    if (batch.length >= batchSize) await send();
  }
  await send();
  const receipts = await copyReceipts(from, to, total, signal);
  await compareEvents(from, to, total, { signal, onProgress });
  return { events, skipped, receipts };
}

/** By the last event: its id covers only itself, but the comparison afterwards covers all. */
async function requireBeginning(from: EventLog, to: EventLog, position: Position, total: Position): Promise<void> {
  if (position === 0) return;
  if (position > total) throw copyRefused(`it holds ${position} events, the source only ${total}`);
  const [original, copy] = await Promise.all([from, to].map((log) => eventAt(log, position)));
  if (original === undefined || copy === undefined || !areEqual(original.id, copy.id))
    throw copyRefused(`the event at position ${position} is not that of the source`);
}

async function eventAt(log: EventLog, position: Position): Promise<Recorded | undefined> {
  for await (const [event] of log.readRecorded({ after: position - 1, until: position })) return event;
  return undefined;
}

/**
 * @internal Those of events that were copied. A receipt of a later event would answer for what is not there.
 * @param moved as what a receipt is kept where its events have other places.
 */
export async function copyReceipts(
  from: EventLog,
  to: EventLog,
  until: Position,
  signal?: AbortSignal,
  moved: (receipt: Receipt) => Receipt = (receipt) => receipt,
): Promise<number> {
  let count = 0;
  for await (const page of from.receipts(signal)) {
    const batch = page.filter(({ position = 0 }) => position <= until).map(moved);
    await to.import([], batch);
    await requireReceipts(to, batch, 'outcome');
    count += batch.length;
  }
  return count;
}

/**
 * @internal A receipt that the source does not have would answer for a command that was never done there.
 * @param by what the two must have in common.
 */
export async function requireKnownReceipts(
  from: EventLog,
  to: EventLog,
  by: 'outcome' | 'commandDigest',
  signal?: AbortSignal,
): Promise<void> {
  for await (const page of to.receipts(signal)) await requireReceipts(from, page, by);
}

async function requireReceipts(
  to: EventLog,
  receipts: readonly Receipt[],
  by: 'outcome' | 'commandDigest',
): Promise<void> {
  for (let start = 0; start < receipts.length; start += lookups)
    await Promise.all(receipts.slice(start, start + lookups).map((receipt) => requireReceipt(to, receipt, by)));
}

async function requireReceipt(to: EventLog, receipt: Receipt, by: 'outcome' | 'commandDigest'): Promise<void> {
  const { key, recordedAt, expiresAt } = receipt;
  const copy = await to.receipt(key);
  // One that may have expired meanwhile is not there to be compared.
  if (copy === undefined && expiresAt !== null) return;
  const isSame = copy !== undefined && (copy.recordedAt > recordedAt || areEqual(copy[by], receipt[by]));
  if (!isSame) throw copyRefused(`the receipt ${JSON.stringify(key)} is not the same in both`);
}

async function compareEvents(from: EventLog, to: EventLog, total: Position, options: CopyOptions): Promise<void> {
  const { signal, onProgress } = options;
  const query = { until: total, pageSize: 1_024 };
  await using copies = each(to.readRecorded(query, signal));
  let done = 0;
  for await (const page of from.readRecorded(query, signal)) {
    for (const original of page) {
      const { value: copy } = await copies.next();
      if (copy === undefined || copy.position !== original.position || !areEqual(copy.id, original.id))
        throw copyRefused(`the event at position ${original.position} is not that of the source`);
    }
    done += page.length;
    onProgress?.({ phase: 'verifying', done, total });
  }
  if (done !== total) throw copyRefused(`the source gave ${done} of its ${total} events`);
}

/** @internal Event by event. */
export async function* each(pages: AsyncIterable<readonly Recorded[]>): AsyncGenerator<Recorded, undefined> {
  for await (const page of pages) yield* page;
}

/** @internal */
export function copyRefused(reason: string): EngineError {
  return new EngineError('copy_refused', { reason });
}
