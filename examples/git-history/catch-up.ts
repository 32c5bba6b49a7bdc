import { hasCode, openEngine } from 'eventsrc';
import type { AnyProjection, ConsumerNotice, InferDocument, ReadOptions, View } from 'eventsrc';
import type { HistoryLog } from './events.ts';
import { Failure } from './failure.ts';
import type { Progress } from './progress-bar.ts';

export interface CatchUpOptions {
  readonly signal?: AbortSignal;
  /** Told about once a second how far the view has come, in events. */
  readonly onProgress?: (progress: Progress) => void;
}

/**
 * Has a view catch up with the history, going on from where the last reader left it, and reads it under a bound: nothing that was
 * recorded before the call is missing from what `read` sees.
 * @throws {Failure} if the view stands still; the signal's reason, when aborted.
 */
export async function readCaughtUp<P extends AnyProjection, Result>(
  log: HistoryLog,
  projection: P,
  read: (view: View<InferDocument<P>>, bound: ReadOptions) => Promise<Result>,
  { signal, onProgress }: CatchUpOptions = {},
): Promise<Result> {
  const trouble = new AbortController();
  const { position: atLeast } = await log.head();
  let failed: unknown;
  const consumer = (notice: ConsumerNotice) => {
    if (notice.kind === 'lag' && notice.position <= atLeast) onProgress?.({ done: notice.position, total: atLeast });
    if (notice.kind === 'restarted') failed = notice.error;
    const reason = troubleOf(notice, failed);
    if (reason !== undefined) trouble.abort(reason);
  };
  await using engine = await openEngine({ store: log, projections: [projection], hooks: { consumer } });
  // However long a history it is the first time: what is to end the waiting is trouble, not a time.
  const signals = signal === undefined ? [trouble.signal] : [trouble.signal, signal];
  const bound = { atLeast, timeoutMs: Infinity, signal: AbortSignal.any(signals) };
  try {
    return await read(engine.view(projection), bound);
  } catch (error) {
    if (hasCode(error, 'stale') && error.details.fault !== undefined)
      throw await unfoldable(log, error.details.view, error.details.fault, error);
    throw error;
  }
}

/** An event that the view cannot take in, so that it stands still. */
async function unfoldable(
  log: HistoryLog,
  view: string,
  { position, reason }: { readonly position: number; readonly reason: string },
  cause: unknown,
): Promise<Failure> {
  let stream = 'The store';
  for await (const page of log.read({ after: position - 1, until: position }))
    for (const event of page) ({ stream } = event);
  return new Failure(
    `${stream} holds an event that ${view} cannot take in: ${reason}.`,
    'Something other than this example wrote to the store; import into a new one.',
    { cause },
  );
}

/** @param failed why the work on the view had to begin again, if it had. */
function troubleOf(notice: ConsumerNotice, failed: unknown): Failure | undefined {
  if (notice.kind !== 'stalled') return undefined;
  return new Failure(
    `${notice.consumer} has stood at event ${notice.position} for ${Math.round(notice.forMs / 1_000)} s${failed instanceof Error ? `: ${failed.message}` : ''}.`,
    'If another process has the store open, see whether it is stuck; then try again.',
    { cause: failed },
  );
}
