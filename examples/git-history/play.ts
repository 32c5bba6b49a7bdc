/** How a tree grew, commit by commit, at a multiple of the pace at which that happened. */
import { openEngine, systemTimer } from 'eventsrc';
import type { RecordedEvent, ReplaySpeed, Timer } from 'eventsrc';
import { isHistoryEvent } from './events.ts';
import type { CommitRecorded, HistoryLog } from './events.ts';
import { treeFold } from './tree.ts';
import type { Tree } from './tree.ts';

/** Changed paths. */
export interface Changes {
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
}

const noChanges: Changes = { added: 0, modified: 0, deleted: 0 };

interface Growth {
  /** The same object from the first event to the last. */
  readonly tree: Tree;
  /** What the commit has changed so far. */
  readonly changes: Changes;
  /** Whether that is all of it. */
  readonly isWhole: boolean;
}

/** The tree, and what became of it with the last commit. */
const growthFold = {
  initial: (): Growth => ({ tree: treeFold.initial(), changes: noChanges, isWhole: true }),
  evolve: ({ tree, changes, isWhole }: Growth, event: RecordedEvent): Growth => ({
    tree: treeFold.evolve(tree, event),
    changes: counted(isWhole ? noChanges : changes, event.type),
    isWhole: event.type === 'CommitRecorded',
  }),
};

function counted(changes: Changes, type: string): Changes {
  switch (type) {
    case 'FileAdded':
      return { ...changes, added: changes.added + 1 };
    case 'FileModified':
      return { ...changes, modified: changes.modified + 1 };
    case 'FileDeleted':
      return { ...changes, deleted: changes.deleted + 1 };
    default:
      return changes;
  }
}

/** After one more event. */
export interface PlayFrame extends Omit<Growth, 'isWhole'> {
  /** The commit, when all of it is there. */
  readonly commit: CommitRecorded | undefined;
  /** Whole commits so far. */
  readonly done: number;
  readonly total: number;
}

export interface PlayHistoryOptions {
  /** The last commit. */
  readonly until: CommitRecorded;
  /** Times the pace of the commits: from 0.1 to 100, or not waiting at all. */
  readonly speed: ReplaySpeed;
  /** The longest pause before a commit, in ms. Default 500. */
  readonly pauseMaxMs?: number;
  /** What is waited by. Default: the system's clock. */
  readonly timer?: Timer;
  readonly signal?: AbortSignal;
}

/** No history is watched for longer than this, so the more commits it has, the shorter are the pauses. */
const pausesMs = 60_000;

/**
 * Plays the history up to a commit, event by event: before each commit a pause, its changes, itself.
 * @throws the signal's reason, when aborted.
 */
export async function* playHistory(
  log: HistoryLog,
  { until, speed, pauseMaxMs = 500, timer = systemTimer, signal }: PlayHistoryOptions,
): AsyncGenerator<PlayFrame> {
  const moments = await commitMoments(log, until, signal);
  const total = moments.length;
  const pauseMs = Math.min(pauseMaxMs, pausesMs / total);
  await using engine = await openEngine({ store: log });
  const replay = engine.replay(
    { fold: growthFold },
    {
      mode: 'time_travel',
      at: { position: until.position },
      speed,
      // In the time of the history, which runs faster than that of whoever watches.
      maxGapMs: speed === 'unthrottled' ? Infinity : pauseMs * speed,
      timeOf: timeIn(moments),
      timer,
      ...(signal !== undefined && { signal }),
    },
  );
  let done = 0;
  for await (const { event, state } of replay) {
    const commit = isHistoryEvent(event) && event.type === 'CommitRecorded' ? event : undefined;
    if (commit !== undefined) done += 1;
    yield { tree: state.tree, changes: state.changes, commit, done, total };
  }
}

interface CommitMoment {
  readonly position: number;
  readonly time: number;
}

/** When each commit was made. One that does not say is taken to be as old as the one before. */
async function commitMoments(
  log: HistoryLog,
  { position: until }: CommitRecorded,
  signal?: AbortSignal,
): Promise<readonly CommitMoment[]> {
  const moments: CommitMoment[] = [];
  for await (const page of log.read({ match: [{ types: ['CommitRecorded'] }], until }, signal)) {
    for (const event of page) {
      if (event.type !== 'CommitRecorded') continue;
      const { position, data } = event;
      moments.push({ position, time: data.committedAt ?? moments.at(-1)?.time ?? 0 });
    }
  }
  return moments;
}

/** An event happened when its commit was made, which is the first one at or behind it. Asked about one event after another. */
function timeIn(moments: readonly CommitMoment[]): (event: RecordedEvent) => number {
  let index = 0;
  return ({ position }) => {
    while (index < moments.length - 1 && (moments[index]?.position ?? 0) < position) index += 1;
    return moments[index]?.time ?? 0;
  };
}
