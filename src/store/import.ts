import { areEqual } from '../event/bytes.ts';
import { bodyDigest, eventId } from '../event/digests.ts';
import type { Recorded } from '../event/event.ts';
import { checkStreamName } from '../event/names.ts';
import { EngineError } from '../ground/errors.ts';

/**
 * Recomputes an event's digests from its stored bytes.
 * @throws {EngineError} `import_refused` if anything that they cover was altered.
 */
export function verifyRecorded(event: Recorded): void {
  const { stream, version } = event;
  checkStreamName(stream);
  const refuse = (reason: string) => new EngineError('import_refused', { stream, version, reason });
  if (!areEqual(bodyDigest(event), event.bodyDigest)) throw refuse('its body does not match its digest');
  if (!areEqual(eventId(event), event.id)) throw refuse('its stream, version or time does not match its id');
}
