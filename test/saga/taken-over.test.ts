/** What one worker has left behind, or does while it does not know that it is displaced, and another one goes on with. */
import {
  activity,
  child,
  command,
  defineAggregate,
  defineSaga,
  memory,
  openEngine,
  sleep,
  steps,
  waitFor,
} from 'eventsrc';
import type { Engine, EngineOptions } from 'eventsrc';
import { TestClock } from 'eventsrc/testing';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { guarded } from '../support/guarded-state.ts';
import { Gate, shared } from '../support/gated-store.ts';
import { Cut, cutBy } from './cut-store.ts';

const leaseMs = 1_000;
const quiet = { consumer: () => {}, saga: () => {}, snapshot: () => {} };
const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function open(options: EngineOptions): Promise<Engine> {
  const engine = await openEngine({ leaseMs, hooks: quiet, ...options });
  opened.push(engine);
  return engine;
}

test('what others add while a worker has not come to the end of what was there is taken in', async () => {
  const gate = defineSaga({
    name: 'gate',
    events: { Opened: z.object({}), Closed: z.object({}) },
    startAt: 'first_event',
    id: () => '1',
    input: z.object({}),
    initialState: {},
    evolve: (state) => state,
    next: steps([
      () => waitFor('opened', 'Opened', { timeoutMs: 60_000 }),
      () => waitFor('closed', 'Closed', { timeoutMs: 60_000 }),
    ]),
  });
  const store = shared(memory());
  const desk = await open({ store, sagas: [gate], run: 'none' });
  const handle = await desk.start(gate, '1', {});
  await desk.log.append([{ stream: 'door-1', events: [{ type: 'Opened', data: {} }] }]);
  let isFirst = true;
  const worker = await open({
    store: guarded(store, async (call, name, [given]) => {
      const puts =
        name === 'commit' ? ((given as { readonly puts?: readonly { collection: string }[] }).puts ?? []) : [];
      if (isFirst && puts.some(({ collection }) => collection.startsWith('view/gate'))) {
        isFirst = false;
        // It has taken in the event, and rests.
        await vi.waitUntil(async () => (await handle.state()).effects['closed']?.status === 'open', { interval: 1 });
        await handle.signal('Closed', {});
      }
      return call();
    }),
    sagas: [gate],
  });
  expect(await worker.saga(gate, '1').result({ timeoutMs: 10_000 })).toMatchObject({ kind: 'completed' });
});

test('what a displaced worker has begun is begun again by its successor', async () => {
  const nap = activity({ name: 'nap', input: z.object({}), output: z.object({}) });
  const sleeper = defineSaga({
    name: 'sleeper',
    events: {},
    input: z.object({}),
    activities: { nap },
    initialState: {},
    evolve: (state) => state,
    next: steps([() => sleep('sleep', { ms: 10_000 }), () => nap('nap', {})]),
  });
  const store = shared(memory());
  const [clock, successorClock] = [new TestClock(), new TestClock()];
  const cut = new Cut();
  const displaced = await open({
    store: cutBy(store, cut),
    sagas: [sleeper],
    // It is broken off.
    activities: [nap.implement(() => new Promise(() => {}))],
    clock,
  });
  const handle = await displaced.start(sleeper, '1', {});
  await displaced.settled();
  cut.isDisplaced = true;
  clock.advance(5 * leaseMs);

  const looked = Promise.withResolvers<void>();
  const successor = await open({
    store: guarded(store, async (call, name, args) => {
      const found = await call();
      // When the first timer is due: it has taken up all that was under way.
      if (name === 'find' && JSON.stringify(args).includes('dueAt')) looked.resolve();
      return found;
    }),
    sagas: [sleeper],
    activities: [nap.implement(() => ({}))],
    clock: successorClock,
  });
  await looked.promise;
  // Only for the one that is displaced it is time.
  clock.advance(10_000);
  expect(await successor.saga(sleeper, '1').result({ timeoutMs: 10_000 })).toMatchObject({ kind: 'completed' });
  expect((await handle.state()).effects['nap']).toMatchObject({ lost: 1, attempt: 2 });
});

const ledger = defineAggregate({
  name: 'ledger',
  events: { Entered: z.object({ what: z.string() }) },
  initialState: {},
  evolve: { Entered: (state) => state },
  commands: { enter: { input: z.object({ what: z.string() }), decide: (_, data) => [{ type: 'Entered', data }] } },
});
const enter = (what: string) => command(what, ledger.commands.enter('1', { what }));
const errand = defineSaga({
  name: 'errand',
  events: {},
  input: z.object({}),
  initialState: {},
  evolve: (state) => state,
  next: steps([() => ({ ...enter('errand'), compensate: enter('errand undone') })]),
});
const parent = defineSaga({
  name: 'parent',
  events: {},
  input: z.object({}),
  children: [errand],
  initialState: {},
  evolve: (state) => state,
  next: steps([
    () => ({ ...enter('first'), compensate: enter('first undone') }),
    () => child('errand', errand, 'of 1', {}, { compensate: enter('child undone') }),
    () => enter('last'),
  ]),
});

test('a command that is on its way when its worker is displaced, and that the successor has done, is not done again', async () => {
  const store = shared(memory());
  const clock = new TestClock();
  const settings = { aggregates: [ledger], sagas: [errand], clock };
  const gate = new Gate();
  const cut = new Cut(undefined, gate);
  const displaced = await open({ ...settings, store: cutBy(store, cut) });
  await displaced.settled();
  gate.shut();
  const desk = await open({ ...settings, store, run: 'none' });
  await desk.start(errand, '1', {});
  await gate.arrival;
  cut.isDisplaced = true;
  clock.advance(5 * leaseMs);
  const successor = await open({ ...settings, store });
  await successor.saga(errand, '1').result({ timeoutMs: 10_000 });
  gate.open();
  await displaced.close();
  expect(await entries(successor)).toEqual(['errand']);
});

async function entries(engine: Engine): Promise<readonly string[]> {
  const whats: string[] = [];
  for await (const page of engine.history(ledger, '1'))
    for (const { data } of page) whats.push((data as { what: string }).what);
  return whats;
}

/** A parent is worked on by a process that dies after so many appends. */
async function dying(count: number) {
  const store = shared(memory());
  const clock = new TestClock();
  const settings = { aggregates: [ledger], sagas: [parent, errand], clock };
  const cut = new Cut({ at: 'append', count, isDone: true });
  const first = await open({ ...settings, store: cutBy(store, cut) });
  const desk = await open({ ...settings, store, run: 'none' });
  const handle = await desk.start(parent, '1', {});
  const ended = first.saga(parent, '1').result();
  await Promise.race([cut.made, ended]);
  cut.now();
  await first.close();
  clock.advance(5 * leaseMs);
  return { handle, open: (run: NonNullable<EngineOptions['run']>) => open({ ...settings, store, run }) };
}

const appends = [1, 2, 3, 4, 5, 6];

test.each(appends)(
  'a child that ends before anybody goes on with its parent has ended for that: its worker dies after append %i',
  async (count) => {
    const { open: goOn, handle } = await dying(count);
    const forChildren = await goOn(['errand']);
    const isThere = (await forChildren.log.heads(['errand-of 1'])).some(({ version }) => version > 0);
    if (isThere) await forChildren.saga(errand, 'of 1').result({ timeoutMs: 10_000 });
    const worker = await goOn('all');
    expect(await worker.saga(parent, '1').result({ timeoutMs: 10_000 })).toMatchObject({ kind: 'completed' });
    expect(await entries(worker)).toEqual(['first', 'errand', 'last']);
    expect((await handle.state()).status).toBe('completed');
  },
);

test.each(appends)(
  'a child that was started is undone with its parent: its worker dies after append %i',
  async (count) => {
    const { open: goOn, handle } = await dying(count);
    await handle.cancel('changed my mind');
    const worker = await goOn('all');
    const { kind } = await worker.saga(parent, '1').result({ timeoutMs: 10_000 });
    await worker.settled();
    const found = await entries(worker);
    if (kind === 'completed') expect(found).toEqual(['first', 'errand', 'last']);
    else
      for (const what of ['first', 'errand']) {
        const undone = found.filter((one) => one === `${what} undone` || (what === 'errand' && one === 'child undone'));
        expect(undone.length, found.join()).toBe(found.includes(what) ? 1 : 0);
      }
  },
);
