import type { Parked } from '../../projection/parking.ts';
import { requireConsumer, requireKept, requireRun } from '../consumers.ts';
import { action, defineCommand } from '../define.ts';
import { consumersOf } from '../definitions.ts';
import { timeText } from '../moment-text.ts';
import { Table } from '../table.ts';

interface Row extends Parked {
  readonly consumer: string;
}

const pageSize = 1_000;

export const parked = action<[name?: string], object>(
  defineCommand({
    usage: 'parked [name]',
    summary: 'list events that were put aside',
    does: 'List the events that projections, tables, reactors and sagas of the config could not deal with and have put aside.',
    examples: [
      ['parked', 'of all of them'],
      ['parked balances --json', 'of one, for a program'],
    ],
  }),
  async (session, _options, name) => {
    const { terminal, signal } = session;
    const one = name === undefined ? undefined : await requireConsumer(session, name);
    if (one !== undefined) requireKept(one);
    const asked = one === undefined ? consumersOf(await session.definitions()) : [one];
    // What is live parks in the memory of its own process.
    const kept = new Set(asked.filter(({ mode }) => mode !== 'live').map((consumer) => consumer.name));
    await using engine = await session.openEngine('existing', { uses: (consumer) => kept.has(consumer.name) });
    const table = new Table<Row>(terminal, [
      { title: 'consumer', value: ({ consumer }) => consumer, style: 'cyan' },
      { title: 'key', value: ({ key }) => key },
      { title: 'position', value: ({ position }) => position },
      {
        title: 'event',
        value: ({ type, stream, version }) => `${type}, version ${version} of ${stream}`,
        style: 'bold',
      },
      { title: 'attempts', value: ({ attempts }) => attempts },
      { title: 'when', value: ({ at }) => timeText(at), style: 'dim' },
      { title: 'reason', value: ({ reason }) => reason },
    ]);
    for (const status of await engine.consumers.status()) {
      if (one !== undefined) requireRun(status);
      if (status.parked === 0) continue;
      const { name: consumer } = status;
      let rows: Row[] = [];
      for await (const event of engine.consumers.parked(consumer)) {
        signal.throwIfAborted();
        if (rows.push({ consumer, ...event }) < pageSize) continue;
        await table.print(rows);
        rows = [];
      }
      await table.print(rows);
    }
  },
);
