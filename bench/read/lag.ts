/** How long after the receipt of a command its own document is there to be read, while commands come at a steady rate. */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { openEngine } from 'eventsrc';
import { backendAt } from '../contestants/eventsrc.ts';
import { order, orderTotals } from '../contestants/order-totals.ts';
import type { SoldItem } from '../contestants/order-totals.ts';
import { sampleEvents } from '../contestants/sample-events.ts';
import type { InNewPlace } from '../measure-row.ts';
import { quantile, spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';

export interface LagPace {
  readonly rounds: number;
  readonly secondsPerRound: number;
}

/** Latencies over all rounds, in ms. */
export interface LagResult {
  readonly id: string;
  readonly what: string;
  readonly unit: 'ms';
  /** The 99th percentile. */
  readonly value: number;
  /** Of the rounds' own. */
  readonly spread: Spread;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Commands a second that were accepted, unless `counted` says otherwise. */
  readonly reached: Spread;
  readonly counted?: string;
  readonly against: readonly [];
}

/** Commands a second. */
const offered = 5_000;
const orders = 1_000;

interface Round {
  readonly reached: number;
  /** In order. */
  readonly latenciesMs: readonly number[];
}

export async function measureLag(id: string, { rounds, secondsPerRound }: LagPace, inNewPlace: InNewPlace) {
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++)
    measured.push(await inNewPlace((place) => measureRound(place, secondsPerRound)));
  const latencies = measured.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  const [p50, p99, max] = [quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(latencies, 1)];
  return {
    id,
    what: `from a receipt to reading what it led to, ${offered.toLocaleString('en')} commands/s offered, p99`,
    unit: 'ms',
    value: p99,
    spread: spreadOf(measured.map(({ latenciesMs }) => quantile(latenciesMs, 0.99))),
    p50,
    p99,
    max,
    reached: spreadOf(measured.map(({ reached }) => reached)),
    against: [],
  } satisfies LagResult;
}

/** The first tenth is not counted. */
async function measureRound(place: string, seconds: number): Promise<Round> {
  const totals = orderTotals();
  await using engine = await openEngine({ store: backendAt(place), aggregates: [order], projections: [totals] });
  const view = engine.view(totals);
  await engine.settled();
  const latenciesMs: number[] = [];
  const execute = async (command: number, isCounted: boolean) => {
    const id = String(command % orders);
    const { data } = sampleEvents[command % sampleEvents.length] as (typeof sampleEvents)[number];
    const receipt = await engine.execute(order.commands.add(id, data as unknown as SoldItem));
    if (receipt.kind !== 'accepted') throw new Error(`eventsrc did not accept a command: ${receipt.kind}`);
    const accepted = performance.now();
    if ((await view.get(id, { atLeast: receipt.position })) === undefined) throw new Error(`order ${id} is not there`);
    if (isCounted) latenciesMs.push(performance.now() - accepted);
  };
  await atRate(seconds / 10, (command) => execute(command, false));
  const startedAt = performance.now();
  const commands = await atRate(seconds, (command) => execute(command, true));
  const reached = commands / ((performance.now() - startedAt) / 1_000);
  return { reached, latenciesMs: latenciesMs.sort((a, b) => a - b) };
}

/** Commands that begin together, at most: a crowd of those that are late would hold up everything else, and then be late again. */
const togetherMax = 25;
/** Commands under way, with the reads that follow them. */
const inFlightMax = 500;

/** What cannot be offered in time is offered as soon as possible: the rate that was reached tells. Resolves once all is done. */
async function atRate(seconds: number, execute: (command: number) => Promise<void>): Promise<number> {
  const count = Math.ceil(seconds * offered);
  const startedAt = performance.now();
  const begun: Promise<void>[] = [];
  let inFlight = 0;
  while (begun.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - startedAt) / 1_000) * offered));
    const end = Math.min(due, begun.length + Math.min(togetherMax, inFlightMax - inFlight));
    while (begun.length < end) {
      inFlight += 1;
      begun.push(execute(begun.length).finally(() => (inFlight -= 1)));
    }
    await (end < due && inFlight < inFlightMax ? setImmediate() : setTimeout(1));
  }
  await Promise.all(begun);
  return count;
}
