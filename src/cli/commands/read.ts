import type { ReadQuery } from '../../store/port.ts';
import type { EventLog } from '../../store/log.ts';
import { count } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { addSelection, toQuery } from '../event-selection.ts';
import type { SelectionOptions } from '../event-selection.ts';
import { eventTable } from '../event-table.ts';
import { usageError } from '../failure.ts';
import { followEvents } from '../follow-events.ts';
import type { Session } from '../session.ts';

interface Options extends SelectionOptions {
  readonly limit?: number;
  readonly backwards?: boolean;
  readonly follow?: boolean;
}

const definition = addSelection(
  defineCommand({
    usage: 'read',
    summary: 'print events',
    does: 'Print events in the order in which they happened.',
    examples: [
      ['read --stream account-1', 'one stream'],
      ['read --backwards --limit 10', 'the ten newest events'],
      ['read --type OrderPlaced --type OrderPaid --tag customer:7 --since 7d', 'some of the last week'],
      ['read --follow --json', 'everything, and what is yet to come'],
    ],
  }),
)
  .option('--limit <count>', 'at most so many', count)
  .option('--backwards', 'the newest first')
  .option('--follow', 'go on with what is appended from now on, until Ctrl-C');

export const read = action<[], Options>(definition, async (session, options) => {
  const { follow = false, backwards = false, limit, upto, until } = options;
  if (follow && (backwards || upto !== undefined || until !== undefined))
    throw usageError('--follow has no end to begin from', 'Leave out --follow, or --backwards, --upto and --until.');
  await using log = await session.openLog('existing');
  const query = { ...toQuery(options), backwards, limit };
  if (follow) await followEvents(session, log, query, limit ?? Infinity);
  else await printEvents(session, log, query);
});

async function printEvents(session: Session, log: EventLog, query: ReadQuery): Promise<void> {
  const table = eventTable(session.terminal);
  for await (const page of log.read(query, session.signal)) await table.print(page);
}
