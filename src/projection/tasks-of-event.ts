/** Several tasks may be of one stored event, which is read as several: they are dealt with together, or not at all. */
import { hasCode } from '../ground/errors.ts';
import type { Position } from '../store/port.ts';
import type { Consumer } from './consumer.ts';
import type { EventFeed } from './feed.ts';
import { TaskFailed } from './fold.ts';
import type { Task } from './fold.ts';
import type { Failure } from './notice.ts';

/** An event that is put aside for one of its keys. */
export interface ToPark {
  readonly key: string;
  readonly event: Task['event'];
  readonly failure: Failure;
}

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

/** What is to be put aside for each key of an event; where those of a part of it could not be found, for none, so that no part is left behind. */
export function putAside(tasks: readonly Task[], failure: Failure): readonly ToPark[] {
  const keyless = tasks.find((task) => task.keyless !== undefined);
  if (keyless !== undefined) return [{ key: '', event: keyless.event, failure }];
  return distinct(tasks.flatMap(({ event, keys }) => keys.map((key) => ({ key, event, failure }))));
}

/** What several parts of an event lead to, once. */
export function distinct(parked: readonly ToPark[]): ToPark[] {
  return [...new Map(parked.map((one) => [`${one.event.position} ${one.key}`, one])).values()];
}

/** Whether an event failed because this code does not know its like; not where its handler has met another that it does not know. */
export function isUnknown(error: unknown): boolean {
  return error instanceof TaskFailed && error.task.keyless !== undefined && saysUnknown(error.cause);
}

function saysUnknown(error: unknown): boolean {
  return hasCode(error, 'event_newer') || hasCode(error, 'event_undeclared');
}

/** Whether this code knows the event there, at which other code stood still. */
export async function isKnown(
  { keysOf }: Pick<Consumer, 'keysOf'>,
  feed: EventFeed,
  position: Position,
): Promise<boolean> {
  for (const event of await feed.at(position)) {
    try {
      keysOf(event);
    } catch (error) {
      if (saysUnknown(error)) return false;
    }
  }
  return true;
}
