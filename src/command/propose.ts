import { decodeEvent } from '../event/codec.ts';
import type { Draft } from '../event/event.ts';
import { deletedType } from '../event/event.ts';
import { checkStreamName, splitStreamName } from '../event/names.ts';
import { RecordedDraft } from '../event/recorded-draft.ts';
import { EngineError } from '../ground/errors.ts';
import { isAsExpected } from '../store/admission.ts';
import { covers } from './boundary.ts';
import type { Boundary, Folded } from './boundary.ts';
import { decide } from './decide.ts';
import type { EmittedEvent } from './decide.ts';
import type { Folding } from './folding.ts';
import { encodeOutcome } from './outcome.ts';
import type { Rejected } from './outcome.ts';
import type { Plan, Step } from './plan.ts';

/** States by the keys of their boundaries. */
export type States = ReadonlyMap<string, Folded>;

/** An event that is to be appended to a stream. */
export interface PlacedDraft {
  readonly stream: string;
  readonly draft: Draft;
}

/** What a plan comes to, on the strength of certain states. */
export type Proposal =
  /** Events, perhaps none, and the states that they would lead to. */
  | { readonly kind: 'accepted'; readonly drafts: readonly PlacedDraft[]; readonly states: States }
  | Rejected
  /** What the caller explicitly expects is not so. */
  | { readonly kind: 'conflict'; readonly stream: string; readonly actual: number };

/** What proposals are made with. */
export interface ProposalContext {
  readonly folding: Folding;
  /** In ms since the epoch. */
  readonly now: () => number;
  readonly newId: () => string;
  /** The event types of each aggregate that is known: what its streams may hold, whoever appends. */
  readonly typesOf: ReadonlyMap<string, ReadonlySet<string>>;
}

/**
 * Decides the steps of a plan one after another, each upon what those before it would lead to. Leaves no trace.
 * @throws {EngineError} `decide_failed`, `evolve_failed`, `event_invalid` and whatever else is wrong with an event.
 */
export async function propose(plan: Plan, base: States, context: ProposalContext): Promise<Proposal> {
  const unmet = unmetExpectation(plan, base);
  if (unmet !== undefined) return unmet;
  const now = context.now();
  const { newId } = context;
  const drafting = new Drafting(base, plan.boundaries, context.folding, now);
  for (const [index, step] of plan.steps.entries()) {
    const { handler, input, boundary } = step;
    const { state, deleted, version } = drafting.stateOf(boundary);
    const decided = decide(handler, state, input, { id: idOf(boundary), now, newId, metadata: plan.metadata });
    if (!isEvents(decided)) return checkRejected({ ...decided, index });
    if (boundary.kind === 'stream' && deleted && decided.length > 0 && plan.expected !== 'deleted') {
      const details = { stream: boundary.stream, version };
      return { kind: 'rejected', code: 'stream_deleted', details, index };
    }
    for (const event of decided) {
      const metadata = { ...plan.metadata, ...event.metadata };
      const encoded = step.encoder.encode({ ...event, metadata });
      const draft = encoded instanceof Promise ? await plan.deadline.wait(encoded) : encoded;
      const stream = placeOf(step, event, context);
      if (drafting.hasEnded(stream)) throw goesOn(handler.name, stream);
      drafting.add(stream, draft);
    }
  }
  return { kind: 'accepted', drafts: drafting.drafts, states: drafting.states };
}

/** A decision has none, and its `decide` is not told of any. */
function idOf(boundary: Boundary): string {
  return boundary.kind === 'stream' ? splitStreamName(boundary.stream).aggregateId : '';
}

function isEvents(decided: object): decided is readonly EmittedEvent[] {
  return Array.isArray(decided);
}

/** Refused in every case, not only where there is a receipt to keep it. @throws {EngineError} `data_unfaithful` */
function checkRejected(rejected: Rejected): Rejected {
  encodeOutcome(rejected);
  return rejected;
}

function unmetExpectation({ expected, steps }: Plan, base: States): Proposal | undefined {
  const boundary = steps[0]?.boundary;
  if (expected === undefined || boundary?.kind !== 'stream') return undefined;
  const { version, deleted } = base.get(boundary.key) as Folded;
  if (isAsExpected(expected, version, deleted)) return undefined;
  return { kind: 'conflict', stream: boundary.stream, actual: version };
}

function goesOn(command: string, stream: string): EngineError {
  return new EngineError('decide_failed', { command, reason: `it goes on behind the tombstone of ${stream}` });
}

/** The stream that an event goes to. @throws {EngineError} `event_type_unknown`, `name_invalid` */
function placeOf({ boundary }: Step, { type, stream }: EmittedEvent, { typesOf }: ProposalContext): string {
  if (boundary.kind === 'stream') return boundary.stream;
  const name = checkStreamName(stream as string);
  const known = typesOf.get(splitStreamName(name).aggregate);
  if (known === undefined || known.has(type) || type === deletedType) return name;
  throw new EngineError('event_type_unknown', { type, known: [...known] });
}

/** The events of a plan as they are decided, and the states that they lead to. */
class Drafting {
  readonly drafts: PlacedDraft[] = [];
  readonly states: Map<string, Folded>;
  readonly #boundaries: readonly Boundary[];
  readonly #folding: Folding;
  readonly #now: number;

  constructor(base: States, boundaries: readonly Boundary[], folding: Folding, now: number) {
    this.states = new Map(base);
    this.#boundaries = boundaries;
    this.#folding = folding;
    this.#now = now;
  }

  stateOf({ key }: Boundary): Folded {
    return this.states.get(key) as Folded;
  }

  /** Whether a tombstone is among the events already. */
  hasEnded(name: string): boolean {
    return this.drafts.findLast(({ stream }) => stream === name)?.draft.type === deletedType;
  }

  /** Folding the event before it is appended keeps out what could not be read again. */
  add(stream: string, draft: Draft): void {
    this.drafts.push({ stream, draft });
    // Position and time are not known yet; the first is not for folds to see.
    const version = (this.states.get(stream)?.version ?? 0) + 1;
    const event = decodeEvent(new RecordedDraft(draft, { stream, version, position: 0, recordedAt: this.#now }));
    for (const boundary of this.#boundaries) {
      if (covers(boundary, event))
        this.states.set(boundary.key, this.#folding.fold(boundary, this.stateOf(boundary), event));
    }
  }
}
