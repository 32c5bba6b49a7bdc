import { decodeEvent } from '../event/codec.ts';
import type { RecordedDraft } from '../event/recorded-draft.ts';
import { hasCode } from '../ground/errors.ts';
import type { CommitResult, EventLog } from '../store/log.ts';
import type { AppendRequest } from '../store/port.ts';
import { covers } from './boundary.ts';
import type { Boundary, Folded } from './boundary.ts';
import { JointAppend, outcomeOf, placedEvents } from './joint-append.ts';
import type { Plan } from './plan.ts';
import { propose } from './propose.ts';
import type { Proposal, ProposalContext } from './propose.ts';
import { acceptedEvents, repeated, withoutEvents } from './receipt-of.ts';

/** What the turns of an engine share. */
export interface TurnContext extends ProposalContext {
  readonly log: EventLog;
  readonly commit: (request: AppendRequest, signal?: AbortSignal) => Promise<CommitResult>;
  /** Lost races after which a plan is given up. */
  readonly conflictsMax: number;
  /** Waits before the attempt that follows a plan's nth lost race. */
  readonly backOff: (conflicts: number) => Promise<void>;
}

type Conflict = Exclude<CommitResult, { readonly kind: 'appended' | 'duplicate' }>;

/** A plan in a round, and what it came to. */
interface Proposed {
  readonly plan: Plan;
  readonly proposal: Proposal | { readonly kind: 'failed'; readonly error: unknown };
}

/**
 * Does the plans that wait for the same boundaries, until each has its receipt. They are decided one after another,
 * each upon what those before it lead to, and appended together. That a command was done before is rare, and the append
 * tells: whether its key has a receipt is only asked where nothing is appended, or the append was refused.
 */
export async function takeTurn(plans: readonly Plan[], context: TurnContext): Promise<void> {
  try {
    await new Turn(plans, context).run();
  } catch (error) {
    // What was done once has its answer, even where it could not be decided again.
    await answerRepetitions(plans, context);
    for (const plan of plans) plan.fail(error);
  }
}

async function answerRepetitions(plans: readonly Plan[], context: TurnContext): Promise<void> {
  await Promise.all(plans.map((plan) => answerRepetition(plan, context)));
}

/** Settles a plan whose key has a receipt. */
async function answerRepetition(plan: Plan, { log, folding }: TurnContext): Promise<void> {
  if (plan.key === undefined) return;
  try {
    const kept = await log.receipt(plan.key.key);
    if (kept !== undefined) plan.settle(await repeated(plan, kept, log, folding));
  } catch (error) {
    plan.fail(error);
  }
}

class Turn {
  readonly #context: TurnContext;
  readonly #boundaries: readonly Boundary[];
  readonly #states = new Map<string, Folded>();
  #open: readonly Plan[];
  /** Whether the states are known to have been the store's at some moment of this turn. */
  #isFresh = true;
  /** Whether the states have stopped in front of an event that could not be taken in. */
  #isStuck = false;
  /** Plans in one append: one, after a larger append failed for what may be the fault of one. */
  #partsMax = Infinity;

  constructor(plans: readonly Plan[], context: TurnContext) {
    this.#open = plans;
    this.#context = context;
    const boundaries = plans.flatMap((plan) => plan.boundaries);
    this.#boundaries = [...new Map(boundaries.map((boundary) => [boundary.key, boundary])).values()];
  }

  async run(): Promise<void> {
    const { folding, backOff } = this.#context;
    await this.#update(async (boundary) => {
      const { folded, isFresh } = await folding.load(boundary);
      if (!isFresh) this.#isFresh = false;
      return folded;
    });
    for (;;) {
      const conflicts = await this.#round();
      for (const boundary of this.#boundaries) folding.keep(boundary, this.#stateOf(boundary));
      this.#open = this.#open.filter((plan) => !plan.isSettled);
      if (this.#open.length === 0) return;
      if (conflicts > 0) await backOff(conflicts);
      await this.#update((boundary) => folding.catchUp(boundary, this.#stateOf(boundary)));
      this.#isFresh = true;
      await answerRepetitions(this.#open, this.#context);
    }
  }

  async #update(next: (boundary: Boundary) => Promise<Folded>): Promise<void> {
    const states = await Promise.all(this.#boundaries.map(next));
    for (const [index, { key }] of this.#boundaries.entries()) this.#states.set(key, states[index] as Folded);
  }

  #stateOf({ key }: Boundary): Folded {
    return this.#states.get(key) as Folded;
  }

  /** Settles what can be settled. Returns how many races a plan has lost by now, if it lost one in this round; else 0. */
  async #round(): Promise<number> {
    const joint = new JointAppend(this.#boundaries, this.#states, this.#context.log.limits.eventsPerAppend);
    const proposed = await this.#propose(joint);
    // Whose time ran out meanwhile was told that nothing is written, and others may have been decided upon it.
    if (proposed.some(({ plan }) => plan.isSettled)) return 0;
    if (joint.plans.length === 0) {
      // Nothing is appended, so nothing but the states vouches for what the plans came to.
      if (this.#isFresh) await this.#settle(proposed, new Map());
      return 0;
    }
    const request = joint.request(this.#context.now());
    const [alone, ...others] = joint.plans;
    for (const plan of joint.plans) plan.flight = others.length === 0 ? 'alone' : 'joint';
    const result = await this.#context
      .commit(request, others.length === 0 ? alone?.deadline.signal : undefined)
      .catch((error: unknown) => ({ kind: 'failed', error }) as const);
    if (result.kind === 'appended') {
      // Still on their way, to whoever aborts one now: what is done can't be said not to be.
      const placed = placedEvents(request, result);
      for (const [companion, draft] of joint.companions) companion.recorded(placed.get(draft) as RecordedDraft);
      await this.#settle(proposed, placed);
      return 0;
    }
    for (const plan of joint.plans) plan.flight = 'none';
    switch (result.kind) {
      case 'duplicate':
        // The next round begins with asking for the receipt.
        return 0;
      case 'failed':
        this.#fail(joint.plans, result.error);
        return 0;
      default:
        return this.#lose(joint.plans, result);
    }
  }

  async #propose(joint: JointAppend): Promise<readonly Proposed[]> {
    const proposed: Proposed[] = [];
    for (const plan of this.#open) {
      if (plan.isSettled || joint.holdsKeyOf(plan)) continue;
      if (joint.plans.length >= this.#partsMax) break;
      const proposal = await propose(plan, joint.states, this.#context).catch(
        (error: unknown) => ({ kind: 'failed', error }) as const,
      );
      const isAgreed = proposal.kind === 'accepted' || proposal.kind === 'rejected';
      if (isAgreed && !joint.add(plan, proposal)) break;
      proposed.push({ plan, proposal });
    }
    return proposed;
  }

  /** The states were those of the store, and what was proposed upon them is done. */
  async #settle(proposed: readonly Proposed[], placed: ReturnType<typeof placedEvents>): Promise<void> {
    this.#isFresh = true;
    for (const { plan, proposal } of proposed) {
      switch (proposal.kind) {
        // Perhaps it is this very command that was done before, here or elsewhere: of these no append has told us.
        case 'failed':
          await answerRepetition(plan, this.#context);
          plan.fail(proposal.error);
          break;
        case 'conflict':
          await answerRepetition(plan, this.#context);
          plan.settle({ ...proposal, index: 0 });
          break;
        case 'rejected':
          plan.settle(withoutEvents(outcomeOf(plan, proposal), 0, false));
          break;
        case 'accepted': {
          const events = proposal.drafts.map(({ draft }) => placed.get(draft) as RecordedDraft);
          this.#takeIn(events);
          plan.settle(
            events.length > 0
              ? acceptedEvents(events)
              : withoutEvents(outcomeOf(plan, proposal), this.#positionFor(plan), false),
          );
          break;
        }
        default:
          proposal satisfies never;
      }
    }
  }

  #takeIn(events: readonly RecordedDraft[]): void {
    if (this.#isStuck) return;
    try {
      for (const draft of events) {
        // Decoded for the states alone: nobody else holds what they may keep parts of.
        const event = decodeEvent(draft);
        for (const boundary of this.#boundaries) {
          if (covers(boundary, event))
            this.#states.set(boundary.key, this.#context.folding.take(boundary, this.#stateOf(boundary), event));
        }
      }
    } catch {
      // A fold that took the event before it was appended, and now does not: whoever reads it again is told.
      this.#isStuck = true;
    }
  }

  #positionFor(plan: Plan): number {
    return this.#stateOf(plan.boundaries.at(-1) as Boundary).position;
  }

  #fail(plans: readonly Plan[], error: unknown): void {
    // Nothing was written, and perhaps one alone is too much: then each finds out for itself.
    if (plans.length > 1 && hasCode(error, 'limit_exceeded')) this.#partsMax = 1;
    else for (const plan of plans) plan.fail(error);
  }

  /** Counts a lost race, and gives up whoever has lost too many. */
  #lose(plans: readonly Plan[], conflict: Conflict): number {
    const isStrangersStream =
      conflict.kind === 'stream_deleted' && this.#boundaries.every(({ key }) => key !== conflict.stream);
    const where =
      conflict.kind === 'condition_conflict'
        ? { actual: conflict.position }
        : { stream: conflict.stream, actual: conflict.actual };
    for (const plan of plans) {
      // Whoever goes with it has been overtaken; the others were not at fault.
      const isOvertaken = conflict.kind !== 'condition_conflict' && plan.companion?.stream === conflict.stream;
      if (isOvertaken) plan.settle({ kind: 'conflict', ...where, index: 0 });
    }
    for (const plan of plans) {
      if (plan.isSettled) continue;
      plan.conflicts += 1;
      if (plan.conflicts > this.#context.conflictsMax || isStrangersStream)
        plan.settle({ kind: 'conflict', ...where, index: 0 });
    }
    return Math.max(...plans.map((plan) => plan.conflicts));
  }
}
