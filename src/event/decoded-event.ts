import { fromUtf8, toHex } from './bytes.ts';
import type { RecordedEvent, RecordedFields } from './codec.ts';
import { eventKind } from './event.ts';
import type { EventKind, EventMetadata, Recorded } from './event.ts';
import { splitStreamName } from './names.ts';

/** As what an event was recorded that is read as another, or as several. */
export interface RecordedAs {
  /** Of the event that is stored. */
  readonly type: string;
  /** Which of those that it is read as: 0 for the first. */
  readonly index: number;
  readonly of: number;
}

/** The public shape of a recorded event. `id` is a getter: hashing costs more than parsing, and few look at it. */
export class DecodedEvent implements RecordedFields {
  type: string;
  /** Cast in place, before anybody else sees it. */
  data: unknown;
  schemaVersion: number;
  readonly metadata: EventMetadata;
  readonly tags: readonly string[];
  kind: EventKind;
  readonly stream: string;
  readonly aggregate: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly position: number;
  readonly recordedAt: number;
  declare readonly recordedAs?: RecordedAs;
  readonly #recorded: Recorded;

  constructor(recorded: Recorded) {
    const { aggregate, aggregateId } = splitStreamName(recorded.stream);
    this.type = recorded.type;
    this.data = parse(recorded.data);
    this.schemaVersion = recorded.schemaVersion;
    this.metadata = recorded.metadata.length === 0 ? {} : (parse(recorded.metadata) as EventMetadata);
    this.tags = recorded.tags;
    this.kind = eventKind(recorded.type, recorded.version);
    this.stream = recorded.stream;
    this.aggregate = aggregate;
    this.aggregateId = aggregateId;
    this.version = recorded.version;
    this.position = recorded.position;
    this.recordedAt = recorded.recordedAt;
    this.#recorded = recorded;
  }

  get id(): string {
    return toHex(this.#recorded.id);
  }

  toJSON(): object {
    return { ...this, id: this.id };
  }
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(fromUtf8(bytes));
}

/** The one boundary where stored bytes are taken to have the types that were declared for them. */
export function typed(decoded: DecodedEvent): RecordedEvent {
  return decoded as unknown as RecordedEvent;
}
