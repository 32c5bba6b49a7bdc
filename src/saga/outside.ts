/** What anybody may add to an instance, whoever works on it. */
import { addStep, placedStep, readInstance, streamOf } from './journal.ts';
import type { Standing } from './journal.ts';
import { advance } from './progress.ts';
import type { Progress } from './progress.ts';
import type { Happened } from './instance-worker.ts';
import type { SagaRuntime } from './runtime.ts';
import type { AnySaga } from './saga.ts';
import { stepDraft } from './step.ts';

/** @param make what is to be recorded, as it stands; undefined: nothing. @returns how it then stands. */
export async function addFromOutside(
  runtime: SagaRuntime,
  saga: AnySaga,
  id: string,
  make: (progress: Progress | undefined) => Happened | undefined,
): Promise<Standing | undefined> {
  let standing: Standing | undefined;
  for (;;) {
    standing = await readInstance(runtime.log, saga, id, { since: standing });
    const happened = make(standing?.progress);
    if (happened === undefined) return standing;
    const { on, metadata = {} } = happened;
    const correlated = { ...(standing && { correlationId: standing.progress.correlationId }), ...metadata };
    const version = standing?.progress.streamVersion ?? 0;
    const added = await addStep(runtime.log, streamOf(saga, id), version, stepDraft({ on }, correlated));
    if (added.kind === 'overtaken') continue;
    const progress = advance(saga, standing?.progress, placedStep(added.event, id));
    const stands = { progress, last: added.event };
    runtime.desks.offer(saga, id, stands);
    return stands;
  }
}
