import type { DocumentChange, Engine } from 'eventsrc';
import { chapter, faint, line, strong } from '../narrator.ts';
import { board } from './board.ts';
import type { BoardCard } from './board.ts';

/** As the reader can follow it: ten times slower than it was. */
const speed = 0.1;
/** So long waits become short: in all, whatever the machine and the store, it takes two seconds at most. */
const replayMaxMs = 2_000;

/** All that has happened once more, in slow motion: a replay at a pace. */
export async function showReplay(engine: Engine): Promise<void> {
  chapter(
    'Once more, slowly',
    'All of this took moments; here it is ten times slower, the board filling event by event as it did. A whole day could\nbe watched as well, a hundred times faster, its quiet hours cut short. Nothing is done again: a replay is a fold.',
  );
  const { position: events } = await engine.log.head();
  let beganMs: number | undefined;
  for await (const { event, documents } of engine.replay(
    { projection: board },
    { speed, maxGapMs: (replayMaxMs * speed) / events },
  )) {
    beganMs ??= event.recordedAt;
    const after = `+${((event.recordedAt - beganMs) / 1_000).toFixed(3)} s`;
    line(`${faint(after.padStart(9))}  ${strong(event.type.padEnd(14))} ${documents.map(describeChange).join(', ')}`);
  }
}

/** `Ada: placed → paid`, `Cid: seat 12` */
function describeChange({ before, after }: DocumentChange<BoardCard>): string {
  if (after === undefined) return '';
  const { customer, status, total, seats } = after;
  if (before === undefined) return `${customer}: ${status}, ${total}`;
  return before.status === status ? `${customer}: seat ${seats.at(-1)}` : `${customer}: ${before.status} → ${status}`;
}
