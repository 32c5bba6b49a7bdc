import { Option } from 'commander';
import type { Engine } from '../../engine/engine.ts';
import type { SagaCounts, SagaInfo } from '../../saga/sagas.ts';
import { count, duration } from '../arguments.ts';
import { faultText, faultsOf } from '../consumers.ts';
import { action, defineCommand } from '../define.ts';
import { shortTimeText, spanText, timeText } from '../moment-text.ts';
import { nowOf, requireSaga, sagaNames, sagasUnworked } from '../saga-instance.ts';
import { effectText, failureText } from '../saga-words.ts';
import type { Session } from '../session.ts';
import { Table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly saga?: string;
  readonly status?: SagaInfo['status'];
  readonly olderThan?: number;
  readonly limit: number;
}

const limitDefault = 100;

const definition = defineCommand({
  usage: 'sagas',
  summary: 'list sagas that have not ended, and where they are stuck',
  does: 'List the instances of the sagas of the config that have not ended, the oldest first: since when they run, when they go on, where they are stuck and why; and how many there are. Needs the config’s sagas, but nothing that their activities are done by: nothing is worked on.',
  examples: [
    ['sagas', 'all of them'],
    ['sagas --status stuck', 'those that wait for an operator: see eventsrc saga --help'],
    ['sagas --saga fulfilment --older-than 2h', 'those that take long'],
    [`sagas --status stuck --json | jq -r 'select(.id).id'`, 'for a program'],
  ],
})
  .option('--saga <name>', 'of this saga alone')
  .addOption(
    new Option('--status <status>', 'of this status alone').choices([
      'running',
      'compensating',
      'stuck',
    ] satisfies SagaInfo['status'][]),
  )
  .option('--older-than <duration>', 'started longer ago: 90s, 15m, 2h, 7d', duration)
  .option('--limit <count>', 'at most so many, up to 1000', count, limitDefault);

export const sagas = action<[], Options>(definition, async (session, { saga, status, olderThan, limit }) => {
  if (saga === undefined) await sagaNames(session);
  else await requireSaga(session, saga);
  const { terminal } = session;
  await using engine = await session.openEngine('existing', sagasUnworked);
  const now = await nowOf(session);
  const found = await engine.sagas.list({
    limit,
    ...(saga !== undefined && { saga }),
    ...(status !== undefined && { status }),
    ...(olderThan !== undefined && { startedBefore: now - olderThan }),
  });
  await instanceTable(terminal, now).print(found);
  if (found.length > 0 && !terminal.isJson) await terminal.print('');
  const counts = (await engine.sagas.counts()).filter((one) => saga === undefined || one.saga === saga);
  await countTable(terminal).print(counts);
  if (found.length === limit) terminal.note(`there may be more: --limit ${limit} is reached`);
  await noteOn(session, engine, new Set(counts.map((one) => one.saga)));
});

function instanceTable(terminal: Terminal, now: number): Table<SagaInfo> {
  const time = terminal.isRich ? shortTimeText : timeText;
  return new Table<SagaInfo>(terminal, [
    { title: 'saga', value: ({ saga }) => saga },
    { title: 'id', value: ({ id }) => id, style: 'cyan' },
    { title: 'status', value: ({ status }) => status, style: 'bold' },
    { title: 'age', value: ({ startedAt }) => spanText(Math.max(0, now - startedAt)) },
    { title: 'next timer', value: ({ dueAt }) => (dueAt === undefined ? '' : time(dueAt)), style: 'dim' },
    { title: 'stuck at', value: ({ stuck }) => (stuck?.key === undefined ? '' : effectText(stuck.key)) },
    {
      title: 'why',
      value: ({ stuck, failure }) => {
        const why = stuck?.failure ?? failure;
        return why === undefined ? '' : failureText(why);
      },
    },
  ]);
}

function countTable(terminal: Terminal): Table<SagaCounts> {
  return new Table<SagaCounts>(terminal, [
    { title: 'saga', value: ({ saga }) => saga },
    { title: 'running', value: ({ running }) => running },
    { title: 'compensating', value: ({ compensating }) => compensating },
    { title: 'stuck', value: ({ stuck }) => stuck },
    { title: 'completed', value: ({ completed }) => completed },
    { title: 'compensated', value: ({ compensated }) => compensated },
  ]);
}

/** What is listed is what workers have seen. */
async function noteOn({ terminal }: Session, engine: Engine, shown: ReadonlySet<string>): Promise<void> {
  for (const status of await engine.consumers.status()) {
    const { name, state, lag } = status;
    if (!shown.has(name)) continue;
    if (state === 'never_run') terminal.note(`nobody has ever run ${name}: open an engine that does`);
    for (const fault of faultsOf(status))
      terminal.warn(
        `${name} stands still at ${faultText(fault)}. Correct it, then: eventsrc projections retry ${name}`,
      );
    if (state !== 'never_run' && terminal.isRich && lag.events > 0)
      terminal.note(`${name} as of position ${lag.position}: ${lag.events} events are not in it yet`);
  }
}
