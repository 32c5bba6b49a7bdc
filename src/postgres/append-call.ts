import { randomBytes } from 'node:crypto';
import { fromHex, toUtf8 } from '../event/bytes.ts';
import { matches } from '../event/query.ts';
import { EngineError } from '../ground/errors.ts';
import type { AppendRequest, AppendResult, ExpectedVersion, Receipt } from '../store/port.ts';
import { beginning, bigints, callOf, integers, Packing, transaction } from './packing.ts';
import { queryJson } from './select-events.ts';

const expectations = { any: -1, no_stream: -2, stream_exists: -3, deleted: -4 } as const;

function expectedNumber(expected: ExpectedVersion): number {
  return typeof expected === 'number' ? expected : expectations[expected];
}

/**
 * How long a client that has staged a group may be silent. It holds the lock under which everybody appends: without this, one
 * that stalls, or is cut off without a farewell, would hold them all up for as long as the network believes in it.
 */
const stallMs = 10_000;

/** What the function `append` answers. */
export interface Answer {
  /** Of the last event before the group's. */
  readonly position: number;
  readonly recordedAt: number;
  /** The first of each write; null where it was refused. */
  readonly versions: readonly (number | null)[];
  readonly refusals: readonly Refused[];
}

/** `request`, `stream`: their numbers, from 1. */
type Refused = { readonly request: number } & (
  | { readonly kind: 'version_conflict'; readonly stream: number; readonly expected: number; readonly actual: number }
  | { readonly kind: 'stream_deleted'; readonly stream: number; readonly actual: number }
  | { readonly kind: 'condition_conflict'; readonly condition: number; readonly position: number }
  | { readonly kind: 'too_full'; readonly stream: number; readonly value: number }
  | { readonly kind: 'duplicate'; readonly receipt: ReceiptAnswer }
  /** Of the receipt that an earlier request of the group has just left. */
  | { readonly kind: 'duplicate_in_group'; readonly earlier: number; readonly key: number }
);

interface ReceiptAnswer {
  readonly key: string;
  readonly commandDigest: string;
  readonly outcome: string;
  readonly expiresAt: number | null;
  readonly owner: string | null;
  readonly recordedAt: number;
  readonly position: number | null;
}

function toReceipt({ key, expiresAt, recordedAt, ...answer }: ReceiptAnswer): Receipt {
  return {
    key,
    commandDigest: bytesOf(answer.commandDigest),
    outcome: bytesOf(answer.outcome),
    expiresAt,
    owner: answer.owner ?? undefined,
    recordedAt,
    position: answer.position ?? undefined,
  };
}

function bytesOf(hex: string): Uint8Array {
  return fromHex(hex, hex.length / 2) as Uint8Array;
}

/** One call of the function `append`. The same call sent again, because its answer was lost, is answered the same. */
export class AppendCall {
  readonly #schema: string;
  readonly #call: string;
  readonly #token: bigint;
  readonly #group: readonly AppendRequest[];
  readonly #names: readonly string[];
  readonly #eventsPerStreamMax: number;

  constructor(schema: string, group: readonly AppendRequest[], now: number, eventsPerStreamMax: number) {
    const writes = group.flatMap((request) => request.writes);
    const checks = group.flatMap((request) => request.checks);
    const conditions = group.flatMap((request) => request.conditions);
    const receipts = group.flatMap((request) => request.receipts);
    const packing = new Packing(
      [...writes, ...checks].map(({ stream }) => stream),
      writes.flatMap(({ events }) => events),
      receipts,
    );
    const { payload, names } = packing;
    const places = writes.flatMap(({ events }, write) => events.map((_, offset) => ({ write: write + 1, offset })));
    const rivals = conditions.length === 0 ? noRivals : rivalsOf(group);
    this.#group = group;
    this.#names = [...names.all];
    this.#eventsPerStreamMax = eventsPerStreamMax;
    const condition_queries = conditions.map(({ failIfMatch }) => payload.add(toUtf8(queryJson(failIfMatch))));
    this.#token = randomBytes(8).readBigInt64BE();
    this.#schema = schema;
    this.#call = callOf(schema, 'append', {
      token: { bigint: this.#token },
      now: { bigint: now },
      events_per_stream_max: { bigint: Number.isFinite(eventsPerStreamMax) ? eventsPerStreamMax : null },
      ...packing.arguments,
      request_writes: integers(group.map((request) => request.writes.length)),
      request_checks: integers(group.map((request) => request.checks.length)),
      request_conditions: integers(group.map((request) => request.conditions.length)),
      request_receipts: integers(group.map((request) => request.receipts.length)),
      write_streams: integers(writes.map(({ stream }) => names.number(stream))),
      write_expected: bigints(writes.map(({ expected }) => expectedNumber(expected))),
      write_events: integers(writes.map(({ events }) => events.length)),
      write_deletes: { booleans: writes.map(({ events }) => events.at(-1)?.type === '$deleted') },
      check_streams: integers(checks.map(({ stream }) => names.number(stream))),
      check_expected: bigints(checks.map(({ expected }) => expectedNumber(expected))),
      condition_queries: integers(condition_queries),
      condition_afters: bigints(conditions.map(({ after }) => after)),
      condition_rivals: integers(rivals.counts),
      rival_requests: integers(rivals.requests),
      rival_offsets: integers(rivals.offsets),
      event_writes: integers(places.map(({ write }) => write)),
      event_offsets: integers(places.map(({ offset }) => offset)),
    });
  }

  /** The whole of it. The second statement answers. */
  get sql(): string {
    return transaction(this.#call);
  }

  /**
   * Leaves the transaction open. The third statement answers; the fourth tells whether it has been done now (or before, and is
   * only answered again), and how durably it is to be committed.
   */
  get stagingSql(): string {
    const made = `select xmin = pg_current_xact_id()::xid as is_staged, current_setting('synchronous_commit') as durability
      from "${this.#schema}".answers where token = '${this.#token}'::bigint`;
    return `${beginning}; set local idle_in_transaction_session_timeout = ${stallMs}; ${this.#call}; ${made}`;
  }

  results(answer: Answer): readonly AppendResult[] {
    const { recordedAt, versions } = answer;
    const refusals = new Map(answer.refusals.map((refused) => [refused.request, refused]));
    let position = answer.position + 1;
    let write = 0;
    const results: AppendResult[] = [];
    for (const [index, { writes }] of this.#group.entries()) {
      const refused = refusals.get(index + 1);
      if (refused !== undefined) results.push(this.#refusal(refused, results, recordedAt));
      else {
        const eventCount = countEvents(writes);
        const firsts = versions.slice(write, write + writes.length) as readonly number[];
        results.push({ kind: 'appended', position: eventCount > 0 ? position : 0, versions: firsts, recordedAt });
        position += eventCount;
      }
      write += writes.length;
    }
    return results;
  }

  #refusal(refused: Refused, earlier: readonly AppendResult[], recordedAt: number): AppendResult {
    switch (refused.kind) {
      case 'version_conflict': {
        const { stream, expected, actual } = refused;
        return { kind: 'version_conflict', stream: this.#name(stream), expected: expectedVersion(expected), actual };
      }
      case 'stream_deleted':
        return { kind: 'stream_deleted', stream: this.#name(refused.stream), actual: refused.actual };
      case 'condition_conflict':
        return { kind: 'condition_conflict', condition: refused.condition, position: refused.position };
      case 'too_full': {
        const [max, value, subject] = [this.#eventsPerStreamMax, refused.value, this.#name(refused.stream)];
        return {
          kind: 'failed',
          error: new EngineError('limit_exceeded', { limit: 'eventsPerStream', value, max, subject }),
        };
      }
      case 'duplicate':
        return { kind: 'duplicate', receipt: toReceipt(refused.receipt) };
      case 'duplicate_in_group': {
        const { writes, receipts } = this.#group[refused.earlier - 1] as AppendRequest;
        const draft = receipts.find(({ key }) => key === this.#name(refused.key)) as AppendRequest['receipts'][number];
        const appended = earlier[refused.earlier - 1] as AppendResult & { kind: 'appended' };
        const position = appended.position === 0 ? undefined : appended.position + countEvents(writes) - 1;
        return { kind: 'duplicate', receipt: { ...draft, recordedAt, position } };
      }
      default:
        return refused satisfies never;
    }
  }

  #name(number: number): string {
    return this.#names[number - 1] as string;
  }
}

function expectedVersion(number: number): ExpectedVersion {
  for (const [name, value] of Object.entries(expectations))
    if (value === number) return name as keyof typeof expectations;
  return number;
}

function countEvents(writes: AppendRequest['writes']): number {
  return writes.reduce((count, { events }) => count + events.length, 0);
}

interface Rivals {
  /** How many each condition has. */
  readonly counts: readonly number[];
  readonly requests: readonly number[];
  /** Of the event among its request's. */
  readonly offsets: readonly number[];
}

const noRivals: Rivals = { counts: [], requests: [], offsets: [] };

/** For each condition the events of earlier requests of the group that it matches: if these are appended, it fails. */
function rivalsOf(group: readonly AppendRequest[]): Rivals {
  const [counts, requests, offsets]: [number[], number[], number[]] = [[], [], []];
  const earlier: { request: number; offset: number; event: { type: string; tags: readonly string[] } }[] = [];
  for (const [index, { conditions, writes }] of group.entries()) {
    for (const { failIfMatch } of conditions) {
      const found = earlier.filter(({ event }) => matches(failIfMatch, event));
      counts.push(found.length);
      for (const { request, offset } of found) {
        requests.push(request);
        offsets.push(offset);
      }
    }
    for (const [offset, event] of writes.flatMap(({ events }) => events).entries())
      earlier.push({ request: index + 1, offset, event });
  }
  return { counts, requests, offsets };
}
