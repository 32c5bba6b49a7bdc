import type { Engine } from '../../engine/engine.ts';
import type { RecordedEvent } from '../../event/codec.ts';
import { partAt, stepsOf } from '../../event/differences.ts';
import type { Cause, WhyOptions } from '../../replay/past.ts';
import type { EventLog } from '../../store/log.ts';
import type { Moment } from '../../store/moment.ts';
import { changeLines, changesText } from '../change-text.ts';
import { action, defineCommand } from '../define.ts';
import { CliError, usageError } from '../failure.ts';
import { jsonText } from '../json-text.ts';
import { moment, momentNotation, requireNoVersion } from '../moment-argument.ts';
import { shortTimeText, timeText } from '../moment-text.ts';
import { printable } from '../printable.ts';
import { dataText, stepOf } from '../saga-words.ts';
import { noConsumers } from '../session.ts';
import type { Terminal } from '../terminal.ts';
import { addView, oneSubjectOf, requireStream } from '../time-subject.ts';
import type { Instance, OneDocument, ViewOptions } from '../time-subject.ts';
import { flatFields, layOut } from '../value-text.ts';

interface Options extends ViewOptions {
  readonly at?: Moment;
}

const definition = addView(
  defineCommand({
    usage: 'why <stream> [field]',
    summary: 'tell which event last changed a field',
    does: 'Print which event last changed a field of an instance, or of a document of a view: what it was, what it became, when, and by whom.',
    examples: [
      ['why account-1 balance', 'of an instance'],
      [`why order-42 'items[0].price' --at 2026-01-31`, 'of a part inside, as of then'],
      ['why --view balances --key 1 balance', 'of a document'],
    ],
  }),
)
  .usage('[options] <stream> <field>\n       eventsrc why [options] --view <name> --key <key> <field>')
  .option('--at <moment>', `as of then: ${momentNotation}`, moment);

export const why = action<[first: string, second?: string], Options>(
  definition,
  async (session, options, first, second) => {
    const isView = options.view !== undefined;
    const [stream, field] = isView ? [second, first] : [first, second];
    if (field === undefined) throw usageError('No field was named', `Write: eventsrc why ${first} <field>`);
    if (isView && stream !== undefined)
      throw usageError(`Two fields were named: ${field}, ${stream}`, 'Name one of them; --view stands for the stream.');
    const { at } = options;
    const named = await oneSubjectOf(session, stream, options);
    if (named.kind === 'document') requireNoVersion({ '--at': at });
    const { terminal, signal } = session;
    await using engine = await session.openEngine('existing', noConsumers);
    if (named.kind === 'instance') await requireStream(engine.log, named.name);
    const asked = { signal, ...(at !== undefined && { at }) };
    const cause = await causeOf(engine, named, field, asked);
    if (cause !== undefined) {
      const origin = await originOf(engine.log, cause.event);
      if (terminal.isJson)
        await terminal.printJson({
          field,
          ...cause,
          ...(origin !== undefined && { origin: { ...origin, id: origin.id } }),
        });
      else await print(terminal, named, field, { ...cause, origin });
      return;
    }
    const value = await valueOf(engine, named, asked);
    const part = partAt(value, stepsOf(field) ?? []);
    if (part === undefined) throw unknownField(named.name, field, value);
    if (terminal.isJson) await terminal.printJson({ field });
    else
      await terminal.print(
        printable(
          `No event has changed ${field} of ${named.name}: it is what it was in the beginning, ${jsonText(part)}`,
        ),
      );
  },
);

function causeOf(
  { past }: Engine,
  named: Instance | OneDocument,
  field: string,
  options: WhyOptions,
): Promise<Cause<RecordedEvent> | undefined> {
  return named.kind === 'instance' ? past.why(named.subject, field, options) : past.why(named.subject, field, options);
}

/** As of the same moment. */
async function valueOf(engine: Engine, named: Instance | OneDocument, { at, signal }: WhyOptions): Promise<unknown> {
  const mode = at === undefined ? {} : { mode: 'time_travel' as const, at };
  const options = { ...mode, ...(signal !== undefined && { signal }) };
  if (named.kind === 'instance') return (await engine.replay(named.subject, options).run()).state;
  return (await engine.replay(named.subject, options).run()).document;
}

function unknownField(name: string, field: string, value: unknown): CliError {
  const paths = value === undefined ? [] : Object.keys(flatFields('', value)).map((path) => path.replace(/^\./, ''));
  const shown = paths.slice(0, 12).join(', ') + (paths.length > 12 ? ', …' : '');
  return new CliError(
    `${name} has never had a field ${field}`,
    paths.length === 0 ? 'There is nothing there: check the name, and --at.' : `It has: ${shown}`,
  );
}

/** The event that brought this one about, where that is known: the step of a saga whose command it was, for example. */
async function originOf(log: EventLog, { metadata }: RecordedEvent): Promise<RecordedEvent | undefined> {
  const { causationId } = metadata;
  return causationId !== undefined && /^[0-9a-f]{64}$/.test(causationId) ? log.find(causationId) : undefined;
}

function originText(origin: RecordedEvent): string {
  const what = stepOf(origin) === undefined ? origin.type : dataText(origin);
  return `version ${origin.version} of ${origin.stream}: ${what}`;
}

interface Told extends Cause<RecordedEvent> {
  readonly origin: RecordedEvent | undefined;
}

async function print(
  terminal: Terminal,
  { kind, name }: Instance | OneDocument,
  field: string,
  { event, before, after, changes, origin }: Told,
): Promise<void> {
  const { type, stream, version, position, recordedAt, metadata, id } = event;
  if (!terminal.isRich) {
    await terminal.printFacts({
      field,
      before: before === undefined ? '' : jsonText(before),
      after: after === undefined ? '' : jsonText(after),
      type,
      stream,
      version,
      position,
      time: timeText(recordedAt),
      actor: metadata.actor ?? '',
      id,
      data: jsonText(event.data),
      changes: changesText(changes),
      ...(origin !== undefined && { 'caused by': originText(origin) }),
    });
    return;
  }
  const dim = (text: string) => terminal.style('dim', printable(text));
  await terminal.print(`${terminal.style(['bold', 'cyan'], printable(name))}  ${dim('last changed by')}`);
  const by = metadata.actor === undefined ? '' : `  ${terminal.style('bold', `by ${printable(metadata.actor)}`)}`;
  await terminal.print(`  ${terminal.style('bold', printable(type))}  ${dim(shortTimeText(recordedAt))}${by}`);
  const place = kind === 'instance' ? `v${version}` : `${stream} v${version}`;
  await terminal.print(`  ${dim(`${place} · position ${position} · id ${id.slice(0, 12)}`)}`);
  if (origin !== undefined) await terminal.print(`  ${dim(`caused by ${originText(origin)}`)}`);
  await terminal.print('');
  const own = { path: field, before, after };
  const isInside = changes.some(({ path }) => path !== field && path.startsWith(field));
  await terminal.print(changeLines(terminal, isInside ? changes : [own], '  ').join('\n'));
  if (typeof event.data !== 'object' || event.data === null || Object.keys(event.data).length === 0) return;
  await terminal.print(
    `\n  ${dim('its data')}\n${layOut(terminal, event.data)
      .map((line) => `    ${line}`)
      .join('\n')}`,
  );
}
