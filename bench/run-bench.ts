import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { drawChart } from './chart.ts';
import { emmettConcurrency, emmettDurability } from './contestants/emmett-behaviour.ts';
import type { Connecting, EmmettSqlite } from './contestants/emmett-sqlite.ts';
import { describeEnvironment } from './environment.ts';
import { inNewFile, measureRow } from './measure-row.ts';
import { largeIds } from './large/large.ts';
import { measureLarge } from './large/measure-large.ts';
import type { LargePace, LargeResult } from './large/measure-large.ts';
import { measureMoves } from './move/measure-move.ts';
import type { MovePace, MoveResult } from './move/measure-move.ts';
import type { Pace, RowResult } from './measure-row.ts';
import type { Options } from './options.ts';
import type { LoadedPeers, loadPeers } from './peers.ts';
import { measureLag } from './read/lag.ts';
import type { LagPace, LagResult } from './read/lag.ts';
import { readIds } from './read/reads.ts';
import { measureQueries } from './read/view-queries.ts';
import type { QueryPace } from './read/view-queries.ts';
import { formatEnvironment, formatFigure, formatLag, formatMove, formatRow } from './report.ts';
import { rows } from './rows.ts';
import { sagaIds } from './saga/saga-ids.ts';
import { measureSchemas } from './schema/measure-schemas.ts';
import type { SchemaPace } from './schema/measure-schemas.ts';
import { schemaIds } from './schema/schema-ids.ts';
import { measureTimers } from './saga/timers.ts';
import type { TimersPace } from './saga/timers.ts';

const fullPace: Pace = { rounds: 5, share: 1, secondsMax: 12, peerSecondsMax: 1 };
const quickPace: Pace = { rounds: 2, share: 0.05, secondsMax: 2, peerSecondsMax: 0.3 };
const fullLag: LagPace = { rounds: 5, secondsPerRound: 4 };
const quickLag: LagPace = { rounds: 1, secondsPerRound: 0.2 };
const fullQueries: QueryPace = { ...fullPace, documents: 1_000_000 };
const quickQueries: QueryPace = { ...quickPace, documents: 10_000 };
const fullTimers: TimersPace = { pending: 100_000, woken: 5_000, idleSeconds: 5, leadMs: 10_000 };
const quickTimers: TimersPace = { pending: 500, woken: 50, idleSeconds: 0.3, leadMs: 500 };
const fullSchemas: SchemaPace = { rounds: 100, events: 20_000 };
const quickSchemas: SchemaPace = { rounds: 4, events: 2_000 };
const fullMove: MovePace = { rounds: 3, events: 1_000_000 };
const quickMove: MovePace = { rounds: 1, events: 10_000 };
const fullLarge: LargePace = { small: 100_000, large: 5_000_000, receipts: 1_000_000, openings: 5 };
const quickLarge: LargePace = { small: 50_000, large: 100_000, receipts: 10_000, openings: 1 };

/** @param load installs the peers: not where eventsrc itself is installed. */
export async function runBench({ quick, only, json, chart, dir }: Options, load?: typeof loadPeers): Promise<void> {
  const say = json === '-' ? () => {} : console.log;
  const hasPeers =
    load !== undefined && !quick && rows.some(({ id, peers }) => only.includes(id) && peers !== undefined);
  const peers: LoadedPeers = hasPeers ? await load(console.error) : { kind: 'not asked for' };
  const folder = await mkdtemp(join(resolve(dir), 'eventsrc-bench-'));
  try {
    const environment = await describeEnvironment(folder, await describePeers(peers, folder));
    say(`${formatEnvironment(environment)}\n`);
    const results: (RowResult | LagResult | MoveResult | LargeResult)[] = [];
    for (const row of rows.filter(({ id }) => only.includes(id))) {
      const result = await measureRow(row, peers, quick ? quickPace : fullPace, inNewFile(folder));
      results.push(result);
      say(`${formatRow(result)}\n`);
    }
    if (only.some((id) => (sagaIds as readonly string[]).includes(id))) {
      const { timers, idle } = await measureTimers(quick ? quickTimers : fullTimers, inNewFile(folder));
      if (only.includes('saga.timers')) {
        results.push(timers);
        say(`${formatLag(timers)}\n`);
      }
      if (only.includes('saga.idle')) {
        results.push(idle);
        say(`${formatFigure(idle)}\n`);
      }
    }
    if (only.some((id) => (schemaIds as readonly string[]).includes(id))) {
      const { read, upcast } = await measureSchemas(quick ? quickSchemas : fullSchemas, inNewFile(folder));
      for (const figure of [read, upcast].filter(({ id }) => only.includes(id))) {
        results.push(figure);
        say(`${formatFigure(figure)}\n`);
      }
    }
    if (only.includes('projection.lag')) {
      const lag = await measureLag('projection.lag', quick ? quickLag : fullLag, inNewFile(folder));
      results.push(lag);
      say(`${formatLag(lag)}\n`);
    }
    const asked = readIds.filter((id) => id.startsWith('view.') && only.includes(id));
    if (asked.length > 0) {
      for (const row of await measureQueries(asked, quick ? quickQueries : fullQueries, inNewFile(folder))) {
        results.push(row);
        say(`${formatRow(row)}\n`);
      }
    }
    if (only.some((id) => id.startsWith('move.'))) {
      const moves = await measureMoves(quick ? quickMove : fullMove, folder);
      for (const move of moves.filter(({ id }) => only.includes(id))) {
        results.push(move);
        say(`${formatMove(move)}\n`);
      }
    }
    if (only.some((id) => (largeIds as readonly string[]).includes(id))) {
      const figures = await measureLarge(quick ? quickLarge : fullLarge, folder);
      for (const figure of figures.filter(({ id }) => only.includes(id))) {
        results.push(figure);
        say(`${formatFigure(figure)}\n`);
      }
    }
    const measured = { environment, rows: results };
    if (json === '-') console.log(JSON.stringify(measured));
    else if (json !== undefined) await writeFile(json, `${JSON.stringify(measured, undefined, 2)}\n`);
    if (chart !== undefined) {
      if (peers.kind !== 'ready') throw new Error('--chart: what draws it comes with the peers, which are not there.');
      await writeFile(chart, drawChart(peers.echarts, results));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What a reader must know of the peers before comparing. */
async function describePeers(peers: LoadedPeers, folder: string): Promise<readonly string[]> {
  if (peers.kind === 'not asked for') return ['peers: not asked for'];
  if (peers.kind === 'unavailable') return [`peers: not available: ${peers.reason}`];
  return [
    `emmett-sqlite, a connection per append, as documented: ${await describeEmmett(peers.emmettSqlite, 'per_append', folder)}`,
    `emmett-sqlite, kept, one connection for all appends: ${await describeEmmett(peers.emmettSqlite, 'kept', folder)}`,
    'so either is compared one at a time; and so is act-sqlite, of whose commits made at once all but one fail',
  ];
}

async function describeEmmett(emmett: EmmettSqlite, connecting: Connecting, folder: string): Promise<string> {
  try {
    const durability = await emmettDurability(emmett, connecting, join(folder, `${connecting}-durability.db`));
    const concurrency = await emmettConcurrency(emmett, connecting, join(folder, `${connecting}-concurrency.db`), 32);
    return `${durability}; ${concurrency}`;
  } catch (error) {
    return `it could not be asked: ${error instanceof Error ? error.message : String(error)}`;
  }
}
