import { onAbort } from '../ground/on-abort.ts';
import { TaskFailed } from './fold.ts';
import type { Task } from './fold.ts';
import type { AnyReactor } from './reactor.ts';

/**
 * Makes an attempt at a reaction.
 * @throws {TaskFailed} if it failed or took too long; the signal's reason, when aborted.
 */
export async function react(reactor: AnyReactor, task: Task, outer: AbortSignal): Promise<void> {
  outer.throwIfAborted();
  const controller = new AbortController();
  const leave = onAbort(outer, () => controller.abort(outer.reason));
  const tooLong = new Error(`it took longer than ${reactor.timeoutMs} ms`);
  const timer = setTimeout(() => controller.abort(tooLong), reactor.timeoutMs);
  const { signal } = controller;
  try {
    const { id, recordedAs: { index = 0 } = {} } = task.event;
    const reaction = reactor.react(task.event, {
      idempotencyKey: `${reactor.name}:${index === 0 ? id : `${id}/${index}`}`,
      attempt: task.attempt ?? 1,
      signal,
    });
    // Who does not look at the signal is not waited for.
    await Promise.race([
      reaction,
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
    ]);
  } catch (error) {
    outer.throwIfAborted();
    throw new TaskFailed(task, error);
  } finally {
    clearTimeout(timer);
    leave();
  }
}
