import type { Folded } from '../command/boundary.ts';
import type { RecordedEvent } from '../event/codec.ts';
import { optionInvalid } from '../ground/check-options.ts';
import { systemTimer } from '../ground/clock.ts';
import type { Timer } from '../ground/clock.ts';
import { EngineError } from '../ground/errors.ts';
import { LinkedSignal } from '../ground/linked-signal.ts';
import { isBy } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { Position } from '../store/port.ts';
import { Cursor } from './cursor.ts';
import { Interruption } from './interruption.ts';
import type { PlayOptions, ReplayProgress, ReplaySpeed } from './options.ts';
import type { Pace } from './pace.ts';
import { Teller } from './teller.ts';
import type { Replay } from './replay.ts';
import type { Replayed } from './subject.ts';
import type { Target } from './target.ts';
import type { End, Timeline } from './timeline.ts';

/** What a replay is made of. */
export interface PlayerParts<Frame, Result> {
  readonly timeline: Timeline;
  readonly target: Target<Frame, Result>;
  readonly pace: Pace;
  readonly at: Moment | undefined;
  /** Ends it: who waits for years, or is paused, would not notice that the store is closed. */
  readonly closing: AbortSignal;
  /** Where to begin as of a moment, rather than before the first event. */
  readonly snapshot: (at: Moment) => Promise<Folded | undefined>;
  /** @throws {EngineError} `option_invalid` for a moment that there is not of what is replayed. */
  readonly checkMoment: (at: Moment) => void;
}

type How = Pick<PlayOptions, 'timer' | 'signal' | 'onProgress'>;

/** What an iterator's `return` ends it by. */
const left = new Error('nobody asks for further frames');

export class Player<Frame, Result> implements Replay<Frame, Result> {
  readonly #parts: PlayerParts<Frame, Result>;
  readonly #timer: Timer;
  readonly #signal: AbortSignal | undefined;
  readonly #teller: Teller;
  #use: 'none' | 'frames' | 'run' = 'none';
  #end: End | undefined;
  #cursor: Cursor | undefined;
  /** Events that were folded, and the last of them. */
  #folded = 0;
  #shown = 0;
  #last: RecordedEvent | undefined;
  /** Of the snapshot that it began with, or of the last event. */
  #place: { readonly position: Position; readonly version: number } = { position: 0, version: 0 };
  #isDone = false;
  #isPaused = false;
  /** Frames to let through while paused. */
  #steps = 0;
  #sought: Moment | undefined;
  readonly #interruption = new Interruption();

  constructor(parts: PlayerParts<Frame, Result>, { timer = systemTimer, signal, onProgress }: How) {
    this.#parts = parts;
    this.#timer = timer;
    this.#signal = signal;
    this.#teller = new Teller(onProgress, timer);
  }

  get speed(): ReplaySpeed {
    return this.#parts.pace.speed;
  }

  set speed(speed: ReplaySpeed) {
    this.#control();
    this.#parts.pace.change(speed, this.#timer.now());
    this.#interruption.wake();
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#control();
    this.#isPaused = true;
    this.#steps = 0;
    this.#parts.pace.pause(this.#timer.now());
    this.#interruption.wake();
  }

  resume(): void {
    this.#control();
    this.#isPaused = false;
    this.#steps = 0;
    this.#parts.pace.resume(this.#timer.now());
    this.#interruption.wake();
  }

  step(count = 1): void {
    if (!Number.isSafeInteger(count) || count < 1) throw optionInvalid('count', count, 'an integer of at least 1');
    const steps = this.#steps + count;
    this.pause();
    this.#steps = steps;
  }

  seek(to: Moment): void {
    this.#parts.checkMoment(to);
    this.#control();
    this.#sought = to;
    this.#interruption.wake();
  }

  /** @throws {EngineError} `request_invalid` */
  #control(): void {
    if (this.#use === 'run')
      throw new EngineError('request_invalid', {
        reason: 'run() folds all at once: go through the frames to have a say',
      });
  }

  get progress(): ReplayProgress {
    return {
      events: this.#use === 'run' ? this.#folded : this.#shown,
      position: this.#place.position,
      recordedAt: this.#last?.recordedAt,
      until: this.#end?.position,
      fraction: this.#fraction(),
    };
  }

  #fraction(): number {
    if (this.#isDone) return 1;
    if (this.#end === undefined) return 0;
    const { position, version } = this.#end;
    const [done, total] = version === undefined ? [this.#place.position, position] : [this.#place.version, version];
    return total === 0 ? 0 : Math.min(1, done / total);
  }

  async run(): Promise<Result> {
    if (this.speed !== 'unthrottled')
      throw optionInvalid('speed', this.speed, `'unthrottled': run() has no frames to wait for`);
    if (this.#isPaused || this.#sought !== undefined)
      throw new EngineError('request_invalid', { reason: 'run() folds all at once: it is neither paused nor moved' });
    this.#claim('run');
    const { timeline, target, closing } = this.#parts;
    using linked = new LinkedSignal([this.#signal, closing]);
    const { signal } = linked;
    const end = await this.#begin(signal);
    for await (const page of timeline.pages(this.#place.position, end.position, signal)) {
      target.take(page);
      this.#count(page);
      this.#teller.tell(() => this.progress);
    }
    this.#finish();
    return target.result(this.#replayed);
  }

  get #replayed(): Replayed {
    return { position: this.#place.position, events: this.#folded };
  }

  [Symbol.asyncIterator](): AsyncIterator<Frame, void, void> {
    this.#claim('frames');
    const leaving = new AbortController();
    const frames = this.#frames(leaving.signal);
    return {
      next: () => frames.next(),
      return: async () => {
        // A `next` that waits, perhaps for ever, ends with it.
        leaving.abort(left);
        await frames.return();
        return { done: true, value: undefined };
      },
    };
  }

  /** @throws {EngineError} `request_invalid` */
  #claim(use: 'frames' | 'run'): void {
    if (this.#use !== 'none')
      throw new EngineError('request_invalid', { reason: 'A replay is gone through once: begin another one' });
    this.#use = use;
  }

  async *#frames(leaving: AbortSignal): AsyncGenerator<Frame, void, void> {
    using linked = new LinkedSignal([this.#signal, this.#parts.closing, leaving]);
    try {
      yield* this.#play(linked.signal);
    } catch (error) {
      if (error !== left) throw error;
    } finally {
      await this.#cursor?.close();
    }
  }

  async *#play(signal: AbortSignal): AsyncGenerator<Frame, void, void> {
    const end = await this.#begin(signal);
    const { pace, target } = this.#parts;
    this.#cursor = this.#open(end, signal);
    for (;;) {
      signal.throwIfAborted();
      // What has been asked for meanwhile is looked at after every wait.
      if (this.#sought !== undefined) {
        await this.#jump(this.#sought, end, signal);
        continue;
      }
      if (this.#isPaused && this.#steps === 0) {
        await this.#interruption.wait(signal);
        continue;
      }
      const event = this.#cursor.next;
      if (event === undefined) {
        if (this.#cursor.isAtEnd) break;
        await this.#cursor.fill();
        continue;
      }
      const waitMs = this.#isPaused ? 0 : pace.waitMs(event, this.#timer.now());
      if (waitMs > 0) {
        await this.#interruption.waitFor(waitMs, this.#timer, signal);
        continue;
      }
      this.#cursor.pass();
      if (this.#isPaused) this.#steps -= 1;
      const frame = target.show(event);
      pace.shown(event);
      this.#count([event]);
      this.#shown += 1;
      this.#teller.tell(() => this.progress);
      yield frame;
    }
    this.#finish();
  }

  async #begin(signal: AbortSignal): Promise<End> {
    signal.throwIfAborted();
    const end = await this.#parts.timeline.end(this.#parts.at, signal);
    this.#end = end;
    await this.#restart({ position: end.position }, end);
    return end;
  }

  /** Back to the newest snapshot as of a moment, or to before the first event. */
  async #restart(at: Moment, { position }: End): Promise<void> {
    const { snapshot, target } = this.#parts;
    let begun = await snapshot(at);
    if (begun !== undefined && begun.position > position) begun = await snapshot({ position });
    target.begin(begun);
    this.#place = { position: begun?.position ?? 0, version: begun?.version ?? 0 };
    this.#last = undefined;
    this.#folded = 0;
  }

  #open({ position }: End, signal: AbortSignal): Cursor {
    return new Cursor(this.#parts.timeline.pages(this.#place.position, position, signal));
  }

  /** Folds up to a moment, without a word; leaves off where it is to go elsewhere. */
  async #jump(to: Moment, end: End, signal: AbortSignal): Promise<void> {
    let cursor = this.#cursor as Cursor;
    const isBehind = this.#last === undefined ? this.#place.position > 0 : !isBy(to, this.#last);
    if (isBehind) {
      await cursor.close();
      await this.#restart(to, end);
      cursor = this.#cursor = this.#open(end, signal);
    }
    while (this.#sought === to) {
      await cursor.fill();
      const passed = cursor.passWhile((event) => isBy(to, event));
      this.#parts.target.take(passed);
      this.#count(passed);
      this.#teller.tell(() => this.progress);
      if (this.#sought === to && (cursor.next !== undefined || cursor.isAtEnd)) this.#sought = undefined;
    }
    this.#parts.pace.begin();
  }

  #count(events: readonly RecordedEvent[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    this.#folded += events.length;
    this.#last = last;
    this.#place = last;
  }

  #finish(): void {
    this.#isDone = true;
    this.#teller.tellLast(this.progress);
  }
}
