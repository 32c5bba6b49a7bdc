import { EngineError } from '../ground/errors.ts';
import type { EventSchemas } from '../event/codec.ts';
import type { EventBatch, EventLog } from '../store/log.ts';
import { checkStateName } from '../store/state-commit.ts';
import type { StateStore } from '../store/state-port.ts';
import type { SubscribeQuery } from '../store/subscription.ts';
import { checkpointAt } from './checkpoint.ts';

/** @throws {EngineError} `name_invalid` */
export function checkCheckpointName(checkpoint: string): void {
  checkStateName('checkpoint', checkpoint);
  checkStateName('checkpoint', nameOf(checkpoint));
}

function nameOf(checkpoint: string): string {
  return `subscription/${checkpoint}`;
}

/**
 * Follows the log from where it was followed to under this name. That a batch has been dealt with is noted down when the next one is asked
 * for: whoever is interrupted gets it again.
 * @throws {EngineError} `checkpoint_taken`; as `log.subscribe`.
 */
export async function* followCheckpointed<Schemas extends EventSchemas>(
  log: EventLog<Schemas>,
  state: StateStore,
  checkpoint: string,
  query: Omit<SubscribeQuery, 'after'>,
  signal?: AbortSignal,
): AsyncGenerator<EventBatch<Schemas>> {
  const name = nameOf(checkpoint);
  let from = await checkpointAt(state, name);
  for await (const batch of log.subscribe({ ...query, after: from }, signal)) {
    yield batch;
    const { position: to } = batch;
    const result = await state.commit({ checkpoints: [{ name, from, to }] });
    if (result !== 'committed') throw new EngineError('checkpoint_taken', { checkpoint, position: from });
    from = to;
  }
}
