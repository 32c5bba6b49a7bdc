/** Domain code that misbehaves: it is named in a clear error, and nothing is written. */
import { z } from 'zod';
import { defineAggregate, defineDecision, memory, openEngine } from '../../src/index.ts';
import type { Engine, EngineOptions, Rejection, StandardSchemaV1 } from '../../src/index.ts';
import { TestClock } from 'eventsrc/testing';
import { describe, expect, test } from 'vitest';

type Misbehaviour = (state: { count: number; items: string[] }) => unknown;
const misbehaviours: Record<string, Misbehaviour> = {
  throws: () => {
    throw new RangeError('out of luck');
  },
  neverReturns: () => new Promise(() => {}),
  rejectsLater: () => Promise.reject(new Error('later')),
  returnsNothing: () => undefined,
  returnsAnEvent: () => ({ type: 'Counted', data: {} }),
  returnsNonsense: () => [null],
  mutates: (state) => {
    state.count += 1;
    return [];
  },
  mutatesDeeply: (state) => {
    state.items.push('x');
    return [];
  },
  unknownEvent: () => [{ type: 'Conted', data: {} }],
  invalidEvent: () => [{ type: 'Counted', data: { by: 'one' } }],
  unfaithfulEvent: () => [{ type: 'Anything', data: { at: new Date(0) } }],
  unfaithfulRejection: () => ({ kind: 'rejected', code: 'no', details: { at: undefined } }),
  tooMany: () => Array.from({ length: 1_001 }, () => ({ type: 'Counted', data: { by: 1 } })),
  tooLarge: () => [{ type: 'Anything', data: 'x'.repeat(70_000) }],
  goesOn: () => [{ type: '$deleted' }, { type: 'Counted', data: { by: 1 } }],
  tooDeep: () => [{ type: 'Poison', data: {} }],
};

const subject = defineAggregate({
  name: 'subject',
  events: { Counted: z.object({ by: z.number() }), Anything: z.any(), Poison: z.object({}) },
  initialState: (): { count: number; items: string[] } => ({ count: 0, items: [] }),
  evolve: {
    Counted: (state, { data }) => ({ ...state, count: state.count + data.by }),
    Anything: (state) => state,
    Poison: () => {
      throw new Error('cannot fold this');
    },
  },
  commands: {
    count: { input: z.object({}), decide: () => [{ type: 'Counted', data: { by: 1 } }] },
    misbehave: {
      input: z.object({ how: z.string() }),
      decide: (state, { how }) => misbehaviours[how]?.(state) as Rejection,
    },
  },
});

async function open(options: Partial<EngineOptions> = {}): Promise<Engine> {
  return openEngine({ store: memory(), aggregates: [subject], ...options });
}

describe('decide', () => {
  test.each([
    ['throws', 'decide_failed', 'out of luck'],
    ['neverReturns', 'decide_failed', 'it returned a promise'],
    ['rejectsLater', 'decide_failed', 'it returned a promise'],
    ['returnsNothing', 'decide_failed', 'neither a list of events nor a rejection'],
    ['returnsAnEvent', 'decide_failed', 'neither a list of events nor a rejection'],
    ['returnsNonsense', 'decide_failed', 'item 0'],
    ['mutates', 'decide_failed', 'read only'],
    ['mutatesDeeply', 'decide_failed', 'not extensible'],
    ['unknownEvent', 'event_type_unknown', 'Conted'],
    ['invalidEvent', 'event_invalid', 'data.by'],
    ['unfaithfulEvent', 'data_unfaithful', 'data.at'],
    ['unfaithfulRejection', 'data_unfaithful', 'rejection.details.at'],
    ['tooMany', 'limit_exceeded', '1001'],
    ['tooLarge', 'limit_exceeded', 'eventBytes'],
    ['goesOn', 'decide_failed', 'behind the tombstone of subject-1'],
    ['tooDeep', 'evolve_failed', 'cannot fold this'],
  ])('that %s is %s', async (how, code, text) => {
    await using engine = await open();
    await engine.execute(subject.commands.count('1', {}));
    const wrong = subject.commands.misbehave('1', { how });
    await expect(engine.execute(wrong)).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
    // In the middle of others, all sent together, it harms only itself.
    const [before, itself, after] = await Promise.allSettled([
      engine.execute(subject.commands.count('1', {})),
      engine.execute(wrong, { idempotencyKey: how }),
      engine.execute(subject.commands.count('1', {})),
    ]);
    expect(before).toMatchObject({ status: 'fulfilled', value: { kind: 'accepted', version: 2 } });
    expect(itself).toMatchObject({ status: 'rejected', reason: { code } });
    expect(after).toMatchObject({ status: 'fulfilled', value: { kind: 'accepted', version: 3 } });
    expect(await engine.load(subject, '1')).toMatchObject({ state: { count: 3, items: [] }, version: 3 });
    expect(await engine.log.receipt(how)).toBeUndefined();
  });

  test('the cause of its failure is kept', async () => {
    await using engine = await open();
    await expect(engine.execute(subject.commands.misbehave('1', { how: 'throws' }))).rejects.toMatchObject({
      cause: expect.any(RangeError),
      details: { command: 'subject.misbehave' },
    });
  });

  test('on a state that was overtaken does not count: it is asked again', async () => {
    // Rejecting, doing nothing and throwing are all judged on the state of now, not of the cache.
    const store = memory();
    await using engine = await open({ store });
    await engine.execute(subject.commands.count('1', {}));
    await engine.log.append([{ stream: 'subject-1', events: [{ type: 'Counted', data: { by: 41 } }] }]);
    let seen = 0;
    misbehaviours['throwsUnlessCurrent'] = ({ count }) => {
      seen = count;
      if (count !== 42) throw new Error('old');
      return [];
    };
    const command = subject.commands.misbehave('1', { how: 'throwsUnlessCurrent' });
    expect(await engine.execute(command)).toMatchObject({ kind: 'accepted', version: 2 });
    expect(seen).toBe(42);
  });

  test('a state that is changed is not noticed where states are not frozen', async () => {
    await using engine = await open({ freezeStates: false });
    expect(await engine.execute(subject.commands.misbehave('1', { how: 'mutates' }))).toMatchObject({
      kind: 'accepted',
    });
  });
});

test('a schema of an input that fails, at once or later, is named', async () => {
  const schemaOf = (validate: StandardSchemaV1['~standard']['validate']): StandardSchemaV1 => ({
    '~standard': { version: 1, vendor: 'test', validate },
  });
  const failing = schemaOf(() => {
    throw new RangeError('no table today');
  });
  const failingLater = schemaOf(() => Promise.reject(new RangeError('no table now')));
  const odd = defineAggregate({
    name: 'odd',
    events: {},
    initialState: () => null,
    evolve: {},
    commands: {
      fail: { input: failing, decide: () => [] },
      failLater: { input: failingLater, decide: () => [] },
    },
  });
  await using engine = await openEngine({ store: memory(), aggregates: [odd] });
  const { fail, failLater } = odd.commands;
  await expect(engine.execute(failLater('1', 1))).rejects.toMatchObject({
    code: 'decide_failed',
    details: { command: 'odd.failLater', reason: 'its schema failed: no table now' },
    cause: expect.any(RangeError),
  });
  // Of the first, which fails after the second, nobody hears: not even the process.
  await expect(engine.executeAll([failLater('1', 1), fail('1', 1)])).rejects.toMatchObject({
    code: 'decide_failed',
    details: { command: 'odd.fail', reason: 'its schema failed: no table today' },
  });
});

test('an event that evolve takes before it is recorded and not afterwards is accepted, and named by who reads it', async () => {
  const clock = new TestClock(1_000);
  const fickle = defineAggregate({
    name: 'fickle',
    events: { Odd: z.object({}), Even: z.object({}) },
    initialState: 0,
    evolve: {
      Odd: (count, { recordedAt }) => {
        if (recordedAt > 1_000) throw new Error('too late');
        return count + 1;
      },
      Even: (count) => count + 1,
    },
    commands: {
      odd: { input: z.object({}), decide: () => [{ type: 'Odd', data: {} }] },
      even: { input: z.object({}), decide: () => [{ type: 'Even', data: {} }] },
    },
  });
  await using engine = await openEngine({
    store: memory(),
    clock,
    aggregates: [fickle],
    hooks: { append: () => clock.advance(1) },
  });
  const { odd, even } = fickle.commands;
  const receipts = await Promise.all([odd, even].map((make) => engine.execute(make('1', {}))));
  expect(receipts).toMatchObject([
    { kind: 'accepted', version: 1 },
    { kind: 'accepted', version: 2 },
  ]);
  await expect(engine.load(fickle, '1')).rejects.toMatchObject({ code: 'evolve_failed' });
  await expect(engine.execute(even('1', {}))).rejects.toMatchObject({ code: 'evolve_failed' });
});

describe('a stream', () => {
  test('that holds what the aggregate does not declare says which event', async () => {
    await using engine = await open();
    await engine.log.append([{ stream: 'subject-1', events: [{ type: 'Renamed', data: {} }] }]);
    const error = { code: 'event_unhandled', details: { stream: 'subject-1', version: 1, type: 'Renamed' } };
    await expect(engine.load(subject, '1')).rejects.toMatchObject(error);
    await expect(engine.execute(subject.commands.count('1', {}))).rejects.toMatchObject(error);
    expect(await engine.log.head()).toMatchObject({ position: 1 });
  });
});

describe('a decision', () => {
  const place = (stream: string, type: string) =>
    defineDecision({
      name: 'place',
      events: { Counted: z.object({ by: z.number() }), Foreign: z.object({}) },
      input: z.object({}),
      query: () => [{ tags: ['x'] }],
      initialState: 0,
      evolve: { Counted: (count) => count + 1, Foreign: 'ignore' },
      decide: () => [{ stream, type: type as 'Foreign', data: {} }],
    });

  test('appends to an aggregate only what the aggregate declares', async () => {
    const decision = place('subject-1', 'Foreign');
    await using engine = await open({ decisions: [decision] });
    await expect(engine.execute(decision({}))).rejects.toMatchObject({
      code: 'event_type_unknown',
      details: { type: 'Foreign', known: ['Counted', 'Anything', 'Poison'] },
    });
  });

  test('must say where its events go', async () => {
    const decision = place('nowhere', 'Foreign');
    await using engine = await open({ decisions: [decision] });
    await expect(engine.execute(decision({}))).rejects.toMatchObject({ code: 'name_invalid' });
  });

  test('whose query throws, or is none, is named', async () => {
    const asking = (query: () => never) =>
      defineDecision({
        name: 'asking',
        events: { Counted: z.object({ by: z.number() }) },
        input: z.object({}),
        query,
        initialState: 0,
        evolve: { Counted: (count) => count + 1 },
        decide: () => [],
      });
    const throwing = asking(() => {
      throw new Error('no idea');
    });
    await using engine = await open({ decisions: [throwing] });
    await expect(engine.execute(throwing({}))).rejects.toMatchObject({
      code: 'decide_failed',
      message: expect.stringContaining('no idea'),
    });
    const nonsense = asking(() => 'everything' as never);
    await using other = await open({ decisions: [nonsense] });
    await expect(other.execute(nonsense({}))).rejects.toMatchObject({ code: 'decide_failed' });
  });

  test('takes no expected version', async () => {
    const decision = place('other-1', 'Foreign');
    await using engine = await open({ decisions: [decision] });
    await expect(engine.execute(decision({}), { expectedVersion: 0 })).rejects.toMatchObject({
      code: 'request_invalid',
    });
  });

  test('that writes to a deleted stream is told of a conflict', async () => {
    const decision = place('other-1', 'Foreign');
    await using engine = await open({ decisions: [decision] });
    await engine.log.append([{ stream: 'other-1', events: [{ type: '$deleted' }] }]);
    expect(await engine.execute(decision({}))).toEqual({ kind: 'conflict', stream: 'other-1', actual: 1 });
  });
});

describe('a definition that is incomplete is refused where it is made', () => {
  const whole = {
    name: 'thing',
    events: { Made: z.object({}) },
    initialState: 0,
    evolve: { Made: () => 1 },
    commands: { make: { input: z.object({}), decide: () => [] } },
  };
  test.each<[string, object]>([
    ['name_invalid', { name: 'Thing' }],
    ['name_invalid', { events: { $made: z.object({}) }, evolve: { $made: () => 1 } }],
    ['definition_invalid', { evolve: {} }],
    ['definition_invalid', { commands: { make: { input: {}, decide: () => [] } } }],
    ['definition_invalid', { commands: { make: { input: z.object({}) } } }],
    ['definition_invalid', { commands: { make: { input: z.object({}), decide: () => [], idempotencyWindowMs: 0 } } }],
  ])('%s: %o', (code, wrong) => {
    expect(() => defineAggregate({ ...whole, ...wrong } as typeof whole)).toThrow(expect.objectContaining({ code }));
  });
});
