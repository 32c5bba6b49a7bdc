/** What anybody may add to an instance, whoever works on it. */
import { addStep, readInstance, refuseDeleted, streamOf } from './journal.ts';
import type { Standing } from './journal.ts';
import { announce } from './notice.ts';
import { advance } from './progress.ts';
import type { Progress } from './progress.ts';
import type { Happened } from './instance-worker.ts';
import type { SagaRuntime } from './runtime.ts';
import type { AnySaga } from './saga.ts';
import { stepDraft } from './step.ts';

/** @param make what is to be recorded, as it stands; undefined: nothing. @param isNew whether it is probably not there. @returns how it then stands. */
export async function addFromOutside(
  runtime: SagaRuntime,
  saga: AnySaga,
  id: string,
  make: (progress: Progress | undefined) => Happened | undefined,
  isNew = false,
): Promise<Standing | undefined> {
  const desk = runtime.desks.of(saga, id);
  if (desk !== undefined) {
    try {
      return await desk.deliver(id, make, isNew);
    } catch (error) {
      // Whoever worked on it has stopped meanwhile: then it is added as from any other process.
      if (!desk.hasStopped) throw error;
    }
  }
  // This process is not in its own way.
  const added = Promise.withResolvers<Standing | undefined>();
  void runtime.outside.run([streamOf(saga, id)], () =>
    addHere(runtime, saga, id, make, isNew).then(added.resolve, added.reject),
  );
  return added.promise;
}

async function addHere(
  runtime: SagaRuntime,
  saga: AnySaga,
  id: string,
  make: (progress: Progress | undefined) => Happened | undefined,
  isNew: boolean,
): Promise<Standing | undefined> {
  const stream = streamOf(saga, id);
  const kept = runtime.lately.get(stream);
  // What could not be folded may be by now.
  let standing = kept?.progress.broken === undefined ? kept : undefined;
  // What is to be started is most often not there, which the append tells as well.
  for (let isRead = isNew && standing === undefined; ; isRead = false) {
    if (!isRead) standing = await readInstance(runtime.log, saga, id, { since: standing });
    const happened = make(standing?.progress);
    if (happened === undefined) return standing;
    refuseDeleted(standing);
    const { on, metadata = {} } = happened;
    const correlated = { ...(standing && { correlationId: standing.progress.correlationId }), ...metadata };
    const version = standing?.progress.streamVersion ?? 0;
    const step = { on, at: runtime.now() };
    const added = await addStep(runtime.log, stream, version, stepDraft(step, correlated));
    if (added.kind === 'overtaken') continue;
    const { correlationId = '' } = correlated;
    const placed = { step, id, version: version + 1, correlationId };
    const progress = advance(saga, standing?.progress, placed);
    announce(runtime.notice, progress, step);
    const stands = { progress, last: added.event };
    runtime.lately.set(stream, stands);
    return stands;
  }
}
