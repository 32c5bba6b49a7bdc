import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Budget, Contestant, Measurement } from './contestants/contestant.ts';
import type { LoadedPeers } from './peers.ts';
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
  /** As many as ours, unless it met the bound on time first. */
  readonly eventsPerRound: number;
  /** Appends of theirs that failed and were made again. */
  readonly failures: number;
}

/** An opponent without figures. */
interface Missing {
  readonly name: string;
  readonly reason: string;
}

export interface RowResult {
  readonly id: string;
  readonly what: string;
  readonly unit: Unit;
  readonly value: number;
  readonly spread: Spread;
  readonly eventsPerRound: number;
  readonly against: readonly Against[];
  readonly missing: readonly Missing[];
  /** Latencies of our appends over all rounds, in ms; absent where nobody waits for single ones. */
  readonly p50?: number;
  readonly p99?: number;
  readonly max?: number;
}

export interface Pace {
  readonly rounds: number;
  /** The part of a row's events that a round writes. */
  readonly share: number;
  /** So long that only a very slow disk makes eventsrc or raw SQLite stop early. */
  readonly secondsMax: number;
  /** Peers would need half a minute for a round's events, and do not become slower with their number. */
  readonly peerSecondsMax: number;
}

export type Unit = 'events/s' | 'queries/s' | 'loads/s' | 'sagas/s';

/** A row of any table. */
type MeasuredRow = Omit<Row, 'id'> & { readonly id: string };

interface Entrant {
  readonly contestant: Contestant;
  readonly budget: Budget;
  /** A peer that breaks is left out of the row; our own failure and raw SQLite's end the bench. */
  readonly mayFail: boolean;
  readonly rounds: Measurement[];
  failure?: string;
}

/** Lets somebody work in a new place, a file's path or a database's URL, and removes what is left there. */
export type InNewPlace = <Result>(work: (place: string) => Promise<Result>) => Promise<Result>;

/** New files, below a folder. */
export function inNewFile(parent: string): InNewPlace {
  return async (work) => {
    const folder = await mkdtemp(join(parent, 'round-'));
    try {
      return await work(join(folder, 'store.db'));
    } finally {
      await rm(folder, { recursive: true });
    }
  };
}

/** Runs everyone in turn, round after round, each time in a new place. */
export async function measureRow(
  row: MeasuredRow,
  peers: LoadedPeers,
  pace: Pace,
  inNewPlace: InNewPlace,
): Promise<RowResult> {
  const entrants = entrantsOf(row, peers, pace);
  for (let round = 0; round < pace.rounds; round++) {
    // Each begins a round once: nobody always writes on the disk that another has just filled.
    for (let turn = 0; turn < entrants.length; turn++) {
      await runOnce(entrants[(round + turn) % entrants.length] as Entrant, inNewPlace);
    }
  }
  const [ours, ...others] = entrants as [Entrant, ...Entrant[]];
  const rates = ours.rounds.map(rate);
  const spread = spreadOf(rates);
  const latencies = ours.rounds.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  return {
    id: row.id,
    what: row.what,
    unit: row.unit ?? 'events/s',
    value: spread.median,
    spread,
    eventsPerRound: eventsPerRound(ours),
    against: others.filter(({ failure }) => failure === undefined).map((other) => compare(rates, other)),
    missing: [...(row.peers === undefined ? [] : missingPeers(peers)), ...others.flatMap(missingOf)],
    ...(latencies.length > 0 && {
      p50: quantile(latencies, 0.5),
      p99: quantile(latencies, 0.99),
      max: quantile(latencies, 1),
    }),
  };
}

/** Ours first. */
function entrantsOf(
  { ours, against, peers, eventsMax }: MeasuredRow,
  loaded: LoadedPeers,
  pace: Pace,
): readonly Entrant[] {
  const budget = { eventsMax: Math.ceil(eventsMax * pace.share), secondsMax: pace.secondsMax };
  const own = [ours, ...against];
  const others = loaded.kind === 'ready' ? (peers?.(loaded) ?? []) : [];
  return [
    ...own.map((contestant) => ({ contestant, budget, mayFail: false, rounds: [] })),
    ...others.map((contestant) => ({
      contestant,
      budget: { ...budget, secondsMax: pace.peerSecondsMax },
      mayFail: true,
      rounds: [],
    })),
  ];
}

async function runOnce(entrant: Entrant, inNewPlace: InNewPlace): Promise<void> {
  if (entrant.failure !== undefined) return;
  try {
    entrant.rounds.push(await inNewPlace((place) => entrant.contestant.run(place, entrant.budget)));
  } catch (error) {
    if (!entrant.mayFail) throw error;
    entrant.failure = error instanceof Error ? error.message : String(error);
  }
}

function rate({ events, seconds }: Measurement): number {
  return events / seconds;
}

function eventsPerRound({ rounds }: Entrant): number {
  return spreadOf(rounds.map(({ events }) => events)).median;
}

function compare(ours: readonly number[], entrant: Entrant): Against {
  const { contestant, rounds } = entrant;
  const theirs = rounds.map(rate);
  const spread = spreadOf(theirs);
  const ratioSpread = spreadOf(ours.map((rateOfOurs, round) => rateOfOurs / (theirs[round] ?? NaN)));
  return {
    name: contestant.name,
    value: spread.median,
    spread,
    ratio: ratioSpread.median,
    ratioSpread,
    eventsPerRound: eventsPerRound(entrant),
    failures: rounds.reduce((sum, { failures }) => sum + failures, 0),
  };
}

function missingPeers(peers: LoadedPeers): readonly Missing[] {
  return peers.kind === 'unavailable' ? [{ name: 'the peers', reason: peers.reason }] : [];
}

function missingOf({ contestant: { name }, failure }: Entrant): readonly Missing[] {
  return failure === undefined ? [] : [{ name, reason: failure }];
}
