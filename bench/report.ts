import type { Environment } from './environment.ts';
import type { RowResult } from './measure-row.ts';
import type { LargeResult } from './large/measure-large.ts';
import type { LagResult } from './read/lag.ts';
import type { MoveResult } from './move/measure-move.ts';
import type { Spread } from './statistics.ts';

export function formatEnvironment(environment: Environment): string {
  const { node, sqlite, platform, processor, cores, loadAverage, disk, fsync, eventBytes, peers } = environment;
  return [
    `Node ${node}, SQLite ${sqlite}, ${platform}, ${cores} × ${processor}, load ${loadAverage.toFixed(1)} before the run`,
    `${disk.fileSystem}, ${count(disk.syncedWritesPerSecond)} synced 4 KiB overwrites/s; ${fsync}; ${eventBytes} bytes of JSON an event`,
    ...(disk.isMemory
      ? [`WARNING: ${disk.fileSystem} is memory, where fsync costs nothing: choose a disk with --dir.`]
      : []),
    ...peers,
  ].join('\n');
}

/** One row of the table, and below it its opponents. */
export function formatRow(row: RowResult): string {
  const { id, what, unit, value, spread, eventsPerRound, against, missing, p50, p99, max } = row;
  const ours = line(
    'eventsrc',
    unit,
    value,
    spread,
    p50 === undefined ? '' : `p50 ${ms(p50)}  p99 ${ms(p99)}  max ${ms(max)}`,
  );
  const theirs = against.map((other) => {
    const { low, high } = other.ratioSpread;
    const notes = [stoppedEarly(other.eventsPerRound, eventsPerRound), failed(other.failures)];
    return line(
      other.name,
      unit,
      other.value,
      other.spread,
      `${times(other.ratio)}  (${times(low)} to ${times(high)})${notes.join('')}`,
    );
  });
  const others = missing.map(({ name, reason }) => `  ${name.padEnd(nameWidth)}not available: ${reason}`);
  return [`${id}: ${what}, ${count(eventsPerRound)} ${unit.split('/')[0]} a round`, ours, ...theirs, ...others].join(
    '\n',
  );
}

/** A row of the table for a whole store that is moved. */
export function formatMove({
  id,
  what,
  value,
  spread,
  events,
  peakMiB,
  peakMiBOfQuarter,
  against,
}: MoveResult): string {
  const peak = `peak ${peakMiB.toFixed(0)} MiB; with a quarter of the events ${peakMiBOfQuarter.toFixed(0)} MiB`;
  const theirs = against.map((other) => {
    const { low, high } = other.ratioSpread;
    return `  ${other.name.padEnd(nameWidth)}${count(other.value).padStart(9)} events/s  ${times(other.ratio)}  (${times(low)} to ${times(high)})`;
  });
  return [`${id}: ${what}, ${count(events)} events`, line('eventsrc', 'events/s', value, spread, peak), ...theirs].join(
    '\n',
  );
}

/** A figure that is no rate: less is better. */
export function formatFigure({ id, what, unit, value, against }: LargeResult): string {
  const short = (figure: number) => (figure < 1_000 ? figure.toPrecision(3) : count(figure));
  const show = (name: string, figure: number) => `  ${name.padEnd(nameWidth)}${short(figure).padStart(9)} ${unit}`;
  const theirs = against.map((other) => `${show(other.name, other.value)}  ${times(other.ratio)}`);
  return [`${id}: ${what}`, show('eventsrc', value), ...theirs].join('\n');
}

/** Latencies at a rate. */
export function formatLag({
  id,
  what,
  value,
  spread,
  p50,
  p99,
  max,
  reached,
  counted = 'commands/s accepted',
}: LagResult): string {
  const range = `(${spread.low.toFixed(1)} to ${spread.high.toFixed(1)})`;
  const rate = `${count(reached.median)} ${counted} (${count(reached.low)} to ${count(reached.high)})`;
  const figures = `p50 ${ms(p50)}  p99 ${ms(p99)}  max ${ms(max)}`;
  return `${id}: ${what}\n  ${'eventsrc'.padEnd(nameWidth)}${value.toFixed(1).padStart(9)} ms  ${range.padEnd(22)}  ${figures}; ${rate}`;
}

const nameWidth = 48;

function line(name: string, unit: string, rate: number, { low, high }: Spread, rest: string): string {
  const range = `(${count(low)} to ${count(high)})`;
  return `  ${name.padEnd(nameWidth)}${count(rate).padStart(9)} ${unit}  ${range.padEnd(22)}  ${rest}`;
}

function stoppedEarly(theirs: number, ours: number): string {
  // Transactions are not cut in two, so the last one may go beyond the end.
  return theirs >= ours ? '' : `; ${count(theirs)} events a round`;
}

function failed(failures: number): string {
  return failures === 0 ? '' : `; ${count(failures)} appends failed and were repeated`;
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function ms(value: number | undefined): string {
  return `${value?.toFixed(2)} ms`;
}

function times(ratio: number): string {
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}x`;
}
