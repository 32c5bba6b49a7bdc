/** When the frames of a replay are due. */
import type { RecordedEvent } from '../event/codec.ts';
import { optionInvalid } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';
import type { Limits } from '../ground/limits.ts';
import type { PlayOptions, ReplaySpeed } from './options.ts';

/** Slower than this nobody watches. */
const speedMin = 0.1;

/** A moment of the clock, and how much of the recording, in ms, had been played by then. */
interface Anchor {
  readonly at: number;
  readonly played: number;
}

/**
 * Due times are counted from an anchor, not from the frame before: a frame that was late delays none of those behind it. The anchor is set
 * anew whenever the pace changes. What has been played of a gap by then stays played; being late by more than the next frame is
 * forgotten.
 */
export class Pace {
  readonly #speedMax: number;
  readonly #maxGapMs: number;
  readonly #timeOf: (event: RecordedEvent) => number;
  #speed: ReplaySpeed;
  #anchor: Anchor | undefined;
  /** Whether the anchor is known not to lie behind the next frame. */
  #isBounded = false;
  /** What had been played when it was paused; undefined while it is not. */
  #held: number | undefined;
  /** Up to the last frame, and when that happened; undefined where the next one begins. */
  #played = 0;
  #last: number | undefined;

  /** @throws {EngineError} `option_invalid`, `limit_exceeded` */
  constructor(
    { speed = 'unthrottled', maxGapMs = Infinity, timeOf = ({ recordedAt }) => recordedAt }: PlayOptions,
    limits: Limits,
  ) {
    if (!(typeof maxGapMs === 'number' && maxGapMs >= 0))
      throw optionInvalid('maxGapMs', maxGapMs, 'a number of ms, at least 0');
    if (typeof timeOf !== 'function') throw optionInvalid('timeOf', timeOf, 'a function that gives an event its time');
    this.#speedMax = limits.replaySpeed;
    this.#maxGapMs = maxGapMs;
    this.#timeOf = timeOf;
    this.#checkSpeed(speed);
    this.#speed = speed;
  }

  get speed(): ReplaySpeed {
    return this.#speed;
  }

  /** @throws {EngineError} `option_invalid`, `limit_exceeded` */
  change(speed: ReplaySpeed, now: number): void {
    this.#checkSpeed(speed);
    const played = this.#playedBy(now);
    this.#speed = speed;
    this.#anchorAt({ at: now, played });
  }

  #checkSpeed(speed: unknown): void {
    if (speed === 'unthrottled') return;
    if (typeof speed !== 'number' || !(speed >= speedMin))
      throw optionInvalid(
        'speed',
        speed,
        `'unthrottled', or a factor from ${speedMin} to ${this.#speedMax} (limits.replaySpeed)`,
      );
    if (speed > this.#speedMax)
      throw new EngineError('limit_exceeded', {
        limit: 'replaySpeed',
        value: speed,
        max: this.#speedMax,
        subject: `a replay at a pace (there is 'unthrottled', too)`,
      });
  }

  pause(now: number): void {
    this.#held ??= this.#playedBy(now);
  }

  resume(now: number): void {
    if (this.#held === undefined) return;
    // Steps may have gone beyond it.
    this.#anchorAt({ at: now, played: Math.max(this.#held, this.#played) });
    this.#held = undefined;
  }

  /** The next frame is where it begins: it is due at once. */
  begin(): void {
    this.#last = undefined;
    this.#anchor = undefined;
    if (this.#held !== undefined) this.#held = this.#played;
  }

  /** How long it is until an event is due, in ms: none or less where it is. @throws {EngineError} `option_invalid` */
  waitMs(event: RecordedEvent, now: number): number {
    if (this.#speed === 'unthrottled') return 0;
    const played = this.#playedUpTo(this.#timeAt(event));
    this.#anchor ??= { at: now, played: this.#played };
    if (!this.#isBounded) {
      this.#anchor = { ...this.#anchor, played: Math.min(this.#anchor.played, played) };
      this.#isBounded = true;
    }
    return this.#anchor.at + (played - this.#anchor.played) / this.#speed - now;
  }

  /** An event has been shown. */
  shown(event: RecordedEvent): void {
    const time = this.#timeAt(event);
    this.#played = this.#playedUpTo(time);
    this.#last = time;
  }

  #playedUpTo(time: number): number {
    if (this.#last === undefined) return this.#played;
    return this.#played + Math.min(this.#maxGapMs, Math.max(0, time - this.#last));
  }

  #playedBy(now: number): number {
    if (this.#held !== undefined) return this.#held;
    if (this.#anchor === undefined || this.#speed === 'unthrottled') return this.#played;
    return this.#anchor.played + (now - this.#anchor.at) * this.#speed;
  }

  #anchorAt(anchor: Anchor): void {
    this.#anchor = this.#last === undefined ? undefined : anchor;
    this.#isBounded = false;
  }

  #timeAt(event: RecordedEvent): number {
    const time = this.#timeOf(event);
    if (Number.isFinite(time)) return time;
    throw optionInvalid(`timeOf of the event at position ${event.position}`, time, 'a number of ms');
  }
}
