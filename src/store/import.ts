import { areEqual, fromUtf8 } from '../event/bytes.ts';
import { bodyDigest, eventId } from '../event/digests.ts';
import type { PortableEvent } from '../event/event.ts';
import { deletedType, jsonEncoding, sagaStepType } from '../event/event.ts';
import { checkEventType, checkStreamName, normalizeTags } from '../event/names.ts';
import { EngineError } from '../ground/errors.ts';

const digestLength = 32;
/** The engine's own, which stores hold beside those of users. */
const ownTypes: ReadonlySet<string> = new Set([deletedType, sagaStepType]);

/**
 * Recomputes an event's digests from its stored bytes, and makes sure that the event can be read again wherever it is
 * kept. The limits on sizes do not apply to it: it has happened.
 * @throws {EngineError} `import_refused` if anything that they cover was altered, or is no event.
 */
export function verifyRecorded(event: PortableEvent): void {
  const fault = faultOf(event);
  if (fault === undefined) return;
  const { stream, version } = (event ?? {}) as { stream?: unknown; version?: unknown };
  throw new EngineError('import_refused', { stream: String(stream), version: Number(version), reason: fault });
}

function faultOf(event: PortableEvent): string | undefined {
  if (typeof event !== 'object' || event === null) return 'it is no event';
  const { version, recordedAt, schemaVersion, encoding, data, metadata } = event;
  if (!(event.id instanceof Uint8Array)) return 'it has no id: pass events as readRecorded gave them';
  if (!isCount(version, 1)) return 'its version is no positive integer';
  if (!isCount(recordedAt, 0)) return 'its time is not in milliseconds since the epoch';
  if (!isCount(schemaVersion, 1)) return 'its schema version is no positive integer';
  if (encoding !== jsonEncoding) return `its encoding is not ${jsonEncoding}`;
  for (const bytes of [event.id, event.bodyDigest])
    if (!(bytes instanceof Uint8Array) || bytes.length !== digestLength) return 'its id or digest is not 32 bytes';
  if (!(data instanceof Uint8Array) || !(metadata instanceof Uint8Array)) return 'its data or metadata is not bytes';
  const misnamed = nameFaultOf(event);
  if (misnamed !== undefined) return misnamed;
  if (!areEqual(bodyDigest(event), event.bodyDigest)) return 'its body does not match its digest';
  if (!areEqual(eventId(event), event.id)) return 'its stream, version or time does not match its id';
  if (parsed(data) === undefined) return 'its data is no JSON';
  const isObject = metadata.length === 0 || isPlainObject(parsed(metadata));
  return isObject ? undefined : 'its metadata is no JSON object';
}

function nameFaultOf({ stream, type, tags }: PortableEvent): string | undefined {
  try {
    checkStreamName(stream);
    if (!ownTypes.has(type)) checkEventType(type);
    const isSet = normalizeTags(tags).every((tag, index, set) => tag === tags[index] && set.length === tags.length);
    return isSet ? undefined : 'its tags are no sorted set';
  } catch (error) {
    if (error instanceof EngineError) return error.message;
    throw error;
  }
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/** Undefined for what is no JSON in UTF-8. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
