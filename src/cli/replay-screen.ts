/** What a person sees of a replay besides its frames, and the keys that steer it. */
import { emitKeypressEvents } from 'node:readline';
import type { Key } from 'node:readline';
import type { Replay } from '../replay/replay.ts';
import type { ReplaySpeed } from '../replay/options.ts';
import { eventsText, shortTimeText } from './moment-text.ts';
import { cutTo } from './table.ts';
import type { Terminal } from './terminal.ts';

const speeds: readonly ReplaySpeed[] = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 'unthrottled'];
const refreshMs = 100;
/** On terminals that have room for it, and on others. */
const barWidths = [20, 10] as const;
const wide = 120;
const eraseLine = '\r\u001b[2K';

const keysText = 'space pause · → step · + - speed · q quit';
const keysTextPaused = 'space go on · → step · + - speed · q quit';

/** A line below the frames that says how far it is. */
export class ReplayScreen implements Disposable {
  readonly #terminal: Terminal;
  readonly #replay: Pick<Replay<unknown, unknown>, 'speed' | 'paused' | 'progress'>;
  readonly #hasKeys: boolean;
  readonly #timer: NodeJS.Timeout;
  #isShown = false;
  #shownAt = 0;

  constructor(
    terminal: Terminal,
    replay: Pick<Replay<unknown, unknown>, 'speed' | 'paused' | 'progress'>,
    hasKeys: boolean,
  ) {
    this.#terminal = terminal;
    this.#replay = replay;
    this.#hasKeys = hasKeys;
    this.#timer = setInterval(() => this.#show(), refreshMs);
  }

  /** Prints above the line. */
  async above(print: () => Promise<void>): Promise<void> {
    this.#hide();
    await print();
    // Where frames come by the thousand nobody reads it.
    if (performance.now() - this.#shownAt > refreshMs / 2) this.#show();
  }

  refresh(): void {
    this.#show();
  }

  #show(): void {
    const { paused, speed, progress } = this.#replay;
    const { fraction, events, recordedAt } = progress;
    const barWidth = barWidths[this.#terminal.width >= wide ? 0 : 1];
    const done = Math.round(fraction * barWidth);
    const parts = [
      paused ? '▮▮ paused' : '▶',
      speedText(speed),
      `${'█'.repeat(done)}${'░'.repeat(barWidth - done)} ${Math.floor(fraction * 100)}%`,
      eventsText(events),
      ...(recordedAt === undefined ? [] : [shortTimeText(recordedAt)]),
    ];
    const keys = this.#hasKeys ? `   ${paused ? keysTextPaused : keysText}` : '';
    const text = cutTo(parts.join('  ') + keys, this.#terminal.width - 1);
    this.#terminal.out.write(eraseLine + this.#terminal.style(paused ? 'yellow' : 'dim', text));
    this.#isShown = true;
    this.#shownAt = performance.now();
  }

  #hide(): void {
    if (this.#isShown) this.#terminal.out.write(eraseLine);
    this.#isShown = false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#hide();
  }
}

function speedText(speed: ReplaySpeed): string {
  return speed === 'unthrottled' ? speed : `${speed}x`;
}

/** The keys of a terminal, where somebody sits before one. */
export class ReplayKeys implements Disposable {
  readonly #onKey: ((text: string | undefined, key: Key) => void) | undefined;

  /** @param quit is called for `q`, @param changed after any other key that has had a say. */
  constructor(replay: Replay<unknown, unknown>, quit: () => void, changed: () => void) {
    if (!canRead()) return;
    this.#onKey = (text, key) => {
      if (press(replay, text, key, quit)) changed();
    };
    emitKeypressEvents(process.stdin);
    process.stdin.setRawMode(true);
    process.stdin.on('keypress', this.#onKey);
    process.stdin.resume();
  }

  [Symbol.dispose](): void {
    if (this.#onKey === undefined) return;
    process.stdin.off('keypress', this.#onKey);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }
}

/** Whether there are keys to be pressed. */
export function canRead(): boolean {
  return process.stdin.isTTY;
}

function press(replay: Replay<unknown, unknown>, text: string | undefined, key: Key, quit: () => void): boolean {
  // Who reads every key is told of none by a signal.
  if (key.ctrl === true && key.name === 'c') process.kill(process.pid, 'SIGINT');
  else if (text === 'q') quit();
  else if (text === ' ') pauseOrResume(replay);
  else if (key.name === 'right' || text === 'n') replay.step();
  else if (text === '+' || text === '=') changeSpeed(replay, 1);
  else if (text === '-') changeSpeed(replay, -1);
  else return false;
  return true;
}

function pauseOrResume(replay: Replay<unknown, unknown>): void {
  if (replay.paused) replay.resume();
  else replay.pause();
}

/** To the next faster or slower one. */
function changeSpeed(replay: Replay<unknown, unknown>, direction: 1 | -1): void {
  const rank = (speed: ReplaySpeed) => (speed === 'unthrottled' ? Infinity : speed);
  const now = rank(replay.speed);
  const others = direction === 1 ? speeds.filter((one) => rank(one) > now) : speeds.filter((one) => rank(one) < now);
  const next = direction === 1 ? others[0] : others.at(-1);
  if (next !== undefined) replay.speed = next;
}
