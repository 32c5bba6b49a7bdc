/** How one value, the state of an instance or a document, went from event to event. */
import type { RecordedEvent } from '../event/codec.ts';
import { isBy } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { AboutOne } from './about.ts';
import type { ReplayContext } from './context.ts';
import { Documents, OneDocument } from './documents.ts';
import { scopeOf } from './scope.ts';
import { InstanceState } from './states.ts';
import type { Valued } from './target.ts';
import { Timeline } from './timeline.ts';

/** An event, and the value before and after it. */
export interface Step {
  readonly event: RecordedEvent;
  readonly before: unknown;
  readonly after: unknown;
}

export interface Stretch {
  /** Behind this. Default: from the first event on. */
  readonly from: Moment | undefined;
  /** Default: now. */
  readonly to: Moment | undefined;
  readonly signal: AbortSignal | undefined;
}

export class Course {
  readonly timeline: Timeline;
  readonly #context: ReplayContext;
  readonly #about: AboutOne;
  readonly #value: Valued;

  constructor(context: ReplayContext, about: AboutOne) {
    this.timeline = new Timeline(context.log, scopeOf(about));
    this.#context = context;
    this.#about = about;
    this.#value = valued(about, context);
  }

  /** As it is after the last step that was asked for. */
  get value(): unknown {
    return this.#value.value;
  }

  /** @throws {EngineError} `evolve_failed`, `event_unhandled`, `fold_failed`; the signal's reason, when aborted. */
  async *steps({ from, to, signal }: Stretch): AsyncGenerator<Step> {
    const end = await this.timeline.end(to, signal);
    const begun = await this.#begin(from, end.position);
    for await (const page of this.timeline.pages(begun, end.position, signal)) {
      const start = from === undefined ? 0 : page.findIndex((event) => !isBy(from, event));
      this.#value.take(start === -1 ? page : page.slice(0, start));
      if (start === -1) continue;
      for (const event of page.slice(start)) {
        const before = this.value;
        this.#value.take([event]);
        yield { event, before, after: this.value };
      }
    }
  }

  /** @returns the position behind which to go on. */
  async #begin(from: Moment | undefined, end: number): Promise<number> {
    const about = this.#about;
    if (from === undefined || about.kind !== 'instance') return 0;
    const { fold, stream } = about.boundary;
    const snapshot = await this.#context.newestSnapshot(fold, stream, from);
    if (snapshot === undefined || snapshot.position > end) return 0;
    this.#value.begin(snapshot);
    return snapshot.position;
  }
}

export function valued(about: AboutOne, { folding, freezes }: ReplayContext): Valued {
  if (about.kind === 'instance') return new InstanceState(folding, about.boundary);
  return new OneDocument(new Documents(about.projection, freezes), about.key);
}
