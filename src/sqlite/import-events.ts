import { areEqual } from '../event/bytes.ts';
import { eventId } from '../event/digests.ts';
import type { Recorded } from '../event/event.ts';
import { EngineError } from '../ground/errors.ts';
import type { ImportResult } from '../store/port.ts';
import { digestBytes } from './event-row.ts';
import type { Head } from './head-row.ts';
import { Unpacking } from './packed-events.ts';
import type { PackedEvent, PackedEvents } from './packed-events.ts';

/** Events recorded elsewhere, column by column. */
export interface ImportedEvents {
  readonly events: PackedEvents;
  readonly streams: readonly string[];
  readonly versions: readonly number[];
  readonly recordedAts: readonly number[];
}

/** What the store has of a stream already. */
interface Existing {
  version(stream: string): number;
  /** One of these versions, which is probably at this position. */
  event(stream: string, version: number, guess: number): Recorded;
}

/**
 * Appends what is not there yet; inside the writer's transaction.
 * @throws {EngineError} `import_refused`
 */
export function importEvents(
  existing: Existing,
  { events, streams, versions, recordedAts }: ImportedEvents,
  head: Head,
  insert: (stream: string, event: PackedEvent, recordedAt: number) => void,
): ImportResult {
  let skipped = 0;
  // An import that is repeated comes in the order in which it came.
  let position = 0;
  for (const [index, event] of new Unpacking(events).take(streams.length).entries()) {
    const [stream, version, recordedAt] = [
      streams[index] as string,
      versions[index] as number,
      recordedAts[index] as number,
    ];
    const refuse = (reason: string) => new EngineError('import_refused', { stream, version, reason });
    const current = existing.version(stream);
    if (version <= current) {
      const found = existing.event(stream, version, position + 1);
      const bodyDigest = event.payload.subarray(0, digestBytes);
      if (!areEqual(found.id, eventId({ stream, version, recordedAt, bodyDigest })))
        throw refuse('the store has another event there');
      position = found.position;
      skipped += 1;
      continue;
    }
    if (version !== current + 1) throw refuse(`version ${current + 1} is missing`);
    if (recordedAt < head.recordedAt) throw refuse('it is older than the last event of the store');
    insert(stream, event, recordedAt);
  }
  return { imported: streams.length - skipped, skipped };
}
