/** Comparisons of random histories against models that are as naive as can be: lists, filters, and folds from the first event on. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitStreamName } from '../../src/index.ts';
import type { EventPick, FieldChange, RecordedEvent } from '../../src/index.ts';
import { deeds, isBefore, ledgerDomain, ledgerOf, momentOf, ofStream, record, rowsOf } from './ledger.ts';
import type { Domain, Ledger, Row } from './ledger.ts';
import { backends, enginesOnAll } from './stores.ts';
import type { Opened } from './stores.ts';

const numRuns = process.env['SOAK'] === undefined ? 12 : 500;
const opened = enginesOnAll();
let domains = 0;

function property(
  { engine, clock }: Opened,
  check: (domain: Domain, list: readonly RecordedEvent[], dice: readonly [number, number]) => Promise<void>,
): Promise<void> {
  const law = fc.asyncProperty(deeds, fc.nat(100), fc.nat(100), async (list, ...dice) => {
    const domain = ledgerDomain(`past${++domains}`);
    await check(domain, await record(engine, clock, domain, list), dice);
  });
  return fc.assert(law, { numRuns });
}

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** What a list of changes makes of a value. */
function changed(value: unknown, changes: readonly FieldChange[]): unknown {
  let next: unknown = structuredClone(value);
  for (const { path, before, after } of changes) {
    if (path === '') {
      next = after;
      continue;
    }
    const steps = path.split(/[.[\]]+/).filter((step) => step !== '');
    const field = steps.pop() ?? '';
    let holder = next as Record<string, unknown>;
    for (const step of steps) holder = (holder[step] ??= {}) as Record<string, unknown>;
    expect(holder[field]).toEqual(before);
    holder[field] = after;
  }
  return JSON.parse(JSON.stringify(next ?? null), (_, part: unknown) =>
    Array.isArray(part) ? part.filter((item) => item !== null) : part,
  );
}

function partOf(value: unknown, path: string): unknown {
  let part = value;
  for (const step of path.split(/[.[\]]+/).filter((name) => name !== ''))
    part = (part as Record<string, unknown>)?.[step];
  return part;
}

/** An event with its place in a history that is another one. */
function placed(list: readonly RecordedEvent[]): readonly RecordedEvent[] {
  const versions = new Map<string, number>();
  return list.map((event) => {
    const version = (versions.get(event.stream) ?? 0) + 1;
    versions.set(event.stream, version);
    const kind = event.type === '$deleted' ? 'deleted' : version === 1 ? 'created' : 'updated';
    const { type, data, tags, metadata, schemaVersion, stream, aggregate, aggregateId, position, recordedAt, id } =
      event;
    return {
      type,
      data,
      tags,
      metadata,
      schemaVersion,
      stream,
      aggregate,
      aggregateId,
      position,
      recordedAt,
      id,
      version,
      kind,
    } as RecordedEvent;
  });
}

describe.each(backends)('on %s', (backend) => {
  test('history tells of each event what it changed', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger }, list, [one, other]) => {
      const own = ofStream(list, ledger.stream('1'));
      const [from, to] = [momentOf(list, one, 'position'), momentOf(list, other, 'time')];
      const wanted = own.filter((event) => !isBefore(from)(event) && isBefore(to)(event));
      const steps = [];
      for await (const step of engine.past.history(ledger, '1', { from, to })) steps.push(step);
      expect(steps.map(({ event }) => event.id)).toEqual(wanted.map(({ id }) => id));
      for (const { event, before, after, changes } of steps) {
        expect(before).toEqual(ledgerOf(own.filter(({ version }) => version < event.version)));
        expect(after).toEqual(ledgerOf(own.filter(({ version }) => version <= event.version)));
        expect(changed(before, changes)).toEqual(after);
      }
    });
  });

  test('diff gives what differs, and the events that made a difference', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger, rows }, list, dice) => {
      const [low, high] = [Math.min(...dice) % (list.length + 2), Math.max(...dice) % (list.length + 2)].sort(
        (a, b) => a - b,
      );
      const [from, to] = [momentOf(list, low ?? 0, 'position'), momentOf(list, high ?? 0, 'time')];
      const between = list.filter((event) => !isBefore(from)(event) && isBefore(to)(event));
      const own = ofStream(list, ledger.stream('1'));
      const diff = await engine.past.diff({ aggregate: ledger, id: '1' }, { from, to });
      // Several events share a time, so that `to` may reach further than the one it is of.
      expect(diff.before).toEqual(ledgerOf(own.filter(isBefore(from))));
      expect(diff.after).toEqual(ledgerOf(own.filter((event) => isBefore(from)(event) || isBefore(to)(event))));
      expect(changed(diff.before, diff.changes)).toEqual(diff.after);
      expect(diff.changes.length === 0).toBe(isSame(diff.before, diff.after));
      const made = ofStream(between, ledger.stream('1')).filter(
        ({ version }) => !isSame(ledgerOf(own.slice(0, version - 1)), ledgerOf(own.slice(0, version))),
      );
      expect(diff.events.map(({ event }) => event.id)).toEqual(made.map(({ id }) => id));

      const document = await engine.past.diff({ projection: rows, key: 'a' }, { from, to });
      expect(document.before).toEqual(rowsOf(list.filter(isBefore(from))).get('a'));
      const until = list.filter((event) => isBefore(from)(event) || isBefore(to)(event));
      expect(document.after).toEqual(rowsOf(until).get('a'));
      const rowAt = (position: number) => rowsOf(list.filter((event) => event.position <= position)).get('a');
      const touched = between.filter(({ position }) => !isSame(rowAt(position - 1), rowAt(position)));
      expect(document.events.map(({ event }) => event.id)).toEqual(touched.map(({ id }) => id));
    });
  });

  test('why finds the event that last changed a field', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger, rows }, list, [die]) => {
      const at = momentOf(list, die, 'position');
      const own = ofStream(list, ledger.stream('1')).filter(isBefore(at));
      for (const field of ['', 'balance', 'name', 'lines', 'lines[0]', 'lines[1].amount', 'none']) {
        const stateAt = (version: number) => partOf(ledgerOf(own.slice(0, version)), field);
        const cause = own.findLast(({ version }) => !isSame(stateAt(version - 1), stateAt(version)));
        const found = await engine.past.why({ aggregate: ledger, id: '1' }, field, { at });
        expect(found?.event.id).toBe(cause?.id);
        if (cause === undefined) continue;
        expect(found).toMatchObject({ before: stateAt(cause.version - 1), after: stateAt(cause.version) });
        expect(found?.changes).not.toEqual([]);
      }
      const rowAt = (position: number) => rowsOf(list.filter((event) => event.position <= position)).get('a');
      const cause = list
        .filter(isBefore(at))
        .findLast(({ position }) => !isSame(rowAt(position - 1)?.last.by, rowAt(position)?.last.by));
      expect((await engine.past.why({ projection: rows, key: 'a' }, 'last.by', { at }))?.event.id).toBe(cause?.id);
    });
  });

  test('what if events had not happened, and others had, in one instance', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger }, list, [one, other]) => {
      const own = ofStream(list, ledger.stream('1'));
      const picked = own.filter(({ version }) => (version + one) % 3 === 0);
      const without = picked.map(
        ({ version, position, id }, index): EventPick =>
          [{ version }, { position }, { id }][(index + other) % 3] ?? { id },
      );
      const after = other % (own.length + 1);
      const data = { amount: 7, group: 'a' };
      const add = [
        { type: 'Booked', data, after: { version: after } },
        { type: 'Renamed', data: { name: 'late' } },
      ] as const;
      const result = await engine.past.whatIf({ aggregate: ledger, id: '1' }, { without, add });
      const extra = eventOf(ledger.stream('1'), 'Booked', data);
      const late = eventOf(ledger.stream('1'), 'Renamed', { name: 'late' });
      const left = (event: RecordedEvent) => !picked.includes(event);
      const alternative = placed([...own.slice(0, after).filter(left), extra, ...own.slice(after).filter(left), late]);
      expect(result.actual).toEqual(ledgerOf(own));
      expect(result.hypothetical).toEqual(ledgerOf(alternative));
      expect(changed(result.actual, result.changes)).toEqual(result.hypothetical);
      expect(result.events).toEqual({ actual: own.length, hypothetical: alternative.length });
      // Nothing has been written.
      expect((await engine.load(ledger, '1')).version).toBe(own.length);
    });
  });

  test('what if only one event had not happened: they part where it is, if it made a difference', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger }, list, [die]) => {
      const own = ofStream(list, ledger.stream('1'));
      if (own.length === 0) return;
      const version = (die % own.length) + 1;
      const { firstDifference } = await engine.past.whatIf({ aggregate: ledger, id: '1' }, { without: [{ version }] });
      const stateAt = (until: number) => ledgerOf(own.slice(0, until));
      const otherAt = (until: number) =>
        ledgerOf(placed(own.slice(0, until).filter((event) => event.version !== version)));
      const parting = own.find((event) => !isSame(stateAt(event.version), otherAt(event.version)));
      expect(firstDifference?.event.position).toBe(parting?.position);
      if (parting !== undefined)
        expect(firstDifference?.kind).toBe(parting.version === version ? 'left_out' : 'happened');
    });
  });

  test('what if documents were folded in another way, and from other events', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger, rows }, list, [one, other]) => {
      const picked = list.filter(({ position }) => (position + one) % 4 === 0);
      const without = picked.map(({ position }) => ({ position }));
      const at = momentOf(list, other, 'position');
      const data = { amount: 5, group: 'b' };
      const add = [{ stream: ledger.stream('9'), type: 'Booked', data, after: at } as const];
      const extra = eventOf(ledger.stream('9'), 'Booked', data);
      const left = list.filter((event) => !picked.includes(event));
      const alternative = [...left.filter(isBefore(at)), extra, ...left.filter((event) => !isBefore(at)(event))];
      const [is, would] = [rowsOf(list), rowsOf(alternative)];
      const keys = [...new Set([...is.keys(), ...would.keys()])].sort();
      const differing = keys.filter((key) => !isSame(is.get(key), would.get(key)));
      const result = await engine.past.whatIf({ projection: rows }, { without, add });
      expect(result).toMatchObject({ compared: keys.length, differing: differing.length });
      expect(result.differences.map(({ key, actual, hypothetical }) => [key, actual, hypothetical])).toEqual(
        differing.map((key) => [key, is.get(key), would.get(key)]),
      );
      const document = await engine.past.whatIf({ projection: rows, key: 'b' }, { without, add });
      expect(document).toMatchObject({ actual: is.get('b'), hypothetical: would.get('b') });

      const doubled: Domain['rows'] = {
        ...rows,
        fold: (row, event) => {
          const next = rows.fold(row, event) as Row | null;
          return next === null ? null : { ...next, last: { by: `${next.last.by}!` } };
        },
      };
      const folded = await engine.past.whatIf({ projection: rows }, { projection: doubled });
      expect(folded).toMatchObject({ compared: is.size, differing: is.size });
      for (const { actual, hypothetical } of folded.differences)
        expect(hypothetical).toEqual({ ...actual, last: { by: `${actual?.last.by}!` } });
    });
  });

  test('what if an aggregate were folded in another way', async () => {
    const { engine } = opened(backend);
    await property(opened(backend), async ({ ledger }, list, [die]) => {
      const at = momentOf(list, die, 'position');
      const own = ofStream(list, ledger.stream('1')).filter(isBefore(at));
      const other: Domain['ledger'] = {
        ...ledger,
        evolve: (state, event) => {
          const next: Ledger = ledger.evolve(state, event);
          return next.lines.length > 2 ? { ...next, balance: 0 } : next;
        },
      };
      const result = await engine.past.whatIf({ aggregate: ledger, id: '1' }, { aggregate: other, at });
      const folded = (list_: readonly RecordedEvent[]) => {
        let state = ledgerOf([]);
        for (const event of list_)
          state = event.type === '$deleted' ? ledgerOf([]) : other.evolve(state, event as never);
        return state;
      };
      expect(result).toMatchObject({ actual: ledgerOf(own), hypothetical: folded(own) });
      const parting = own.find(
        ({ version }) => !isSame(ledgerOf(own.slice(0, version)), folded(own.slice(0, version))),
      );
      expect(result.firstDifference?.event.version).toBe(parting?.version);
    });
  });
});

/** An event that is nowhere: the model looks at nothing else of it. */
function eventOf(stream: string, type: string, data: unknown): RecordedEvent {
  const { aggregate, aggregateId } = splitStreamName(stream);
  const place = { stream, aggregate, aggregateId, version: 0, position: 0, recordedAt: 0, id: '' };
  return { type, data, tags: [], metadata: {}, schemaVersion: 1, kind: 'updated', ...place } as RecordedEvent;
}
