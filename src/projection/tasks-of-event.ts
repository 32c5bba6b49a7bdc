/** Several tasks may be of one stored event, which is read as several: they are dealt with together, or not at all. */
import type { Task } from './fold.ts';

/** Where the tasks end that are of the same stored event as the one at an index. */
export function endOfEvent(tasks: readonly Task[], index: number): number {
  const position = tasks[index]?.event.position;
  const end = tasks.findIndex(({ event }, at) => at > index && event.position !== position);
  return end === -1 ? tasks.length : end;
}

/** Where to divide tasks of several events: behind the first of them if it has failed, else near the middle. */
export function middleOf(tasks: readonly Task[], failed: number): number {
  const end = endOfEvent(tasks, failed === 0 ? 0 : Math.ceil(tasks.length / 2) - 1);
  return end < tasks.length ? end : endOfEvent(tasks, 0);
}
