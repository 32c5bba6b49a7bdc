/** What a definition makes of the same events may not change under one version; whatever leaves that as it is may. */
import { defineAggregate, defineProjection, memory, openEngine } from 'eventsrc';
import type { AnyProjection, Backend, ConsumerNotice, Engine } from 'eventsrc';
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { slotOf } from '../../src/projection/consumer.ts';
import { shared } from '../support/gated-store.ts';
import { backendAt, bothPlaces } from '../support/place.ts';
import { postgresSchemas } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const amount = z.object({ keys: z.array(z.string()), amount: z.number() });
const events = { Added: amount, Doubled: z.object({ keys: z.array(z.string()) }), Never: z.object({}) };

function jarWith(given: typeof events) {
  return defineAggregate({
    name: 'jar',
    events: given,
    initialState: {},
    evolve: { Added: (state) => state, Doubled: (state) => state, Never: (state) => state },
    commands: {},
  });
}

const jar = jarWith(events);

interface Sum {
  readonly sum: number;
  readonly count: number;
}

const start: Sum = { sum: 0, count: 0 };
const added = (sum: Sum, by: number): Sum => ({ sum: sum.sum + by, count: sum.count + 1 });

interface Changes {
  readonly from?: typeof jar;
  readonly version?: number;
  readonly slots?: number;
  readonly indexes?: readonly 'sum'[];
  readonly reversed?: boolean;
  readonly add?: (sum: Sum, by: number, key: readonly string[]) => Sum;
  readonly double?: (sum: Sum) => Sum | null;
  readonly never?: (sum: Sum) => Sum;
}

/** The definition, but for what is changed; `Doubled` and `Never` are ignored. */
function defineSums(changes: Changes = {}): AnyProjection {
  const { from = jar, version = 1, slots = 1, indexes = [], reversed = false, add = added } = changes;
  return defineProjection({
    name: 'sums',
    from: [from],
    version,
    slots,
    indexes,
    key: ({ data }) => {
      const { keys = [] } = data as { keys?: readonly string[] };
      return reversed ? keys.toReversed() : keys;
    },
    initial: start,
    on: {
      Added: (sum, { data }) => add(sum, data.amount, data.keys),
      Doubled: changes.double ?? 'ignore',
      Never: changes.never ?? 'ignore',
    },
  });
}

const opened: Engine[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineOn(store: Backend, projection: AnyProjection, notices: ConsumerNotice[] = []): Promise<Engine> {
  const hooks = { consumer: (notice: ConsumerNotice) => void notices.push(notice) };
  const engine = await openEngine({ store, projections: [projection], hooks, leaseMs: 300 });
  opened.push(engine);
  return engine;
}

/** A store on which the definition has been at work. */
async function workedOn(store: () => Backend): Promise<void> {
  const engine = await engineOn(store(), defineSums());
  for (let index = 1; index <= 20; index++) {
    // What is ignored is certain to have been passed by only where something follows that is not.
    if (index === 20)
      await engine.log.append([{ stream: 'jar-1', events: [{ type: 'Doubled', data: { keys: ['a'] } }] }]);
    const data = { keys: ['a', 'b', 'c'].slice(index % 3), amount: index };
    await engine.log.append([{ stream: `jar-${index % 2}`, events: [{ type: 'Added', data }] }]);
  }
  await engine.settled();
  await engine.close();
}

describe('a definition', () => {
  test.each<[string, Changes]>([
    ['folds to other documents', { add: (sum, by) => added(sum, by + 1) }],
    ['folds to further fields', { add: (sum, by) => ({ ...added(sum, by), more: true }) as Sum }],
    [
      'fails at an event that it used to fold',
      {
        add: (sum, by) => {
          if (by === 2) throw new Error('2 is no amount');
          return added(sum, by);
        },
      },
    ],
    ['takes events of a type that it has passed by', { double: (sum) => ({ ...sum, sum: 2 * sum.sum }) }],
    ['has other slots', { slots: 2 }],
    ['has other indexes', { indexes: ['sum'] }],
  ])('one that %s is refused', async (__, changes) => {
    const store = shared(memory());
    await workedOn(() => store);
    await expect(engineOn(store, defineSums(changes))).rejects.toMatchObject({ code: 'definition_changed' });
    // Under another version it may, and the first goes on.
    await engineOn(store, defineSums({ ...changes, version: 2 }));
    await engineOn(store, defineSums());
  });

  test.each<[string, Changes]>([
    ['is the same', {}],
    ['is written otherwise', { add: ({ count, sum }, by) => ({ sum: by + sum, count: count - -1 }) }],
    ['puts fields in another order', { add: ({ count, sum }, by) => ({ count: count + 1, sum: sum + by }) }],
    ['names keys in another order', { reversed: true }],
    ['takes events of a type that has never come', { never: (sum) => sum }],
  ])('one that %s goes on', async (__, changes) => {
    const store = shared(memory());
    await workedOn(() => store);
    const engine = await engineOn(store, defineSums(changes));
    await engine.log.append([{ stream: 'jar-1', events: [{ type: 'Added', data: { keys: ['z'], amount: 3 } }] }]);
    await engine.settled();
    expect(await engine.view(defineSums(changes)).get('z')).toEqual({ sum: 3, count: 1 });
    expect(await engine.view(defineSums(changes)).get('c')).toMatchObject({ count: 20 });
  });

  test('one whose schemas take more goes on, which is told', async () => {
    const store = shared(memory());
    await workedOn(() => store);
    const loose = z.object({ keys: z.array(z.string()), amount: z.number(), why: z.string().optional() });
    const from = jarWith({ ...events, Added: loose as unknown as typeof amount });
    const notices: ConsumerNotice[] = [];
    const engine = await engineOn(store, defineSums({ from }), notices);
    await engine.settled();
    expect(notices).toContainEqual(expect.objectContaining({ kind: 'schemas_changed', types: ['Added'] }));
  });
});

test.each(bothPlaces(await temporaryFolder(), postgresSchemas()))('the same on %s', async (_, newPlace) => {
  const place = newPlace();
  await workedOn(() => backendAt(place));
  for (const changes of [{ add: (sum: Sum) => sum }, { double: (sum: Sum) => sum }])
    await expect(engineOn(backendAt(place), defineSums(changes))).rejects.toMatchObject({ code: 'definition_changed' });
  const engine = await engineOn(backendAt(place), defineSums({ reversed: true, never: (sum) => sum }));
  await engine.settled();
  expect(await engine.view(defineSums()).get('c')).toMatchObject({ count: 20 });
});

test('a type counts as passed by when the foremost slot has passed by it', async () => {
  const store = shared(memory());
  const [slow = '', quick = ''] = [0, 1].map((slot) => ['a', 'b', 'c', 'd'].find((key) => slotOf(key, 2) === slot));
  const fails = (sum: Sum, by: number, keys: readonly string[]): Sum => {
    if (keys.includes(slow)) throw new Error('broken');
    return added(sum, by);
  };
  const engine = await engineOn(store, defineSums({ slots: 2, add: fails }));
  const append = (type: string, key: string) =>
    engine.log.append([{ stream: 'jar-1', events: [{ type, data: { keys: [key], amount: 1 } }] }]);
  await append('Added', slow);
  await append('Doubled', quick);
  await append('Added', quick);
  await expect(engine.settled()).rejects.toMatchObject({ code: 'consumer_faulted' });
  const slots = async () => (await engine.consumers.status())[0]?.slots.map(({ position }) => position);
  await expect.poll(slots).toEqual([0, 3]);
  await engine.close();
  const double = (sum: Sum): Sum => ({ ...sum, sum: 2 * sum.sum });
  await expect(engineOn(store, defineSums({ slots: 2, add: fails, double }))).rejects.toMatchObject({
    code: 'definition_changed',
    details: { changed: 'it now takes Doubled, of which it has passed by one at position 2' },
  });
});
