import type { Refusal } from 'eventsrc';
import type { HistoryEnd } from './commit-append.ts';
import { CommitPipeline, defaultPipelineLimits } from './commit-pipeline.ts';
import type { PipelineLimits } from './commit-pipeline.ts';
import { commitStream, lastRecordedCommit } from './events.ts';
import type { HistoryLog } from './events.ts';
import { Failure } from './failure.ts';
import type { HistorySource } from './history-source.ts';
import { rememberQuoting } from './settings.ts';

export interface ImportOptions {
  /** Stops between two commits; those that were sent are waited for. */
  readonly signal?: AbortSignal;
  /** Told after every commit: how many of those that were missing at the beginning are in the store. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  readonly limits?: Partial<PipelineLimits>;
}

/** What this import recorded. */
export interface ImportResult {
  /** `stopped`: by the signal. */
  readonly kind: 'complete' | 'stopped';
  readonly commits: number;
  readonly events: number;
}

/**
 * Records what the store lacks of a history, each commit as one atomic append. It begins where the store ends, whoever
 * put that there and however it was interrupted; other imports may run at the same time.
 * @throws {Failure} if the store holds another history.
 * @throws {EngineError} what the store throws.
 */
export async function importHistory(
  log: HistoryLog,
  source: HistorySource,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const { signal, onProgress } = options;
  const limits = { ...defaultPipelineLimits, ...options.limits };
  let end = await historyEnd(log);
  let missing = await countMissing(log, source, end);
  let commits = 0;
  let events = await rememberQuoting(log, source.quotePath);
  const total = missing;

  while (missing > 0) {
    let done = total - missing;
    onProgress?.({ done, total });
    // Read after the end of the history: if a commit is recorded in between, the first append is refused.
    const { position: lastPosition } = await log.head();
    const pipeline = new CommitPipeline(log, { end, lastPosition }, limits, (recorded) => {
      commits += 1;
      events += recorded.events;
      done += 1;
      onProgress?.({ done, total });
    });
    for await (const commit of source.commits(end.commit, signal)) {
      if (signal?.aborted === true || pipeline.refusal !== undefined) break;
      await pipeline.send(commit);
    }
    await pipeline.drain();
    if (signal?.aborted === true && done < total) return { kind: 'stopped', commits, events };
    if (pipeline.refusal === undefined) break;

    // Another import was faster: go on from where it got to. If the store has not moved, that is not the reason.
    const refusedAt = end.commit;
    end = await historyEnd(log);
    if (end.commit === refusedAt) throw unexplained(pipeline.refusal);
    missing = await countMissing(log, source, end);
  }
  return { kind: 'complete', commits, events };
}

async function historyEnd(log: HistoryLog): Promise<HistoryEnd> {
  const last = await lastRecordedCommit(log);
  return last === undefined ? { commit: null, position: 0 } : { commit: last.data.commit, position: last.position };
}

/** How many commits of the source are to be recorded after `end`. @throws {Failure} if they do not belong there. */
async function countMissing(log: HistoryLog, source: HistorySource, { commit }: HistoryEnd): Promise<number> {
  const [tip] = await log.heads([commitStream(source.tip)]);
  if (tip !== undefined && tip.version > 0) return 0;
  const missing = await source.countAfter(commit);
  if (missing !== undefined) return missing;
  throw new Failure(
    `The store ends with commit ${commit}, which is not in the first-parent history of ${source.tip} in ${source.name}: the history was rewritten, or it is another one.`,
    'Import it into a new store.',
  );
}

function unexplained(refusal: Refusal): Failure {
  const where =
    'stream' in refusal ? `${refusal.stream} is at version ${refusal.actual}` : `the reason given is ${refusal.kind}`;
  return new Failure(
    `The store refuses what comes next although no other commit was recorded: ${where}.`,
    'Something other than this example wrote to the store; import into a new one.',
  );
}
