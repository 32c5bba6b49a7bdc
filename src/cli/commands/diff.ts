import type { Engine } from '../../engine/engine.ts';
import type { RecordedEvent } from '../../event/codec.ts';
import type { Diff, DiffOptions } from '../../replay/past.ts';
import type { Moment } from '../../store/moment.ts';
import { changeLines, expanded } from '../change-text.ts';
import { action, defineCommand } from '../define.ts';
import { EventSteps } from '../event-steps.ts';
import { usageError } from '../failure.ts';
import { moment, momentNotation, momentText, requireNoVersion } from '../moment-argument.ts';
import { eventsText } from '../moment-text.ts';
import { printable } from '../printable.ts';
import { noConsumers } from '../session.ts';
import { changeTable } from '../change-table.ts';
import type { Terminal } from '../terminal.ts';
import { addView, oneSubjectOf, requireStream } from '../time-subject.ts';
import type { Instance, OneDocument, ViewOptions } from '../time-subject.ts';

interface Options extends ViewOptions {
  readonly from?: Moment;
  readonly to?: Moment;
}

const definition = addView(
  defineCommand({
    usage: 'diff [stream]',
    summary: 'compare an instance or a document with what it was',
    does: 'Print the fields in which the state of an instance, or a document of a view, differs between two moments, and the events between them that changed something, each with its changes.',
    examples: [
      ['diff account-1 --from v3', 'what has become of it since its third event'],
      ['diff account-1 --from 2026-01-31 --to 2026-02-28', 'within a month'],
      ['diff --view balances --key 1 --from 2h', 'of a document, in two hours'],
    ],
  }),
)
  .option('--from <moment>', `as of then: ${momentNotation}`, moment)
  .option('--to <moment>', 'the same; not before --from (default: now)', moment);

export const diff = action<[stream?: string], Options>(definition, async (session, options, stream) => {
  const { from, to } = options;
  const named = await oneSubjectOf(session, stream, options);
  if (from === undefined)
    throw usageError('There is no moment to compare with', 'Add --from, such as --from v3 or --from 2h');
  if (named.kind === 'document') requireNoVersion({ '--from': from, '--to': to });
  const { terminal, signal } = session;
  await using engine = await session.openEngine('existing', noConsumers);
  if (named.kind === 'instance') await requireStream(engine.log, named.name);
  const found = await compare(engine, named, { from, ...(to !== undefined && { to }), signal });
  if (terminal.isJson) return await terminal.printJson(found);
  await print(terminal, named, { from, to }, found);
});

function compare(
  engine: Engine,
  named: Instance | OneDocument,
  options: DiffOptions,
): Promise<Diff<unknown, RecordedEvent>> {
  return named.kind === 'instance'
    ? engine.past.diff(named.subject, options)
    : engine.past.diff(named.subject, options);
}

async function print(
  terminal: Terminal,
  { kind, name }: Instance | OneDocument,
  { from, to }: { readonly from: Moment; readonly to: Moment | undefined },
  { changes, events }: Diff<unknown, RecordedEvent>,
): Promise<void> {
  const until = to === undefined ? 'now' : momentText(to);
  if (changes.length === 0) {
    const undone = events.length === 0 ? '' : ': what these events changed was changed back';
    terminal.note(`${name} is at ${until} what it was at ${momentText(from)}${undone}`);
  } else if (terminal.isRich) {
    const title = terminal.style(['bold', 'cyan'], printable(name));
    await terminal.print(`${title}  ${terminal.style('dim', `${momentText(from)} → ${until}`)}`);
    await terminal.print(changeLines(terminal, changes, '  ').join('\n'));
  } else await changeTable(terminal).print([...expanded(changes)]);
  if (events.length === 0) return;
  await terminal.print(terminal.isRich ? `\n${terminal.style('dim', `${eventsText(events.length)} in between`)}` : '');
  const steps = new EventSteps(terminal, kind === 'instance');
  await steps.print(events.map((one) => ({ event: one.event, changed: [{ changes: one.changes }] })));
}
