import type { Engine } from '../../engine/engine.ts';
import type { RecordedEvent } from '../../event/codec.ts';
import type { FieldChange } from '../../event/differences.ts';
import { hasCode } from '../../ground/errors.ts';
import type { ReadQuery } from '../../store/port.ts';
import type { EventLog } from '../../store/log.ts';
import { count } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { EventSteps } from '../event-steps.ts';
import { addBounds, toQuery } from '../event-selection.ts';
import type { SelectionOptions } from '../event-selection.ts';
import { historyTable, sagaHistoryTable } from '../event-table.ts';
import { noConsumers } from '../session.ts';
import type { Session } from '../session.ts';
import type { Table } from '../table.ts';
import { knownOfAggregate, requireStream } from '../time-subject.ts';
import type { Instance } from '../time-subject.ts';

interface Options extends SelectionOptions {
  readonly limit?: number;
  readonly backwards?: boolean;
}

/** An event, and what it changed; undefined where nobody knows. */
interface Step {
  readonly event: RecordedEvent;
  readonly changes: readonly FieldChange[] | undefined;
}

const definition = addBounds(
  defineCommand({
    usage: 'history <stream>',
    summary: 'print what happened to one instance, and what it changed',
    does: 'Print what happened to one instance: each event with its version, kind, actor and id, and, where the config knows the aggregate, with what it changed of the state.',
    examples: [
      ['history account-1', 'all of it'],
      ['history account-1 --backwards --limit 3', 'the last three events'],
      ['history account-1 --since 7d --json', 'of the last week, for a program'],
    ],
  }),
)
  .option('--limit <count>', 'at most so many', count)
  .option('--backwards', 'the newest first');

export const history = action<[stream: string], Options>(definition, async (session, options, stream) => {
  const instance = await knownOfAggregate(session, stream);
  const { backwards = false, limit } = options;
  const query = { ...toQuery(options), stream, backwards, limit };
  if (instance === undefined) {
    await using log = await session.openLog('existing');
    await requireStream(log, stream);
    await printEvents(session, log, query);
    return;
  }
  await using engine = await session.openEngine('existing', noConsumers);
  await requireStream(engine.log, stream);
  const { terminal } = session;
  const steps = new EventSteps(terminal, true);
  const print = ({ event, changes }: Step) =>
    terminal.isJson
      ? terminal.printJson({ ...event, id: event.id, changes })
      : steps.print([{ event, changed: changes && [{ changes }] }]);
  const found = stepsOf(session, engine, instance, query);
  for await (const step of backwards ? reversed(found) : found) await print(step);
});

async function printEvents({ terminal, signal }: Session, log: EventLog, query: ReadQuery): Promise<void> {
  let table: Table<RecordedEvent> | undefined;
  for await (const page of log.read(query, signal)) {
    table ??= page[0]?.kind === 'saga_step' ? sagaHistoryTable(terminal) : historyTable(terminal);
    await table.print(page);
  }
}

/** In the order in which they happened. What cannot be folded is still shown: it may be what is being looked for. */
async function* stepsOf(
  { terminal, signal }: Session,
  engine: Engine,
  { subject: { aggregate, id }, name: stream }: Instance,
  query: ReadQuery,
): AsyncGenerator<Step> {
  const range = await versionsOf(engine.log, query);
  if (range === undefined) return;
  let next = range.first;
  try {
    const bounds = { from: { version: range.first - 1 }, to: { version: range.last }, signal };
    for await (const { event, changes } of engine.past.history(aggregate, id, bounds)) {
      yield { event, changes };
      next = event.version + 1;
    }
  } catch (error) {
    if (!hasCode(error, 'evolve_failed') && !hasCode(error, 'event_unhandled')) throw error;
    terminal.warn(`What events changed is not known from version ${next} on: ${error.summary}`);
    const rest = { stream, afterVersion: next - 1, untilVersion: range.last };
    for await (const page of engine.log.read(rest, signal))
      for (const event of page) yield { event, changes: undefined };
  }
}

/** Those that were asked for: what bounds a part of a stream leaves no gaps in it. */
async function versionsOf(
  log: EventLog,
  { limit = Infinity, backwards, ...query }: ReadQuery,
): Promise<{ readonly first: number; readonly last: number } | undefined> {
  const [first, last] = [await oneOf(log, query, false), await oneOf(log, query, true)];
  if (first === undefined || last === undefined || limit === 0) return undefined;
  return backwards === true
    ? { first: Math.max(first, last - limit + 1), last }
    : { first, last: Math.min(last, first + limit - 1) };
}

async function oneOf(log: EventLog, query: ReadQuery, backwards: boolean): Promise<number | undefined> {
  for await (const [event] of log.read({ ...query, backwards, limit: 1 })) return event?.version;
  return undefined;
}

async function* reversed(steps: AsyncIterable<Step>): AsyncGenerator<Step> {
  const found: Step[] = [];
  for await (const step of steps) found.push(step);
  yield* found.reverse();
}
