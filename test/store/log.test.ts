import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { RecordedEvent } from '../../src/event/codec.ts';
import type { EventSchemas } from '../../src/event/codec.ts';
import type { StandardSchemaV1 } from '../../src/event/standard-schema.ts';
import type { LimitWarning, Limits } from '../../src/ground/limits.ts';
import { openLog } from '../../src/store/log.ts';
import type { EventLog } from '../../src/store/log.ts';
import { memory } from '../../src/store/memory.ts';
import { TestClock } from '../../src/testing/test-clock.ts';

async function all<Schemas extends EventSchemas>(log: EventLog<Schemas>): Promise<readonly RecordedEvent<Schemas>[]> {
  const events: RecordedEvent<Schemas>[] = [];
  for await (const page of log.read()) events.push(...page);
  return events;
}

const doubled: StandardSchemaV1<number, number> = {
  '~standard': { version: 1, vendor: 'test', validate: async (value) => ({ value: (value as number) * 2 }) },
};

describe('events', () => {
  const schemas = {
    Zod: z.object({ amount: z.number().positive(), note: z.string().default('none') }),
    Valibot: v.object({ items: v.array(v.object({ price: v.number() })) }),
    ArkType: type({ owner: 'string' }),
    Async: doubled,
  };

  test('are validated by schemas of any library, and stored as the schema gives them', async () => {
    await using log = await openLog({ store: memory(), events: schemas, clock: new TestClock() });
    const result = await log.append([
      {
        stream: 'order-1',
        events: [
          { type: 'Zod', data: { amount: 5 }, metadata: { actor: 'me', nested: [1] }, tags: ['b', 'a', 'b'] },
          { type: 'Valibot', data: { items: [{ price: 1 }] } },
          { type: 'ArkType', data: { owner: 'Ada' } },
          { type: 'Async', data: 21 },
        ],
      },
    ]);
    const events = await all(log);
    expect(events.map(({ data }) => data)).toEqual([
      { amount: 5, note: 'none' },
      { items: [{ price: 1 }] },
      { owner: 'Ada' },
      42,
    ]);
    expect(events[0]).toMatchObject({
      type: 'Zod',
      schemaVersion: 1,
      metadata: { actor: 'me', nested: [1] },
      tags: ['a', 'b'],
      kind: 'created',
      stream: 'order-1',
      aggregate: 'order',
      aggregateId: '1',
      version: 1,
      position: 1,
      recordedAt: Date.UTC(2026, 0, 1),
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(result).toMatchObject({
      kind: 'appended',
      events: events.map(({ position, version, id }) => ({ position, version, id })),
    });
    expect(JSON.parse(JSON.stringify(events[0]))).toMatchObject({ type: 'Zod', id: events[0]?.id });
    expect(await log.find(events[2]?.id ?? '')).toMatchObject({ type: 'ArkType', position: 3 });
  });

  test.each<[string, unknown, RegExp]>([
    ['Zod', { amount: -1 }, /data\.amount/],
    ['Valibot', { items: [{ price: 1 }, { price: 'free' }] }, /data\.items\[1\]\.price/],
    ['ArkType', {}, /data\.owner/],
  ])('that %s does not accept are refused with the path', async (name, data, path) => {
    await using log = await openLog({ store: memory(), events: schemas });
    const append = log.append([{ stream: 'order-1', events: [{ type: name, data } as never] }]);
    await expect(append).rejects.toMatchObject({ code: 'event_invalid', message: expect.stringMatching(path) });
    expect((await log.head()).position).toBe(0);
  });

  test('of a type that was not declared are refused; without declarations every type is taken', async () => {
    await using log = await openLog({ store: memory(), events: schemas });
    const undeclared = [{ stream: 'order-1', events: [{ type: 'Zot', data: {} } as never] }];
    await expect(log.append(undeclared)).rejects.toMatchObject({
      code: 'event_type_unknown',
      message: expect.stringContaining('Zod'),
    });
    await using free = await openLog({ store: memory() });
    expect((await free.append(undeclared)).kind).toBe('appended');
    await expect(free.append([{ stream: 'order-1', events: [{ type: '$mine', data: {} }] }])).rejects.toThrow(
      /reserved/,
    );
    await expect(openLog({ store: memory(), events: { $mine: doubled } })).rejects.toThrow(/reserved/);
  });

  test('with data or metadata that JSON cannot carry are refused, and nothing of the append is written', async () => {
    await using log = await openLog({ store: memory() });
    const good = { type: 'A', data: 1 };
    for (const bad of [
      { type: 'A', data: { at: new Date() } },
      { type: 'A', data: 1, metadata: { at: undefined } },
      { type: 'A', data: 1, metadata: [] as never },
    ]) {
      await expect(log.append([{ stream: 'order-1', events: [good, bad] }])).rejects.toMatchObject({
        code: 'data_unfaithful',
      });
    }
    expect((await log.head()).position).toBe(0);
  });
});

describe('tombstones', () => {
  test('end a stream until it is re-created', async () => {
    await using log = await openLog({ store: memory(), events: { A: z.number() } });
    const a = { type: 'A' as const, data: 1 };
    await log.append([{ stream: 'order-1', events: [a, { type: '$deleted', data: { reason: 'mistake' } }] }]);
    expect(await log.append([{ stream: 'order-1', events: [a] }])).toEqual({
      kind: 'stream_deleted',
      stream: 'order-1',
      actual: 2,
    });
    expect((await log.append([{ stream: 'order-1', expected: 'deleted', events: [a] }])).kind).toBe('appended');
    expect((await all(log)).map(({ kind }) => kind)).toEqual(['created', 'deleted', 'updated']);
  });

  test('can only be the last of their append', async () => {
    await using log = await openLog({ store: memory() });
    const append = log.append([{ stream: 'order-1', events: [{ type: '$deleted' }, { type: 'A', data: 1 }] }]);
    await expect(append).rejects.toMatchObject({ code: 'request_invalid' });
  });
});

describe('requests that cannot be meant are refused', () => {
  const events = [{ type: 'A', data: 1 }];
  test.each<[string, Parameters<EventLog['append']>]>([
    ['no writes', [[]]],
    ['a write without events', [[{ stream: 'order-1', events: [] }]]],
    [
      'a stream twice',
      [
        [
          { stream: 'order-1', events },
          { stream: 'order-1', events },
        ],
      ],
    ],
    ['a negative version', [[{ stream: 'order-1', expected: -1, events }]]],
    ['an unknown expectation', [[{ stream: 'order-1', expected: 'new' as never, events }]]],
    [
      'a condition without a list',
      [[{ stream: 'order-1', events }], { conditions: [{ failIfMatch: {} as never, after: 0 }] }],
    ],
    [
      'a condition after no position',
      [[{ stream: 'order-1', events }], { conditions: [{ failIfMatch: [], after: Number.NaN }] }],
    ],
  ])('%s', async (_name, args) => {
    await using log = await openLog({ store: memory() });
    await expect(log.append(...args)).rejects.toMatchObject({ code: 'request_invalid' });
  });

  test.each([{ match: {} }, { match: [{ tags: 'x' }] }, { match: [{ types: [undefined] }] }, { match: [null] }])(
    'the query %j',
    async (query) => {
      await using log = await openLog({ store: memory() });
      await expect(log.read(query as never).next()).rejects.toMatchObject({ code: 'request_invalid' });
      const conditions = [{ failIfMatch: query.match as never, after: 0 }];
      await expect(log.append([{ stream: 'order-1', events }], { conditions })).rejects.toMatchObject({
        code: 'request_invalid',
      });
    },
  );

  test.each([Number.NaN, Infinity, 'soon' as never])('a clock that says %s', async (now) => {
    await using log = await openLog({ store: memory(), clock: { now: () => now } });
    await expect(log.append([{ stream: 'order-1', events }])).rejects.toMatchObject({ code: 'option_invalid' });
    expect((await log.head()).position).toBe(0);
  });

  test.each([0, -1, 1.5, Infinity, undefined as never])('a page of %s streams', async (limit) => {
    await using log = await openLog({ store: memory() });
    await expect(log.streams({ limit })).rejects.toMatchObject({ code: 'option_invalid' });
    await expect(log.releaseReceipts({ expiredAt: 0 }, limit)).rejects.toMatchObject({ code: 'option_invalid' });
  });

  test.each([{ pageSize: 0 }, { after: -1 }, { limit: 1.5 }, { afterVersion: 1 }, { recordedFrom: Number.NaN }])(
    'reading %j',
    async (query) => {
      await using log = await openLog({ store: memory() });
      await expect(log.read(query).next()).rejects.toMatchObject({ code: 'option_invalid' });
    },
  );
});

describe('limits', () => {
  async function withLimits(limits: Partial<Limits>): Promise<{ log: EventLog; warnings: LimitWarning[] }> {
    const warnings: LimitWarning[] = [];
    const log = await openLog({ store: memory(), limits, onWarning: (warning) => warnings.push(warning) });
    return { log, warnings };
  }
  const sized = (bytes: number) => ({ type: 'A', data: 'x'.repeat(bytes - 2) });

  test('an event of 64 KiB is taken, with metadata counted in, and one byte more is refused', async () => {
    const { log } = await withLimits({});
    expect((await log.append([{ stream: 'order-1', events: [sized(65_536)] }])).kind).toBe('appended');
    const refused = {
      code: 'limit_exceeded',
      details: { limit: 'eventBytes', value: 65_537, max: 65_536, subject: 'A' },
    };
    await expect(log.append([{ stream: 'order-1', events: [sized(65_537)] }])).rejects.toMatchObject(refused);
    // {"k":1} has seven bytes.
    expect((await log.append([{ stream: 'order-1', events: [{ ...sized(65_529), metadata: { k: 1 } }] }])).kind).toBe(
      'appended',
    );
    await expect(
      log.append([{ stream: 'order-1', events: [{ ...sized(65_530), metadata: { k: 1 } }] }]),
    ).rejects.toMatchObject(refused);
  });

  test.each<[Partial<Limits>, object]>([
    [{ eventsPerAppend: 2 }, { limit: 'eventsPerAppend', value: 3, max: 2 }],
    [{ eventsPerStream: 2 }, { limit: 'eventsPerStream', value: 3, max: 2 }],
    [{ tagsPerEvent: 1 }, { limit: 'tagsPerEvent', value: 2, max: 1 }],
    [{ tagBytes: 3 }, { limit: 'tagBytes', value: 4, max: 3 }],
  ])('%j is refused above, by name and with a remedy', async (limits, details) => {
    const { log } = await withLimits(limits);
    const append = log.append([
      { stream: 'order-1', events: Array.from({ length: 3 }, () => ({ type: 'A', data: 1, tags: ['éé', 'a'] })) },
    ]);
    await expect(append).rejects.toMatchObject({
      code: 'limit_exceeded',
      details,
      remedy: expect.stringContaining('limits'),
    });
    expect((await log.head()).position).toBe(0);
  });

  test('every one can be Infinity', async () => {
    const { log, warnings } = await withLimits({
      eventBytes: Infinity,
      eventsPerAppend: Infinity,
      eventsPerStream: Infinity,
      streams: Infinity,
    });
    const events = Array.from({ length: 1_500 }, () => ({ type: 'A', data: 1 }));
    expect(
      (
        await log.append([
          { stream: 'order-1', events },
          { stream: 'order-2', events: [sized(1_000_000)] },
        ])
      ).kind,
    ).toBe('appended');
    expect(warnings).toEqual([]);
  });

  test('a warning comes once from 80 % on, and for streams once more above', async () => {
    const { log, warnings } = await withLimits({ streams: 5, eventsPerStream: 10 });
    const append = (stream: string, count: number) =>
      log.append([{ stream, events: Array.from({ length: count }, () => ({ type: 'A', data: 1 })) }]);
    await append('order-1', 7);
    expect(warnings).toEqual([]);
    for (let n = 0; n < 3; n++) await append('order-1', 1);
    expect(warnings.map(({ limit, value, max, subject }) => [limit, value, max, subject])).toEqual([
      ['eventsPerStream', 8, 10, 'order-1'],
    ]);
    for (let n = 2; n <= 8; n++) await append(`order-${n}`, 1);
    expect(warnings.slice(1).map(({ limit, value }) => [limit, value])).toEqual([
      ['streams', 4],
      ['streams', 6],
    ]);
    expect(warnings.at(-1)?.message).toContain('exceeds streams = 5');
  });

  test.each([{ eventBytes: 0 }, { eventBytes: 1.5 }, { eventBytes: '1' as never }, { unknown: 1 } as never])(
    '%j is no limit',
    async (limits) => {
      await expect(openLog({ store: memory(), limits })).rejects.toMatchObject({ code: 'option_invalid' });
    },
  );
});

describe('closing', () => {
  test('waits for appends, and can be repeated', async () => {
    const log = await openLog({ store: memory() });
    const append = log.append([{ stream: 'order-1', events: [{ type: 'A', data: 1 }] }]);
    await append;
    await Promise.all([log.close(), log.close()]);
    await expect(log.append([{ stream: 'order-1', events: [{ type: 'A', data: 1 }] }])).rejects.toMatchObject({
      code: 'store_closed',
    });
  });
});

describe('import', () => {
  test('takes what readRecorded gives, and refuses it altered', async () => {
    await using from = await openLog({ store: memory() });
    await from.append([
      {
        stream: 'order-1',
        events: [
          { type: 'A', data: { n: 1 }, tags: ['x'] },
          { type: 'B', data: 2 },
        ],
      },
    ]);
    const { value: page } = await from.readRecorded().next();
    const [first, second] = page ?? [];
    if (first === undefined || second === undefined) throw new Error('nothing was read');
    await using to = await openLog({ store: memory() });
    const altered = [
      { ...first, data: new Uint8Array(first.data).fill(32) },
      { ...first, tags: [] },
      { ...first, type: 'C' },
      { ...first, recordedAt: first.recordedAt - 1 },
      { ...first, stream: 'order-2' },
    ];
    for (const event of altered)
      await expect(to.import([event, second])).rejects.toMatchObject({ code: 'import_refused' });
    expect(await to.import([first, second])).toEqual({ imported: 2, skipped: 0 });
    expect(JSON.stringify(await all(to))).toBe(JSON.stringify(await all(from)));
  });
});
