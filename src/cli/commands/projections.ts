import type { ConsumerStatus } from '../../projection/status.ts';
import { faultText, faultsOf } from '../consumers.ts';
import { action, defineCommand, withMembers } from '../define.ts';
import { consumersOf } from '../definitions.ts';
import type { NamedConsumer } from '../definitions.ts';
import { usageError } from '../failure.ts';
import { numberText } from '../moment-text.ts';
import type { Session } from '../session.ts';
import { Table } from '../table.ts';
import type { Column } from '../table.ts';
import { adopt, drop, dropVersion } from './generations.ts';
import { retry, skip, unpark } from './operate.ts';

/** Of one that is live nobody but its own process knows more. */
type Row = ConsumerStatus | LiveRow;
type LiveRow = Pick<ConsumerStatus, 'kind' | 'name' | 'version' | 'mode'> & { readonly state: 'live' };

const list = action<[], object>(
  defineCommand({
    usage: 'projections',
    summary: 'how projections, tables, reactors and sagas stand, and what to do about them',
    does: 'Print how the projections, tables, reactors and sagas of the config stand: how far they have come, what stands still and why. The commands below it do something about that; all of them work beside applications that run, and without.',
    examples: [
      ['projections', 'all of them'],
      ['projections retry balances', 'let one that stands still try again'],
      ['projections skip --help', 'what can be done, and how'],
      ['projections --json | jq "select(.lag.events > 0)"', 'those that are behind'],
    ],
  }),
  async (session) => {
    const consumers = consumersOf(await session.definitions());
    if (consumers.length === 0)
      throw usageError(
        'The config has no projections, tables, reactors or sagas',
        'Name them in it: defineConfig({ projections: [balances], … })',
      );
    const rows = await rowsOf(session, consumers);
    await new Table<Row>(session.terminal, columns).print(rows);
    if (!session.terminal.isJson) for (const row of rows) for (const note of notesOn(row)) session.terminal.note(note);
  },
);

export const projections = withMembers(list, [retry, skip, unpark, adopt, drop, dropVersion]);

async function rowsOf(session: Session, consumers: readonly NamedConsumer[]): Promise<readonly Row[]> {
  await using engine = await session.openEngine('existing', { uses: ({ mode }) => mode !== 'live' });
  const statuses = new Map((await engine.consumers.status()).map((status) => [status.name, status]));
  return consumers.map(({ kind, name, version, mode }) => {
    const status = statuses.get(name);
    // Of a saga the status knows nothing of versions.
    return status === undefined ? { kind, name, version, mode, state: 'live' } : { ...status, version };
  });
}

const states = { never_run: 'never run', building: 'building', running: 'running', faulted: 'faulted', live: 'live' };

/** A column that is empty where nothing is known. */
function known(title: string, value: (status: ConsumerStatus) => string | number): Column<Row> {
  return { title, value: (row) => (row.state === 'live' || row.state === 'never_run' ? '' : value(row)) };
}

const columns: readonly Column<Row>[] = [
  { title: 'name', value: ({ name }) => name, style: 'cyan' },
  { title: 'kind', value: ({ kind, mode }) => (mode === 'inline' ? `${kind}, inline` : kind) },
  { title: 'version', value: ({ version }) => version },
  { title: 'state', value: ({ state }) => states[state], style: 'bold' },
  known('position', ({ lag }) => lag.position),
  known('behind', ({ lag }) => lag.events),
  known('lag ms', ({ lag }) => lag.ms),
  known('sla', ({ sla }) => (sla === undefined ? '' : sla.isKept ? 'kept' : 'broken')),
  known('parked', ({ parked }) => parked),
  known('generation', generationsText),
];

/** The one that serves, the one that is to serve, and those that served. */
function generationsText({ generation, building, retired }: ConsumerStatus): string | number {
  const others = [
    ...(building === undefined ? [] : [`${building.generation} ${building.isBuilt ? 'built' : 'building'}`]),
    ...(retired.length === 0 ? [] : [`${retired.join(' and ')} kept`]),
  ];
  return others.length === 0 ? generation : [generation, ...others].join(', ');
}

/** What is not as it should be, and what can be done about it. */
function* notesOn(row: Row): Generator<string> {
  if (row.state === 'live') return;
  const { name, kind, building, parked, sla, lag } = row;
  const retryIt = `eventsrc projections retry ${name}`;
  if (row.state === 'never_run')
    yield `${name} has never been run: open an engine that runs it${kind === 'projection' ? `, or build it now: eventsrc rebuild ${name}` : ''}`;
  for (const fault of faultsOf(row))
    yield `${name} stands still at ${faultText(fault)}. Correct it, then: ${retryIt}; or go on behind it: eventsrc projections skip ${name} ${fault.position} --reason …`;
  if (sla?.isKept === false)
    yield `${name} is ${numberText(lag.ms)} ms behind; it promises ${numberText(sla.maxLagMs)} ms`;
  if (parked > 0) yield `${name} has put events aside: eventsrc parked ${name}`;
  if (building?.fault !== undefined)
    yield `generation ${building.generation} of ${name}, which is being built, stands still at ${faultText(building.fault)}. Correct it, then drop it and begin again: eventsrc projections drop ${name} ${building.generation}`;
  else if (building?.isBuilt === true)
    yield `generation ${building.generation} of ${name} is built, and waits for: eventsrc projections adopt ${name}, or drop ${name} ${building.generation}`;
  else if (building !== undefined)
    yield `generation ${building.generation} of ${name} is being built, at position ${building.position} of ${lag.head}; to go on: eventsrc rebuild ${name}`;
}
