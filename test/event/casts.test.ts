import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Casts } from '../../src/event/casts.ts';
import type { Pins } from '../../src/event/casts.ts';
import { EventEncoder } from '../../src/event/codec.ts';
import type { Recorded } from '../../src/event/event.ts';
import { RecordedDraft } from '../../src/event/recorded-draft.ts';
import type { RetiredEvents } from '../../src/event/retired.ts';
import { LimitWatch, resolveLimits } from '../../src/ground/limits.ts';
import { versions } from '../../src/index.ts';
import type { EventSchemas, StandardSchemaV1 } from '../../src/index.ts';
import { chainOf, changes } from '../support/version-chains.ts';

const watch = new LimitWatch(resolveLimits(undefined), () => {});

/** An event as code that knows these schemas records it. */
async function recorded(events: EventSchemas, type: string, data: unknown, stream = 'order-1'): Promise<Recorded> {
  const draft = await new EventEncoder(events, watch).encode({ type, data });
  return new RecordedDraft(draft, { stream, version: 1, position: 1, recordedAt: 1_000 });
}

function castsOf(events: EventSchemas, retired?: RetiredEvents): Casts {
  const casts = new Casts();
  casts.declare({ name: 'order', events, retired });
  return casts;
}

const pinnedTo = (type: string, version: number): Pins => new Map([['order', new Map([[type, version]])]]);

const placed1 = z.strictObject({ customer: z.string() });
const placed2 = z.strictObject({ customer: z.strictObject({ name: z.string() }) });
const placed3 = z.strictObject({ customer: z.strictObject({ name: z.string() }), at: z.number() });
const placed = versions(placed1)
  .next(placed2, {
    up: ({ customer }) => ({ customer: { name: customer } }),
    down: ({ customer }) => ({ customer: customer.name }),
  })
  .next(placed3, { up: (data, { recordedAt }) => ({ ...data, at: recordedAt }) });

describe('an event of several versions', () => {
  test('is recorded as the newest, and read as it, whatever it was recorded as', async () => {
    const old = await recorded({ Placed: placed1 }, 'Placed', { customer: 'ada' });
    expect(old.schemaVersion).toBe(1);
    const [event] = castsOf({ Placed: placed }).readAll([old]);
    expect(event).toMatchObject({
      type: 'Placed',
      schemaVersion: 3,
      data: { customer: { name: 'ada' }, at: 1_000 },
      position: 1,
    });
    const fresh = await recorded({ Placed: placed }, 'Placed', { customer: { name: 'bob' }, at: 7 });
    expect(fresh.schemaVersion).toBe(3);
    expect(castsOf({ Placed: placed }).readAll([fresh])[0]?.data).toEqual({ customer: { name: 'bob' }, at: 7 });
  });

  test('is read as the version that somebody is pinned to, from below and from above', async () => {
    const two = versions(placed1).next(placed2, {
      up: ({ customer }) => ({ customer: { name: customer } }),
      down: ({ customer }) => ({ customer: customer.name }),
    });
    const casts = castsOf({ Placed: two });
    const old = await recorded({ Placed: placed1 }, 'Placed', { customer: 'ada' });
    const fresh = await recorded({ Placed: two }, 'Placed', { customer: { name: 'bob' } });
    const read = casts.readAll([old, fresh], pinnedTo('Placed', 1));
    expect(read.map(({ schemaVersion, data }) => [schemaVersion, data])).toEqual([
      [1, { customer: 'ada' }],
      [1, { customer: 'bob' }],
    ]);
  });

  test('is read as it is where newer code has recorded it, or nobody declares it', async () => {
    const fresh = await recorded({ Placed: placed }, 'Placed', { customer: { name: 'bob' }, at: 7 });
    expect(castsOf({ Placed: placed1 }).readAll([fresh])[0]).toMatchObject({ schemaVersion: 3, data: { at: 7 } });
    const foreign = await recorded({ Placed: placed1 }, 'Placed', { customer: 'x' }, 'parcel-1');
    expect(castsOf({ Placed: placed }).readAll([foreign])[0]?.data).toEqual({ customer: 'x' });
  });

  test('says where and why it cannot be cast', async () => {
    const old = await recorded({ Placed: placed1 }, 'Placed', { customer: 'ada' });
    const reasons = [
      [
        versions(placed1).next(z.any(), {
          up: () => {
            throw new Error('no such customer');
          },
        }),
        'no such customer',
      ],
      [versions(placed1).next(z.any(), { up: () => undefined }), 'undefined'],
      [versions(placed1).next(z.any(), { up: async () => 1 }), 'promise'],
      [
        versions(placed1)
          .next(z.any(), { up: async () => 1 })
          .next(z.any(), { up: (data) => ({ ...data }) }),
        'promise',
      ],
      [
        versions(placed1)
          .next(z.any(), { up: () => undefined })
          .next(z.any(), { up: (data) => ({ ...data }) }),
        'undefined',
      ],
      [versions(placed3, { first: 3 }), 'version 1 is not declared any more'],
    ] satisfies [StandardSchemaV1, string][];
    for (const [declared, reason] of reasons) {
      const read = () => castsOf({ Placed: declared }).readAll([old]);
      expect(read).toThrow(reason);
      expect(read).toThrow('order-1 holds at version 1 a Placed of schema version 1');
    }
    const fresh = await recorded({ Placed: placed }, 'Placed', { customer: { name: 'bob' }, at: 7 });
    expect(() => castsOf({ Placed: placed }).readAll([fresh], pinnedTo('Placed', 2))).toThrow(
      'version 3 has no `down`',
    );
  });

  test('is declared with a way up from each version, a number and a schema', () => {
    expect(() => versions(placed1).next(placed2, {} as never)).toThrow('no `up`');
    expect(() => versions(placed1).next(placed2, { up: () => ({ customer: { name: '' } }), down: 1 as never })).toThrow(
      '`down`',
    );
    expect(() => versions({} as never)).toThrow('no schema');
    expect(() => versions(placed1, { first: 0 })).toThrow('`first`');
  });
});

describe('a retired type', () => {
  const events = {
    Named: z.object({ first: z.string() }),
    Moved: versions(z.object({ to: z.string() })).next(z.object({ city: z.string() }), {
      up: ({ to }) => ({ city: to }),
      down: ({ city }) => ({ to: city }),
    }),
  };
  const retired: RetiredEvents = {
    Called: {
      schema: z.object({ name: z.string() }),
      as: (data) => ({ type: 'Named', data: { first: (data as { name: string }).name } }),
    },
    Registered: {
      schema: z.object({ name: z.string(), city: z.string() }),
      as: (data) => {
        const { name, city } = data as { name: string; city: string };
        return [
          { type: 'Named', data: { first: name } },
          { type: 'Moved', data: { city } },
        ];
      },
    },
  };

  test('is read as the events that it is now', async () => {
    const called = await recorded({ Called: z.any() }, 'Called', { name: 'ada' });
    const registered = await recorded({ Registered: z.any() }, 'Registered', { name: 'bob', city: 'Bern' });
    const read = castsOf(events, retired).readAll([called, registered]);
    expect(read.map(({ type, data, schemaVersion, recordedAs }) => [type, data, schemaVersion, recordedAs])).toEqual([
      ['Named', { first: 'ada' }, 1, { type: 'Called', index: 0, of: 1 }],
      ['Named', { first: 'bob' }, 1, { type: 'Registered', index: 0, of: 2 }],
      ['Moved', { city: 'Bern' }, 2, { type: 'Registered', index: 1, of: 2 }],
    ]);
    expect(new Set(read.map(({ id }) => id)).size).toBe(2);
    const [, , old] = castsOf(events, retired).readAll([called, registered], pinnedTo('Moved', 1));
    expect(old?.data).toEqual({ to: 'Bern' });
  });

  test('is refused where it is read as nothing, or as what is not declared', async () => {
    const called = await recorded({ Called: z.any() }, 'Called', { name: 'ada' });
    const as = (value: unknown): Casts => castsOf(events, { Called: { schema: z.any(), as: () => value } });
    expect(() => as([]).readAll([called])).toThrow('it is read as no event');
    for (const nothing of [null, [null], 7, { type: 'Named' }, { type: 7, data: 1 }])
      expect(() => as(nothing).readAll([called])).toThrow('is no event with a type and data');
    expect(() => as({ type: 'Nobody', data: 1 }).readAll([called])).toThrow('Nobody, which is not declared');
    expect(() => as({ type: 'Called', data: 1 }).readAll([called])).toThrow('Called, which is not declared');
  });

  test('is looked for wherever a query is for what it may be read as', () => {
    const casts = castsOf(events, retired);
    expect(casts.widened([{ types: ['Named'], tags: ['x'] }])).toEqual([
      { types: ['Called', 'Named', 'Registered'], tags: ['x'] },
    ]);
    expect(casts.widened([{ types: [], tags: ['x'] }])).toEqual([{ types: [], tags: ['x'] }]);
  });
});

describe('any chain of versions', () => {
  const first = fc.record({ id: fc.string(), amount: fc.integer() });

  test('leads from each version to data that the newest takes, and back to what they were', async () => {
    await fc.assert(
      fc.asyncProperty(changes, first, async (list, data) => {
        const { declared, schemas, dataAt } = chainOf(list);
        const casts = castsOf({ Changed: declared.at(-1) as StandardSchemaV1 });
        for (const [index, known] of declared.entries()) {
          const then = dataAt(index + 1, data);
          const event = await recorded({ Changed: known }, 'Changed', then);
          const [read] = casts.readAll([event]);
          expect(schemas.at(-1)?.safeParse(read?.data).success).toBe(true);
          expect(read?.data).toEqual(dataAt(declared.length, data));
          for (const version of declared.keys()) {
            const [pinned] = casts.readAll([event], pinnedTo('Changed', version + 1));
            expect(pinned?.data).toEqual(dataAt(version + 1, data));
          }
        }
      }),
    );
  });
});
