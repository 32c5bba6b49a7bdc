import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** A bar on stderr with rate and time left; nothing where stderr is not a terminal. */
export class ProgressBar implements Disposable {
  readonly #bar: SingleBar | undefined;
  #startedMs = 0;
  /** What was done already when it was first shown. */
  #startedAt = 0;

  /** @param noun what is counted, in the plural. */
  constructor(stream: NodeJS.WriteStream, noun: 'commits' | 'events') {
    if (!stream.isTTY) return;
    const format = `{bar} {value}/{total} ${noun}, {rate}/s, {eta_formatted} left`;
    // Ctrl-C is handled by the command, which stops in good order.
    const options = {
      stream,
      format,
      clearOnComplete: true,
      gracefulExit: false,
      etaBuffer: 100,
      linewrap: true,
      barsize: 30,
    };
    this.#bar = new SingleBar(options, Presets.shades_classic);
  }

  readonly show = ({ done, total }: Progress): void => {
    if (this.#bar === undefined) return;
    if (!this.#bar.isActive) {
      this.#startedMs = performance.now() - 1;
      this.#startedAt = done;
      this.#bar.start(total, done, { rate: '-' });
      return;
    }
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    this.#bar.update(done, { rate: Math.round((done - this.#startedAt) / seconds).toLocaleString('en') });
  };

  [Symbol.dispose](): void {
    this.#bar?.stop();
  }
}
