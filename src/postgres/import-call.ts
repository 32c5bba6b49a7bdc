import type { PortableEvent } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import type { ImportResult, Receipt } from '../store/port.ts';
import { bigints, callOf, integers, Packing, transaction } from './packing.ts';

/** What the function `import` answers; `refused` is an event's number, from 1. */
type Answer = { readonly imported: number } | { readonly refused: number; readonly reason: string };

/** One call of the function `import`. Sent again, because its answer was lost, it skips what is there. */
export class ImportCall {
  readonly sql: string;
  readonly #events: readonly PortableEvent[];

  constructor(schema: string, events: readonly PortableEvent[], given: readonly Receipt[]) {
    const receipts = newestOfEach(given);
    const packing = new Packing(
      events.map(({ stream }) => stream),
      events,
      receipts,
    );
    const { names } = packing;
    this.#events = events;
    const call = callOf(schema, 'import', {
      ...packing.arguments,
      event_streams: integers(events.map(({ stream }) => names.number(stream))),
      event_versions: bigints(events.map(({ version }) => version)),
      event_times: bigints(events.map(({ recordedAt }) => recordedAt)),
      receipt_times: bigints(receipts.map(({ recordedAt }) => recordedAt)),
      receipt_positions: bigints(receipts.map(({ position }) => position ?? null)),
    });
    this.sql = transaction(call);
  }

  /** @throws {EngineError} `import_refused` */
  result(answer: Answer): ImportResult {
    if ('imported' in answer) return { imported: answer.imported, skipped: this.#events.length - answer.imported };
    const { stream, version } = this.#events[answer.refused - 1] as PortableEvent;
    throw new EngineError('import_refused', { stream, version, reason: answer.reason });
  }
}

/** Of several with one key the first of the latest time, where the last of them stands. */
function newestOfEach(receipts: readonly Receipt[]): readonly Receipt[] {
  const newest = new Map<string, Receipt>();
  for (const receipt of receipts) {
    const kept = newest.get(receipt.key);
    if (kept !== undefined && kept.recordedAt >= receipt.recordedAt) continue;
    newest.delete(receipt.key);
    newest.set(receipt.key, receipt);
  }
  return [...newest.values()];
}
