import { count } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { addBounds, toQuery } from '../event-selection.ts';
import type { SelectionOptions } from '../event-selection.ts';
import { historyTable } from '../event-table.ts';
import { CliError } from '../failure.ts';

interface Options extends SelectionOptions {
  readonly limit?: number;
  readonly backwards?: boolean;
}

const definition = addBounds(
  defineCommand({
    usage: 'history <stream>',
    summary: 'print what happened to one instance',
    does: 'Print what happened to one instance: each event with its version, kind, actor and id.',
    examples: [
      ['history account-1', 'all of it'],
      ['history account-1 --backwards --limit 3', 'the last three events'],
    ],
  }),
)
  .option('--limit <count>', 'at most so many', count)
  .option('--backwards', 'the newest first');

export const history = action<[stream: string], Options>(definition, async (session, options, stream) => {
  await using log = await session.openLog('existing');
  const [head] = await log.heads([stream]);
  if (head?.version === 0)
    throw new CliError(`${stream} does not exist`, 'Look for its name with: eventsrc streams <prefix>');
  const table = historyTable(session.terminal);
  const { backwards, limit } = options;
  const query = { ...toQuery(options), stream, backwards, limit };
  for await (const page of log.read(query, session.signal)) await table.print(page);
});
