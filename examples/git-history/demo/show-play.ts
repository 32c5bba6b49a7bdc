import { chapter, line } from '../../narrator.ts';
import type { HistoryLog } from '../events.ts';
import { commitLine } from '../format-play.ts';
import { playHistory } from '../play.ts';
import { recordedCommits } from './show-moments.ts';

const commitsMax = 12;
const pauseMaxMs = 150;

/** The first commits once more, one after another. */
export async function showPlay(log: HistoryLog): Promise<void> {
  chapter(
    'Once more, a hundred times faster',
    'The same fold, not stopped but watched: how the tree grew with its first commits, a hundred times faster than they\nwere made, and with all longer pauses cut short. Added, modified and deleted paths, and how many files there are then.',
  );
  const commits = await recordedCommits(log);
  const until = commits[Math.min(commits.length, commitsMax) - 1];
  if (until === undefined) return;
  for await (const frame of playHistory(log, { until, speed: 100, pauseMaxMs })) {
    if (frame.commit !== undefined) line(commitLine(frame.commit, frame));
  }
}
