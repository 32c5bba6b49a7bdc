/** What the caller is told. */
import { areEqual } from '../event/bytes.ts';
import { decodeEvent } from '../event/codec.ts';
import type { RecordedEvent } from '../event/codec.ts';
import type { RecordedDraft } from '../event/recorded-draft.ts';
import { EngineError } from '../ground/errors.ts';
import type { EventLog } from '../store/log.ts';
import type { ReadQuery, Receipt } from '../store/port.ts';
import type { Accepted, BatchReceipt } from './command.ts';
import type { Folding } from './folding.ts';
import { decodeOutcome } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { Plan, PlanKey } from './plan.ts';

/** @param events at least one. */
export function acceptedEvents(events: readonly RecordedDraft[]): Accepted {
  const placed = events.toSorted((a, b) => a.position - b.position);
  const { version, position } = placed.at(-1) as RecordedDraft;
  let decoded: readonly RecordedEvent[] | undefined;
  return {
    kind: 'accepted',
    // Few look at them, and decoding costs more than deciding.
    get events() {
      decoded ??= placed.map((draft) => decodeEvent(draft));
      return decoded;
    },
    version,
    position,
    duplicate: false,
  };
}

/** The receipt of an outcome without events. @param position of the last event that it was decided upon. */
export function withoutEvents(outcome: Outcome, position: number, duplicate: boolean): BatchReceipt {
  if (outcome.kind === 'rejected') return { ...outcome, duplicate };
  return { kind: 'accepted', events: [], version: outcome.version, position, duplicate };
}

/**
 * What is told to whoever repeats a plan.
 * @throws {EngineError} `idempotency_key_reused`
 */
export async function repeated(plan: Plan, kept: Receipt, log: EventLog, folding: Folding): Promise<BatchReceipt> {
  const { key, digest } = plan.key as PlanKey;
  if (!areEqual(kept.commandDigest, digest)) throw new EngineError('idempotency_key_reused', { key });
  const outcome = decodeOutcome(kept.outcome);
  if (outcome.kind === 'accepted' && outcome.eventCount > 0) {
    const position = (kept.position as number) - outcome.eventsBehind;
    const events = await collect(log, { after: position - outcome.eventCount, until: position });
    return { kind: 'accepted', events, version: events.at(-1)?.version ?? 0, position, duplicate: true };
  }
  return withoutEvents(outcome, await positionOf(plan, outcome, log, folding), true);
}

/** Where a plan that changed nothing stood. */
async function positionOf(plan: Plan, outcome: Outcome, log: EventLog, folding: Folding): Promise<number> {
  const boundary = plan.boundaries.at(-1);
  if (outcome.kind === 'rejected' || boundary === undefined) return 0;
  if (boundary.kind === 'query') return (await folding.latest(boundary)).position;
  const last = { stream: boundary.stream, untilVersion: outcome.version, backwards: true, limit: 1 };
  return (await collect(log, last)).at(0)?.position ?? 0;
}

async function collect(log: EventLog, query: ReadQuery): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const page of log.read(query)) events.push(...page);
  return events;
}
