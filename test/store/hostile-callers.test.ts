/** Callers who change what they passed in, or pass in what nobody expects: they harm themselves at most. */
import { join } from 'node:path';
import { bodyDigest, eventId, memory, openLog } from '../../src/index.ts';
import type { Backend, EventLog, EventSchemas, Recorded, StandardSchemaV1 } from '../../src/index.ts';
import { sqlite } from 'eventsrc/sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { toHex, toUtf8 } from '../../src/event/bytes.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { postgresStores } from '../support/postgres-schemas.ts';

const folder = await temporaryFolder();
let fileCount = 0;
const newStore = postgresStores();
const backends: readonly [string, () => Backend][] = [
  ['memory', () => memory()],
  ['sqlite', () => sqlite(join(folder, `${++fileCount}.db`))],
  ['postgres', newStore],
];

async function open(store: Backend): Promise<EventLog> {
  const log = await openLog({ store });
  onTestFinished(() => log.close());
  return log;
}

async function all(log: EventLog): Promise<readonly Recorded[]> {
  const events: Recorded[] = [];
  for await (const page of log.readRecorded()) events.push(...page);
  return events;
}

const event = { type: 'A', data: {} };
const bytes = new Uint8Array(32);

describe.each(backends)('on %s', (_, place) => {
  test('what is changed after the call is not what is appended', async () => {
    const log = await open(place());
    const tags = ['x'];
    const failIfMatch = [{ types: ['B'], tags: ['never'] }];
    const receipt = { key: 'k', commandDigest: new Uint8Array(32), outcome: new Uint8Array(4), expiresAt: null };
    const appending = log.append([{ stream: 'order-1', events: [{ ...event, tags }] }], {
      conditions: [{ failIfMatch, after: 0 }],
      receipt,
    });
    tags[0] = 'y';
    failIfMatch[0] = { types: [], tags: [] };
    receipt.outcome.fill(9);
    expect((await appending).kind).toBe('appended');
    const [stored] = await all(log);
    expect(stored?.tags).toEqual(['x']);
    expect([...(stored ? bodyDigest(stored) : [])]).toEqual([...(stored?.bodyDigest ?? [])]);
    expect([...((await log.receipt('k'))?.outcome ?? [])]).toEqual([0, 0, 0, 0]);
  });

  test('what a reader changes is its own', async () => {
    const log = await open(place());
    const receipt = { key: 'k', commandDigest: new Uint8Array(32), outcome: new Uint8Array(4), expiresAt: null };
    await log.append([{ stream: 'order-1', events: [{ ...event, tags: ['x'], metadata: { a: 1 } }, event] }], {
      receipt,
    });
    const before = (await all(log)).map(plain);
    for (const one of await all(log)) {
      for (const changed of [one.data, one.metadata, one.bodyDigest, one.id]) changed.fill(7);
      spoil(one.tags);
    }
    for await (const page of log.read()) for (const one of page) spoil(one.tags);
    const found = await log.find(before[0]?.id ?? '');
    spoil(found?.tags);
    const repeated = await log.append([], { receipt });
    if (repeated.kind === 'duplicate') repeated.receipt.outcome.fill(7);
    (await log.receipt('k'))?.outcome.fill(7);
    expect((await all(log)).map(plain)).toEqual(before);
    expect([...((await log.receipt('k'))?.outcome ?? [])]).toEqual([0, 0, 0, 0]);
  });

  test('what is changed after an import is not what was imported', async () => {
    const source = await open(memory());
    await source.append([{ stream: 'order-1', events: [{ ...event, tags: ['x'] }] }]);
    const [given] = (await all(source)) as [Recorded];
    const log = await open(place());
    await log.import([given]);
    const before = (await all(log)).map(plain);
    given.data.fill(7);
    spoil(given.tags);
    expect((await all(log)).map(plain)).toEqual(before);
  });

  test('strangers in a request cost nobody else theirs', async () => {
    const log = await open(place());
    const stranger = () => {};
    const condition = { failIfMatch: [{ types: ['B'] }], after: 0, by: stranger };
    const receipt = { key: 'k', commandDigest: bytes, outcome: bytes, expiresAt: null, by: stranger };
    const checks = [new Proxy({ stream: 'order-2', expected: 'no_stream' as const }, {})];
    const settled = await Promise.allSettled([
      log.append([{ stream: 'order-1', events: [event] }]),
      log.append([{ stream: 'order-3', events: [event] }], { conditions: [condition], receipt, checks }),
      log.append([{ stream: 'order-1', events: [event] }]),
    ]);
    expect(settled.map((one) => one.status === 'fulfilled' && one.value.kind)).toEqual([
      'appended',
      'appended',
      'appended',
    ]);
  });

  test.each<[string, (log: EventLog) => Promise<unknown>]>([
    ['a key that is a symbol', (log) => log.receipt(Symbol('k') as never)],
    ['a key that is too long', (log) => log.receipt('x'.repeat(257))],
    ['receipts of nobody', (log) => log.releaseReceipts({ owner: 7 } as never, 1)],
    ['receipts expired at no time', (log) => log.releaseReceipts({ expiredAt: Number.NaN }, 1)],
    ['a prefix that is no string', (log) => log.streams({ prefix: Symbol('p') as never, limit: 1 })],
    ['a condition that is no query', (log) => demand(log, { conditions: [{ failIfMatch: 'A' as never, after: 0 }] })],
    ['61 tags in an item', (log) => demand(log, { conditions: [{ failIfMatch: [{ tags: names(61) }], after: 0 }] })],
    ['1,001 items', (log) => demand(log, { conditions: [{ failIfMatch: names(1_001).map(() => ({})), after: 0 }] })],
    ['10,001 types', (log) => demand(log, { conditions: [{ failIfMatch: [{ types: names(10_001) }], after: 0 }] })],
    ['1,001 checks', (log) => demand(log, { checks: names(1_001).map((stream) => ({ stream, expected: 0 })) })],
    ['an owner that is no string', (log) => demand(log, { receipt: { ...draft, owner: 7 as never } })],
    ['heads of no list', (log) => log.heads('order-1' as never)],
    ['heads of 100,001 streams', (log) => log.heads(names(100_001).map(() => 'order-1'))],
    ['a type with half a character', (log) => reading(log, { match: [{ types: ['\ud800'] }] })],
    [
      'a tag with half a character',
      (log) => demand(log, { conditions: [{ failIfMatch: [{ tags: ['\ud800'] }], after: 0 }] }),
    ],
    ['a prefix with half a character', (log) => log.streams({ prefix: 'order-\ud800', limit: 1 })],
    ['a stream after half a character', (log) => log.streams({ after: 'order-\ud800', limit: 1 })],
    ['a stream with half a character', (log) => reading(log, { stream: 'order-\ud800' })],
    ['streams by a list', (log) => log.streams([] as never)],
    ['a query that is null', (log) => reading(log, null as never)],
    ['options that are null', (log) => demand(log, null as never)],
    ['writes that are null', (log) => log.append(null as never, { receipt: draft })],
    ['a write that is null', (log) => log.append([null as never])],
    ['a signal that is none', (log) => demand(log, { signal: Object.create(null) as never })],
    ['a signal that is its controller', (log) => log.appended(0, new AbortController() as never)],
    ['a reader’s signal that is a symbol', (log) => reading(log, {}, Symbol('s') as never)],
    [
      'a receipt of 65,537 bytes',
      (log) => demand(log, { receipt: { ...draft, outcome: new Uint8Array(65_537 - 32) } }),
    ],
    ['a position that is a symbol', (log) => log.appended(Symbol('p') as never)],
  ])('%s is refused with a clear error, and the store goes on', async (__, call) => {
    const log = await open(place());
    await expect(call(log)).rejects.toMatchObject({
      code: expect.stringMatching(/^(name|option|request)_invalid$/),
      remedy: expect.any(String),
    });
    expect((await log.append([{ stream: 'order-1', events: [event] }])).kind).toBe('appended');
  });

  test.each<[string, string, (log: EventLog) => Promise<unknown>]>([
    ['type of an item', 'types, tags', (log) => reading(log, { match: [{ type: ['A'] } as never] })],
    [
      'type of a condition',
      'types, tags',
      (log) => demand(log, { conditions: [{ failIfMatch: [{ type: ['A'] } as never], after: 0 }] }),
    ],
    ['types of a query', 'stream, match', (log) => reading(log, { types: ['A'] } as never)],
    ['condition of an append', 'checks, conditions', (log) => demand(log, { condition: {} } as never)],
    [
      'expectedVersion of a write',
      'stream, expected, events',
      (log) => log.append([{ stream: 'order-1', expectedVersion: 3, events: [event] } as never]),
    ],
    ['from of streams', 'prefix, after, limit', (log) => log.streams({ from: 'order-1', limit: 1 } as never)],
  ])('%s, which nobody looks at, is refused beside what is known', async (key, known, call) => {
    const log = await open(place());
    await expect(call(log)).rejects.toMatchObject({
      code: 'option_invalid',
      details: {
        option: expect.stringContaining(key.split(' ')[0] as string),
        expected: expect.stringContaining(known),
      },
    });
  });

  test('a query of sixty tags, said twice, and of many types is answered', async () => {
    const log = await open(place());
    const tags = names(30).map((name) => `t-${name}`);
    await log.append([{ stream: 'order-1', events: [{ ...event, tags }] }]);
    const match = [{ types: [...names(400), 'A', 'A'], tags: [...tags, ...tags] }];
    const found = [];
    for await (const page of log.read({ match })) found.push(...page);
    expect(found).toHaveLength(1);
  });

  test('what could not be read again is not imported', async () => {
    const source = await open(memory());
    await source.append([{ stream: 'order-1', events: [{ ...event, tags: ['a', 'b'] }] }]);
    const [good] = (await all(source)) as [Recorded];
    const log = await open(place());
    const changed = (change: Partial<Recorded>): Recorded => {
      const altered = { ...good, id: good.id, ...change };
      const withBody = { ...altered, bodyDigest: bodyDigest(altered) };
      return { ...withBody, id: eventId(withBody) };
    };
    const { id: _id, ...withoutId } = { ...good };
    for (const [wrong, reason] of [
      [null, 'no event'],
      [withoutId, 'no id'],
      [{ ...good, id: good.id, type: 'B' }, 'does not match its digest'],
      [changed({ recordedAt: 1.5 }), 'its time'],
      [changed({ version: 2 ** 53 }), 'its version'],
      [changed({ schemaVersion: 0 }), 'schema version'],
      [changed({ encoding: 'cbor' }), 'encoding'],
      [changed({ tags: ['b', 'a'] }), 'sorted set'],
      [changed({ tags: ['a', 'a'] }), 'sorted set'],
      [changed({ type: '$mine' }), 'reserved'],
      [changed({ type: '$saga_mine' }), 'reserved'],
      [changed({ stream: 'nodash' }), 'stream name'],
      [changed({ data: toUtf8('{') }), 'its data'],
      [changed({ data: Uint8Array.of(0xff) }), 'its data'],
      [changed({ metadata: toUtf8('[]') }), 'its metadata'],
    ] as const) {
      await expect(log.import([wrong as Recorded]), reason).rejects.toMatchObject({
        code: 'import_refused',
        message: expect.stringContaining(reason),
      });
    }
    await expect(log.import('everything' as never)).rejects.toMatchObject({ code: 'request_invalid' });
    expect(await log.import([changed({ type: 'B', tags: ['a'] })])).toEqual({ imported: 1, skipped: 0 });
    for (const type of ['$deleted', '$saga_step'])
      expect(await log.import([changed({ type, stream: `thing-${type}` })]), type).toEqual({ imported: 1, skipped: 0 });
  });
});

const draft = { key: 'k', commandDigest: bytes, outcome: bytes, expiresAt: null };

/** An event with text for bytes. */
function plain(given: Recorded) {
  const { type, stream, version, position, recordedAt, tags } = given;
  const hex = [given.data, given.metadata, given.bodyDigest].map(toHex);
  return { type, stream, version, position, recordedAt, tags: [...tags], hex, id: toHex(given.id) };
}

/** Where tags are shared they are frozen. */
function spoil(tags: readonly string[] | undefined): void {
  if (!Object.isFrozen(tags)) (tags as string[]).push('changed');
}

function demand(log: EventLog, options: Parameters<EventLog['append']>[1]): Promise<unknown> {
  return log.append([{ stream: 'order-1', events: [event] }], options);
}

async function reading(log: EventLog, ...query: Parameters<EventLog['read']>): Promise<unknown> {
  const pages = [];
  for await (const page of log.read(...query)) pages.push(page);
  return pages;
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `n-${index}`);
}

test('what is changed while a schema looks at an event is not what is appended', async () => {
  const looking = Promise.withResolvers<void>();
  const events = { A: schemaOf((value) => looking.promise.then(() => ({ value }))) };
  await using log = await openLog<EventSchemas>({ store: memory(), events });
  const changing = { type: 'A', data: {}, tags: ['x'], metadata: { actor: 'ada' } };
  const appending = log.append([{ stream: 'order-1', events: [changing] }]);
  Object.assign(changing, { type: '$mine', metadata: { actor: 'bob' } });
  changing.tags[0] = 'y';
  looking.resolve();
  await appending;
  for await (const page of log.read())
    expect(page).toMatchObject([{ type: 'A', tags: ['x'], metadata: { actor: 'ada' } }]);
});

test.each<[string, StandardSchemaV1['~standard']['validate']]>([
  ['at once', () => throwing()],
  ['later', async () => throwing()],
])('a schema that fails %s is told as an event that is not valid', async (_, validate) => {
  await using log = await openLog<EventSchemas>({ store: memory(), events: { A: schemaOf(validate) } });
  await expect(log.append([{ stream: 'order-1', events: [event] }])).rejects.toMatchObject({
    code: 'event_invalid',
    details: { issues: [{ path: 'data', message: 'its schema failed: no table today' }] },
    cause: { message: 'no table today' },
  });
});

function schemaOf(validate: StandardSchemaV1['~standard']['validate']): StandardSchemaV1 {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

function throwing(): never {
  throw new RangeError('no table today');
}

test('a schema that rejects later than another throws is heard of by nobody', async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listen);
  onTestFinished(() => void process.off('unhandledRejection', listen));
  const events = {
    Later: schemaOf(async () => Promise.reject(new Error('later'))),
    Now: schemaOf(() => ({ issues: [{ message: 'no' }] })),
  };
  await using log = await openLog({ store: memory(), events });
  await expect(
    log.append([
      {
        stream: 'order-1',
        events: [
          { type: 'Later', data: 1 },
          { type: 'Now', data: 1 },
        ],
      },
    ]),
  ).rejects.toMatchObject({ code: 'event_invalid' });
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
});

test('a warning that cannot be taken does not undo what it is about', async () => {
  await using log = await openLog({
    store: memory(),
    limits: { streams: 1 },
    onWarning: () => {
      throw new Error('no telemetry today');
    },
  });
  expect((await log.append([{ stream: 'order-1', events: [event] }])).kind).toBe('appended');
});

test('a limit is not what every object has', async () => {
  await expect(openLog({ store: memory(), limits: { toString: 1 } as never })).rejects.toMatchObject({
    code: 'option_invalid',
  });
});

test('a store whose head cannot be read is closed again', async () => {
  let closed = false;
  const backend: Backend = {
    name: 'headless',
    openEvents: async (options) => {
      const store = await memory().openEvents(options);
      return new Proxy(store, {
        get: (target, name) => {
          if (name === 'head') return () => Promise.reject(new Error('no head'));
          if (name === Symbol.asyncDispose) return async () => void (closed = true);
          return Reflect.get(target, name, target) as unknown;
        },
      });
    },
  };
  await expect(openLog({ store: backend })).rejects.toThrow('no head');
  expect(closed).toBe(true);
});
