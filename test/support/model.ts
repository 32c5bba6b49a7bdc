/**
 * What an event store does, written as naively as possible and without a line of the real one: the measure for the
 * property tests. Streams are lists, queries are loops.
 */
export interface ModelEvent {
  readonly stream: string;
  readonly type: string;
  readonly tags: readonly string[];
}

export interface ModelRequest {
  readonly writes: readonly {
    readonly stream: string;
    readonly expected: number | string;
    readonly events: readonly Omit<ModelEvent, 'stream'>[];
  }[];
  readonly checks: readonly { readonly stream: string; readonly expected: number | string }[];
  readonly conditions: readonly {
    readonly after: number;
    readonly types: readonly string[];
    readonly tags: readonly string[];
  }[];
  readonly receipts: readonly { readonly key: string; readonly expiresAt: number | null }[];
}

export class Model {
  readonly log: ModelEvent[] = [];
  readonly receipts = new Map<string, number | null>();

  /** The kind of the outcome. */
  append(request: ModelRequest, now: number): string {
    for (const { key } of request.receipts) if (this.hasReceipt(key, now)) return `duplicate of ${key}`;
    for (const { stream, expected } of request.writes) {
      if (this.isDeleted(stream) && expected !== 'deleted') return `stream_deleted at ${this.version(stream)}`;
      if (!this.#fits(stream, expected)) return `version_conflict at ${this.version(stream)}`;
    }
    for (const { stream, expected } of request.checks) {
      if (!this.#fits(stream, expected)) return `version_conflict at ${this.version(stream)}`;
    }
    for (const [index, { after, types, tags }] of request.conditions.entries()) {
      for (let position = after + 1; position <= this.log.length; position++) {
        const event = this.log[position - 1] as ModelEvent;
        if (types.length > 0 && !types.includes(event.type)) continue;
        if (tags.some((tag) => !event.tags.includes(tag))) continue;
        return `condition_conflict of ${index} at ${position}`;
      }
    }
    for (const { stream, events } of request.writes) for (const event of events) this.log.push({ ...event, stream });
    for (const { key, expiresAt } of request.receipts) this.receipts.set(key, expiresAt);
    return 'appended';
  }

  hasReceipt(key: string, now: number): boolean {
    const expiresAt = this.receipts.get(key);
    return expiresAt === null || (expiresAt !== undefined && expiresAt > now);
  }

  version(stream: string): number {
    return this.log.filter((event) => event.stream === stream).length;
  }

  isDeleted(stream: string): boolean {
    return this.log.findLast((event) => event.stream === stream)?.type === '$deleted';
  }

  #fits(stream: string, expected: number | string): boolean {
    if (expected === 'any') return true;
    if (expected === 'no_stream') return this.version(stream) === 0;
    if (expected === 'stream_exists') return this.version(stream) > 0 && !this.isDeleted(stream);
    if (expected === 'deleted') return this.isDeleted(stream);
    return this.version(stream) === expected;
  }
}
