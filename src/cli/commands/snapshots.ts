import type { AnyAggregate } from '../../command/aggregate.ts';
import type { Engine } from '../../engine/engine.ts';
import type { SnapshotFault } from '../../engine/snapshots.ts';
import { splitStreamName } from '../../event/names.ts';
import { distrustTexts } from '../../snapshot/notice.ts';
import type { SnapshotInfo } from '../../snapshot/snapshots.ts';
import { action, defineCommand, withMembers } from '../define.ts';
import { CliError, exitCodes } from '../failure.ts';
import { jsonText } from '../json-text.ts';
import { bytesText, numberText, shortTimeText, timeText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import { noConsumers } from '../session.ts';
import type { Session } from '../session.ts';
import { Table } from '../table.ts';
import type { Column } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { requireAggregate, requireStream } from '../time-subject.ts';

const list = action<[stream?: string], object>(
  defineCommand({
    usage: 'snapshots [stream]',
    summary: 'list, verify and take snapshots of states',
    does: 'List the snapshots of an instance, or the streams that have any, and how much they take up. Snapshots only save time: states are the same without them.',
    examples: [
      ['snapshots', 'streams that have any, and totals of each aggregate'],
      ['snapshots account-1', 'those of one instance, and whether they are used'],
      ['snapshots verify', 'fold streams anew, and compare'],
      ['snapshots take account-1', 'keep its state now'],
    ],
  }),
  async (session, _options, stream) => {
    if (stream !== undefined) {
      const { subject } = await requireAggregate(session, stream);
      await using engine = await session.openEngine('existing', noConsumers);
      await requireStream(engine.log, stream);
      await printSnapshots(session.terminal, stream, await engine.snapshots.list(subject.aggregate, subject.id));
      return;
    }
    await using engine = await session.openEngine('existing', noConsumers);
    const { aggregates = [] } = await session.definitions();
    await printStreams(session, engine, aggregates);
  },
);

const verify = action<[stream?: string], object>(
  defineCommand({
    usage: 'verify [stream]',
    summary: 'fold streams anew, and compare',
    does: 'Fold streams anew from their first events, and compare with their snapshots, of one instance or of all. What differs is set aside and never used again. Exits with 1 if there is any.',
    examples: [
      ['snapshots verify', 'of all aggregates of the config'],
      ['snapshots verify account-1 --json', 'of one instance'],
    ],
  }),
  async (session, _options, stream) => {
    const named = stream === undefined ? undefined : await requireAggregate(session, stream);
    const { terminal, signal } = session;
    await using engine = await session.openEngine('write', noConsumers, {
      keepsSnapshots: true,
      tellsFaults: true,
    });
    if (stream !== undefined) await requireStream(engine.log, stream);
    const result = await withProgress(terminal, (show) =>
      engine.snapshots.verify({
        ...named?.subject,
        signal,
        onProgress: ({ snapshots }) =>
          show({ title: 'verifying', what: 'snapshots', done: snapshots, total: undefined }),
      }),
    );
    const { streams, snapshots, faults } = result;
    const seen = `${countText(snapshots, 'snapshot')} of ${countText(streams, 'stream')}`;
    if (faults.length === 0) {
      const sentence =
        snapshots === 0
          ? 'There was nothing to verify: no snapshot that this code would use'
          : `Verified ${seen}: each is what its events lead to`;
      await terminal.printDone(sentence, result);
      return exitCodes.done;
    }
    if (terminal.isJson) await terminal.printJson(result);
    else await faultTable(terminal).print(faults);
    terminal.fail({
      code: 'snapshots_differ',
      summary: `${numberText(faults.length)} of ${seen} cannot be believed: set aside, and not used any more`,
      remedy: faults.some(({ reason }) => reason === 'mismatch')
        ? 'If evolve or initialState was changed, raise snapshotVersion. States were, and are, folded from older snapshots or the first event.'
        : 'Nothing need be done: states are folded from older snapshots or the first event. Check the disk if it recurs.',
      exitCode: exitCodes.failed,
    });
    return exitCodes.failed;
  },
);

const take = action<[stream: string], object>(
  defineCommand({
    usage: 'take <stream>',
    summary: 'keep the state of one instance now',
    does: 'Keep the state of one instance as a snapshot now, whatever its version.',
    examples: [['snapshots take account-1', 'so that it loads quickly from now on']],
  }),
  async (session, _options, stream) => {
    const { subject } = await requireAggregate(session, stream);
    await using engine = await session.openEngine('write', noConsumers, { keepsSnapshots: true });
    const version = await requireStream(engine.log, stream);
    const [newest] = await engine.snapshots.take(subject.aggregate, subject.id);
    // Why is said by a notice.
    if (newest === undefined || newest.version < version)
      throw new CliError(`No snapshot of ${stream} was kept`, 'Look at the warnings above, or at --debug.');
    await session.terminal.printDone(
      `Kept ${stream} at version ${numberText(newest.version)}: ${bytesText(newest.bytes)}`,
      jsonOf(stream, newest),
    );
  },
);

export const snapshots = withMembers(list, [verify, take]);

function countText(count: number, what: string): string {
  return `${numberText(count)} ${count === 1 ? what : `${what}s`}`;
}

function jsonOf(
  stream: string,
  { version, position, recordedAt, bytes, encoding, usable, aside }: SnapshotInfo,
): object {
  return { stream, version, position, recordedAt, bytes, encoding, usable, ...(aside !== undefined && { aside }) };
}

function useText({ usable, aside }: SnapshotInfo): string {
  if (usable) return 'used';
  return aside === undefined ? 'of other code' : `set aside: ${distrustTexts[aside]}`;
}

async function printSnapshots(terminal: Terminal, stream: string, infos: readonly SnapshotInfo[]): Promise<void> {
  const table = new Table<SnapshotInfo>(
    terminal,
    [
      { title: 'version', value: ({ version }) => version },
      { title: 'position', value: ({ position }) => position },
      { title: 'time', value: ({ recordedAt }) => timeTextOf(terminal, recordedAt), style: 'dim' },
      { title: 'size', value: ({ bytes }) => (terminal.isRich ? bytesText(bytes) : bytes) },
      { title: 'encoding', value: ({ encoding }) => encoding, style: 'dim' },
      { title: 'use', value: useText },
    ],
    (info) => jsonOf(stream, info),
  );
  await table.print(infos);
  if (infos.length === 0)
    terminal.note(`${stream} has no snapshots; to keep one now: eventsrc snapshots take ${stream}`, { stream });
}

function timeTextOf({ isRich }: Terminal, ms: number): string {
  return isRich ? shortTimeText(ms) : timeText(ms);
}

/** What the snapshots of a stream, or of all streams of an aggregate, come to. */
interface Sum {
  readonly snapshots: number;
  /** Those that are used. */
  readonly usable: number;
  readonly bytes: number;
}

interface StreamSum extends Sum {
  readonly stream: string;
  /** The version of the newest one. */
  readonly newest: number;
}

interface AggregateSum extends Sum {
  readonly aggregate: string;
  readonly streams: number;
}

async function printStreams(
  { terminal, signal }: Session,
  engine: Engine,
  aggregates: readonly AnyAggregate[],
): Promise<void> {
  const table = new Table<StreamSum>(terminal, [
    { title: 'stream', value: ({ stream }) => stream, style: 'cyan' },
    { title: 'newest', value: ({ newest }) => newest },
    ...sumColumns<StreamSum>(terminal),
  ]);
  const known = new Map(aggregates.map((aggregate) => [aggregate.name, aggregate]));
  const totals = new Map<string, AggregateSum>();
  const unknown = new Set<string>();
  for await (const page of engine.snapshots.streams(signal)) {
    const rows: StreamSum[] = [];
    for (const stream of page) {
      const { aggregate: name, aggregateId } = splitStreamName(stream);
      const aggregate = known.get(name);
      // Without its code nobody can say which of them are used.
      if (aggregate === undefined) {
        unknown.add(name);
        continue;
      }
      const row = sumOf(stream, await engine.snapshots.list(aggregate, aggregateId));
      totals.set(
        name,
        added(totals.get(name) ?? { aggregate: name, streams: 0, snapshots: 0, usable: 0, bytes: 0 }, row),
      );
      rows.push(row);
    }
    await table.print(rows);
  }
  if (totals.size > 0 && !terminal.isJson) await terminal.print('');
  await aggregateTable(terminal).print([...totals.values()]);
  if (unknown.size > 0)
    terminal.note(`there are snapshots of aggregates that the config does not have: ${[...unknown].join(', ')}`);
  else if (totals.size === 0) terminal.note('there are no snapshots');
}

function sumOf(stream: string, infos: readonly SnapshotInfo[]): StreamSum {
  return {
    stream,
    newest: infos[0]?.version ?? 0,
    snapshots: infos.length,
    usable: infos.filter(({ usable }) => usable).length,
    bytes: infos.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function added(total: AggregateSum, { snapshots: count, usable, bytes }: Sum): AggregateSum {
  return {
    aggregate: total.aggregate,
    streams: total.streams + 1,
    snapshots: total.snapshots + count,
    usable: total.usable + usable,
    bytes: total.bytes + bytes,
  };
}

function sumColumns<Row extends Sum>({ isRich }: Terminal): readonly Column<Row>[] {
  return [
    { title: 'snapshots', value: (row) => row.snapshots },
    { title: 'used', value: ({ usable }) => usable },
    { title: 'size', value: ({ bytes }) => (isRich ? bytesText(bytes) : bytes) },
  ];
}

function aggregateTable(terminal: Terminal): Table<AggregateSum> {
  return new Table<AggregateSum>(terminal, [
    { title: 'aggregate', value: ({ aggregate }) => aggregate, style: 'cyan' },
    { title: 'streams', value: ({ streams }) => streams },
    ...sumColumns<AggregateSum>(terminal),
  ]);
}

function faultTable(terminal: Terminal): Table<SnapshotFault> {
  const textOf = (value: unknown) => (value === undefined ? '' : jsonText(value));
  return new Table<SnapshotFault>(terminal, [
    { title: 'stream', value: ({ stream }) => stream, style: 'cyan' },
    { title: 'version', value: ({ version }) => version },
    { title: 'fault', value: ({ reason }) => distrustTexts[reason] },
    { title: 'field', value: ({ change }) => change?.path ?? '', style: 'bold' },
    { title: 'kept', value: ({ change }) => textOf(change?.before), style: 'red' },
    { title: 'refolded', value: ({ change }) => textOf(change?.after), style: 'green' },
  ]);
}
