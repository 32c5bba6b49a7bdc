/** Folding events into documents. */
import type { RecordedEvent } from '../event/codec.ts';
import { describe } from '../ground/errors.ts';
import { freezeDeeply } from '../ground/freeze.ts';
import type { AnyProjection, ViewDocument } from './projection.ts';

/** An event, and those of its keys that are meant here. */
export interface Task {
  readonly event: RecordedEvent;
  readonly keys: readonly string[];
  /** Which one it is, where it is not the first. */
  readonly attempt?: number;
  /** Why its keys are not known. */
  readonly keyless?: { readonly error: unknown };
}

/** An event that could not be dealt with, for a reason of its own. */
export class TaskFailed extends Error {
  override readonly name = 'TaskFailed';
  readonly task: Task;

  constructor(task: Task, cause: unknown) {
    super(describe(cause), { cause });
    this.task = task;
  }
}

/** What is known of documents; null: there is none. */
export type Documents = ReadonlyMap<string, ViewDocument | null>;

/**
 * The documents that events lead to: only those that they concern.
 * @param before of every key of the tasks.
 * @throws {TaskFailed}
 */
export function foldTasks(
  projection: AnyProjection,
  tasks: readonly Task[],
  before: Documents,
  freezes: boolean,
): Map<string, ViewDocument | null> {
  const after = new Map<string, ViewDocument | null>();
  for (const task of tasks) {
    try {
      if (task.keyless !== undefined) throw task.keyless.error;
      for (const key of task.keys) {
        const document = (after.has(key) ? after.get(key) : before.get(key)) ?? begin(projection, freezes);
        const next = projection.fold(document, task.event);
        if (freezes) freezeDeeply(next);
        after.set(key, next);
      }
    } catch (error) {
      throw new TaskFailed(task, error);
    }
  }
  return after;
}

function begin(projection: AnyProjection, freezes: boolean): ViewDocument {
  const document = projection.start();
  if (freezes) freezeDeeply(document);
  return document;
}
