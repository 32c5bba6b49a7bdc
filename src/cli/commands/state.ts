import { splitStreamName } from '../../event/names.ts';
import type { Moment } from '../../store/moment.ts';
import { count, timeUntil } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { CliError, usageError } from '../failure.ts';
import { noConsumers } from '../session.ts';

interface Options {
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
    ['state account-1 --at-version 3', 'as of its third event'],
    ['state account-1 --at-time 2026-01-31', 'as it was then'],
  ],
})
  .option('--at-version <version>', 'as of this version of the stream', count)
  .option('--at-position <position>', 'as of this position of the store', count)
  .option('--at-time <time>', 'as of then: a date (its end), a date and time (UTC), or an age such as 2h', timeUntil);

export const state = action<[stream: string], Options>(definition, async (session, options, stream) => {
  const at = momentOf(options);
  const { aggregates = [] } = await session.config();
  await using engine = await session.openEngine('existing', noConsumers);
  const { aggregate: name, aggregateId } = splitStreamName(stream);
  const aggregate = aggregates.find((one) => one.name === name);
  if (aggregate === undefined) {
    const known = aggregates.map((one) => one.name).join(', ') || 'none';
    throw usageError(`The config has no aggregate ${name}; known: ${known}`, 'Name a stream: <aggregate>-<id>');
  }
  const { state: value, ...place } = await engine.load(aggregate, aggregateId, {
    signal: session.signal,
    ...(at !== undefined && { at }),
  });
  if (place.version === 0 && at === undefined)
    throw new CliError(`${stream} does not exist`, `Look for its name with: eventsrc streams ${name}-`);
  await session.terminal.printFacts(
    session.terminal.isJson ? { stream, ...place, state: value } : { stream, ...place, ...fieldsOf(value) },
  );
});

function momentOf({ atVersion, atPosition, atTime }: Options): Moment | undefined {
  const given: Moment[] = [];
  if (atVersion !== undefined) given.push({ version: atVersion });
  if (atPosition !== undefined) given.push({ position: atPosition });
  if (atTime !== undefined) given.push({ time: atTime });
  if (given.length > 1) throw usageError('There is more than one --at-…', 'Leave all but one of them out.');
  return given[0];
}

/** Each field of a state under a name that no fact of the stream has. */
function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { state: value };
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [`state.${name}`, field]));
}
