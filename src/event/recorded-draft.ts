import { eventId } from './digests.ts';
import type { Draft, Recorded } from './event.ts';

/** Where and when a draft was recorded. */
export interface Place {
  readonly stream: string;
  readonly version: number;
  readonly position: number;
  /** Milliseconds since the epoch. */
  readonly recordedAt: number;
}

/** A draft that has been given its place; the id is hashed when it is asked for. */
export class RecordedDraft implements Recorded {
  readonly type: string;
  readonly schemaVersion: number;
  readonly encoding: string;
  readonly tags: readonly string[];
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
  readonly bodyDigest: Uint8Array;
  readonly stream: string;
  readonly version: number;
  readonly position: number;
  readonly recordedAt: number;
  #id: Uint8Array | undefined;

  constructor(draft: Draft, { stream, version, position, recordedAt }: Place) {
    this.type = draft.type;
    this.schemaVersion = draft.schemaVersion;
    this.encoding = draft.encoding;
    this.tags = draft.tags;
    this.data = draft.data;
    this.metadata = draft.metadata;
    this.bodyDigest = draft.bodyDigest;
    this.stream = stream;
    this.version = version;
    this.position = position;
    this.recordedAt = recordedAt;
  }

  get id(): Uint8Array {
    this.#id ??= eventId(this);
    return this.#id;
  }
}

/** For whoever may change it. */
export function copyOf(event: Recorded): RecordedDraft {
  return new RecordedDraft(ownDraft(event), event);
}

/** What happened, alone: its bytes are its own, its tags are frozen. */
export function ownDraft(event: Draft): Draft {
  const { type, schemaVersion, encoding } = event;
  const tags = Object.freeze([...event.tags]);
  // Not sliced: a slice of a Buffer is the same bytes.
  const [data, metadata] = [new Uint8Array(event.data), new Uint8Array(event.metadata)];
  return { type, schemaVersion, encoding, tags, data, metadata, bodyDigest: new Uint8Array(event.bodyDigest) };
}
