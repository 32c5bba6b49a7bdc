/**
 * An event as a CloudEvent in JSON, on one line, and back again without losing a byte. Format: docs/reference/export.md;
 * CloudEvents 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
import { EngineError } from '../ground/errors.ts';
import { fromBase64, fromHex, fromUtf8, toBase64, toHex, toUtf8 } from './bytes.ts';
import { bodyDigest } from './digests.ts';
import { jsonEncoding } from './event.ts';
import type { PortableEvent } from './event.ts';

/** The extension attribute that tells our events from others': the version of this format. */
const formatAttribute = 'eventsrc';
const format = 1;
/** RFC 3339 ends with the year 9999. */
const timeMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Attributes of any CloudEvent, as `JSON.parse` gives them. */
export type CloudEventAttributes = Readonly<Record<string, unknown>>;

/**
 * One line of JSON, without a line feed.
 * @param source the attribute of this name, a URI reference; it is not among what comes back.
 */
export function toCloudEvent(event: PortableEvent, source: string): string {
  const { stream, version, recordedAt, type, schemaVersion, tags } = event;
  const attributes = {
    specversion: '1.0',
    id: toHex(event.id),
    source,
    type,
    subject: stream,
    ...(recordedAt <= timeMax ? { time: new Date(recordedAt).toISOString() } : { recordedat: String(recordedAt) }),
    datacontenttype: 'application/json',
    [formatAttribute]: format,
    version,
    schemaversion: schemaVersion,
    // The values of attributes are no lists and no objects: these are JSON in a string.
    ...(tags.length > 0 && { tags: JSON.stringify(tags) }),
    ...(event.metadata.length > 0 && { metadata: fromUtf8(event.metadata) }),
  };
  return `${JSON.stringify(attributes).slice(0, -1)},${dataMember(event.data)}}`;
}

/** As JSON, where JSON leads back to the same bytes; else as the bytes themselves. */
function dataMember(data: Uint8Array): string {
  const text = fromUtf8(data);
  return isReproducible(text) ? `"data":${text}` : `"data_base64":"${toBase64(data)}"`;
}

function isReproducible(text: string): boolean {
  try {
    return JSON.stringify(JSON.parse(text)) === text;
  } catch {
    return false;
  }
}

/** Whether a parsed line is an event that `toCloudEvent` wrote. */
export function isOurs(attributes: CloudEventAttributes): boolean {
  return attributes[formatAttribute] !== undefined;
}

/**
 * The event of a parsed line. Its digests are not compared with what they cover: importing does that.
 * @throws {EngineError} `import_refused`
 */
export function fromCloudEvent(attributes: CloudEventAttributes): PortableEvent {
  const { subject, version } = attributes;
  const refuse = (reason: string) =>
    new EngineError('import_refused', { stream: String(subject), version: Number(version), reason });
  if (attributes[formatAttribute] !== format)
    throw refuse(`its format is ${String(attributes[formatAttribute])}, this version reads ${format}`);
  const id = fromHex(String(attributes['id']), 32);
  if (id === undefined) throw refuse('its id is not 64 hexadecimal digits');
  for (const name of ['type', 'subject'])
    if (typeof attributes[name] !== 'string') throw refuse(`its ${name} is no string`);
  const body = {
    type: attributes['type'] as string,
    schemaVersion: attributes['schemaversion'] as number,
    encoding: jsonEncoding,
    tags: tagsOf(attributes['tags'], refuse),
    data: dataOf(attributes, refuse),
    metadata: metadataOf(attributes['metadata'], refuse),
  };
  // Digests are made of integers: what is none is refused before they are.
  for (const [name, value] of Object.entries({ version, schemaversion: body.schemaVersion }))
    if (!Number.isSafeInteger(value) || (value as number) < 1) throw refuse(`its ${name} is no positive integer`);
  return {
    ...body,
    id,
    stream: subject as string,
    version: version as number,
    recordedAt: timeOf(attributes, refuse),
    bodyDigest: bodyDigest(body),
  };
}

type Refuse = (reason: string) => EngineError;

function timeOf({ time, recordedat }: CloudEventAttributes, refuse: Refuse): number {
  const recordedAt = time === undefined ? Number(recordedat) : Date.parse(String(time));
  if (!Number.isSafeInteger(recordedAt) || recordedAt < 0) throw refuse('its time is not one of RFC 3339');
  return recordedAt;
}

function tagsOf(text: unknown, refuse: Refuse): readonly string[] {
  if (text === undefined) return [];
  const tags = typeof text === 'string' ? parsed(text) : undefined;
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw refuse('its tags are no list of strings as JSON in a string');
  return tags;
}

function metadataOf(text: unknown, refuse: Refuse): Uint8Array {
  if (text === undefined) return new Uint8Array(0);
  if (typeof text !== 'string') throw refuse('its metadata is no JSON in a string');
  return toUtf8(text);
}

function dataOf({ data, data_base64: base64 }: CloudEventAttributes, refuse: Refuse): Uint8Array {
  if (data !== undefined) {
    try {
      return toUtf8(JSON.stringify(data));
    } catch {
      throw refuse('its data is nested too deeply');
    }
  }
  const bytes = typeof base64 === 'string' ? fromBase64(base64) : undefined;
  if (bytes === undefined) throw refuse('it has neither data nor data_base64 that could be read');
  return bytes;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
