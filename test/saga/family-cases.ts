/** Children, versions and schedules. */
import { describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { activity, child, command, complete, defineSaga, fail, waitFor } from '../../src/index.ts';
import type { Effect } from '../../src/index.ts';
import { fakeActivity } from '../../src/testing/index.ts';
import { account } from '../command/account.ts';
import { shared } from '../support/gated-store.ts';
import { order } from './fulfilment.ts';
import { eventsOf, hourMs, open, orderEvents, stepsOf } from './opened.ts';
import type { NewStore } from './opened.ts';

const { create, cancel, ship } = order.commands;

/** Makes an order, waits to be told how it goes on, and undoes it. */
const small = defineSaga({
  name: 'small',
  events: { Go: z.enum(['well', 'wrong']) },
  input: z.object({ order: z.string() }),
  initialState: { order: '', way: '' },
  evolve: (state, event) => {
    if (event.type === 'started') return { ...state, ...event.data };
    return event.type === 'Go' ? { ...state, way: event.data } : state;
  },
  next: ({ order: id, way }, { isDone }): readonly Effect[] => {
    if (!isDone('create'))
      return [
        command('create', create(id, { total: 1 }), { compensate: command('', cancel(id, { reason: 'undone' })) }),
      ];
    if (way === '') return [waitFor('go', 'Go', { timeoutMs: 24 * hourMs })];
    return [way === 'well' ? complete({ order: id }) : fail('it went wrong', { order: id })];
  },
});

const big = defineSaga({
  name: 'big',
  events: {},
  input: z.object({ child: z.string(), order: z.string(), detached: z.boolean().default(false) }),
  children: [small],
  initialState: { child: '', order: '', detached: false, events: [] as readonly string[] },
  evolve: (state, event) => {
    if (event.type === 'started') return { ...state, ...event.data };
    return { ...state, events: [...state.events, `${event.type} ${'key' in event ? event.key : ''}`] };
  },
  next: (state, { isDone, resultOf }): readonly Effect[] => {
    const own = `${state.order}-own`;
    if (!isDone('own'))
      return [
        command('own', create(own, { total: 2 }), { compensate: command('', cancel(own, { reason: 'undone' })) }),
      ];
    if (!isDone('child'))
      return [
        child(
          'child',
          small,
          state.child,
          { order: state.order },
          {
            detached: state.detached,
            compensate: (result) =>
              result === undefined ? undefined : command('', cancel(state.order, { reason: 'big' })),
          },
        ),
      ];
    return [complete(resultOf('child'))];
  },
});

const family = { sagas: [big, small], aggregates: [order, account] };

export function familyCases(newStore: NewStore): void {
  describe('a child', () => {
    test('is waited for, with what it completes with', async () => {
      const { engine } = await open(newStore(), family);
      const handle = await engine.start(big, 'b', { child: 'c', order: 'o' });
      await engine.settled();
      const { effects } = await handle.state();
      expect(effects['child']).toMatchObject({ kind: 'child', status: 'open', name: 'small' });
      expect((await engine.saga(small, 'c').state()).parent).toEqual({ saga: 'big', id: 'b', key: 'child' });
      await engine.saga(small, 'c').signal('Go', 'well');
      expect(await handle.result()).toEqual({ kind: 'completed', result: { order: 'o' } });
      expect((await handle.state()).state.events).toEqual(['command.completed own', 'child.completed child']);
      // Both go back to the same.
      const metadata = [...(await stepsOf(engine, 'big-b')), ...(await stepsOf(engine, 'small-c'))].map(
        (step) => step.metadata,
      );
      expect(new Set(metadata.map(({ correlationId }) => correlationId)).size).toBe(1);
    });

    test('that fails has undone what it did; then so does its parent', async () => {
      const { engine } = await open(newStore(), family);
      const handle = await engine.start(big, 'b', { child: 'c', order: 'o' });
      await engine.settled();
      await engine.saga(small, 'c').signal('Go', 'wrong');
      expect(await handle.result()).toEqual({
        kind: 'compensated',
        failure: { code: 'failed', message: 'it went wrong', details: { order: 'o' } },
      });
      expect(await orderEvents(engine, 'o')).toEqual(['OrderCreated', 'OrderCancelled']);
      expect(await orderEvents(engine, 'o-own')).toEqual(['OrderCreated', 'OrderCancelled']);
    });

    test('is cancelled with its parent, which waits for that before it undoes what it did itself', async () => {
      const { engine } = await open(newStore(), family);
      const handle = await engine.start(big, 'b', { child: 'c', order: 'o' });
      await engine.settled();
      await handle.cancel('enough');
      expect(await handle.result()).toMatchObject({
        kind: 'compensated',
        failure: { code: 'cancelled', message: 'enough' },
      });
      expect(await engine.saga(small, 'c').result()).toMatchObject({
        kind: 'compensated',
        failure: { code: 'cancelled', message: 'big-b is being compensated' },
      });
      const [, own] = await eventsOf(engine, 'order-o-own');
      const [, theirs] = await eventsOf(engine, 'order-o');
      expect(theirs?.type).toBe('OrderCancelled');
      expect(own?.position).toBeGreaterThan(theirs?.position ?? Infinity);
    });

    test('is not the one that somebody else has started under its id', async () => {
      const { engine } = await open(newStore(), family);
      await engine.start(small, 'c', { order: 'o' });
      const handle = await engine.start(big, 'b', { child: 'c', order: 'o' });
      expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { code: 'child_exists' } });
      expect((await engine.saga(small, 'c').state()).status).toBe('running');
      expect(await orderEvents(engine, 'o-own')).toEqual(['OrderCreated', 'OrderCancelled']);
    });

    test('that is detached is started, and nobody waits for its end', async () => {
      const { engine } = await open(newStore(), family);
      const handle = await engine.start(big, 'b', { child: 'c', order: 'o', detached: true });
      expect(await handle.result()).toEqual({ kind: 'completed', result: { id: 'c' } });
      await engine.settled();
      expect((await engine.saga(small, 'c').state()).status).toBe('running');
    });
  });

  describe('an instance', () => {
    const plan = activity({ name: 'plan', input: z.object({ by: z.string() }), output: z.null() });
    const version = (
      number: number,
      options: Partial<Pick<Parameters<typeof defineSaga>[0], 'previous'>> & {
        readonly migrate?: (state: unknown) => { readonly by: readonly string[] };
      } = {},
    ) =>
      defineSaga({
        name: 'trip',
        version: number,
        events: { Go: z.object({}) },
        input: z.null(),
        activities: { plan },
        initialState: { by: [`v${number}`] as readonly string[] },
        evolve: (state, event) => (event.type === 'Go' ? { by: [...state.by, `go${number}`] } : state),
        next: ({ by }, { isDone }): readonly Effect[] => {
          if (by.at(-1)?.startsWith('go') === false) return [waitFor('go', 'Go', { timeoutMs: hourMs })];
          return isDone('plan') ? [complete({ by })] : [plan('plan', { by: `v${number}` })];
        },
        ...options,
      });
    const first = version(1);
    const planned = () => {
      const fake = fakeActivity(plan).succeeds(null);
      return { fake, activities: [plan.implement(fake)] };
    };

    async function begun(store: ReturnType<NewStore>, ids: readonly string[]) {
      const { engine } = await open(store, { sagas: [first], ...planned() });
      for (const id of ids) await engine.start(first, id, null);
      await engine.settled();
      await engine.close();
    }

    test('finishes on the version with which it began, while others begin on the next', async () => {
      const store = shared(newStore());
      await begun(store, ['old']);
      const second = version(2, { previous: [first] });
      const { fake, activities } = planned();
      const { engine } = await open(store, { sagas: [second], activities });
      await engine.start(second, 'new', null);
      for (const id of ['old', 'new']) await engine.saga(second, id).signal('Go', {});
      expect(await engine.saga(second, 'old').result()).toEqual({ kind: 'completed', result: { by: ['v1', 'go1'] } });
      expect(await engine.saga(second, 'new').result()).toEqual({ kind: 'completed', result: { by: ['v2', 'go2'] } });
      expect(fake.calls.map(({ input, instance }) => [instance, input.by]).toSorted()).toEqual([
        ['new', 'v2'],
        ['old', 'v1'],
      ]);
    });

    test('of a version that is missing keeps an engine from being opened, which says how many there are', async () => {
      const store = shared(newStore());
      await begun(store, ['a', 'b', 'c']);
      const second = version(2);
      const { activities } = planned();
      await expect(open(store, { sagas: [second], activities })).rejects.toMatchObject({
        code: 'saga_version_absent',
        details: { saga: 'trip', versions: [{ version: 1, instances: 3 }] },
      });
      // Those that have ended do not.
      const { engine } = await open(store, { sagas: [version(2, { previous: [first] })], activities });
      for (const id of ['a', 'b', 'c']) await engine.saga(first, id).signal('Go', {});
      for (const id of ['a', 'b', 'c']) await engine.saga(first, id).result();
      await engine.settled();
      await engine.close();
      const { engine: last } = await open(store, { sagas: [second], activities });
      expect(await last.sagas.list()).toEqual([]);
    });

    test('goes on with the newest version where that says how, with all that was done before', async () => {
      const store = shared(newStore());
      await begun(store, ['old']);
      const migrate = (state: unknown) => ({ by: [...(state as { readonly by: readonly string[] }).by, 'migrated'] });
      const second = version(2, { previous: [first], migrate });
      const { engine } = await open(store, { sagas: [second], activities: planned().activities });
      await vi.waitFor(async () => expect((await engine.saga(second, 'old').state()).version).toBe(2), 10_000);
      await engine.saga(second, 'old').signal('Go', {});
      expect(await engine.saga(second, 'old').result()).toEqual({
        kind: 'completed',
        result: { by: ['v1', 'migrated', 'go2'] },
      });
      const migrated = (await stepsOf(engine, 'trip-old')).filter(({ on }) => on.kind === 'migrated');
      expect(migrated).toMatchObject([{ on: { from: 1, to: 2, state: { by: ['v1', 'migrated'] } } }]);
    });

    test('is stuck where it cannot be brought to the newest version, until that can be', async () => {
      const store = shared(newStore());
      await begun(store, ['old']);
      const failing = version(2, {
        previous: [first],
        migrate: () => {
          throw new Error('no way');
        },
      });
      const { engine } = await open(store, { sagas: [failing], activities: planned().activities });
      await engine.saga(failing, 'old').signal('Go', {});
      expect(await engine.saga(failing, 'old').result()).toMatchObject({
        kind: 'stuck',
        failure: { code: 'migrate_failed', message: expect.stringContaining('no way') },
      });
      await engine.settled();
      await engine.close();
      const second = version(2, { previous: [first], migrate: () => ({ by: ['go anyway'] }) });
      const { engine: next } = await open(store, { sagas: [second], activities: planned().activities });
      await next.saga(second, 'old').retry();
      await next.settled();
      expect(await next.saga(second, 'old').result()).toEqual({ kind: 'completed', result: { by: ['go anyway'] } });
    });
  });

  describe('a schedule', () => {
    const deposit = account.commands.deposit('1', { amount: 1 });
    const scheduled = { aggregates: [account, order], schedules: true };

    async function balance(engine: Awaited<ReturnType<typeof open>>['engine']): Promise<number> {
      return (await engine.load(account, '1')).state.balance;
    }

    test('has a command executed at a time, once, in the name of whoever asked for it', async () => {
      const { engine, passes, clock } = await open(newStore(), scheduled);
      const at = new Date(clock.now() + hourMs);
      expect(
        await engine.schedule(deposit, { at }, { id: 's', actor: 'ada', metadata: { correlationId: 'payday' } }),
      ).toEqual({ id: 's', duplicate: false });
      expect(await engine.schedule(deposit, { at }, { id: 's' })).toEqual({ id: 's', duplicate: true });
      await expect(engine.schedule(deposit, { at: 0 }, { id: 's' })).rejects.toMatchObject({ code: 'saga_exists' });
      await passes(hourMs - 1);
      expect(await balance(engine)).toBe(0);
      await passes(1);
      await passes(hourMs);
      expect(await balance(engine)).toBe(1);
      const [event] = await eventsOf(engine, 'account-1');
      expect(event?.metadata.correlationId).toBe('payday');
      // What has passed is done at once.
      await engine.schedule(deposit, { at: 0 });
      await engine.settled();
      expect(await balance(engine)).toBe(2);
      expect(await engine.unschedule('s', 'too late')).toBe(false);
    });

    test('has it executed again and again; what was missed is made up for once', async () => {
      const store = shared(newStore());
      const { engine, passes, clock } = await open(store, scheduled);
      await engine.schedule(deposit, { every: hourMs, from: clock.now() }, { id: 's' });
      await engine.settled();
      expect(await balance(engine)).toBe(1);
      await passes(hourMs);
      expect(await balance(engine)).toBe(2);
      await engine.close();
      clock.advance(10.5 * hourMs);
      const next = await open(store, { ...scheduled, clock });
      await next.engine.settled();
      expect(await balance(next.engine)).toBe(3);
      // It keeps to its times.
      await next.passes(hourMs / 2 - 1);
      expect(await balance(next.engine)).toBe(3);
      await next.passes(1);
      expect(await balance(next.engine)).toBe(4);
    });

    test('goes on where a command of its is rejected, and fails where it was the only one', async () => {
      const { engine, passes } = await open(newStore(), scheduled);
      await engine.execute(create('1', { total: 1 }));
      await engine.schedule(create('1', { total: 1 }), { every: hourMs }, { id: 'again' });
      await engine.schedule(create('1', { total: 1 }), { at: 0 }, { id: 'once' });
      await engine.settled();
      await passes(hourMs);
      await passes(hourMs);
      expect(await engine.sagas.instance('eventsrc_schedule', 'once').result()).toMatchObject({
        kind: 'compensated',
        failure: { code: 'failed', details: { code: 'order_exists' } },
      });
      expect((await engine.sagas.list()).map(({ id }) => id)).toEqual(['again']);
      await engine.execute(ship('1', {}));
    });

    test('is ended, by whoever knows its id', async () => {
      const { engine, passes } = await open(newStore(), scheduled);
      await engine.schedule(deposit, { every: hourMs }, { id: 's' });
      await passes(hourMs);
      expect(await engine.unschedule('s', 'enough', { actor: 'ada' })).toBe(true);
      await engine.settled();
      expect(await engine.unschedule('s', 'enough')).toBe(false);
      await passes(5 * hourMs);
      expect(await balance(engine)).toBe(1);
      await expect(engine.unschedule('nobody', 'x')).rejects.toMatchObject({ code: 'saga_not_found' });
    });

    test('is refused where it cannot be meant, and where nobody would see to it', async () => {
      const { engine } = await open(newStore(), scheduled);
      for (const time of [
        { at: Number.NaN },
        { at: new Date('x') },
        { every: 9 },
        { every: Infinity },
        { every: hourMs, from: 1e16 },
        { at: 1, every: 10 },
        {},
        null,
        'daily',
      ])
        await expect(engine.schedule(deposit, time as never)).rejects.toMatchObject({ code: 'option_invalid' });
      await expect(engine.schedule('deposit' as never, { at: 1 })).rejects.toMatchObject({ code: 'option_invalid' });
      const { engine: without } = await open(newStore(), { aggregates: [account] });
      await expect(without.schedule(deposit, { at: 1 })).rejects.toMatchObject({
        code: 'option_invalid',
        details: { option: 'schedules' },
      });
    });
  });
}
