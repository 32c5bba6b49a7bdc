/** Short ways to what a store takes and gives, for tests of backends. */
import { bodyDigest } from '../event/digests.ts';
import type { Draft, Recorded } from '../event/event.ts';
import { deletedType, jsonEncoding } from '../event/event.ts';
import { normalizeTags } from '../event/names.ts';
import { toUtf8 } from '../event/bytes.ts';
import type { AppendRequest, AppendResult, EventStore, ExpectedVersion, ReadQuery } from '../store/port.ts';

export interface DraftOptions {
  readonly data?: unknown;
  readonly metadata?: object;
  readonly tags?: readonly string[];
  readonly schemaVersion?: number;
}

export function draft(type: string, { data = {}, metadata, tags = [], schemaVersion = 1 }: DraftOptions = {}): Draft {
  const body = {
    type,
    schemaVersion,
    encoding: jsonEncoding,
    tags: normalizeTags(tags),
    data: toUtf8(JSON.stringify(data)),
    metadata: toUtf8(metadata === undefined ? '' : JSON.stringify(metadata)),
  };
  return { ...body, bodyDigest: bodyDigest(body) };
}

export function tombstone(): Draft {
  return draft(deletedType, { data: null });
}

/** A request that writes one stream. */
export function write(
  stream: string,
  expected: ExpectedVersion,
  events: readonly Draft[],
  rest: Partial<Omit<AppendRequest, 'writes'>> = {},
): AppendRequest {
  return { writes: [{ stream, expected, events }], checks: [], conditions: [], receipts: [], ...rest };
}

export async function appendOne(store: EventStore, request: AppendRequest): Promise<AppendResult> {
  const [result] = await store.append([request]);
  return result as AppendResult;
}

/** Appends events of these types to a stream, whatever its version. */
export function appendTypes(store: EventStore, stream: string, ...types: readonly string[]): Promise<AppendResult> {
  return appendOne(
    store,
    write(
      stream,
      'any',
      types.map((type) => draft(type)),
    ),
  );
}

export async function readAll(store: EventStore, query: ReadQuery = {}): Promise<readonly Recorded[]> {
  const events: Recorded[] = [];
  for await (const page of store.read(query)) events.push(...page);
  return events;
}

/** `stream@version` of each event: enough to tell them apart in a failure's message. */
export async function readNames(store: EventStore, query: ReadQuery = {}): Promise<readonly string[]> {
  return (await readAll(store, query)).map(({ stream, version }) => `${stream}@${version}`);
}
