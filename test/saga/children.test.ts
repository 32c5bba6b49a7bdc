/** Sagas that start others: when these are begun, what of them is undone, and what is told. */
import { child, command, complete, defineAggregate, defineSaga, fail, memory, openEngine, steps } from 'eventsrc';
import type { AnySaga, Engine, SagaNotice } from 'eventsrc';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';

const box = defineAggregate({
  name: 'box',
  events: { Noted: z.object({ what: z.string() }) },
  initialState: {},
  evolve: { Noted: (state) => state },
  commands: {
    note: { input: z.object({ what: z.string() }), decide: (_state, data) => [{ type: 'Noted', data }] },
  },
});
const note = (what: string) => command(what, box.commands.note('1', { what }));

const errand = defineSaga({
  name: 'errand',
  events: {},
  input: z.object({ what: z.string() }),
  initialState: { what: '' },
  evolve: (state, event) => (event.type === 'started' ? event.data : state),
  next: steps([({ what }) => note(what)], { result: ({ what }) => ({ done: what }) }),
});

let opened: Engine | undefined;
const told: SagaNotice[] = [];

afterEach(async () => {
  told.length = 0;
  await opened?.close();
});

async function engineWith(...sagas: readonly AnySaga[]): Promise<Engine> {
  const hooks = { saga: (notice: SagaNotice) => void told.push(notice) };
  opened = await openEngine({ store: memory(), aggregates: [box], sagas: [errand, ...sagas], hooks });
  return opened;
}

async function noted(engine: Engine): Promise<readonly string[]> {
  await engine.settled();
  const whats: string[] = [];
  for await (const page of engine.history(box, '1'))
    for (const event of page) if (event.type === 'Noted') whats.push(event.data.what);
  return whats;
}

test.each([
  ['a child', false, { done: 'errand' }],
  ['a detached child', true, { id: '7' }],
])('what %s did is undone by what its parent declared, with its result', async (_what, detached, result) => {
  const parent = defineSaga({
    name: 'parent',
    events: {},
    input: z.object({}),
    children: [errand],
    initialState: {},
    evolve: (state) => state,
    next: (_state, { isDone }) => [
      child(
        'errand',
        errand,
        '7',
        { what: 'errand' },
        { detached, compensate: (r) => note(`undo ${JSON.stringify(r)}`) },
      ),
      ...(isDone('errand') ? [fail('changed my mind')] : []),
    ],
  });
  const engine = await engineWith(parent);
  const handle = await engine.start(parent, '1', {});
  expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { message: 'changed my mind' } });
  const undone = `undo ${JSON.stringify(result)}`;
  expect((await noted(engine)).toSorted()).toEqual(['errand', undone]);
});

test('a detached child is started before whatever comes behind it', async () => {
  const line = defineSaga({
    name: 'line',
    events: {},
    input: z.object({}),
    children: [errand],
    initialState: {},
    evolve: (state) => state,
    next: steps([
      () => note('first'),
      () => child('errand', errand, 'of line', { what: 'errand' }, { detached: true }),
      // Fails, as there is one with another input: then it must not have been begun.
      () => child('errand again', errand, 'of line', { what: 'another' }, { detached: true }),
      () => note('never'),
    ]),
  });
  const relay = defineSaga({
    name: 'relay',
    events: {},
    input: z.object({}),
    children: [errand],
    initialState: { isOver: false },
    evolve: (state, event) => (event.type === 'command.completed' ? { isOver: true } : state),
    next: ({ isOver }) =>
      isOver
        ? [child('successor', errand, 'of relay', { what: 'successor' }, { detached: true }), complete()]
        : [note('run')],
  });
  const engine = await engineWith(line, relay);
  const handle = await engine.start(line, '1', {});
  expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { code: 'child_exists' } });
  expect(await noted(engine)).toEqual(['first', 'errand']);
  await (await engine.start(relay, '1', {})).result();
  expect(await noted(engine)).toEqual(['first', 'errand', 'run', 'successor']);
});

test('a child that cannot be started has failed as a child, and what was done before is undone', async () => {
  const parent = defineSaga({
    name: 'parent',
    events: {},
    input: z.object({ what: z.unknown() }),
    children: [errand],
    initialState: { what: null as unknown, failed: '' },
    evolve: (state, event) => {
      if (event.type === 'child.failed') return { ...state, failed: event.data.code };
      return event.type === 'started' ? { ...state, what: event.data.what } : state;
    },
    next: steps([
      () => command('before', box.commands.note('1', { what: 'before' }), { compensate: note('undone') }),
      ({ what }) => child('errand', errand, 'taken', { what }),
    ]),
  });
  const engine = await engineWith(parent);
  await (await engine.start(errand, 'taken', { what: 'somebody else’s' })).result();
  for (const [id, what, code] of [
    ['1', 'mine', 'child_exists'],
    ['2', 7, 'input_invalid'],
  ] as const) {
    const handle = await engine.start(parent, id, { what });
    expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { code } });
    const { state, effects } = await handle.state();
    expect(state.failed).toBe(code);
    expect(effects['errand']).toMatchObject({ kind: 'child', status: 'failed' });
  }
  expect(await noted(engine)).toEqual(['somebody else’s', 'before', 'undone', 'before', 'undone']);
});

test('an instance is told of once, whoever started it: a call, or its parent', async () => {
  const parent = defineSaga({
    name: 'parent',
    events: {},
    input: z.object({}),
    children: [errand],
    initialState: {},
    evolve: (state) => state,
    next: steps([() => child('errand', errand, 'of parent', { what: 'errand' })]),
  });
  const engine = await engineWith(parent);
  for (const isAgain of [false, true]) {
    const handle = await engine.start(parent, '1', {});
    expect(handle.duplicate).toBe(isAgain);
    await handle.result();
  }
  const started = told.flatMap(({ kind, saga, instance }) => (kind === 'started' ? [`${saga} ${instance}`] : []));
  expect(started).toEqual(['parent 1', 'errand of parent']);
});
