/** Moves a whole store through the command line: how fast, and in how much memory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openLog } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { SampleFeed } from '../contestants/sample-events.ts';
import { cliPath, programPath } from '../programs.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import type { MoveId } from './moves.ts';

export interface MovePace {
  readonly events: number;
  readonly rounds: number;
}

export interface MoveResult {
  readonly id: MoveId;
  readonly what: string;
  readonly unit: 'events/s';
  readonly value: number;
  readonly spread: Spread;
  readonly events: number;
  /** MiB that the process held at most; and when it moved a quarter of the events: the same, if memory is bounded. */
  readonly peakMiB: number;
  readonly peakMiBOfQuarter: number;
  readonly against: readonly {
    readonly name: string;
    readonly value: number;
    readonly ratio: number;
    readonly ratioSpread: Spread;
  }[];
}

interface Run {
  readonly eventsPerSecond: number;
  readonly peakMiB: number;
}

const preload = pathToFileURL(programPath('move', 'peak-memory')).href;
const streams = 5_000;

/** Both ways, since the one makes what the other takes. */
export async function measureMoves({ events, rounds }: MovePace, parent: string): Promise<readonly MoveResult[]> {
  const folder = await mkdtemp(join(parent, 'move-'));
  try {
    const [whole, quarter] = [join(folder, 'whole.db'), join(folder, 'quarter.db')];
    await fill(whole, events);
    await fill(quarter, Math.ceil(events / 4));
    const ours: Record<MoveId, Run[]> = { 'move.export': [], 'move.import': [] };
    const raw: Record<MoveId, Run[]> = { 'move.export': [], 'move.import': [] };
    const file = join(folder, 'events.ndjson');
    const target = join(folder, 'target.db');
    for (let round = 0; round < rounds; round++) {
      raw['move.export'].push(
        await run(folder, events, [programPath('move', 'raw-export'), whole, join(folder, 'raw.ndjson')]),
      );
      ours['move.export'].push(
        await run(folder, events, [cliPath, 'export', file, '--force', '--store', `sqlite:${whole}`]),
      );
      raw['move.import'].push(
        await onNewStore(target, () => run(folder, events, [programPath('move', 'raw-import'), file, target])),
      );
      ours['move.import'].push(
        await onNewStore(target, () => run(folder, events, [cliPath, 'import', file, '--store', `sqlite:${target}`])),
      );
    }
    const exportQuarter = await run(folder, events, [
      cliPath,
      'export',
      file,
      '--force',
      '--store',
      `sqlite:${quarter}`,
    ]);
    const importQuarter = await onNewStore(target, () =>
      run(folder, events, [cliPath, 'import', file, '--store', `sqlite:${target}`]),
    );
    return [
      resultOf('move.export', events, ours, raw, exportQuarter),
      resultOf('move.import', events, ours, raw, importQuarter),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

const names: Readonly<Record<MoveId, readonly [what: string, raw: string]>> = {
  'move.export': ['eventsrc export into a file of JSON lines', 'raw, rows as lines of JSON'],
  'move.import': ['eventsrc import of such a file into a new store', 'raw, lines of JSON as rows, 4,096 a transaction'],
};

function resultOf(
  id: MoveId,
  events: number,
  ours: Readonly<Record<MoveId, readonly Run[]>>,
  raw: Readonly<Record<MoveId, readonly Run[]>>,
  quarter: Run,
): MoveResult {
  const [what, name] = names[id];
  const spread = spreadOf(ours[id].map(({ eventsPerSecond }) => eventsPerSecond));
  const ratioSpread = spreadOf(
    ours[id].map(({ eventsPerSecond }, round) => eventsPerSecond / (raw[id][round]?.eventsPerSecond ?? Number.NaN)),
  );
  const value = spreadOf(raw[id].map(({ eventsPerSecond }) => eventsPerSecond)).median;
  return {
    id,
    what,
    unit: 'events/s',
    value: spread.median,
    spread,
    events,
    peakMiB: Math.max(...ours[id].map(({ peakMiB }) => peakMiB)),
    peakMiBOfQuarter: quarter.peakMiB,
    against: [{ name, value, ratio: ratioSpread.median, ratioSpread }],
  };
}

async function fill(file: string, events: number): Promise<void> {
  const feed = new SampleFeed();
  await using log = await openLog({ store: sqlite(file), limits: { eventsPerAppend: Infinity, streams: Infinity } });
  for (let done = 0; done < events;) {
    const writes = Array.from({ length: 10 }, (_, index) => {
      return {
        stream: `order-${(done / 100 + index) % streams}`,
        events: feed.take(Math.min(100, Math.ceil((events - done) / 10))),
      };
    });
    await log.append(writes);
    done += writes.reduce((sum, write) => sum + write.events.length, 0);
  }
}

async function onNewStore(file: string, work: () => Promise<Run>): Promise<Run> {
  try {
    return await work();
  } finally {
    for (const ending of ['', '-wal', '-shm']) await rm(`${file}${ending}`, { force: true });
  }
}

/** A process of its own: its start is part of what a user waits for. */
async function run(folder: string, events: number, args: readonly string[]): Promise<Run> {
  const peak = join(folder, 'peak');
  const started = performance.now();
  const child = spawn(process.execPath, ['--import', preload, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PEAK_MEMORY: peak },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
  const seconds = (performance.now() - started) / 1_000;
  return { eventsPerSecond: events / seconds, peakMiB: Number(await readFile(peak, 'utf8')) / 1_024 };
}
