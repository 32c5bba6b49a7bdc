import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Budget, Contestant, Measurement } from './contestants/contestant.ts';
import { emmettSqlite } from './contestants/emmett-sqlite.ts';
import { eventsrc } from './contestants/eventsrc.ts';
import { rawSqlite } from './contestants/raw-sqlite.ts';
import type { Peer } from './peers.ts';
import type { Row } from './rows.ts';
import { quantile, spreadOf } from './statistics.ts';
import type { Spread } from './statistics.ts';

/** What one opponent did. `ratio` is the median of the rounds' own ratios: what disturbs a round disturbs both. */
interface Against {
  readonly name: string;
  readonly value: number;
  readonly spread: Spread;
  /** Ours divided by theirs: above 1, eventsrc is faster. */
  readonly ratio: number;
  readonly ratioSpread: Spread;
  /** Appends of theirs that failed and were made again. */
  readonly failures: number;
}

export interface RowResult {
  readonly id: string;
  readonly what: string;
  readonly unit: 'events/s';
  readonly value: number;
  readonly spread: Spread;
  readonly against: readonly Against[];
  /** Latencies of our appends over all rounds, in ms. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Pace {
  readonly rounds: number;
  /** The part of a row's events that a round writes. */
  readonly share: number;
  readonly secondsMax: number;
}

/** Runs everyone in turn, round after round, each time on a new file in this folder. */
export async function measureRow(row: Row, peer: Peer | undefined, pace: Pace, folder: string): Promise<RowResult> {
  const budget: Budget = { eventsMax: Math.ceil(row.eventsMax * pace.share), secondsMax: pace.secondsMax };
  const contestants = contestantsOf(row, peer);
  const measured = contestants.map((): Measurement[] => []);
  for (let round = 0; round < pace.rounds; round++) {
    // Each begins a round once: nobody always writes on the disk that another has just filled.
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (round + turn) % contestants.length;
      measured[index]?.push(await runOnNewFile(contestants[index] as Contestant, budget, folder));
    }
  }
  const [ours = [], ...theirs] = measured;
  const rates = ours.map(rate);
  const spread = spreadOf(rates);
  const latencies = ours.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  return {
    id: row.id,
    what: row.what,
    unit: 'events/s',
    value: spread.median,
    spread,
    against: theirs.map((rounds, index) => compare(contestants[index + 1]?.name ?? '', rates, rounds)),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    max: quantile(latencies, 1),
  };
}

/** Ours first. */
function contestantsOf({ load, rawTransactions }: Row, peer: Peer | undefined): readonly Contestant[] {
  const raw = rawTransactions.map((size) => rawSqlite(size, load.inFlight));
  // It fails when it is called concurrently, so whatever our load it is called one at a time.
  const peers = peer?.kind === 'ready' ? [emmettSqlite(peer.emmett, load.eventsPerAppend)] : [];
  return [eventsrc(load), ...raw, ...peers];
}

async function runOnNewFile(contestant: Contestant, budget: Budget, parent: string): Promise<Measurement> {
  const folder = await mkdtemp(join(parent, 'round-'));
  try {
    return await contestant.run(join(folder, 'store.db'), budget);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function rate({ events, seconds }: Measurement): number {
  return events / seconds;
}

function compare(name: string, ours: readonly number[], rounds: readonly Measurement[]): Against {
  const theirs = rounds.map(rate);
  const spread = spreadOf(theirs);
  const ratioSpread = spreadOf(ours.map((rateOfOurs, round) => rateOfOurs / (theirs[round] ?? NaN)));
  const failures = rounds.reduce((sum, round) => sum + round.failures, 0);
  return { name, value: spread.median, spread, ratio: ratioSpread.median, ratioSpread, failures };
}
