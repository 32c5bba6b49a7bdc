/** A history being played: for people (lines, and on a terminal how far it is), and for programs (JSON). */
import { styleText } from 'node:util';
import type { CommitRecorded } from './events.ts';
import type { Changes, PlayFrame } from './play.ts';
import { printable, printableDate } from './printable.ts';

/** Back to the beginning of a terminal's line, and clears it. */
const erased = '\r\x1b[K';
const barSize = 20;
/** How often the tree is seen growing in the middle of a commit. */
const redrawMs = 100;

/** A line for each commit. */
export async function* playLines(frames: AsyncIterable<PlayFrame>): AsyncGenerator<string> {
  for await (const frame of frames) if (frame.commit !== undefined) yield `${commitLine(frame.commit, frame)}\n`;
}

/** The same with one more line below them, which says how large the tree is. */
export async function* playLive(
  frames: AsyncIterable<PlayFrame>,
  terminal: { readonly columns: number },
): AsyncGenerator<string> {
  let drawnMs = -Infinity;
  try {
    for await (const frame of frames) {
      const { commit } = frame;
      const nowMs = performance.now();
      if (commit === undefined && nowMs - drawnMs < redrawMs) continue;
      drawnMs = nowMs;
      const line = commit === undefined ? '' : `${commitLine(commit, frame)}\n`;
      yield `${erased}${line}${sizeLine(frame).slice(0, widthOf(terminal))}`;
    }
  } catch (error) {
    yield erased;
    throw error;
  }
  yield erased;
}

/** What fits on one line: the last column makes some terminals begin another. Not all of them say how wide they are. */
function widthOf({ columns }: { readonly columns: number }): number {
  return (columns || 80) - 1;
}

/** An object for each commit, on a line of its own. */
export async function* playJson(frames: AsyncIterable<PlayFrame>): AsyncGenerator<string> {
  for await (const { commit, changes, tree } of frames) {
    if (commit === undefined) continue;
    const { commit: id, committedAt, subject } = commit.data;
    yield `${JSON.stringify({ commit: id, committedAt, subject, ...changes, files: tree.size })}\n`;
  }
}

/** `2026-01-31  1a2b3c4d5e    +12    ~3    -0      333 files  What it was for` */
export function commitLine({ data }: CommitRecorded, { changes, tree }: Pick<PlayFrame, 'changes' | 'tree'>): string {
  const cells = [
    style('dim', printableDate(data.committedAt).padEnd(10)),
    style('yellow', data.commit.slice(0, 10)),
    changesCell(changes),
    filesText(tree.size).padStart(13),
    printable(data.subject),
  ];
  return cells.join('  ').trimEnd();
}

function changesCell({ added, modified, deleted }: Changes): string {
  const counts = [
    ['+', added, 'green'],
    ['~', modified, 'cyan'],
    ['-', deleted, 'red'],
  ] as const;
  return counts
    .map(([sign, count, colour]) => style(count === 0 ? 'dim' : colour, `${sign}${count}`.padStart(5)))
    .join(' ');
}

function sizeLine({ tree, done, total }: PlayFrame): string {
  const bar = '█'.repeat(Math.floor((barSize * done) / total)).padEnd(barSize, '░');
  return `${bar} ${filesText(tree.size)} after ${done.toLocaleString('en')} of ${total.toLocaleString('en')} commits`;
}

function filesText(count: number): string {
  return `${count.toLocaleString('en')} file${count === 1 ? ' ' : 's'}`;
}

/** Only where a terminal reads it. */
function style(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { stream: process.stdout });
}
