/** How a consumer comes by its events. */
import type { Pins } from '../event/casts.ts';
import type { RecordedEvent } from '../event/codec.ts';
import type { Recorded } from '../event/event.ts';
import type { EventQuery } from '../event/query.ts';
import type { EventLog } from '../store/log.ts';
import type { Position, ReadQuery } from '../store/port.ts';
import type { Interest } from './source.ts';

export interface Batch {
  /** Those of interest, perhaps none, in the order of positions. */
  readonly events: readonly RecordedEvent[];
  /** All up to here have been looked at. */
  readonly position: Position;
  /** Of the store when it was read. */
  readonly head: Position;
}

interface Found {
  readonly events: readonly RecordedEvent[];
  /** How many were read, whether of interest or not, and the last one's position. */
  readonly found: number;
  readonly last: Position;
  /** Whether all was read that was asked for. */
  readonly isWhole: boolean;
}

/** Which events are of interest. */
export interface Wanted extends Pick<Interest, 'query'> {
  has(event: Pick<Recorded, 'type' | 'stream'>): boolean;
  /** Versions that are read instead of the newest. */
  readonly pins?: Pins | undefined;
}

/** Where at least so many of the events are of interest, looking at all of them is quicker than finding them by an index. */
const denseShare = 1 / 8;
/** Events that are looked at without asking whether an index would be quicker; and at most, for one batch. */
const scannedFreely = 1_000;
const scannedMax = 8_192;
const pageSize = 512;
/** Bytes of data in a batch, before it is ended early. */
const bytesMax = 8 * 1024 * 1024;

/** Reads the events that are of interest: all events, or through an index, whichever was quicker of late. */
export class EventFeed {
  readonly #log: EventLog;
  readonly #interest: Wanted;
  /** Of those that were looked at lately, how many were of interest. */
  #share = 1;

  constructor(log: EventLog, interest: Wanted) {
    this.#log = log;
    this.#interest = interest;
  }

  /**
   * The next ones, around `size` of them; undefined where nothing has been appended.
   * @throws the signal's reason, when aborted; what reading throws.
   */
  async next(after: Position, size: number, signal?: AbortSignal): Promise<Batch | undefined> {
    const { position: head } = await this.#log.head();
    if (head <= after) return undefined;
    const isScan = this.#share >= denseShare || head - after <= scannedFreely;
    // Asked for once the head is known: whatever types are up to there, are among them.
    const types = isScan ? undefined : await this.#log.types();
    const batch =
      types === undefined
        ? await this.#scan(after, head, size, signal)
        : await this.#find(after, head, size, types, signal);
    this.#share = batch.events.length / (batch.position - after);
    return batch;
  }

  async #scan(after: Position, head: Position, size: number, signal: AbortSignal | undefined): Promise<Batch> {
    const scanned = Math.min(scannedMax, Math.max(size, Math.ceil(size / Math.max(this.#share, denseShare))));
    const until = Math.min(head, after + scanned);
    const { events, last, isWhole } = await this.#read({ after, until, limit: until - after, pageSize }, signal);
    return { events, position: isWhole ? until : last, head };
  }

  async #find(
    after: Position,
    head: Position,
    size: number,
    types: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<Batch> {
    const query = { match: this.#matchOf(types), after, until: head, limit: size, pageSize };
    const { events, found, last, isWhole } = await this.#read(query, signal);
    return { events, position: isWhole && found < size ? head : last, head };
  }

  /** What nobody here declares may be of interest as what is not known. @param types that there are. */
  #matchOf(types: readonly string[]): EventQuery {
    const unknown = types.filter((type) => !type.startsWith('$') && !this.#log.casts.declares(type));
    return unknown.length === 0 ? this.#interest.query : [...this.#interest.query, { types: unknown }];
  }

  /** What finds those between two positions; undefined where looking at all is as quick, or the store cannot say which types there are. */
  async #match(after: Position, until: Position): Promise<EventQuery | undefined> {
    const types = until - after <= scannedFreely ? undefined : await this.#log.types();
    return types && this.#matchOf(types);
  }

  /** As much as a batch may hold. */
  async #read(query: ReadQuery & { readonly after: Position }, signal: AbortSignal | undefined): Promise<Found> {
    const events: RecordedEvent[] = [];
    let [found, bytes, last] = [0, 0, query.after];
    for await (const page of this.#log.recorded(query, signal)) {
      found += page.length;
      last = page.at(-1)?.position ?? last;
      for (const { data, metadata } of page) bytes += data.length + metadata.length;
      this.#take(page, events);
      if (bytes > bytesMax) return { events, found, last, isWhole: false };
    }
    return { events, found, last, isWhole: true };
  }

  /** Those of interest between two positions. */
  async between(after: Position, until: Position, signal?: AbortSignal): Promise<readonly RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const page of this.#log.recorded({ after, until, pageSize }, signal)) this.#take(page, events);
    return events;
  }

  /** What those of interest among some are read as. */
  read(recorded: readonly Recorded[]): readonly RecordedEvent[] {
    const events: RecordedEvent[] = [];
    this.#take(recorded, events);
    return events;
  }

  /** What the event there is read as, if it is of interest. */
  at(position: Position): Promise<readonly RecordedEvent[]> {
    return this.between(position - 1, position);
  }

  /** The first event of interest after a position and up to another. */
  async first(after: Position, until: Position, signal?: AbortSignal): Promise<Recorded | undefined> {
    if (until <= after) return undefined;
    const query = { match: await this.#match(after, until), after, until, pageSize: 64 };
    for await (const page of this.#log.recorded(query, signal)) {
      const first = page.find((recorded) => this.#interest.has(recorded));
      if (first !== undefined) return first;
    }
    return undefined;
  }

  /** The last event of interest after a position and up to another. */
  async last(after: Position, until: Position): Promise<Recorded | undefined> {
    if (until <= after) return undefined;
    const match = await this.#match(after, until);
    // Who asks has often just been told of that very event.
    const nearest = { after: until - 1, until, pageSize: 1 };
    for (const query of [nearest, { match, after, until, backwards: true, pageSize: 64 }])
      for await (const page of this.#log.recorded(query)) {
        const last = page.find((recorded) => this.#interest.has(recorded));
        if (last !== undefined) return last;
      }
    return undefined;
  }

  /** How many are of interest after a position and up to another; at most `max`. */
  async count(after: Position, until: Position, max: number): Promise<number> {
    let count = 0;
    if (until <= after) return count;
    const match = await this.#match(after, until);
    for await (const page of this.#log.recorded({ match, after, until, pageSize })) {
      count += page.filter((recorded) => this.#interest.has(recorded)).length;
      if (count >= max) return max;
    }
    return count;
  }

  #take(page: readonly Recorded[], events: RecordedEvent[]): void {
    const { casts } = this.#log;
    const { pins } = this.#interest;
    for (const recorded of page) {
      if (!this.#interest.has(recorded)) continue;
      const first = events.length;
      casts.readOrMark(recorded, events, pins);
      // Of what another type is read as, some may be of no interest.
      const read = events[first]?.recordedAs === undefined ? [] : events.splice(first);
      for (const event of read) if (this.#interest.has(event)) events.push(event);
    }
  }
}
