/** What it costs to read events whose types are declared, and those that are three versions behind. */
import { openEngine } from 'eventsrc';
import type { AnyAggregate, EventLog } from 'eventsrc';
import { openBenchLog } from '../contestants/eventsrc.ts';
import { fill } from '../contestants/read-all.ts';
import type { LargeResult } from '../large/measure-large.ts';
import type { InNewPlace } from '../measure-row.ts';
import { spreadOf } from '../statistics.ts';
import { orderNow, orderThen, toNewest } from './order-versions.ts';

export interface SchemaPace {
  /** In the store, each of which is read in every turn. */
  readonly events: number;
  readonly rounds: number;
}

/** One way of reading the whole store. Each is done once a round, so they are compared round by round. */
interface Reading {
  readonly log: EventLog;
  /** Called with the data of every event, a page at a time. */
  readonly apply?: (data: unknown) => unknown;
  /** CPU time for an event, in ns, of each round. */
  readonly nsOfRounds: number[];
}

/**
 * Three hundredths are little: CPU time instead of wall time, because others may be at work; short turns, one after the other in the same
 * process, because its speed changes with time. Of the process, not of the thread: that of a thread moves on in whole ticks of the kernel.
 */
export async function measureSchemas(
  { events, rounds }: SchemaPace,
  inNewPlace: InNewPlace,
): Promise<{ readonly read: LargeResult; readonly upcast: LargeResult }> {
  return inNewPlace(async (file) => {
    await fill(file, events);
    await using undeclared = await openBenchLog(file);
    await using then = await openDeclared(file, orderThen);
    await using now = await openDeclared(file, orderNow);
    const [bare, newest, called, cast] = [
      reading(undeclared),
      reading(then.log),
      reading(then.log, toNewest),
      reading(now.log),
    ];
    await takeTurns([bare, newest, called, cast], rounds, events);
    return { read: readOf(newest, bare, events), upcast: upcastOf(cast, called, newest, events) };
  });
}

function reading(log: EventLog, apply?: (data: unknown) => unknown): Reading {
  return { log, nsOfRounds: [], ...(apply !== undefined && { apply }) };
}

async function openDeclared(file: string, order: AnyAggregate): Promise<AsyncDisposable & { readonly log: EventLog }> {
  const log = await openBenchLog(file);
  const engine = await openEngine({ store: log, aggregates: [order] });
  const close = async () => {
    await engine.close();
    await log.close();
  };
  return { log, [Symbol.asyncDispose]: close };
}

/** Each begins a round once in turn. The first rounds, in which the code is compiled, are not counted. */
async function takeTurns(readings: readonly Reading[], rounds: number, events: number): Promise<void> {
  const unmeasured = Math.ceil(rounds / 10);
  for (let round = -unmeasured; round < rounds; round++) {
    for (let turn = 0; turn < readings.length; turn++) {
      const one = readings[(round + unmeasured + turn) % readings.length] as Reading;
      const ns = (await cpuMicros(one)) * (1_000 / events);
      if (round >= 0) one.nsOfRounds.push(ns);
    }
  }
}

async function cpuMicros({ log, apply }: Reading): Promise<number> {
  const before = process.cpuUsage();
  for await (const page of log.read()) if (apply !== undefined) page.map(({ data }) => apply(data));
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function readOf(declared: Reading, bare: Reading, events: number): LargeResult {
  const ratios = declared.nsOfRounds.map((ns, round) => ns / (bare.nsOfRounds[round] ?? NaN));
  return {
    id: 'schema.read',
    what: `CPU time for reading an event of a declared type that needs no cast, ${events.toLocaleString('en')} of them`,
    unit: 'ns/event',
    value: medianOf(declared),
    against: [{ name: 'eventsrc, nothing declared', value: medianOf(bare), ratio: spreadOf(ratios).median }],
  };
}

function upcastOf(cast: Reading, called: Reading, newest: Reading, events: number): LargeResult {
  const what = `CPU time that reading through three casts adds to an event, besides the functions’ own, ${events.toLocaleString('en')} of them`;
  const value = moreThan(cast, called);
  const others = [
    ['the three functions, called by hand', moreThan(called, newest)],
    ['eventsrc, reading the newest version', medianOf(newest)],
  ] as const;
  const against = others.map(([name, other]) => ({ name, value: other, ratio: value / other }));
  return { id: 'schema.upcast', what, unit: 'ns/event', value, against };
}

function medianOf({ nsOfRounds }: Reading): number {
  return spreadOf(nsOfRounds).median;
}

/** In short runs noise may make it less than nothing. */
function moreThan(one: Reading, other: Reading): number {
  return Math.max(1, spreadOf(one.nsOfRounds.map((ns, round) => ns - (other.nsOfRounds[round] ?? NaN))).median);
}
