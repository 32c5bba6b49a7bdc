import type { Command } from 'commander';
import type { Engine } from '../../engine/engine.ts';
import type { AnyProjection, Projection, ViewDocument } from '../../projection/projection.ts';
import type { Moment } from '../../store/moment.ts';
import type { FindQuery, ReadOptions, View } from '../../projection/view.ts';
import { count, jsonArgument } from '../arguments.ts';
import { faultText, faultsOf, onlyOne, requireProjection, requireRun, statusOfOnly } from '../consumers.ts';
import { action, defineCommand } from '../define.ts';
import { DocumentTable } from '../document-table.ts';
import { CliError, usageError } from '../failure.ts';
import { moment, requireNoVersion } from '../moment-argument.ts';
import { numberText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import { noConsumers } from '../session.ts';
import type { Session } from '../session.ts';

interface Options {
  readonly where?: string;
  readonly orderBy?: string;
  readonly limit?: number;
  readonly after?: string;
  readonly count?: boolean;
  readonly key?: string;
  readonly atLeast?: number;
  readonly maxLag?: number;
  readonly timeout?: number;
  readonly at?: Moment;
}

const definition = addBound(
  defineCommand({
    usage: 'query <view>',
    summary: 'print documents of a view',
    does: 'Print documents of a projection of the config: in columns on a terminal, else as JSON, one a line. Nothing is worked on: what it prints is what applications, or eventsrc rebuild, have made so far.',
    examples: [
      [`query balances --where '{"balance": {"gte": 10}}' --order-by balance:desc --limit 20`, 'some of them'],
      ['query balances --key 7', 'one document'],
      [`query balances --where '{"owner": "Ada"}' --count`, 'how many there are'],
      ['query balances --at 2026-01-31T12:00', 'as it was then, folded anew in memory'],
      ['query balances --at-least 1200', 'once everything up to that position is in it'],
    ],
  })
    .option('--where <json>', 'which documents, as in view.findMany; - reads it from standard input')
    .option('--order-by <fields>', 'field, field:desc, or several of these, separated by commas (default: by key)')
    .option('--limit <count>', 'at most so many (default: 100)', count)
    .option('--after <cursor>', 'the page behind the one that printed this cursor')
    .option('--count', 'only how many there are')
    .option('--key <key>', 'the document with this key')
    .option(
      '--at <moment>',
      'as of then: @345 a position, or a time: a date (its end), a date and time, an age',
      moment,
    ),
);

function addBound(command: Command): Command {
  return command
    .option('--at-least <position>', 'wait until everything up to this position is in the view', count)
    .option('--max-lag <ms>', 'wait until the oldest event that is not in the view is no older', count)
    .option('--timeout <ms>', 'how long to wait for that, or for a view that is being built (default: 5000)', count);
}

export const query = action<[view: string], Options>(definition, async (session, options, name) => {
  refuseContradictions(options);
  const projection = await requireProjection(session, name);
  const find = await findQueryOf(session, options);
  if (options.at !== undefined) return await printPast(session, projection, options.at, { options, find });
  const scanned = new Set<string>();
  await using engine = await session.openEngine('existing', {
    ...onlyOne(projection),
    onNotice: (notice) => {
      if (notice.kind === 'scanned') for (const path of notice.paths) scanned.add(path);
    },
  });
  requireRun(await statusOfOnly(engine));
  await print(session, viewOf(engine, projection), options, find);
  await noteOn(session, engine);
  if (scanned.size > 0)
    session.terminal.note(
      `no index leads to what was asked for, so documents were looked at one by one; indexes of ${name} would be for: ${[...scanned].join(', ')}`,
      { scanned: [...scanned] },
    );
});

/** The view as it was: folded anew, so nobody need have run it, and nothing is written. */
async function printPast(
  session: Session,
  projection: AnyProjection,
  at: Moment,
  { options, find }: { readonly options: Options; readonly find: FindQuery<ViewDocument> },
): Promise<void> {
  requireNoVersion({ '--at': at });
  const { terminal, signal } = session;
  await using engine = await session.openEngine('existing', noConsumers);
  const view = await withProgress(terminal, (show) =>
    engine.past.view(projection as Projection<string, ViewDocument>, at, {
      // As the view itself does.
      onFailure: projection.onFailure === 'park' ? 'leave_out' : 'stop',
      signal,
      onProgress: ({ events, fraction }) =>
        show({ title: 'folding', what: 'events', done: fraction, total: 1, count: events }),
    }),
  );
  await print(session, view, options, find);
  const { count: omitted, events } = view.leftOut;
  for (const { position, type, reason } of events.slice(0, 3))
    terminal.warn(`the event at position ${position} (${type}) cannot be folded, and is not in it: ${reason}`);
  if (omitted > 3) terminal.warn(`${numberText(omitted - 3)} more events are not in it`);
  if (terminal.isRich) terminal.note(`as of position ${numberText(view.position)}`);
}

/** @throws {CliError} */
function refuseContradictions(options: Options): void {
  const { key, where, count: isCount, orderBy, limit, after, at, atLeast, maxLag, timeout } = options;
  if (at !== undefined && (atLeast !== undefined || maxLag !== undefined || timeout !== undefined))
    throw usageError('What was does not grow newer', 'Leave out --at-least, --max-lag and --timeout, or --at.');
  const page = { '--order-by': orderBy, '--limit': limit, '--after': after };
  const [idle] = Object.entries(page).flatMap(([option, value]) => (value === undefined ? [] : [option]));
  if (key !== undefined && (where !== undefined || isCount === true || idle !== undefined))
    throw usageError('--key names one document', 'Leave out the other options, or --key.');
  if (isCount === true && idle !== undefined)
    throw usageError(`--count and ${idle} do not go together`, 'Leave one of them out.');
}

/** Of types that only the config knows: the view checks what it is given. */
async function findQueryOf(session: Session, options: Options): Promise<FindQuery<ViewDocument>> {
  const { where: text, orderBy, limit, after } = options;
  const where = await jsonArgument('--where', text, undefined, session.signal);
  return {
    ...(where !== undefined && { where }),
    ...(orderBy !== undefined && { orderBy: ordersOf(orderBy) }),
    ...(limit !== undefined && { limit }),
    ...(after !== undefined && { after }),
  } as FindQuery<ViewDocument>;
}

function ordersOf(text: string): readonly Readonly<Record<string, string>>[] {
  return text.split(',').map((part) => {
    const [, field = part, direction = 'asc'] = /^(.*?)(?::([^:]*))?$/s.exec(part.trim()) ?? [];
    return { [field]: direction };
  });
}

function viewOf(engine: Engine, projection: AnyProjection): View<ViewDocument> {
  return engine.view(projection as Projection<string, ViewDocument>);
}

async function print(
  { terminal, signal }: Session,
  view: View<ViewDocument>,
  options: Options,
  find: FindQuery<ViewDocument>,
): Promise<void> {
  const { key, count: isCount = false, atLeast, maxLag: maxLagMs, timeout: timeoutMs } = options;
  const read: ReadOptions = { atLeast, maxLagMs, signal, ...(timeoutMs !== undefined && { timeoutMs }) };
  const table = new DocumentTable(terminal);
  if (key !== undefined) {
    const document = await view.get(key, read);
    if (document === undefined)
      throw new CliError(
        `There is no document with the key ${JSON.stringify(key)}`,
        'Check the key, or demand that the view has come far enough: --at-least POSITION',
      );
    await table.printOne({ key, document });
  } else if (isCount) {
    const found = await view.count(find.where === undefined ? {} : { where: find.where }, read);
    await (terminal.isRich ? terminal.print(numberText(found)) : terminal.printJson({ count: found }));
  } else {
    const { documents, next } = await view.findPage(find, read);
    await table.print(documents);
    if (next !== undefined) terminal.note(`there are more: --after ${next}`, { next });
  }
}

/** What is shown may be old for as long as nobody acts. */
async function noteOn({ terminal }: Session, engine: Engine): Promise<void> {
  const status = await statusOfOnly(engine);
  for (const fault of faultsOf(status))
    terminal.warn(`${status.name} stands still at ${faultText(fault)}: what came later is not in it`);
  const { events, position } = status.lag;
  if (terminal.isRich && events > 0)
    terminal.note(`as of position ${numberText(position)}: ${numberText(events)} events are not in it yet`);
}
