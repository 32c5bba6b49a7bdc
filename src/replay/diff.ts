/** What changed, when, and why. */
import { changesBetween, concerns, isAlike, partAt, stepsOf } from '../event/differences.ts';
import type { RecordedEvent } from '../event/codec.ts';
import { checkKeys, checkSignal, optionInvalid } from '../ground/check-options.ts';
import { aboutOne } from './about.ts';
import { checkMomentOf } from './check-options.ts';
import type { ReplayContext } from './context.ts';
import { Course } from './course.ts';
import type { Stretch } from './course.ts';
import type { Cause, Diff, DiffOptions, HistoryOptions, HistoryStep, WhyOptions } from './past.ts';
import type { Subject } from './subject.ts';

const stretchKeys = ['from', 'to', 'signal'] satisfies (keyof HistoryOptions)[];
const whyKeys = ['at', 'signal'] satisfies (keyof WhyOptions)[];

/** Checked when it is called, not when the first step is asked for. @throws {EngineError} `option_invalid`, `name_invalid` */
export function history(
  context: ReplayContext,
  subject: Subject,
  options: HistoryOptions,
): AsyncIterable<HistoryStep<unknown, RecordedEvent>> {
  const about = aboutOne(subject);
  const stretch = checkStretch(about, options);
  const course = new Course(context, about);
  return (async function* () {
    for await (const step of course.steps(stretch)) yield { ...step, changes: changesBetween(step.before, step.after) };
  })();
}

export async function diff(
  context: ReplayContext,
  subject: Subject,
  options: DiffOptions,
): Promise<Diff<unknown, RecordedEvent>> {
  const about = aboutOne(subject);
  const stretch = checkStretch(about, options);
  if (stretch.from === undefined) throw optionInvalid('from', undefined, 'a moment');
  const course = new Course(context, about);
  await requireOrder(course, stretch);
  let first: { readonly before: unknown } | undefined;
  const events: { event: RecordedEvent; changes: ReturnType<typeof changesBetween> }[] = [];
  for await (const step of course.steps(stretch)) {
    first ??= { before: step.before };
    const changes = changesBetween(step.before, step.after);
    if (changes.length > 0) events.push({ event: step.event, changes });
  }
  const after = course.value;
  const before = first === undefined ? after : first.before;
  return { before, after, changes: changesBetween(before, after), events };
}

/** @throws {EngineError} `option_invalid` */
async function requireOrder({ timeline }: Course, { from, to, signal }: Stretch): Promise<void> {
  const begin = await timeline.end(from, signal);
  const end = await timeline.end(to, signal);
  if (begin.position <= end.position) return;
  throw optionInvalid('from', from, 'a moment that is not after `to`');
}

export async function why(
  context: ReplayContext,
  subject: Subject,
  field: string,
  options: WhyOptions,
): Promise<Cause<RecordedEvent> | undefined> {
  const about = aboutOne(subject);
  checkKeys('the options of why', options, whyKeys);
  const { at, signal } = options;
  checkSignal(signal);
  if (at !== undefined) checkMomentOf(about, at, 'at');
  const path = typeof field === 'string' ? stepsOf(field) : undefined;
  if (path === undefined)
    throw optionInvalid('field', field, 'a path such as items[3].price, with ["…"] around other names');
  let cause: Cause<RecordedEvent> | undefined;
  for await (const { event, before, after } of new Course(context, about).steps({ from: undefined, to: at, signal })) {
    const [was, is] = [partAt(before, path), partAt(after, path)];
    if (isAlike(was, is)) continue;
    const changes = changesBetween(before, after).filter((change) => concerns(change.path, path));
    cause = { event, before: was, after: is, changes };
  }
  return cause;
}

/** @throws {EngineError} `option_invalid` */
function checkStretch(about: Parameters<typeof checkMomentOf>[0], options: HistoryOptions): Stretch {
  checkKeys('the options', options, stretchKeys);
  const { from, to, signal } = options;
  checkSignal(signal);
  if (from !== undefined) checkMomentOf(about, from, 'from');
  if (to !== undefined) checkMomentOf(about, to, 'to');
  return { from, to, signal };
}
