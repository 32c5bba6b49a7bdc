import type { StreamHead } from '../../store/port.ts';
import { count } from '../arguments.ts';
import { action, defineCommand } from '../define.ts';
import { Table } from '../table.ts';

interface Options {
  readonly limit?: number;
}

const pageSize = 1_000;

const definition = defineCommand({
  usage: 'streams [prefix]',
  summary: 'list the streams',
  does: 'List the streams, in the order of their names.',
  examples: [
    ['streams', 'all of them'],
    ['streams account- --limit 20', 'the first twenty accounts'],
    ['streams --json | jq -r .stream', 'the names alone'],
  ],
}).option('--limit <count>', 'at most so many', count);

export const streams = action<[prefix?: string], Options>(definition, async (session, { limit = Infinity }, prefix) => {
  await using log = await session.openLog('existing');
  const table = new Table<StreamHead>(session.terminal, [
    { title: 'stream', value: ({ stream }) => stream, style: 'cyan' },
    { title: 'version', value: ({ version }) => version },
    { title: 'state', value: ({ deleted }) => (deleted ? 'deleted' : '') },
  ]);
  let after: string | undefined;
  for (let left = limit; left > 0;) {
    session.signal.throwIfAborted();
    const page = await log.streams({ prefix, after, limit: Math.min(left, pageSize) });
    await table.print(page);
    if (page.length < pageSize) return;
    after = page.at(-1)?.stream;
    left -= page.length;
  }
});
