import type { EventMetadata } from '../../event/event.ts';
import type { Json } from '../../event/json.ts';
import { CliError } from '../failure.ts';

/** An event of another system, as it is to be appended: what a `--map` function returns. */
export interface ForeignEvent {
  /** `<aggregate>-<id>` */
  readonly stream: string;
  readonly type: string;
  readonly data?: unknown;
  readonly tags?: readonly string[];
  readonly metadata?: EventMetadata;
  /** What it was called there; kept in `metadata.original`. */
  readonly id?: string | number;
  /** Where it came from; kept in `metadata.original`. Default: what `--source` says. */
  readonly source?: string;
  /** When it happened there; kept in `metadata.original`. */
  readonly time?: string | number | Date;
}

/** Made of one line: an event, several, or nothing. */
export type Mapping = (
  value: unknown,
  line: number,
) => MaybePromise<ForeignEvent | readonly ForeignEvent[] | undefined>;
type MaybePromise<Value> = Value | Promise<Value>;

/** The metadata of an event that says where it was before. */
export function metadataOf({ metadata, id, source, time }: ForeignEvent): EventMetadata {
  const original = {
    ...(id !== undefined && { id }),
    ...(source !== undefined && { source }),
    ...(time !== undefined && { time: time instanceof Date ? time.toISOString() : time }),
  };
  const all = { ...(metadata?.['original'] as object | undefined), ...original };
  return Object.keys(all).length === 0 ? { ...metadata } : { ...metadata, original: all };
}

/** Attributes of CloudEvents, and of their extensions for tracing and correlation, that metadata has names for. */
const metadataNames: Readonly<Record<string, string>> = {
  traceparent: 'traceparent',
  correlationid: 'correlationId',
  causationid: 'causationId',
};
const mapped: ReadonlySet<string> = new Set(['specversion', 'id', 'source', 'type', 'time', 'data', 'data_base64']);
const jsonType = /^[^;]+[/+]json *(;|$)/i;

/** Of every CloudEvent (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#required-attributes). */
const required = ['id', 'source', 'type'];

/** A CloudEvent of another system; its subject names the stream. Every attribute is kept. */
export function fromForeignCloudEvent(value: unknown, line: number): ForeignEvent {
  if (typeof value !== 'object' || value === null || !('specversion' in value)) {
    throw new CliError(
      `Line ${line} is no CloudEvent`,
      'Say what is where: --map stream=order-{orderId},type=kind,time=at,data=payload, or --map FILE.ts',
    );
  }
  const attributes = value as Readonly<Record<string, Json>>;
  const lacking = required.find((name) => typeof attributes[name] !== 'string' || attributes[name] === '');
  if (lacking !== undefined || attributes['specversion'] !== '1.0') {
    const what = lacking === undefined ? 'specversion 1.0' : lacking;
    throw new CliError(`Line ${line} is a CloudEvent without ${what}`, 'Correct the line, or map it by --map FILE.ts');
  }
  const { id, source, type, time, subject, datacontenttype, data, data_base64: base64 } = attributes;
  if (typeof subject !== 'string') {
    throw new CliError(
      `Line ${line} has no subject to name its stream after`,
      'Say how streams are to be called, for example --map stream=order-{data.orderId}',
    );
  }
  const further = Object.entries(attributes).filter(([name]) => !mapped.has(name));
  const named = further
    .filter(([name]) => Object.hasOwn(metadataNames, name))
    .map(([name, given]) => [metadataNames[name], given]);
  const original = Object.fromEntries(further.filter(([name]) => !Object.hasOwn(metadataNames, name)));
  return {
    stream: subject,
    type: String(type),
    data: base64 === undefined ? (data ?? null) : decoded(String(base64), datacontenttype, line),
    metadata: { ...(Object.fromEntries(named) as EventMetadata), original },
    id: String(id),
    source: String(source),
    ...(time !== undefined && { time: String(time) }),
  };
}

/** JSON as what it says; anything else stays the base64 that it is. */
function decoded(base64: string, contentType: Json | undefined, line: number): unknown {
  if (contentType !== undefined && !jsonType.test(String(contentType))) return base64;
  try {
    return JSON.parse(Buffer.from(base64, 'base64').toString('utf8'));
  } catch (cause) {
    throw new CliError(`Line ${line}: its data_base64 is no JSON`, 'Correct the line, or its datacontenttype.', {
      cause,
    });
  }
}
