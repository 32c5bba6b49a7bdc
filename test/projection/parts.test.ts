/** Events that are read as several, and events that nobody knows: what becomes of them where a projection cannot go on. */
import { join } from 'node:path';
import { sqlite } from 'eventsrc/sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineProjection, memory, openEngine } from '../../src/index.ts';
import type { Backend, Engine, EngineOptions } from '../../src/index.ts';
import { temporaryFolder } from '../support/temporary.ts';

const folder = await temporaryFolder();
let files = 0;
const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function open(store: Backend, options: Partial<EngineOptions>): Promise<Engine> {
  const engine = await openEngine({ store, hooks: { consumer: () => {} }, ...options });
  opened.push(engine);
  return engine;
}

const part = z.object({ of: z.string() });
const parcel = defineAggregate({
  name: 'parcel',
  events: { Packed: part, Sent: part },
  retired: {
    Shipped: {
      schema: part,
      as: (data) => [
        { type: 'Packed', data },
        { type: 'Sent', data },
      ],
    },
  },
  initialState: 0,
  evolve: { Packed: (count) => count + 1, Sent: (count) => count + 1 },
  commands: {},
});

describe.each<[string, () => Backend]>([
  ['memory', () => memory()],
  ['sqlite', () => sqlite(join(folder, `parts-${++files}.db`))],
])('on %s', (_, newStore) => {
  test('a part whose key could not be found is taken in with the others once it can', async () => {
    let isBroken = true;
    const moves = defineProjection({
      name: 'moves',
      from: [parcel],
      attempts: 1,
      onFailure: 'park',
      key: (event) => {
        if (event.type === 'Sent' && isBroken) throw new Error('whose?');
        return event.type === 'Sent' ? 'sent' : 'packed';
      },
      initial: { count: 0 },
      on: { Packed: ({ count }) => ({ count: count + 1 }), Sent: ({ count }) => ({ count: count + 1 }) },
    });
    const engine = await open(newStore(), { aggregates: [parcel], projections: [moves] });
    await engine.log.append([{ stream: 'parcel-1', events: [{ type: 'Shipped', data: { of: 'tea' } }] }]);
    await engine.settled();
    isBroken = false;
    await engine.consumers.unpark('moves');
    await engine.settled();
    const shown = await Promise.all(['packed', 'sent'].map((key) => engine.view(moves).get(key)));
    expect(shown).toEqual([{ count: 1 }, { count: 1 }]);
    expect(await engine.consumers.status()).toMatchObject([{ parked: 0 }]);
  });

  test('a view that stands still before an event that nobody knows is stale, however much has been appended since', async () => {
    const seen = defineProjection({
      name: 'seen',
      from: [parcel],
      key: () => 'all',
      initial: { count: 0 },
      on: { Packed: ({ count }) => ({ count: count + 1 }), Sent: 'ignore' },
    });
    const engine = await open(newStore(), { aggregates: [parcel], projections: [seen] });
    await engine.log.append([{ stream: 'parcel-1', events: [{ type: 'Lost', data: null }] }]);
    await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted' });
    const noise = Array.from({ length: 700 }, () => ({ type: 'Hummed', data: null }));
    for (const stream of ['hive-1', 'hive-2']) await engine.log.append([{ stream, events: noise }]);
    const { position: atLeast } = await engine.log.head();
    await expect(engine.view(seen).fresh({ atLeast })).rejects.toMatchObject({ code: 'stale' });
    const [status] = await engine.consumers.status();
    expect(status?.lag.events).toBe(1);
    expect(status?.lag.ms).toBeGreaterThan(0);
  });
});
