/** The events that a subject is about, in the order of positions, up to an end that stays where it is. */
import type { Pins } from '../event/casts.ts';
import type { RecordedEvent } from '../event/codec.ts';
import type { Recorded } from '../event/event.ts';
import { EventFeed } from '../projection/feed.ts';
import type { Wanted } from '../projection/feed.ts';
import type { EventLog } from '../store/log.ts';
import { untilMoment } from '../store/moment.ts';
import type { Moment } from '../store/moment.ts';
import type { Position } from '../store/port.ts';
import type { EventRange } from './subject.ts';

/** What of an event says whether it is meant, without its data. */
export type Named = Pick<Recorded, 'type' | 'stream' | 'tags'>;

/** Which events. All that is given must hold. */
export interface Scope {
  /** In the terms of the log. */
  readonly range: EventRange;
  /** What an index may lead to, if it is quicker than looking at all events; only without a range. */
  readonly wanted?: Wanted | undefined;
  /** Versions that are read instead of the newest. */
  readonly pins?: Pins | undefined;
  /** Looked at before the event is decoded, and again of what an event of another type is read as. */
  readonly has?: ((event: Named) => boolean) | undefined;
  readonly where?: ((event: RecordedEvent) => boolean) | undefined;
}

/** Where a timeline ends. */
export interface End {
  readonly position: Position;
  /** Of the stream, where all is of one stream: its last version until then. */
  readonly version: number | undefined;
}

const pageSize = 1_024;
/** Events that are looked for at once. */
const batchSize = 4_096;

export class Timeline {
  readonly #log: EventLog;
  readonly #scope: Scope;

  constructor(log: EventLog, scope: Scope) {
    this.#log = log;
    this.#scope = scope;
  }

  /** Where it ends as of a moment, or of now. @throws what reading throws; the signal's reason, when aborted. */
  async end(at: Moment | undefined, signal?: AbortSignal): Promise<End> {
    const { stream, until = Infinity } = this.#scope.range;
    const head = Math.min(until, (await this.#log.head()).position);
    if (stream !== undefined) {
      const last = await this.#last({ stream, until: head, ...cappedBy(at, head) }, signal);
      return { position: last?.position ?? 0, version: last?.version ?? 0 };
    }
    if (at === undefined) return { position: head, version: undefined };
    if ('position' in at) return { position: Math.min(at.position, head), version: undefined };
    const last = await this.#last({ until: head, ...untilMoment(at) }, signal);
    return { position: last?.position ?? 0, version: undefined };
  }

  async #last(query: EventRange, signal?: AbortSignal): Promise<Recorded | undefined> {
    for await (const page of this.#log.recorded({ ...query, backwards: true, limit: 1, pageSize: 1 }, signal))
      return page[0];
    return undefined;
  }

  /** What comes after a position and up to another. @throws what reading throws; the signal's reason, when aborted. */
  async *pages(after: Position, until: Position, signal?: AbortSignal): AsyncGenerator<readonly RecordedEvent[]> {
    const { where } = this.#scope;
    for await (const page of this.#decoded(after, until, signal)) {
      const events = where === undefined ? page : page.filter(where);
      if (events.length > 0) yield events;
    }
  }

  async *#decoded(after: Position, until: Position, signal?: AbortSignal): AsyncGenerator<readonly RecordedEvent[]> {
    const { wanted } = this.#scope;
    if (wanted === undefined) {
      yield* this.#read(after, until, signal);
      return;
    }
    const feed = new EventFeed(this.#log, wanted);
    for (let position = after; position < until;) {
      const batch = await feed.next(position, Math.min(batchSize, until - position), signal);
      if (batch === undefined) return;
      // It may have looked further.
      yield batch.position > until ? batch.events.filter((event) => event.position <= until) : batch.events;
      position = batch.position;
    }
  }

  async *#read(after: Position, until: Position, signal?: AbortSignal): AsyncGenerator<readonly RecordedEvent[]> {
    const { range, has } = this.#scope;
    const query = {
      ...range,
      after: Math.max(after, range.after ?? 0),
      until: Math.min(until, range.until ?? Infinity),
      pageSize,
    };
    for await (const page of this.#log.recorded(query, signal)) {
      const events = has === undefined ? page : page.filter(has);
      const read = this.#log.casts.readAll(events, this.#scope.pins);
      yield has === undefined ? read : read.filter((event) => event.recordedAs === undefined || has(event));
    }
  }
}

/** As of a moment, but no later than the head. */
function cappedBy(at: Moment | undefined, head: Position): EventRange {
  if (at === undefined) return {};
  const until = untilMoment(at);
  return { ...until, until: Math.min(head, until.until ?? head) };
}
