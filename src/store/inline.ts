/** Projections that are folded in the append's own transaction: what a fold is shown, and what its failure costs. */
import type { Recorded } from '../event/event.ts';
import { RecordedDraft } from '../event/recorded-draft.ts';
import { hasCode } from '../ground/errors.ts';
import type { AppendRequest, AppendResult, EventStore } from './port.ts';
import type { StateCommit } from './state-port.ts';

/** A request of the group whose events are staged, and these events. */
export interface StagedAppend {
  /** Its index in the group. */
  readonly request: number;
  /** Where they will stand. */
  readonly events: readonly Recorded[];
}

/** Folds what is about to be appended. */
export interface InlineFold {
  /** Called before each attempt at a group, while nothing is staged: the only moment at which it may write. */
  prepare?(): Promise<void>;
  /**
   * What is to be committed with these events, which are in position order.
   * @throws {InlineFoldFailed} if it is one request's events that it cannot take.
   */
  fold(staged: readonly StagedAppend[]): Promise<StateCommit | undefined>;
  /** What `fold` gave last has been committed. Not called where that is not known. */
  committed(): void;
}

/** Thrown by a fold that cannot take the events of one request: that request is refused, with the cause. */
export class InlineFoldFailed extends Error {
  override readonly name = 'InlineFoldFailed';
  /** Its index in the group, as it was shown. */
  readonly request: number;

  constructor(request: number, cause: unknown) {
    super(`The events of request ${request} could not be folded`, { cause });
    this.request = request;
  }
}

/** What became of a request. */
export type FoldedResult =
  | { readonly kind: 'judged'; readonly result: AppendResult }
  | { readonly kind: 'lost'; readonly reason: unknown };

interface Placed {
  readonly request: AppendRequest;
  readonly index: number;
}

/** So often a change may find a checkpoint moved by somebody who does not append; then its group fails. */
const attemptsMax = 10;
/** Between two attempts, at most. */
const pauseMaxMs = 50;

/**
 * Appends a group together with what the fold makes of it. A request whose events cannot be folded is left out, and the rest
 * appended without it: as if it had never been in the group. What else the store or the fold throws, the rest is lost to.
 */
export async function appendFolded(
  store: EventStore,
  group: readonly AppendRequest[],
  fold: InlineFold,
): Promise<readonly FoldedResult[]> {
  const folded = new Map<number, FoldedResult>();
  let left: readonly Placed[] = group.map((request, index) => ({ request, index }));
  for (let attempt = 1; left.length > 0;) {
    const tried = left;
    let isFolded = false;
    try {
      await fold.prepare?.();
      const results = await store.append(
        tried.map(({ request }) => request),
        (judged) => {
          isFolded = true;
          return fold.fold(stagedAppends(tried, judged));
        },
      );
      if (isFolded) fold.committed();
      for (const [place, { index }] of tried.entries())
        folded.set(index, { kind: 'judged', result: results[place] as AppendResult });
      break;
    } catch (error) {
      if (error instanceof InlineFoldFailed && tried.some(({ index }) => index === error.request)) {
        folded.set(error.request, { kind: 'lost', reason: error.cause });
        left = tried.filter(({ index }) => index !== error.request);
      } else if (hasCode(error, 'inline_conflict') && attempt < attemptsMax) {
        await pause(Math.min(2 ** attempt, pauseMaxMs));
        attempt += 1;
      } else {
        for (const { index } of tried) folded.set(index, { kind: 'lost', reason: error });
        break;
      }
    }
  }
  return group.map((_, index) => folded.get(index) as FoldedResult);
}

function stagedAppends(group: readonly Placed[], results: readonly AppendResult[]): readonly StagedAppend[] {
  return group.flatMap(({ request, index }, place) => {
    const result = results[place] as AppendResult;
    if (result.kind !== 'appended' || result.position === 0) return [];
    return [{ request: index, events: recordedEvents(request, result) }];
  });
}

/** The events of a request as they will be recorded. */
function recordedEvents(
  { writes }: AppendRequest,
  { versions, recordedAt, ...result }: AppendResult & { kind: 'appended' },
): readonly Recorded[] {
  let { position } = result;
  return writes.flatMap(({ stream, events }, write) => {
    const first = versions[write] as number;
    return events.map(
      (draft, offset) =>
        new RecordedDraft(draft, { stream, version: first + offset, position: position++, recordedAt }),
    );
  });
}

/** Nobody else's attempts go in step with these, so they need no random part: who appends holds the lock. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Several folds as one. */
export function jointly(folds: readonly InlineFold[]): InlineFold {
  return {
    prepare: async () => {
      for (const fold of folds) await fold.prepare?.();
    },
    fold: async (staged) => {
      const changes: StateCommit[] = [];
      for (const fold of folds) {
        const change = await fold.fold(staged);
        if (change !== undefined) changes.push(change);
      }
      return changes.length === 0 ? undefined : merge(changes);
    },
    committed: () => {
      for (const fold of folds) fold.committed();
    },
  };
}

/** Changes of different things as one. */
export function merge(changes: readonly StateCommit[]): StateCommit {
  return {
    fences: changes.flatMap(({ fences = [] }) => fences),
    checkpoints: changes.flatMap(({ checkpoints = [] }) => checkpoints),
    puts: changes.flatMap(({ puts = [] }) => puts),
    deletes: changes.flatMap(({ deletes = [] }) => deletes),
    statements: changes.flatMap(({ statements = [] }) => statements),
  };
}
