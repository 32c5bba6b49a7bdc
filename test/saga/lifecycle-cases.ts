/** How instances begin, what they take in, wait for and end with. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { activity, complete, defineSaga, sleep, waitFor } from '../../src/index.ts';
import type { Effect } from '../../src/index.ts';
import { fakeActivity } from '../../src/testing/index.ts';
import { shared } from '../support/gated-store.ts';
import { charge, fulfilment, packingMs, refund, release, reserve } from './fulfilment.ts';
import { eventsOf, happens, hourMs, open, orderEvents, stepsOf } from './opened.ts';
import type { NewStore } from './opened.ts';

const note = defineSaga({
  name: 'note',
  events: { Read: z.object({ by: z.string() }) },
  input: z.object({ text: z.string(), urgent: z.boolean().default(false) }),
  initialState: { readers: [] as readonly string[], urgent: false },
  evolve: (state, event) => {
    if (event.type === 'started') return { ...state, urgent: event.data.urgent };
    return event.type === 'Read' ? { ...state, readers: [...state.readers, event.data.by] } : state;
  },
  next: ({ readers }, { isDone }): readonly Effect[] =>
    isDone('second')
      ? [complete(readers)]
      : [waitFor(isDone('first') ? 'second' : 'first', 'Read', { timeoutMs: hourMs })],
});

function fakes() {
  const charged = fakeActivity(charge).succeeds({ chargeId: 'c-1' });
  const reserved = fakeActivity(reserve).succeeds({ shelf: 'lower' });
  const implemented = [
    charge.implement(charged),
    reserve.implement(reserved),
    refund.implement(fakeActivity(refund).succeeds({})),
    release.implement(fakeActivity(release).succeeds(null)),
  ];
  return { charged, reserved, options: { sagas: [fulfilment], activities: implemented } };
}

export function lifecycleCases(newStore: NewStore): void {
  describe('an instance that is started', () => {
    test('is there once: the same input again changes nothing, another one is refused', async () => {
      const { engine } = await open(newStore(), { sagas: [note] });
      const first = await engine.start(note, 'n-1', { text: 'hi', urgent: false }, { actor: 'ada' });
      expect(first).toMatchObject({ duplicate: false, id: 'n-1', stream: 'note-n-1', saga: 'note' });
      // What its schema makes of it counts, and the order of fields does not.
      expect((await engine.start(note, 'n-1', { urgent: false, text: 'hi' })).duplicate).toBe(true);
      expect((await engine.start(note, 'n-1', { text: 'hi' })).duplicate).toBe(true);
      await expect(engine.start(note, 'n-1', { text: 'ho' })).rejects.toMatchObject({ code: 'saga_exists' });
      const starts = await Promise.all(Array.from({ length: 5 }, () => engine.start(note, 'n-2', { text: 'hi' })));
      expect(starts.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      await engine.settled();
      const [begun, ...others] = await stepsOf(engine, 'note-n-1');
      expect(begun).toMatchObject({ on: { kind: 'started', version: 1 }, metadata: { actor: 'ada' } });
      expect(others.some(({ on }) => on.kind === 'started')).toBe(false);
    });

    test('is refused where its input or its id cannot be', async () => {
      const { engine } = await open(newStore(), { sagas: [note, fulfilment], activities: fakes().options.activities });
      await expect(engine.start(note, 'n', { text: 7 } as never)).rejects.toMatchObject({
        code: 'event_invalid',
        details: { issues: [{ path: 'input.text' }] },
      });
      await expect(engine.start(note, 'a\nb', { text: 'x' })).rejects.toMatchObject({ code: 'name_invalid' });
      await expect(engine.start(note, '', { text: 'x' })).rejects.toMatchObject({ code: 'name_invalid' });
      await expect(engine.start(fulfilment, 'f', { text: 'x' } as never)).rejects.toMatchObject({
        code: 'event_invalid',
      });
      const stranger = defineSaga({
        name: 'stranger',
        events: {},
        input: z.null(),
        initialState: {},
        evolve: (state) => state,
        next: () => [complete()],
      });
      await expect(engine.start(stranger, 's', null)).rejects.toMatchObject({
        code: 'saga_unknown',
        details: { known: ['note', 'fulfilment'] },
      });
      expect(() => engine.saga(stranger, 's')).toThrow(/saga_unknown/);
      const nobody = engine.saga(note, 'n');
      for (const ask of [
        () => nobody.state(),
        () => nobody.result(),
        () => nobody.cancel('x'),
        () => nobody.signal('Read', { by: 'x' }),
      ])
        await expect(ask()).rejects.toMatchObject({ code: 'saga_not_found', details: { saga: 'note', id: 'n' } });
      expect(await engine.sagas.list()).toEqual([]);
    });

    test('by an event is started by the first, takes in those behind it, and leaves those alone that do not concern it', async () => {
      const { options, charged } = fakes();
      const { engine } = await open(newStore(), options);
      await happens(engine, 'Packed', { orderId: 'o-1', by: 'early bird' });
      await happens(engine, 'OrderPlaced', { orderId: 'o-1', total: 5 });
      await happens(engine, 'OrderPlaced', { orderId: 'o-1', total: 6 });
      await happens(engine, 'Noted', { orderId: 'o-2' });
      await engine.settled();
      const { state, status, effects } = await engine.saga(fulfilment, 'o-1').state();
      expect(state).toMatchObject({ total: 6, packedBy: undefined });
      expect([status, effects['packed']?.status, charged.calls[0]?.input]).toEqual(['running', 'open', { total: 5 }]);
      await happens(engine, 'Packed', { orderId: 'o-1', by: 'Ada' });
      expect(await engine.saga(fulfilment, 'o-1').result()).toEqual({ kind: 'completed', result: { chargeId: 'c-1' } });
      expect(await orderEvents(engine, 'o-1')).toEqual(['OrderCreated', 'OrderShipped']);
      // One that has ended takes nothing in, and is not started again.
      const { length } = await stepsOf(engine, 'fulfilment-o-1');
      await happens(engine, 'OrderPlaced', { orderId: 'o-1', total: 7 });
      await happens(engine, 'Packed', { orderId: 'o-1', by: 'Bob' });
      await engine.settled();
      expect(await stepsOf(engine, 'fulfilment-o-1')).toHaveLength(length);
      expect(await engine.sagas.counts()).toEqual([
        { saga: 'fulfilment', running: 0, compensating: 0, stuck: 0, started: 1, completed: 1, compensated: 0 },
      ]);
    });
  });

  test('an instance takes in nothing that was there before it, however late it is looked at', async () => {
    const parcel = defineSaga({
      name: 'parcel',
      events: { Scanned: z.object({ parcel: z.string(), at: z.string() }) },
      id: ({ data }) => data.parcel,
      input: z.null(),
      initialState: [] as readonly string[],
      evolve: (state, event) => (event.type === 'Scanned' ? [...state, event.data.at] : state),
      next: (places, { isDone }) => {
        const key = ['first', 'second'].find((one) => !isDone(one));
        return [key === undefined ? complete(places) : waitFor(key, 'Scanned', { timeoutMs: hourMs })];
      },
    });
    const store = shared(newStore());
    const { engine: idle } = await open(store, { sagas: [parcel], run: 'none' });
    await happens(idle, 'Scanned', { parcel: 'p', at: 'depot' });
    await idle.start(parcel, 'p', null);
    await happens(idle, 'Scanned', { parcel: 'p', at: 'train' });
    await happens(idle, 'Scanned', { parcel: 'p', at: 'door' });
    const { engine } = await open(store, { sagas: [parcel] });
    expect(await engine.saga(parcel, 'p').result()).toEqual({ kind: 'completed', result: ['train', 'door'] });
  });

  test('an engine can be closed while events are delivered, also several to one instance', async () => {
    const first = Promise.withResolvers<void>();
    const stops = defineSaga({
      name: 'stops',
      events: { Scanned: z.object({}) },
      id: () => 's',
      input: z.null(),
      initialState: {},
      evolve: (state, event) => {
        if (event.type === 'Scanned') first.resolve();
        return state;
      },
      next: () => [waitFor('never', 'Scanned', { timeoutMs: hourMs })],
    });
    const store = shared(newStore());
    const { engine: idle } = await open(store, { sagas: [stops], run: 'none' });
    await idle.start(stops, 's', null);
    for (let scans = 0; scans < 20; scans++) await happens(idle, 'Scanned', {});
    const { engine } = await open(store, { sagas: [stops] });
    await first.promise;
    await expect(engine.close()).resolves.toBeUndefined();
  });

  describe('an instance takes in', () => {
    test('signals, of two under one key the first', async () => {
      const { engine } = await open(newStore(), { sagas: [note] });
      const handle = await engine.start(note, 'n', { text: 'x' });
      const [once, again] = await Promise.all([
        handle.signal('Read', { by: 'ada' }, { key: 'k' }),
        handle.signal('Read', { by: 'ada' }, { key: 'k' }),
      ]);
      expect([once.duplicate, again.duplicate].toSorted()).toEqual([false, true]);
      expect(await handle.signal('Read', { by: 'bob' }, { key: 'k', actor: 'bob' })).toEqual({ duplicate: true });
      await engine.settled();
      expect((await handle.state()).status).toBe('running');
      await expect(handle.signal('Red' as never, {} as never)).rejects.toMatchObject({
        code: 'event_type_unknown',
        details: { known: ['Read'] },
      });
      await expect(handle.signal('Read', { by: 7 } as never)).rejects.toMatchObject({ code: 'event_invalid' });
      await expect(handle.signal('Read', { by: 'x' }, { key: '' })).rejects.toMatchObject({ code: 'option_invalid' });
      expect(await handle.signal('Read', { by: 'bob' }, { actor: 'bob', metadata: { 'ip-address': 'local' } })).toEqual(
        { duplicate: false },
      );
      expect(await handle.result()).toEqual({ kind: 'completed', result: ['ada', 'bob'] });
      await expect(handle.signal('Read', { by: 'x' })).rejects.toMatchObject({ code: 'saga_refused' });
      const signals = (await stepsOf(engine, 'note-n')).filter(({ on }) => on.kind === 'signal');
      expect(signals.map(({ metadata }) => metadata.actor)).toEqual([undefined, 'bob']);
      expect(signals[1]?.metadata).toMatchObject({ 'ip-address': 'local' });
    });

    test('what it waits for: before it does, or after; and when the time is up it goes on without', async () => {
      const { options } = fakes();
      const { engine, passes } = await open(newStore(), options);
      for (const id of ['early', 'later', 'never']) await happens(engine, 'OrderPlaced', { orderId: id, total: 5 });
      await happens(engine, 'Packed', { orderId: 'early', by: 'ada' });
      await passes(packingMs - 1);
      expect((await engine.saga(fulfilment, 'early').state()).status).toBe('completed');
      expect((await engine.sagas.list()).map(({ id }) => id).toSorted()).toEqual(['later', 'never']);
      await happens(engine, 'Packed', { orderId: 'later', by: 'bob' });
      await engine.settled();
      expect((await engine.saga(fulfilment, 'later').state()).state.packedBy).toBe('bob');
      await passes(1);
      const { status, failure, state } = await engine.saga(fulfilment, 'never').state();
      expect({ status, failure }).toMatchObject({ status: 'compensated', failure: { message: 'not packed in time' } });
      expect(state.isLate).toBe(true);
      expect(await orderEvents(engine, 'never')).toEqual(['OrderCreated', 'OrderCancelled']);
    });

    test('time: it sleeps so long, or until a time, and wakes once', async () => {
      const until = Date.UTC(2026, 0, 1) + 2 * hourMs;
      const naps = defineSaga({
        name: 'naps',
        events: {},
        input: z.null(),
        initialState: { woken: [] as readonly string[] },
        evolve: (state, event) =>
          event.type === 'sleep.completed' ? { woken: [...state.woken, `${event.key} ${event.at}`] } : state,
        next: ({ woken }, { isDone }): readonly Effect[] => {
          if (!isDone('short')) return [sleep('short', { ms: hourMs })];
          return isDone('date') ? [complete(woken)] : [sleep('date', { until: new Date(until) })];
        },
      });
      const { engine, passes, clock } = await open(newStore(), { sagas: [naps] });
      const start = clock.now();
      const handle = await engine.start(naps, 'n', null);
      await passes(hourMs - 1);
      expect((await engine.sagas.list())[0]).toMatchObject({ id: 'n', dueAt: start + hourMs });
      await passes(1);
      expect((await engine.sagas.list())[0]).toMatchObject({ id: 'n', dueAt: until });
      await passes(5 * hourMs);
      expect(await handle.result()).toEqual({
        kind: 'completed',
        result: [`short ${start + hourMs}`, `date ${start + 6 * hourMs}`],
      });
      expect((await stepsOf(engine, 'naps-n')).filter(({ on }) => on.kind === 'timer')).toHaveLength(2);
    });
  });

  test('effects of one state are under way side by side; loops and branches need no more than keys', async () => {
    const dig = activity({
      name: 'dig',
      input: z.object({ place: z.string() }),
      output: z.object({ gold: z.number() }),
    });
    const quest = defineSaga({
      name: 'quest',
      events: {},
      input: z.null(),
      activities: { dig },
      initialState: { gold: 0, round: 0 },
      evolve: (state, event) =>
        event.type === 'dig.completed' ? { gold: state.gold + event.data.gold, round: state.round + 1 } : state,
      next: ({ gold, round }): readonly Effect[] => {
        if (gold >= 5) return [complete({ gold, round })];
        const base = Math.floor(round / 2) * 2;
        return ['left', 'right'].map((place, index) => dig(`${place}-${base + index}`, { place }));
      },
    });
    const both = Promise.withResolvers<{ gold: number }>();
    const fake = fakeActivity(dig).succeeds({ gold: 1 });
    const { engine } = await open(newStore(), {
      sagas: [quest],
      activities: [
        dig.implement((input, context) =>
          fake.calls.length < 2 ? fake(input, context).then(() => both.promise) : fake(input, context),
        ),
      ],
    });
    const handle = await engine.start(quest, 'q', null);
    await fake.called(2);
    both.resolve({ gold: 2 });
    expect(await handle.result()).toEqual({ kind: 'completed', result: { gold: 6, round: 4 } });
    expect(fake.calls.map(({ idempotencyKey }) => idempotencyKey).toSorted()).toEqual(
      ['left-0', 'left-2', 'right-1', 'right-3'].map((key) => `quest-q/${key}`),
    );
  });

  test('what a saga does carries what it goes back to: correlation, and the step that caused it', async () => {
    const { options } = fakes();
    const { engine } = await open(newStore(), options);
    const data = { orderId: 'o-1', total: 5 };
    await engine.log.append([
      { stream: 'shop-1', events: [{ type: 'OrderPlaced', data, metadata: { correlationId: 'cart-7' } }] },
    ]);
    await engine.settled();
    const [trigger] = await eventsOf(engine, 'shop-1');
    const steps = await eventsOf(engine, 'fulfilment-o-1');
    const [created] = await eventsOf(engine, 'order-o-1');
    expect(steps.map(({ metadata }) => metadata.correlationId)).toEqual(steps.map(() => 'cart-7'));
    expect(steps.map(({ metadata }) => metadata.causationId)).toEqual([
      trigger?.id,
      ...steps.slice(0, -1).map(({ id }) => id),
    ]);
    expect(created?.metadata).toMatchObject({ correlationId: 'cart-7', causationId: steps[0]?.id });
    // Without one it is the first event that all others go back to.
    await happens(engine, 'OrderPlaced', { orderId: 'o-2', total: 5 });
    await engine.settled();
    const [, second] = await eventsOf(engine, 'shop-1');
    expect(
      (await stepsOf(engine, 'fulfilment-o-2')).every(({ metadata }) => metadata.correlationId === second?.id),
    ).toBe(true);
  });

  test('its command and its step are one append', async () => {
    const { options } = fakes();
    const { engine } = await open(newStore(), options);
    await happens(engine, 'OrderPlaced', { orderId: 'o-1', total: 5 });
    await engine.settled();
    const [created] = await eventsOf(engine, 'order-o-1');
    const steps = await eventsOf(engine, 'fulfilment-o-1');
    const step = steps.find(({ data }) => (data as { on: { kind: string } }).on.kind === 'completed');
    expect(Math.abs((step?.position ?? 0) - (created?.position ?? 0))).toBe(1);
    expect(step?.data).toMatchObject({ on: { key: 'create', result: { eventCount: 1, version: 1 } } });
  });

  test('who waits for its end is told, or that the time is up; who looks back sees what it was', async () => {
    const { engine, passes } = await open(newStore(), { sagas: [note] });
    const handle = await engine.start(note, 'n', { text: 'x' });
    await expect(handle.result({ timeoutMs: 1 })).rejects.toMatchObject({
      code: 'saga_running',
      details: { status: 'running' },
    });
    const controller = new AbortController();
    const waiting = handle.result({ signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    const told = handle.result();
    await handle.signal('Read', { by: 'ada' });
    await engine.settled();
    const before = await handle.state();
    await passes(hourMs);
    expect(await told).toMatchObject({
      kind: 'compensated',
      failure: { code: 'timed_out', message: 'no Read came in time' },
    });
    expect(await handle.state({ at: { version: before.streamVersion } })).toEqual(before);
    expect((await handle.state()).status).toBe('compensated');
  });
}
