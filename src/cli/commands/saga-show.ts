import type { RecordedEvent } from '../../event/codec.ts';
import type { SagaState } from '../../saga/saga-state.ts';
import type { TimerPurpose } from '../../saga/step.ts';
import { hasCode } from '../../ground/errors.ts';
import type { Moment } from '../../store/moment.ts';
import { action, defineCommand } from '../define.ts';
import { CliError } from '../failure.ts';
import { jsonText } from '../json-text.ts';
import { moment, momentNotation, momentText } from '../moment-argument.ts';
import { numberText, shortTimeText, spanText, timeText } from '../moment-text.ts';
import { printable } from '../printable.ts';
import { handleOf, instanceTyped, nowOf, sagasUnworked } from '../saga-instance.ts';
import { SagaTimeline } from '../saga-timeline.ts';
import { effectText, failureText, stuckText, timerText } from '../saga-words.ts';
import type { Terminal } from '../terminal.ts';
import { flatFields, isPlainObject, layOut } from '../value-text.ts';

interface Options {
  readonly at?: Moment;
}

/** What is to go on by itself, and when. */
interface NextTimer {
  readonly key: string;
  readonly at: number;
  readonly for: TimerPurpose;
  /** That is waited for. */
  readonly type?: string;
}

const definition = defineCommand({
  usage: 'show <saga> [id]',
  summary: 'print how far one has come, and how',
  does: 'Print how far an instance of a saga has come, now or at an earlier moment, also of one that has ended: its status, its state, its next timer, and its steps, with attempts, failures, compensations, and what operators did.',
  examples: [
    ['saga show fulfilment o-1', 'as it is'],
    ['saga show fulfilment-o-1 --at v3', 'by its stream; as of its third step'],
    ['saga show fulfilment o-1 --at 2h --json', 'as it was two hours ago, for a program'],
  ],
})
  .usage('[options] <saga> <id>')
  .option('--at <moment>', `as of then: ${momentNotation}`, moment);

export const show = action<[saga: string, id?: string], Options>(definition, async (session, { at }, ...typed) => {
  const named = await instanceTyped(session, 'show', typed);
  const { terminal, signal } = session;
  await using engine = await session.openEngine('existing', sagasUnworked);
  const handle = handleOf(engine, named);
  const { stream } = handle;
  const progress = await handle.state({ signal, ...(at !== undefined && { at }) }).catch(async (error: unknown) => {
    if (at === undefined || !hasCode(error, 'saga_not_found')) throw error;
    const { startedAt } = await handle.state({ signal });
    throw new CliError(
      `${named.saga} ${named.id} had not begun at ${momentText(at)}`,
      `It was started at ${timeText(startedAt)}: name a later moment.`,
    );
  });
  const steps = engine.log.read({ stream, untilVersion: progress.streamVersion }, signal);
  if (terminal.isJson) {
    const events: RecordedEvent[] = [];
    for await (const page of steps) events.push(...page);
    await terminal.printJson(jsonOf(stream, progress, events));
    return;
  }
  await (terminal.isRich
    ? printLaidOut(terminal, progress, await nowOf(session))
    : printFlat(terminal, stream, progress));
  await terminal.print('');
  const timeline = new SagaTimeline(terminal);
  for await (const page of steps) await timeline.print(page);
  if (progress.stuck !== undefined && at === undefined) terminal.note(wayOut(progress, progress.stuck.key));
});

/** What can be done about one that is stuck; at no effect there is nothing to be skipped or resolved. */
function wayOut({ saga, id }: SagaState, key: string | undefined): string {
  const others = key === undefined ? 'cancel --reason …' : 'skip --reason …, or resolve --result …';
  return `to have it go on, once the cause is removed: eventsrc saga retry ${saga} ${id}; or ${others}`;
}

function nextTimerOf({ effects }: SagaState): NextTimer | undefined {
  const timers = Object.values(effects).flatMap(({ key, timer, name }) =>
    timer === undefined ? [] : [{ key, ...timer, ...(timer.for === 'wait' && name !== undefined && { type: name }) }],
  );
  return timers.sort((a, b) => a.at - b.at)[0];
}

function jsonOf(stream: string, progress: SagaState, events: readonly RecordedEvent[]): object {
  const steps = events.map((event) => ({ ...event, id: event.id }));
  return { stream, ...progress, nextTimer: nextTimerOf(progress), steps };
}

function hasEnded({ status }: SagaState): boolean {
  return status === 'completed' || status === 'compensated' || status === 'deleted';
}

async function printFlat(terminal: Terminal, stream: string, progress: SagaState): Promise<void> {
  const { saga, id, version, status, startedAt, changedAt, state, failure, stuck, result, parent } = progress;
  const timer = nextTimerOf(progress);
  await terminal.printFacts({
    ...{ saga, id, stream, status, version },
    started: timeText(startedAt),
    [hasEnded(progress) ? 'ended' : 'changed']: timeText(changedAt),
    ...(parent !== undefined && { 'started by': `${parent.saga}-${parent.id}` }),
    ...(stuck?.key !== undefined && { 'stuck at': effectText(stuck.key) }),
    ...(stuck !== undefined && { 'stuck because': failureText(stuck.failure) }),
    ...(failure !== undefined && { 'compensated because': failureText(failure) }),
    ...(timer !== undefined && { 'next timer': `${timeText(timer.at)}: ${timerText(timer.key, timer)}` }),
    ...(result !== undefined && { result: jsonText(result) }),
    ...(isPlainObject(state) && Object.keys(state).length === 0 ? {} : flatFields('state', state)),
  });
}

const styles = {
  running: 'blue',
  compensating: 'yellow',
  stuck: ['bold', 'red'],
  completed: 'green',
  compensated: 'yellow',
  deleted: 'red',
} as const;

async function printLaidOut(terminal: Terminal, progress: SagaState, now: number): Promise<void> {
  const { saga, id, version, status, startedAt, changedAt, streamVersion } = progress;
  const { state, failure, stuck, result, parent } = progress;
  const title = terminal.style(['bold', 'cyan'], printable(`${saga} ${id}`));
  const facts = [
    `version ${version}`,
    `started ${shortTimeText(startedAt)}, ${spanText(Math.max(0, now - startedAt))} ago`,
    ...(hasEnded(progress) ? [`ended after ${spanText(changedAt - startedAt)}`] : []),
    `${numberText(streamVersion)} steps`,
    ...(parent === undefined ? [] : [`started by ${parent.saga} ${parent.id}`]),
  ];
  await terminal.print(
    `${title}  ${terminal.style(styles[status], status)}  ${terminal.style('dim', printable(facts.join(' · ')))}`,
  );
  const timer = nextTimerOf(progress);
  const lines = [
    ...(stuck === undefined ? [] : [terminal.style('red', printable(stuckText(stuck)))]),
    ...(failure === undefined ? [] : [printable(`compensated because: ${failureText(failure)}`)]),
    ...(timer === undefined ? [] : [printable(`next: ${shortTimeText(timer.at)}, ${timerText(timer.key, timer)}`)]),
    ...(result === undefined ? [] : [printable(`result: ${jsonText(result)}`)]),
    ...layOut(terminal, state),
  ];
  await terminal.print(lines.map((line) => `  ${line}`).join('\n'));
}
