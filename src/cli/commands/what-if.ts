import type { Engine } from '../../engine/engine.ts';
import type { RecordedEvent } from '../../event/codec.ts';
import { hasCode } from '../../ground/errors.ts';
import type { EngineError } from '../../ground/errors.ts';
import type { DocumentsWhatIf, WhatIf } from '../../replay/past.ts';
import type { Moment } from '../../store/moment.ts';
import { repeated } from '../arguments.ts';
import { loadConfig } from '../config-file.ts';
import { action, defineCommand } from '../define.ts';
import { usageError } from '../failure.ts';
import type { CliError } from '../failure.ts';
import { moment, momentNotation, requireNoVersion } from '../moment-argument.ts';
import { noConsumers } from '../session.ts';
import { addView, requireStream, subjectOf } from '../time-subject.ts';
import type { Instance, OneDocument, ViewOptions, WholeView } from '../time-subject.ts';
import { addedEvent, eventPick } from '../what-if-arguments.ts';
import { printDocuments, printValue } from '../what-if-text.ts';

interface Options extends ViewOptions {
  readonly without?: readonly string[];
  readonly add?: readonly string[];
  readonly with?: string;
  readonly at?: Moment;
}

const definition = addView(
  defineCommand({
    usage: 'what-if [stream]',
    summary: 'tell what would be, had other things happened',
    does: 'Print what an instance, a document or a view would be, had events not happened, had others happened, or were they folded by other code; and where what is and what would be part. Nothing is written.',
    examples: [
      ['what-if account-1 --without v3', 'had its third event not happened'],
      [`what-if account-1 --add '{"type": "MoneyDeposited", "data": {"amount": 5}}'`, 'had another one happened, too'],
      ['what-if account-1 --with changed.config.ts', 'were it folded by the aggregate of another config'],
      ['what-if --view balances --without @12', 'all documents, had the event at this position not happened'],
    ],
  }),
  'of this view, instead of an instance',
)
  .option(
    '--without <event>',
    'leave it out: v3 its version, @12 its position, or its id; may be given several times',
    repeated,
  )
  .option(
    '--add <json>',
    'an event that did not happen: {"type", "data", "after": a moment, default: the end}, for a view with "stream"; may be given several times',
    repeated,
  )
  .option('--with <config>', 'fold by the aggregate, or the projection, of the same name in this config')
  .option('--at <moment>', `as of then: ${momentNotation}`, moment);

export const whatIf = action<[stream?: string], Options>(definition, async (session, options, stream) => {
  const { at } = options;
  if (options.without === undefined && options.add === undefined && options.with === undefined)
    throw usageError('Nothing is to be another way', 'Add --without EVENT, --add JSON or --with CONFIG.');
  const named = await subjectOf(session, stream, options);
  if (named.kind !== 'instance') requireNoVersion({ '--at': at });
  const changed = {
    without: (options.without ?? []).map((text) => eventPick(text, named.kind === 'instance')),
    add: (options.add ?? []).map((text) => addedEvent(text, named.kind === 'instance')),
    signal: session.signal,
    ...(at !== undefined && { at }),
    ...(options.with !== undefined && (await definitionOf(named, options.with))),
  };
  const { terminal } = session;
  await using engine = await session.openEngine('existing', noConsumers);
  if (named.kind === 'instance') await requireStream(engine.log, named.name);
  const found = await compare(engine, named, changed).catch((error: unknown) => {
    throw isOfWithout(error) ? notThere(error) : error;
  });
  const { actualFailure } = found;
  // What made somebody ask, perhaps.
  if (actualFailure !== undefined)
    terminal.warn(
      `As it is, it cannot be folded any further, and is compared as it was before: ${actualFailure.message}`,
    );
  if (terminal.isJson) return await terminal.printJson(found);
  await ('compared' in found ? printDocuments(terminal, named.name, found) : printValue(terminal, named, found));
  terminal.note('Nothing was written.');
});

type Changed = Parameters<Engine['past']['whatIf']>[1];

function compare(
  { past }: Engine,
  named: Instance | OneDocument | WholeView,
  options: object,
): Promise<WhatIf<unknown, RecordedEvent> | DocumentsWhatIf<unknown, RecordedEvent>> {
  const changed = options as Changed;
  switch (named.kind) {
    case 'instance':
      return past.whatIf(named.subject, changed);
    case 'document':
      return past.whatIf(named.subject, changed);
    case 'view':
      return past.whatIf(named.subject, changed) as Promise<DocumentsWhatIf<unknown, RecordedEvent>>;
    default:
      return named satisfies never;
  }
}

function isOfWithout(error: unknown): error is EngineError<'option_invalid'> {
  return hasCode(error, 'option_invalid') && error.details.option === 'without';
}

/** What was typed is well formed: there is no such event. */
function notThere({ details }: EngineError<'option_invalid'>): CliError {
  return usageError(
    `--without: ${details.expected.replace(/^events that are there: /, '')}`,
    'Look for the event with: eventsrc history STREAM, or eventsrc read',
  );
}

/** @throws {CliError} where the config has none of this name. */
async function definitionOf(named: Instance | OneDocument | WholeView, file: string): Promise<object> {
  const { aggregates = [], projections = [] } = await loadConfig(file);
  const isInstance = named.kind === 'instance';
  const { name } = isInstance ? named.subject.aggregate : named.subject.projection;
  const found = (isInstance ? aggregates : projections).find((one) => one.name === name);
  if (found !== undefined) return isInstance ? { aggregate: found } : { projection: found };
  throw usageError(
    `${file} has no ${isInstance ? 'aggregate' : 'projection'} ${name}`,
    'Name a config with another definition of the same name.',
  );
}
