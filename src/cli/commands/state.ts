import type { Engine } from '../../engine/engine.ts';
import type { RecordedEvent } from '../../event/codec.ts';
import type { Moment } from '../../store/moment.ts';
import { count, timeUntil } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { usageError } from '../failure.ts';
import { moment, momentNotation, momentText } from '../moment-argument.ts';
import { timeText } from '../moment-text.ts';
import { noConsumers } from '../session.ts';
import { printState } from '../state-text.ts';
import { instanceOf, requireStream } from '../time-subject.ts';

interface Options {
  readonly at?: Moment;
  readonly atVersion?: number;
  readonly atPosition?: number;
  readonly atTime?: number;
}

const definition = defineCommand({
  usage: 'state <stream>',
  summary: 'print the state of one instance, now or then',
  does: 'Print the state of one instance, now or at an earlier moment. Needs the config’s aggregates.',
  examples: [
    ['state account-1', 'as it is'],
    ['state account-1 --at v3', 'as of its third event'],
    ['state account-1 --at 2026-01-31T12:00', 'as it was then'],
    ['state account-1 --at 2h', 'as it was two hours ago'],
  ],
}).option('--at <moment>', `as of then: ${momentNotation}`, moment);

// The names that it had before there was one for all of them.
for (const [option, parse] of [
  ['--at-version <version>', count],
  ['--at-position <position>', count],
  ['--at-time <time>', timeUntil],
] as const)
  definition.addOption(definition.createOption(option).argParser(parse).hideHelp());

export const state = action<[stream: string], Options>(definition, async (session, options, stream) => {
  const at = momentOf(options);
  const { terminal, signal } = session;
  const { subject } = await instanceOf(session, stream);
  await using engine = await session.openEngine('existing', noConsumers);
  const head = await requireStream(engine.log, stream);
  const loaded = await engine.load(subject.aggregate, subject.id, { signal, ...(at !== undefined && { at }) });
  if (terminal.isJson) {
    const { state: value, ...place } = loaded;
    await terminal.printJson({ stream, ...place, state: value });
    return;
  }
  const last = await eventAt(engine, stream, loaded.version);
  await printState(terminal, stream, loaded, { head, last });
  if (loaded.version > 0) {
    if (loaded.deleted && loaded.version > 1)
      terminal.note(`${stream} was deleted; what it was before: eventsrc state ${stream} --at v${loaded.version - 1}`);
    return;
  }
  const first = await eventAt(engine, stream, 1);
  const since =
    first === undefined
      ? ''
      : `: it begins with ${first.type} at ${timeText(first.recordedAt)}, position ${first.position}`;
  terminal.note(`${stream} did not exist yet at ${momentText(at ?? { version: 0 })}${since}`);
});

function momentOf({ at, atVersion, atPosition, atTime }: Options): Moment | undefined {
  const given: Moment[] = at === undefined ? [] : [at];
  if (atVersion !== undefined) given.push({ version: atVersion });
  if (atPosition !== undefined) given.push({ position: atPosition });
  if (atTime !== undefined) given.push({ time: atTime });
  if (given.length > 1) throw usageError('There is more than one --at', 'Leave all but one of them out.');
  return given[0];
}

async function eventAt({ log }: Engine, stream: string, version: number): Promise<RecordedEvent | undefined> {
  if (version === 0) return undefined;
  for await (const page of log.read({ stream, afterVersion: version - 1, limit: 1 })) return page[0];
  return undefined;
}
