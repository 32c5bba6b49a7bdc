import { deletedType } from '../event/event.ts';
import type { Draft } from '../event/event.ts';
import { RecordedDraft } from '../event/recorded-draft.ts';
import type {
  AppendCondition,
  AppendRequest,
  AppendResult,
  ExpectedVersion,
  StreamCheck,
  StreamWrite,
} from '../store/port.ts';
import { expectedOf } from './boundary.ts';
import type { Boundary, Folded } from './boundary.ts';
import type { Companion } from './companion.ts';
import { encodeOutcome } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { Plan } from './plan.ts';
import type { PlacedDraft, Proposal, States } from './propose.ts';

type Agreed = Exclude<Proposal, { readonly kind: 'conflict' }>;

/** Bytes of events after which an append is long enough. */
const bytesMax = 8 * 1024 * 1024;

/**
 * What the plans of a round want to be appended, as one append: each was decided upon those before it, so either all of
 * them are done or none.
 */
export class JointAppend {
  readonly #boundaries: readonly Boundary[];
  readonly #base: States;
  readonly #eventsMax: number;
  /** Those for whom something is appended: events, a receipt, or both. */
  readonly plans: Plan[] = [];
  readonly #proposals: Agreed[] = [];
  /** What goes with plans, as it was last asked for. */
  readonly companions: Map<Companion, Draft> = new Map();
  readonly #keys = new Set<string>();
  #states: States;
  #endsDeleted = false;
  #eventCount = 0;
  #byteCount = 0;

  /** @param base the states that it builds on. @param eventsMax events in one append, of more than one plan. */
  constructor(boundaries: readonly Boundary[], base: States, eventsMax: number) {
    this.#boundaries = boundaries;
    this.#base = base;
    this.#states = base;
    this.#eventsMax = eventsMax;
  }

  /** The states that it would lead to. */
  get states(): States {
    return this.#states;
  }

  /** Whether this key is in it already: one of the two commands is the repetition of the other. */
  holdsKeyOf({ key }: Plan): boolean {
    return key !== undefined && this.#keys.has(key.key);
  }

  /** Adds a proposal, unless it would become too large, or go on behind a tombstone; the first always fits. */
  add(plan: Plan, proposal: Agreed): boolean {
    const drafts = draftsOf(proposal);
    const bytes = drafts.reduce((sum, { draft }) => sum + draft.data.length + draft.metadata.length, 0);
    const count = drafts.length + companionsOf(plan);
    const isTooLarge = this.#eventCount + count > this.#eventsMax || this.#byteCount + bytes > bytesMax;
    if (this.plans.length > 0 && (isTooLarge || (drafts.length > 0 && this.#endsDeleted))) return false;
    this.#endsDeleted ||= drafts.some(({ draft }) => draft.type === deletedType);
    if (count > 0 || plan.key !== undefined) {
      this.plans.push(plan);
      this.#proposals.push(proposal);
      if (plan.key !== undefined) this.#keys.add(plan.key.key);
    }
    if (proposal.kind === 'accepted') this.#states = proposal.states;
    this.#eventCount += count;
    this.#byteCount += bytes;
    return true;
  }

  /** @param now in ms since the epoch. */
  request(now: number): AppendRequest {
    const writes = this.#writes();
    return { writes, ...this.#guards(writes), receipts: this.#receipts(now) };
  }

  /** In the order in which the events were decided, which is the order in which they will be read. */
  #writes(): readonly StreamWrite[] {
    const writes: { readonly stream: string; readonly expected: ExpectedVersion; readonly events: Draft[] }[] = [];
    const begun = new Set<string>();
    const write = ({ stream, draft }: PlacedDraft, expected: ExpectedVersion): void => {
      const last = writes.at(-1);
      if (last?.stream === stream) {
        last.events.push(draft);
        return;
      }
      writes.push({ stream, expected: begun.has(stream) ? 'any' : expected, events: [draft] });
      begun.add(stream);
    };
    for (const [index, plan] of this.plans.entries()) {
      const proposal = this.#proposals[index] as Agreed;
      for (const placed of draftsOf(proposal)) {
        const base = this.#base.get(placed.stream);
        write(placed, base === undefined ? 'any' : expectedOf(base));
      }
      const { companion } = plan;
      if (companion === undefined) continue;
      const { stream, expected } = companion;
      const draft = companion.draft(outcomeOf(plan, proposal));
      this.companions.set(companion, draft);
      write({ stream, draft }, expected);
    }
    return writes;
  }

  /** What must still be as it was, besides the streams that are written. */
  #guards(writes: readonly StreamWrite[]): Pick<AppendRequest, 'checks' | 'conditions'> {
    const checks: StreamCheck[] = [];
    const conditions: AppendCondition[] = [];
    for (const boundary of this.#boundaries) {
      const base = this.#base.get(boundary.key) as Folded;
      if (boundary.kind === 'query') conditions.push({ failIfMatch: boundary.query, after: base.position });
      else if (!writes.some(({ stream }) => stream === boundary.stream))
        checks.push({ stream: boundary.stream, expected: expectedOf(base) });
    }
    return { checks, conditions };
  }

  #receipts(now: number): AppendRequest['receipts'] {
    let eventsBehind = this.#eventCount;
    return this.plans.flatMap((plan, index) => {
      const proposal = this.#proposals[index] as Agreed;
      const behindIt = eventsBehind - draftsOf(proposal).length;
      eventsBehind = behindIt - companionsOf(plan);
      return plan.receiptDraft(() => encodeOutcome(outcomeOf(plan, proposal, behindIt)), now);
    });
  }
}

function companionsOf({ companion }: Plan): number {
  return companion === undefined ? 0 : 1;
}

export function outcomeOf(plan: Plan, proposal: Agreed, eventsBehind: number = 0): Outcome {
  if (proposal.kind === 'rejected') return proposal;
  const last = plan.boundaries.at(-1);
  const version = last?.kind === 'stream' ? (proposal.states.get(last.key)?.version ?? 0) : 0;
  return { kind: 'accepted', eventCount: proposal.drafts.length, eventsBehind, version };
}

function draftsOf(proposal: Agreed): readonly PlacedDraft[] {
  return proposal.kind === 'accepted' ? proposal.drafts : [];
}

/** The events of a request, at the places that they were given. */
export function placedEvents(
  { writes }: AppendRequest,
  { position, versions, recordedAt }: AppendResult & { readonly kind: 'appended' },
): ReadonlyMap<Draft, RecordedDraft> {
  const placed = new Map<Draft, RecordedDraft>();
  for (const [index, { stream, events }] of writes.entries()) {
    const first = versions[index] as number;
    for (const [offset, draft] of events.entries()) {
      const place = { stream, version: first + offset, position: position + placed.size, recordedAt };
      placed.set(draft, new RecordedDraft(draft, place));
    }
  }
  return placed;
}
