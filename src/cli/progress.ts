import { Presets, SingleBar } from 'cli-progress';
import { bytesText, numberText } from './moment-text.ts';
import type { Terminal } from './terminal.ts';

/** How far some work is. */
interface Step {
  readonly title: string;
  /** Of `total`, in whatever unit. */
  readonly done: number;
  /** Undefined where nobody knows. */
  readonly total: number | undefined;
  /** Of `done`, what had been done before this run began. Default 0. */
  readonly from?: number;
  /** What is counted, and how many of it there were: their rate is shown. Default: `done`, but for what had been done before. */
  readonly what: 'events' | 'positions' | 'documents' | 'snapshots' | 'bytes';
  readonly count?: number;
}

/** Told of every step; draws some of them. */
export type Progress = (step: Step) => void;

/**
 * Shows how far some work is, how fast it goes and how long it will take, where a person waits for it; it is gone when
 * the work ends.
 */
export async function withProgress<Result>(
  terminal: Terminal,
  work: (progress: Progress) => Promise<Result>,
): Promise<Result> {
  if (terminal.err.isTTY !== true) return work(() => {});
  const line = new ProgressLine(terminal.err as NodeJS.WriteStream);
  try {
    return await work((step) => line.show(step));
  } finally {
    line.end();
  }
}

class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  #bar: SingleBar | undefined;
  #title = '';
  #startedAt = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(step: Step): void {
    if (this.#bar === undefined || this.#title !== step.title) this.#begin(step);
    const { done, total, what, from = 0, count = done - from } = step;
    const seconds = Math.max((performance.now() - this.#startedAt) / 1_000, 0.001);
    const text = what === 'bytes' ? bytesText : (value: number) => `${numberText(value)} ${what}`;
    const left = total === undefined || done <= from ? '' : leftText((seconds * (total - done)) / (done - from));
    const rate = text(Math.round(count / seconds));
    this.#bar?.update(Math.min(done, total ?? done), { count: text(count), rate, left });
  }

  #begin({ title, total }: Step): void {
    this.end();
    this.#title = title;
    this.#startedAt = performance.now();
    const format = `${title} ${total === undefined ? '' : '{bar} {percentage}%  '}{count}  {rate}/s  {left}`;
    const options = {
      format,
      stream: this.#stream,
      clearOnComplete: true,
      hideCursor: true,
      fps: 5,
      gracefulExit: false,
    };
    this.#bar = new SingleBar(options, Presets.shades_classic);
    this.#bar.start(total ?? 1, 0, { count: '', rate: '…', left: '' });
  }

  end(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

function leftText(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.round(seconds % 60)];
  return minutes === 0 ? `${rest} s left` : `${minutes} min ${rest} s left`;
}
