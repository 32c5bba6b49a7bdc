/** What a saga does to another one that it started. */
import type { Draft, EventMetadata } from '../event/event.ts';
import { validate } from '../event/standard-schema.ts';
import type { SchemaResult } from '../event/standard-schema.ts';
import { EngineError, describe } from '../ground/errors.ts';
import type { StreamWrite } from '../store/port.ts';
import { checkDocumentKey } from '../store/state-commit.ts';
import type { ChildEffect, Effect } from './effect.ts';
import { failureOf } from './attempt.ts';
import { addStep, readInstance, streamOf } from './journal.ts';
import { hasEnded } from './progress.ts';
import type { Progress } from './progress.ts';
import type { SagaRuntime } from './runtime.ts';
import type { AnySaga } from './saga.ts';
import { stepDraft } from './step.ts';
import type { Failure, Parent, Step } from './step.ts';
import { addFromOutside } from './outside.ts';

type ChildStart =
  /** It is written together with the step of its parent: neither is there without the other. */
  | { readonly kind: 'ready'; readonly write: StreamWrite }
  /** This parent has started it. */
  | { readonly kind: 'there' };

export interface ChildrenParts {
  readonly runtime: SagaRuntime;
  /** Who starts them. */
  readonly saga: AnySaga;
  readonly id: string;
}

/** The children of one instance. */
export class Children {
  readonly #parts: ChildrenParts;
  /** By key: those that can be started, and those that are. */
  readonly #starts = new Map<string, ChildStart>();
  readonly #cancelled = new Set<string>();

  constructor(parts: ChildrenParts) {
    this.#parts = parts;
  }

  /** Whether one can be started together with the next step, or is. */
  has(key: string): boolean {
    return this.#starts.has(key);
  }

  /** Looks whether one can be started. @returns why it cannot. */
  async prepare({ key, saga: name, id, input }: ChildEffect, metadata: EventMetadata): Promise<Failure | undefined> {
    const { runtime } = this.#parts;
    const saga = runtime.sagas.get(name) as AnySaga;
    const valid = await validInput(saga, input);
    if (valid.issues !== undefined)
      return { code: 'input_invalid', message: valid.issues.map(({ message }) => message).join('; ') };
    const parent = { saga: this.#parts.saga.name, id: this.#parts.id, key };
    const on = { kind: 'started', version: saga.version, input: valid.value ?? null, parent } as const;
    let draft: Draft;
    try {
      checkDocumentKey(id);
      saga.stream(id);
      draft = stepDraft({ on, at: runtime.now() }, metadata);
    } catch (error) {
      return failureOf(error instanceof EngineError ? error.code : 'input_invalid', describe(error));
    }
    const there = await readInstance(runtime.log, saga, id);
    if (there === undefined) this.#starts.set(key, await this.#readied(streamOf(saga, id), draft));
    else if (isSame(there.progress.parent, parent)) this.#starts.set(key, { kind: 'there' });
    else return { code: 'child_exists', message: `${streamOf(saga, id)} was started by somebody else` };
    return undefined;
  }

  /** Where a backend appends to one stream at a time it is started first: whoever goes on after a crash finds it there. */
  async #readied(stream: string, draft: Draft): Promise<ChildStart> {
    const { log } = this.#parts.runtime;
    if (log.capabilities.multiStream) return { kind: 'ready', write: { stream, expected: 0, events: [draft] } };
    await addStep(log, stream, 0, draft);
    return { kind: 'there' };
  }

  /** What is to be written together with a step that starts some of them. */
  writesFor({ follows = [] }: Step): readonly StreamWrite[] {
    return follows.flatMap((one) => {
      const start = one.kind === 'child' ? this.#starts.get(one.key) : undefined;
      return start?.kind === 'ready' ? [start.write] : [];
    });
  }

  /** A step is recorded that started some of them. */
  started({ follows = [] }: Step): void {
    for (const one of follows)
      if (one.kind === 'child') this.#parts.runtime.notice({ kind: 'started', saga: one.saga, instance: one.id });
  }

  /** Somebody else may have started some of them. */
  forget(): void {
    this.#starts.clear();
  }

  /** Has those that are running undo what they did. @param begun the effect that was begun under a key. */
  async cancel({ effects }: Progress, begun: (key: string) => Effect | undefined): Promise<void> {
    const { runtime, saga, id } = this.#parts;
    for (const { key, kind, status, name } of effects.values()) {
      if (kind !== 'child' || status !== 'open' || this.#cancelled.has(key)) continue;
      const effect = begun(key);
      const child = runtime.sagas.get(name as string);
      if (effect?.kind === 'child' && child !== undefined)
        await cancelFor(runtime, child, effect.id, `${streamOf(saga, id)} is being compensated`);
      this.#cancelled.add(key);
    }
  }
}

function isSame(a: Parent | undefined, b: Parent): boolean {
  return a?.saga === b.saga && a.id === b.id && a.key === b.key;
}

async function cancelFor(runtime: SagaRuntime, saga: AnySaga, id: string, reason: string): Promise<void> {
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
