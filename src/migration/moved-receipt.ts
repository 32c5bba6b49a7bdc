/** Receipts of commands whose events have other places now, or are other ones. */
import { decodeOutcome, encodeOutcome } from '../command/outcome.ts';
import type { Outcome } from '../command/outcome.ts';
import type { Position, Receipt } from '../store/port.ts';

type Accepted = Extract<Outcome, { readonly kind: 'accepted' }>;

/** So that a command that is repeated is answered with what became of its events. */
export function movedReceipt(receipt: Receipt, newPosition: (old: Position) => Position): Receipt {
  const { position: old, ...rest } = receipt;
  if (old === undefined) return receipt;
  const moved = newPosition(old);
  const outcome = acceptedOf(receipt.outcome);
  // A position of 0 would be that of no event.
  const place = moved === 0 ? rest : { ...rest, position: moved };
  if (outcome === undefined || outcome.eventCount === 0) return place;
  const end = newPosition(old - outcome.eventsBehind);
  const eventCount = end - newPosition(old - outcome.eventsBehind - outcome.eventCount);
  const eventsBehind = moved - end;
  if (eventCount === outcome.eventCount && eventsBehind === outcome.eventsBehind) return place;
  return { ...place, outcome: encodeOutcome({ ...outcome, eventCount, eventsBehind }) };
}

/** Undefined for whatever else somebody keeps in receipts of his own. */
function acceptedOf(bytes: Uint8Array): Accepted | undefined {
  try {
    const outcome = decodeOutcome(bytes) as Partial<Accepted> | null;
    const isOurs =
      outcome?.kind === 'accepted' &&
      [outcome.eventCount, outcome.eventsBehind, outcome.version].every(Number.isInteger);
    return isOurs ? (outcome as Accepted) : undefined;
  } catch {
    return undefined;
  }
}
