/** What a saga does to another one that it started. */
import type { EventMetadata } from '../event/event.ts';
import { validate } from '../event/standard-schema.ts';
import type { SchemaResult } from '../event/standard-schema.ts';
import { EngineError } from '../ground/errors.ts';
import type { ChildEffect } from './effect.ts';
import { addStep, readInstance, streamOf } from './journal.ts';
import { hasEnded } from './progress.ts';
import type { SagaRuntime } from './runtime.ts';
import type { AnySaga } from './saga.ts';
import { stepDraft } from './step.ts';
import type { Failure, Parent } from './step.ts';
import { addFromOutside } from './outside.ts';

/** @returns why it could not be started. One that this parent has started before is started. */
export async function startChild(
  runtime: SagaRuntime,
  { saga: name, id, input }: ChildEffect,
  parent: Parent,
  metadata: EventMetadata,
): Promise<Failure | undefined> {
  const saga = runtime.sagas.get(name) as AnySaga;
  const valid = await validInput(saga, input);
  if (valid.issues !== undefined)
    return { code: 'input_invalid', message: valid.issues.map(({ message }) => message).join('; ') };
  const on = { kind: 'started', version: saga.version, input: valid.value ?? null, parent } as const;
  const added = await addStep(runtime.log, streamOf(saga, id), 0, stepDraft({ on, at: runtime.now() }, metadata));
  if (added.kind === 'added') {
    runtime.notice({ kind: 'started', saga: name, instance: id });
    return undefined;
  }
  const there = (await readInstance(runtime.log, saga, id))?.progress.parent;
  if (there?.saga === parent.saga && there.id === parent.id && there.key === parent.key) return undefined;
  return { code: 'child_exists', message: `${streamOf(saga, id)} was started by somebody else` };
}

export async function cancelFor(runtime: SagaRuntime, saga: AnySaga, id: string, reason: string): Promise<void> {
  await addFromOutside(runtime, saga, id, (progress) =>
    progress === undefined || hasEnded(progress) || progress.failure !== undefined
      ? undefined
      : { on: { kind: 'cancel', reason } },
  );
}

export async function validInput(saga: AnySaga, input: unknown): Promise<SchemaResult<unknown>> {
  if (saga.input === undefined) {
    if (input === undefined) return { value: undefined };
    return { issues: [{ message: `${saga.name} takes no input` }] };
  }
  const failed = (reason: string, cause: unknown) =>
    new EngineError('definition_invalid', { name: saga.name, reason }, { cause });
  return validate(saga.input, input, failed);
}
