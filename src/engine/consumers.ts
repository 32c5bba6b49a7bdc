import { EngineError } from '../ground/errors.ts';
import type { Parked } from '../projection/parking.ts';
import type { AnyProjection } from '../projection/projection.ts';
import type { ReadSide } from '../projection/read-side.ts';
import type { RebuildOptions, RebuildResult } from '../projection/rebuild.ts';
import type { ConsumerStatus } from '../projection/status.ts';
import type { Position } from '../store/port.ts';

/** Who does something about a consumer, and how long that is waited for. */
export interface OperateOptions {
  /** Kept with what was done. */
  readonly actor?: string;
  /** Ends the waiting for whoever works on it to have done it. Default: none. */
  readonly signal?: AbortSignal;
}

/** How projections, tables and reactors stand, and what an operator can do about them. */
export class Consumers {
  readonly #readSide: ReadSide | undefined;
  readonly #checkOpen: () => void;

  /** @internal Use `engine.consumers`. */
  constructor(readSide: ReadSide | undefined, checkOpen: () => void) {
    this.#readSide = readSide;
    this.#checkOpen = checkOpen;
  }

  /** All that the engine was opened with: how far each has come, how far behind it is, why it stands still. */
  async status(): Promise<readonly ConsumerStatus[]> {
    this.#checkOpen();
    return this.#readSide?.status() ?? [];
  }

  /**
   * Builds the view of a projection anew beside the one that serves, which goes on serving and being kept up to date; then lets the
   * new one serve. With `diff` only if there is no difference: then it waits for `adopt` or `drop`. Interrupted, it goes on where
   * it was when it is called again. The old one stays until `drop`.
   * @throws {EngineError} `consumer_unknown`, `consumer_never_run`, `consumer_refused`, `consumer_faulted`; the signal's reason, when aborted.
   */
  async rebuild(projection: AnyProjection | string, options: RebuildOptions = {}): Promise<RebuildResult> {
    return this.#open('a projection').rebuild(projection, options);
  }

  /** Lets the generation serve that was built and found to differ. @returns which. @throws {EngineError} `consumer_refused` */
  async adopt(projection: AnyProjection | string): Promise<number> {
    return this.#open('a projection').adopt(projection);
  }

  /** Removes a generation that does not serve. @throws {EngineError} `consumer_refused` if it does, or never was. */
  async drop(projection: AnyProjection | string, generation: number): Promise<void> {
    await this.#open('a projection').drop(projection, generation);
  }

  /**
   * Removes all documents of a lower version of a projection, once nobody runs that any more.
   * @throws {EngineError} `consumer_refused` if it is no lower one; `consumer_never_run` if there is nothing of it.
   */
  async dropVersion(projection: AnyProjection | string, version: number): Promise<void> {
    await this.#open('a projection').dropVersion(projection, version);
  }

  /** The events that a consumer has put aside. @throws {EngineError} `consumer_unknown`, `consumer_never_run` */
  parked(consumer: string): AsyncIterable<Parked> {
    return this.#open(consumer).parked(consumer);
  }

  /** Lets a consumer that stands still try again. @throws {EngineError} `consumer_refused` if it does not stand still. */
  async retry(consumer: string, { actor, signal }: OperateOptions = {}): Promise<void> {
    await this.#open(consumer).retry(consumer, actor, signal ?? never);
  }

  /**
   * Lets a consumer go on behind the event at which it stands.
   * @param position of that event. @param options.reason is kept.
   * @throws {EngineError} `consumer_refused` if it does not stand there; `option_invalid` without a reason.
   */
  async skip(
    consumer: string,
    position: Position,
    { reason, actor, signal }: OperateOptions & { readonly reason: string },
  ): Promise<void> {
    await this.#open(consumer).skip(consumer, position, { reason, actor }, signal ?? never);
  }

  /** Lets a consumer deal with what it has put aside: of one key, or of all. What still fails stays. */
  async unpark(
    consumer: string,
    { key, actor, signal }: OperateOptions & { readonly key?: string } = {},
  ): Promise<void> {
    await this.#open(consumer).unpark(consumer, { key, actor }, signal ?? never);
  }

  #open(consumer: string): ReadSide {
    this.#checkOpen();
    if (this.#readSide === undefined) throw new EngineError('consumer_unknown', { consumer, known: [] });
    return this.#readSide;
  }
}

/** Fires never. */
const never = new AbortController().signal;
