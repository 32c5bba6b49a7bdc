/** What becomes of a store that grows: speed, opening, memory and bytes, with millions of events and receipts. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultLimits, systemClock } from 'eventsrc';
import type { Receipt } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { sampleDataBytes } from '../contestants/sample-events.ts';
import { programPath } from '../programs.ts';
import { spreadOf } from '../statistics.ts';
import type { SagaId } from '../saga/saga-ids.ts';
import type { SchemaId } from '../schema/schema-ids.ts';
import type { LargeId } from './large.ts';
import type { Grown, GrowthFigures } from './mix.ts';

export interface LargePace {
  readonly small: number;
  readonly large: number;
  readonly receipts: number;
  /** Openings of each kind. */
  readonly openings: number;
}

/** A figure, and what it is compared with: `ratio` is ours divided by theirs, and here less is better. */
export interface LargeResult {
  readonly id: LargeId | SagaId | SchemaId;
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  readonly against: readonly { readonly name: string; readonly value: number; readonly ratio: number }[];
}

export async function measureLarge(pace: LargePace, parent: string): Promise<readonly LargeResult[]> {
  const folder = await mkdtemp(join(parent, 'large-'));
  try {
    const { small, large, receipts, openings } = pace;
    const [ours, raw, empty] = [join(folder, 'ours.db'), join(folder, 'raw.db'), join(folder, 'empty.db')];
    const grown = await grow('grow-eventsrc', ours, pace);
    const grownRaw = await grow('grow-raw', raw, pace);
    await rm(raw);
    await runProgram('open-store', empty);
    const opened = await openTurns([empty, ours], openings);
    const bytesBefore = (await stat(ours)).size;
    await addReceipts(ours, receipts);
    const receiptBytes = ((await stat(ours)).size - bytesBefore) / receipts;
    const openedWithReceipts = await openTurns([empty, ours], openings);
    const counted = (events: number) => events.toLocaleString('en');
    const slower = (figures: Grown, of: keyof GrowthFigures) => figures.small[of] / figures.large[of];
    const growth = (id: LargeId, what: string, of: keyof GrowthFigures): LargeResult =>
      compared(id, `${what}: ${counted(large)} events against ${counted(small)}`, 'times slower', slower(grown, of), [
        ['raw, with as many rows', slower(grownRaw, of)],
      ]);
    const { fifth, whole } = grown.memoryMiB as NonNullable<Grown['memoryMiB']>;
    return [
      growth('growth.append', 'appends of one event, 256 at a time, to streams of any age', 'appendsPerSecond'),
      growth('growth.load', 'states of streams of any age', 'loadedEventsPerSecond'),
      compared('open.events', `until the first command is answered, ${counted(large)} events`, 'ms', opened[1], [
        ['an empty store', opened[0]],
      ]),
      compared('open.receipts', `the same, with ${counted(receipts)} live receipts`, 'ms', openedWithReceipts[1], [
        ['an empty store', openedWithReceipts[0]],
      ]),
      compared('memory', `memory at most, while ${counted(large)} events are appended and read`, 'MiB', whole, [
        ['up to a fifth of them', fifth],
      ]),
      compared('size', 'bytes on disk, with everything that belongs to an event', 'bytes/event', grown.bytesPerEvent, [
        ['its JSON alone', sampleDataBytes],
        ['raw, with as many rows', grownRaw.bytesPerEvent],
        ['a receipt of a command, which is beside', receiptBytes],
      ]),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

function compared(
  id: LargeId,
  what: string,
  unit: string,
  value: number,
  others: readonly (readonly [name: string, value: number])[],
): LargeResult {
  return {
    id,
    what,
    unit,
    value,
    against: others.map(([name, other]) => ({ name, value: other, ratio: value / other })),
  };
}

async function grow(program: string, file: string, { small, large }: LargePace): Promise<Grown> {
  return JSON.parse(await runProgram(program, file, String(small), String(large))) as Grown;
}

/** In turn, since what disturbs one opening disturbs its neighbours. Medians, in ms. */
async function openTurns(files: readonly [string, string], openings: number): Promise<readonly [number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < openings; round++) {
    times[0].push(Number(await runProgram('open-store', files[0])));
    times[1].push(Number(await runProgram('open-store', files[1])));
  }
  return [spreadOf(times[0]).median, spreadOf(times[1]).median];
}

const receiptsPerCall = 2_000;

/** As commands leave them behind. */
async function addReceipts(file: string, count: number): Promise<void> {
  await using store = await sqlite(file).openEvents({ clock: systemClock, limits: defaultLimits });
  const { recordedAt } = await store.head();
  const outcome = Buffer.from('{"kind":"accepted","eventCount":1,"eventsBehind":0,"version":1}');
  for (let done = 0; done < count; done += receiptsPerCall) {
    const receipts = Array.from({ length: Math.min(receiptsPerCall, count - done) }, (_, index): Receipt => ({
      key: `order-${done + index}/place/${((done + index) * 2_654_435_761) % 2 ** 32}`,
      commandDigest: new Uint8Array(32).fill(index % 256),
      outcome,
      expiresAt: recordedAt + 86_400_000,
      recordedAt,
      position: 1 + done + index,
    }));
    await store.import([], receipts);
  }
}

async function runProgram(name: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [programPath('large', name), ...args]);
  return stdout;
}
