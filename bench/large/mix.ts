/** The large stores: which event goes to which stream, the same for everyone. */

/** Events of a stream in the end. */
export const eventsPerStream = 50;
/** Streams that are written at one time; then come the next ones. */
const streamsAtOnce = 1_000;
/** Events that a stream gets at once while a store is filled. */
export const eventsPerWrite = 5;

/** The writes that fill a store up to so many events, in order. */
export function* writesUntil(
  events: number,
  from = 0,
): Generator<{ readonly stream: number; readonly version: number }> {
  for (let at = from; at < events; at += eventsPerWrite) {
    const round = Math.floor(at / (streamsAtOnce * eventsPerStream));
    const within = Math.floor(at / eventsPerWrite) % (streamsAtOnce * (eventsPerStream / eventsPerWrite));
    const stream = round * streamsAtOnce + (within % streamsAtOnce);
    yield { stream, version: Math.floor(within / streamsAtOnce) * eventsPerWrite };
  }
}

/** Streams that are complete once a store has so many events. */
function streamsOf(events: number): number {
  return Math.floor(events / (streamsAtOnce * eventsPerStream)) * streamsAtOnce;
}

/** Some of them, far apart from each other. */
export function someStreams(events: number, count: number): readonly number[] {
  const streams = streamsOf(events);
  return Array.from({ length: count }, (_, index) => (index * 7_919 + 13) % streams);
}

/** What is measured at each size. */
export const appendsMeasured = 25_600;
export const loadsMeasured = 400;

export interface GrowthFigures {
  readonly appendsPerSecond: number;
  readonly loadedEventsPerSecond: number;
}

/** What a program that grows a store prints in the end, as JSON. */
export interface Grown {
  readonly small: GrowthFigures;
  readonly large: GrowthFigures;
  /** MiB of memory that the process held while it appended and read: its most up to a fifth of the events, and in the end. */
  readonly memoryMiB?: { readonly fifth: number; readonly whole: number };
  readonly bytesPerEvent: number;
}
