/** Which events are found in a log of many, most of them others: by looking at all, or through an index. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memory, openEngine } from '../../src/index.ts';
import type { Engine, RecordedEvent } from '../../src/index.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { isBefore, ledgerDomain, ledgerOf, rowsOf } from './ledger.ts';

const { ledger, rows } = ledgerDomain('ledger');
/** Others whose names begin alike, with events of the same types. */
const others = ['ledgers', 'ledge', 'other'];
const folder = await temporaryFolder();

/** @param every one event of so many is of a ledger. */
async function filled(engine: Engine, every: number): Promise<readonly RecordedEvent[]> {
  const count = 6_000;
  const booked = (index: number) => ({ type: 'Booked', data: { amount: (index % 5) - 1, group: 'a' } });
  for (let start = 0; start < count; start += 500) {
    const appends = Array.from({ length: 500 }, (_, offset) => {
      const index = start + offset;
      const stream = index % every === 0 ? ledger.stream(String(index % 3)) : `${others[index % 3]}-1`;
      return engine.log.append([{ stream, events: [booked(index)] }]);
    });
    await Promise.all(appends);
  }
  const all: RecordedEvent[] = [];
  for await (const page of engine.log.read()) all.push(...page.filter(({ aggregate }) => aggregate === 'ledger'));
  return all;
}

describe.each([
  ['memory', 3],
  ['memory', 30],
  ['sqlite', 3],
  ['sqlite', 30],
])('on %s, one of %d events', (backend, every) => {
  let engine: Engine;
  let list: readonly RecordedEvent[] = [];

  beforeAll(async () => {
    const store = backend === 'memory' ? memory() : sqlite(join(folder, `${every}.db`));
    engine = await openEngine({ store });
    list = await filled(engine, every);
  });
  afterAll(async () => {
    await engine.close();
  });

  test.each([0, 4_097, 5_000, 9_000])('up to position %d, documents are what they were', async (position) => {
    const at = { position };
    const past = list.filter(isBefore(at));
    const travel = { mode: 'time_travel', at } as const;
    const { documents, events } = await engine.replay({ projection: rows }, travel).run();
    expect({ documents, events }).toEqual({ documents: rowsOf(past), events: past.length });
    const view = await engine.past.view(rows, at);
    expect(await view.count()).toBe(rowsOf(past).size);
    expect(await view.get('1')).toEqual(rowsOf(past).get('1'));
  });

  test('an aggregate is told from others whose names begin alike', async () => {
    const { states, events } = await engine.replay({ aggregate: ledger }).run();
    expect(events).toBe(list.length);
    for (const [stream, { state }] of states)
      expect(state).toEqual(ledgerOf(list.filter((event) => event.stream === stream)));
    const select = { types: ['Booked'] } as const;
    const selected = await engine.replay({ aggregate: ledger }, { mode: 'selective', select }).run();
    expect(selected.events).toBe(list.length);
  });
});

test('a type that an aggregate does not declare is not passed over', async () => {
  await using engine = await openEngine({ store: memory() });
  await engine.log.append([{ stream: 'ledger-1', events: [{ type: 'Lost', data: {} }] }]);
  const unhandled = { code: 'event_unhandled', details: { stream: 'ledger-1', version: 1, type: 'Lost' } };
  await expect(engine.replay({ aggregate: ledger }).run()).rejects.toMatchObject(unhandled);
  await expect(engine.replay({ aggregate: ledger, id: '1' }).run()).rejects.toMatchObject(unhandled);
});
