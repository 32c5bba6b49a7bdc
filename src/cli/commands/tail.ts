import { count } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { addMatch, toQuery } from '../event-selection.ts';
import type { MatchOptions } from '../event-selection.ts';
import { followEvents } from '../follow-events.ts';

interface Options extends MatchOptions {
  readonly after?: number;
  readonly limit?: number;
}

const definition = addMatch(
  defineCommand({
    usage: 'tail',
    summary: 'print events as they come',
    does: 'Print events as they come, whichever process appends them, from now on or from a position on, until Ctrl-C.',
    examples: [
      ['tail', 'all events, from now on'],
      ['tail --type OrderPlaced --type OrderPaid --tag customer:7', 'some of them'],
      ['tail --after 1200 --json', 'first those since position 1200'],
      ['tail --stream account-1 --limit 1', 'wait for the next event of an account'],
    ],
  }),
)
  .option('--after <position>', 'begin behind this position (default: the last one there is)', count)
  .option('--limit <count>', 'at most so many', count);

export const tail = action<[], Options>(definition, async (session, { after, limit = Infinity, ...match }) => {
  await using log = await session.openLog('existing');
  const start = after ?? (await log.head()).position;
  // Where somebody else is to go on, and when events can be sent that are to be seen.
  session.terminal.note(`following from position ${start} on, until Ctrl-C`, { after: start });
  await followEvents(session, log, { ...toQuery(match), after: start }, limit);
});
