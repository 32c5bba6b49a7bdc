import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from '../../engine/engine.ts';
import type { Difference } from '../../projection/compare.ts';
import type { RebuildProgress, RebuildResult } from '../../projection/rebuild.ts';
import type { ConsumerStatus } from '../../projection/status.ts';
import { hasCode } from '../../ground/errors.ts';
import { fieldDifferences } from '../document-differences.ts';
import type { FieldDifference } from '../document-differences.ts';
import { faultText, faultsOf, lookAt, requireKept, requireProjection, statusOfOnly, workedOn } from '../consumers.ts';
import { action, defineCommand } from '../define.ts';
import { CliError, exitCodes } from '../failure.ts';
import { numberText } from '../moment-text.ts';
import { withProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { Table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly diff?: boolean;
}

/** Told of every step, of whichever kind of building. */
type Watch = (progress: Omit<RebuildProgress, 'rate'>) => void;

const pollMs = 200;

export const rebuild = action<[name: string], Options>(
  defineCommand({
    usage: 'rebuild <name>',
    summary: 'build a view anew beside the one that serves',
    does: 'Build the view of a projection anew, from the first event on, beside the one that serves; then let the new one serve. Interrupted, it goes on where it was. A view that nobody has run yet is built for the first time.',
    examples: [
      ['rebuild balances', 'the old one stays until: eventsrc projections drop'],
      ['rebuild balances --diff', 'compare first: where they differ, the old one serves on'],
    ],
  }).option('--diff', 'compare the documents of both, and let the old ones serve where they differ; then exit with 1'),
  async (session, { diff = false }, name) => {
    const projection = await requireProjection(session, name);
    requireKept(projection);
    const status = await lookAt(session, projection);
    await using engine = await session.openEngine('write', workedOn(projection, session.terminal));
    const { terminal } = session;
    try {
      if (status.state === 'never_run' || status.state === 'building') {
        const position = await watched(session, name, (watch) => build(engine, session.signal, watch));
        await terminal.printDone(`Built ${name}: it serves, up to position ${numberText(position)}`, firstOf(position));
        return exitCodes.done;
      }
      const result = await watched(session, name, (watch) =>
        engine.consumers.rebuild(name, { diff, signal: session.signal, onProgress: watch }),
      );
      return await tell(terminal, status, result, diff);
    } catch (error) {
      if (!hasCode(error, 'consumer_faulted')) throw error;
      throw faulted(await statusOfOnly(engine), error);
    }
  },
);

/** As a rebuild tells what it has done. */
function firstOf(position: number): RebuildResult {
  return { generation: 1, switched: true, position, compared: 0, differing: 0, differences: [] };
}

/** Shows how far it is; who interrupts it is told that it was not for nothing. */
async function watched<Result>(
  { terminal, signal }: Session,
  name: string,
  work: (watch: Watch) => Promise<Result>,
): Promise<Result> {
  let last: Parameters<Watch>[0] | undefined;
  const from = new Map<string, number>();
  try {
    return await withProgress(terminal, (show) =>
      work(({ phase, done, total }) => {
        last = { phase, done, total };
        if (!from.has(phase)) from.set(phase, phase === 'building' ? done : 0);
        const what = phase === 'building' ? 'positions' : 'documents';
        show({ title: phase, what, done, total, from: from.get(phase) ?? 0 });
      }),
    );
  } catch (error) {
    if (signal.aborted && last !== undefined) {
      const stand =
        last.phase === 'building'
          ? `has come to position ${last.done} of ${last.total}`
          : 'is built, and was being compared';
      terminal.note(`${name} ${stand}. To go on there: eventsrc rebuild ${name}`, { name, ...last });
    }
    throw error;
  }
}

/** For the first time: it serves as soon as it is up to date. @returns up to which position it is. */
async function build(engine: Engine, signal: AbortSignal, watch: Watch): Promise<number> {
  for (;;) {
    const status = await statusOfOnly(engine);
    const { state, lag } = status;
    watch({ phase: 'building', done: lag.position, total: lag.head });
    if (state === 'running') return lag.position;
    if (state === 'faulted') throw faulted(status);
    await delay(pollMs, undefined, { signal });
  }
}

function faulted(status: ConsumerStatus, cause?: unknown): CliError {
  const { name, building } = status;
  const options = cause === undefined ? {} : { cause };
  if (building?.fault !== undefined)
    return new CliError(
      `Generation ${building.generation} of ${name} stands still at ${faultText(building.fault)}`,
      `Correct it, then drop what was built and begin again: eventsrc projections drop ${name} ${building.generation}`,
      options,
    );
  const [fault] = faultsOf(status);
  return new CliError(
    fault === undefined ? `${name} stands still` : `${name} stands still at ${faultText(fault)}`,
    `Correct it, then: eventsrc projections retry ${name}`,
    options,
  );
}

async function tell(terminal: Terminal, before: ConsumerStatus, result: RebuildResult, diff: boolean): Promise<number> {
  const { name, generation: old } = before;
  const { generation, switched, position, compared, differing, differences } = result;
  if (switched) {
    const looked = diff ? `; ${numberText(compared)} documents compared, no difference` : '';
    await terminal.printDone(
      `Rebuilt ${name}: generation ${generation} serves, up to position ${numberText(position)}${looked}. Generation ${old} stays until: eventsrc projections drop ${name} ${old}`,
      result,
    );
    return exitCodes.done;
  }
  if (terminal.isJson) {
    await terminal.printJson(result);
    return exitCodes.failed;
  }
  await printDifferences(terminal, differences);
  if (differing > differences.length) terminal.note(`and ${numberText(differing - differences.length)} more documents`);
  const [fault] = faultsOf(before);
  if (fault !== undefined)
    terminal.note(
      `generation ${old} stands still at position ${fault.position}: what came later differs for that alone`,
    );
  terminal.fail({
    code: 'differs',
    summary: `${numberText(differing)} of ${numberText(compared)} documents of ${name} differ: generation ${old} goes on serving`,
    remedy: `Let generation ${generation} serve: eventsrc projections adopt ${name}. Or remove it: eventsrc projections drop ${name} ${generation}`,
    exitCode: exitCodes.failed,
  });
  return exitCodes.failed;
}

async function printDifferences(terminal: Terminal, differences: readonly Difference[]): Promise<void> {
  const table = new Table<FieldDifference>(terminal, [
    { title: 'key', value: ({ key }) => key, style: 'cyan' },
    { title: 'field', value: ({ field }) => field },
    { title: 'before', value: ({ before }) => before, style: 'red' },
    { title: 'after', value: ({ after }) => after, style: 'green' },
  ]);
  await table.print(differences.flatMap((difference) => fieldDifferences(difference)));
}
