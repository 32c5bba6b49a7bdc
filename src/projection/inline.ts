/** Projections that are folded in the append's own transaction. */
import type { RecordedEvent } from '../event/codec.ts';
import type { Recorded } from '../event/event.ts';
import type { Json } from '../event/json.ts';
import { EngineError, describe } from '../ground/errors.ts';
import type { EventLog } from '../store/log.ts';
import { documentText } from '../store/document-value.ts';
import { InlineFoldFailed, merge } from '../store/inline.ts';
import type { InlineFold, StagedAppend } from '../store/inline.ts';
import type { Position } from '../store/port.ts';
import type { StateCommit, StateStore } from '../store/state-port.ts';
import type { Build } from './build.ts';
import { EventFeed } from './feed.ts';
import { TaskFailed } from './fold.ts';
import type { Task } from './fold.ts';
import { ViewHandling } from './handling.ts';
import type { HandlingOptions } from './handling.ts';
import type { Probe } from './probe.ts';
import type { AnyProjection } from './projection.ts';
import { typesLease } from './registry.ts';
import { checkpointAt } from './checkpoint.ts';

/** A view further behind than this catches up by its runner, not in an append. */
const missedMax = 1_000;

interface Member {
  readonly build: Build;
  readonly projection: AnyProjection;
  readonly feed: EventFeed;
  readonly handling: ViewHandling;
  readonly probe: Probe;
  /** Of the types that it handles; undefined where an older deployment must not fold any more. */
  readonly typesEpoch: number | undefined;
  /** Where it stood after the last append that this process folded into it; undefined where that has to be looked up. */
  position: Position | undefined;
}

/** What is about to be appended, and by which request. */
interface Given {
  readonly request: number;
  readonly recorded: Recorded;
}

interface Folded {
  readonly member: Member;
  /** Where the member stands, if it is committed. */
  readonly position: Position;
  readonly committed: () => void;
}

/** What of the registry is asked while nothing is staged. */
export interface InlineRegistry {
  /** The generation that serves. */
  active(projection: AnyProjection): Promise<Build>;
  epochOf(projection: AnyProjection): Promise<number | undefined>;
}

/** Folds what is about to be appended. All on the strength of where each checkpoint stands: the commit refutes what is no longer so. */
export class InlineFolding implements InlineFold {
  readonly #log: EventLog;
  readonly #state: StateStore;
  readonly #options: HandlingOptions;
  readonly #projections: readonly { readonly projection: AnyProjection; readonly probe: Probe }[];
  readonly #registry: InlineRegistry;
  readonly #members = new Map<string, Member>();
  #folded: readonly Folded[] = [];

  constructor(
    { log, state, options }: { log: EventLog; state: StateStore; options: HandlingOptions },
    projections: readonly { readonly projection: AnyProjection; readonly probe: Probe }[],
    registry: InlineRegistry,
  ) {
    this.#log = log;
    this.#state = state;
    this.#options = options;
    this.#projections = projections;
    this.#registry = registry;
  }

  async prepare(): Promise<void> {
    // What was folded before and not said to be committed, was not.
    for (const { member } of this.#folded) this.#members.delete(member.projection.name);
    this.#folded = [];
    for (const { projection, probe } of this.#projections) {
      const build = await this.#registry.active(projection);
      if (this.#members.get(projection.name)?.build.name === build.name) continue;
      const handling = new ViewHandling(build, projection, this.#state, this.#options);
      const feed = new EventFeed(this.#log, projection.interest);
      const typesEpoch = await this.#registry.epochOf(projection);
      const member = { build, projection, feed, handling, probe, typesEpoch, position: undefined };
      this.#members.set(projection.name, member);
    }
  }

  /** What is to be committed with the events. @throws {InlineFoldFailed} */
  async fold(staged: readonly StagedAppend[]): Promise<StateCommit | undefined> {
    const given = staged.flatMap(({ request, events }) => events.map((recorded) => ({ request, recorded })));
    const first = given[0]?.recorded.position;
    const last = given.at(-1)?.recorded.position;
    if (first === undefined || last === undefined) return undefined;
    const changes: StateCommit[] = [];
    const folded: Folded[] = [];
    for (const member of this.#members.values()) {
      const { typesEpoch: epoch, projection, build } = member;
      if (epoch === undefined) continue;
      const from = await this.#positionOf(member, first);
      if (first - 1 - from > missedMax) continue;
      const missed = await member.feed.between(from, first - 1);
      const taken = await this.#take(member, missed, given);
      if (taken === undefined) continue;
      const fences = [{ lease: typesLease(projection), epoch }];
      changes.push({ ...taken.change, fences, checkpoints: [{ name: build.slot(0), from, to: last }] });
      folded.push({ member, position: last, committed: taken.committed });
    }
    this.#folded = folded;
    return changes.length === 0 ? undefined : merge(changes);
  }

  /** What was folded last has been committed. */
  committed(): void {
    for (const { member, position, committed } of this.#folded) {
      committed();
      member.position = position;
    }
    this.#folded = [];
  }

  /** Where it stood when this process last committed, if nobody has appended since; else as the store says. */
  async #positionOf(member: Member, first: Position): Promise<Position> {
    if (member.position === first - 1) return member.position;
    forget(member);
    return checkpointAt(this.#state, member.build.slot(0));
  }

  /** Undefined where the view stands still before what is appended: then it stays there, and its runner says why. */
  async #take(
    member: Member,
    missed: readonly RecordedEvent[],
    given: readonly Given[],
  ): Promise<{ readonly change: StateCommit; readonly committed: () => void } | undefined> {
    const { projection } = member;
    const requestOf = new Map(given.map(({ request, recorded }) => [recorded.position, request]));
    const fresh = member.feed.read(given.map(({ recorded }) => recorded));
    try {
      const tasks = [...missed, ...fresh].flatMap((event) => taskOf(projection, event));
      const { change, committed } = await member.handling.take(tasks);
      if (!areKeepable(change)) await member.handling.blame(tasks);
      const probed = member.probe.put(tasks.map(({ event }) => event));
      const puts = [...(change.puts ?? []), ...(probed === undefined ? [] : [probed.put])];
      return {
        change: { ...change, puts },
        committed: () => {
          committed();
          probed?.kept();
        },
      };
    } catch (error) {
      if (!(error instanceof TaskFailed)) throw error;
      forget(member);
      const { event } = error.task;
      const request = requestOf.get(event.position);
      if (request === undefined) return undefined;
      const { stream, type } = event;
      const reason = error.cause instanceof EngineError ? error.cause.summary : describe(error.cause);
      const failed = { projection: projection.name, stream, type, reason };
      throw new InlineFoldFailed(request, new EngineError('projection_failed', failed, { cause: error.cause }));
    }
  }
}

function forget(member: Member): void {
  member.position = undefined;
  member.handling.forget();
}

/** @throws {TaskFailed} */
function taskOf(projection: AnyProjection, event: RecordedEvent): readonly Task[] {
  try {
    const keys = projection.keysOf(event);
    return keys.length === 0 ? [] : [{ event, keys }];
  } catch (error) {
    throw new TaskFailed({ event, keys: [] }, error);
  }
}

/** Whether documents are what a store keeps: found out here, where it can be said whose events are at fault. */
function areKeepable({ puts = [] }: StateCommit): boolean {
  try {
    for (const { value } of puts) documentText(value as Json);
    return true;
  } catch {
    return false;
  }
}
