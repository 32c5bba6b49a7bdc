import type { DatabaseSync } from 'node:sqlite';
import { areEqual } from '../event/bytes.ts';
import { eventId } from '../event/digests.ts';
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

/**
 * Appends what is not there yet; inside the writer's transaction.
 * @throws {EngineError} `import_refused`
 */
export function importEvents(
  db: DatabaseSync,
  { events, streams, versions, recordedAts }: ImportedEvents,
  head: Head,
  heads: { version(stream: string): number },
  insert: (stream: string, event: PackedEvent, recordedAt: number) => void,
): ImportResult {
  const select = db.prepare(
    `select recorded_at, substr(payload, 1, ${digestBytes}) as digest from events where stream = (select id from streams where name = ?) and version = ?`,
  );
  let skipped = 0;
  for (const [index, event] of new Unpacking(events).take(streams.length).entries()) {
    const [stream, version, recordedAt] = [
      streams[index] as string,
      versions[index] as number,
      recordedAts[index] as number,
    ];
    const refuse = (reason: string) => new EngineError('import_refused', { stream, version, reason });
    const current = heads.version(stream);
    if (version <= current) {
      const existing = select.get(stream, version) as { recorded_at: number; digest: Uint8Array } | undefined;
      const bodyDigest = event.payload.subarray(0, digestBytes);
      const id = eventId({ stream, version, recordedAt, bodyDigest });
      const existingId =
        existing && eventId({ stream, version, recordedAt: existing.recorded_at, bodyDigest: existing.digest });
      if (existingId === undefined || !areEqual(existingId, id)) throw refuse('the store has another event there');
      skipped += 1;
      continue;
    }
    if (version !== current + 1) throw refuse(`version ${current + 1} is missing`);
    if (recordedAt < head.recordedAt) throw refuse('it is older than the last event of the store');
    insert(stream, event, recordedAt);
  }
  return { imported: streams.length - skipped, skipped };
}
