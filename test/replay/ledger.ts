/** What the tests of replaying fold, and the same folds as naively as possible, without a line of the engine. */
import fc from 'fast-check';
import { z } from 'zod';
import { defineAggregate, defineProjection } from '../../src/index.ts';
import type { Engine, EventSchemas, Moment, NewEvent, RecordedEvent } from '../../src/index.ts';
import type { TestClock } from '../../src/testing/index.ts';

export interface Ledger {
  readonly name: string;
  readonly balance: number;
  readonly lines: readonly { readonly amount: number }[];
  /** Versions and kinds, to show that each event was folded once, in order, and as what. */
  readonly seen: readonly string[];
}

export interface Row {
  readonly sum: number;
  readonly last: { readonly by: string };
}

const empty: Ledger = { name: '', balance: 0, lines: [], seen: [] };
const emptyRow: Row = { sum: 0, last: { by: '' } };
const events = { Booked: z.object({ amount: z.number(), group: z.string() }), Renamed: z.object({ name: z.string() }) };

interface Amount {
  readonly amount: number;
  readonly group: string;
}

/** Names of its own for each history: many share a store. */
export function ledgerDomain(name: string) {
  const ledger = defineAggregate({
    name,
    snapshotEvery: 2,
    events,
    initialState: empty,
    evolve: {
      Booked: (state, { data, version, kind }) => ({
        ...state,
        balance: state.balance + data.amount,
        lines: [...state.lines, { amount: data.amount }],
        seen: [...state.seen, `${version} ${kind}`],
      }),
      Renamed: (state, { data, version, kind }) => ({
        ...state,
        name: data.name,
        seen: [...state.seen, `${version} ${kind}`],
      }),
    },
    commands: {},
  });
  /** By instance and by group; a group that comes to nothing is deleted. */
  const rows = defineProjection({
    name: `${name}_rows`,
    from: [ledger],
    key: (event) => (event.type === 'Booked' ? [event.aggregateId, event.data.group] : event.aggregateId),
    initial: emptyRow,
    indexes: ['sum'],
    on: {
      Booked: ({ sum }, { data, aggregateId }) =>
        sum + data.amount === 0 ? null : { sum: sum + data.amount, last: { by: aggregateId } },
      Renamed: 'ignore',
      $deleted: () => null,
    },
  });
  return { ledger, rows };
}

export type Domain = ReturnType<typeof ledgerDomain>;

/** The state of one ledger. */
export function ledgerOf(list: readonly RecordedEvent[]): Ledger {
  let state = empty;
  for (const { type, data, version, kind } of list) {
    if (type === '$deleted') {
      state = empty;
      continue;
    }
    const seen = [...state.seen, `${version} ${kind}`];
    if (type === 'Renamed') state = { ...state, name: (data as { name: string }).name, seen };
    else {
      const { amount } = data as Amount;
      state = { ...state, balance: state.balance + amount, lines: [...state.lines, { amount }], seen };
    }
  }
  return state;
}

/** The rows of all. */
export function rowsOf(list: readonly RecordedEvent[]): Map<string, Row> {
  const documents = new Map<string, Row>();
  for (const { type, data, aggregateId } of list) {
    if (type === '$deleted') documents.delete(aggregateId);
    if (type !== 'Booked') continue;
    const { amount, group } = data as Amount;
    for (const key of new Set([aggregateId, group])) {
      const sum = (documents.get(key)?.sum ?? 0) + amount;
      if (sum === 0) documents.delete(key);
      else documents.set(key, { sum, last: { by: aggregateId } });
    }
  }
  return documents;
}

export interface Deed {
  readonly id: string;
  readonly what: 'book' | 'rename' | 'delete';
  readonly amount: number;
  readonly group: string;
  readonly tags: readonly string[];
  /** That pass before it. */
  readonly ms: number;
}

export const ids = ['1', '2'] as const;

/** Instances are deleted and made again. */
export const deeds: fc.Arbitrary<readonly Deed[]> = fc.array(
  fc.record({
    id: fc.constantFrom(...ids),
    what: fc.constantFrom<Deed['what']>('book', 'book', 'book', 'rename', 'delete'),
    amount: fc.integer({ min: -2, max: 2 }),
    group: fc.constantFrom('a', 'b'),
    tags: fc.subarray(['x', 'y']),
    ms: fc.constantFrom(0, 0, 1, 7),
  }),
  { maxLength: 14 },
);

/** Lets it happen. @returns what has been recorded of these ledgers, in order. */
export async function record(
  engine: Engine,
  clock: TestClock,
  { ledger }: Domain,
  list: readonly Deed[],
): Promise<readonly RecordedEvent[]> {
  const { position: before } = await engine.log.head();
  // No moment is before one of these and behind those of another.
  clock.advance(10);
  const deleted = new Set<string>();
  for (const { id, what, amount, group, tags, ms } of list) {
    clock.advance(ms);
    const event = eventOf(what, { amount, group, tags });
    const result = await engine.log.append([
      { stream: ledger.stream(id), expected: deleted.has(id) ? 'deleted' : 'any', events: [event] },
    ]);
    if (result.kind !== 'appended') throw new Error(result.kind);
    if (what === 'delete') deleted.add(id);
    else deleted.delete(id);
  }
  const recorded: RecordedEvent[] = [];
  for await (const page of engine.log.read({ after: before })) recorded.push(...page);
  return recorded;
}

function eventOf(
  what: Deed['what'],
  { amount, group, tags }: Pick<Deed, 'amount' | 'group' | 'tags'>,
): NewEvent<EventSchemas> {
  if (what === 'book') return { type: 'Booked', data: { amount, group }, tags };
  if (what === 'rename') return { type: 'Renamed', data: { name: `${group}${amount}` }, tags };
  return { type: '$deleted' };
}

/** Of events by the position of one of them, also of a position between, before the first and behind the last. */
export function momentOf(list: readonly RecordedEvent[], die: number, kind: 'position' | 'time'): Moment {
  const index = die % (list.length + 2);
  const [first, event] = [list[0], list[index - 1]];
  if (event !== undefined) return kind === 'time' ? { time: event.recordedAt } : { position: event.position };
  if (index === 0)
    return kind === 'time' ? { time: (first?.recordedAt ?? 1) - 1 } : { position: (first?.position ?? 1) - 1 };
  return kind === 'time' ? { time: new Date(8e14) } : { position: 1e9 };
}

export function isBefore(moment: Moment): (event: RecordedEvent) => boolean {
  return ({ position, version, recordedAt }) => {
    if ('position' in moment) return position <= moment.position;
    if ('version' in moment) return version <= moment.version;
    return recordedAt <= Number(moment.time);
  };
}

export function ofStream(list: readonly RecordedEvent[], stream: string): readonly RecordedEvent[] {
  return list.filter((event) => event.stream === stream);
}
