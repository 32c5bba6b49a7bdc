/** Whole engines in tests: activities that are faked, and a clock that is moved by hand. */
import { afterEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { activity, complete, defineSaga, fail, memory, openEngine, sleep, waitFor } from '../../src/index.ts';
import type { Effect, Engine, EngineOptions } from '../../src/index.ts';
import { fakeActivity, TestClock } from '../../src/testing/index.ts';
import { account } from '../command/account.ts';

const opened: Engine[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()));
});

async function engineWith(options: Partial<EngineOptions>): Promise<Engine> {
  const engine = await openEngine({ store: memory(), aggregates: [account], hooks: { saga: () => {} }, ...options });
  opened.push(engine);
  return engine;
}

const hourMs = 3_600_000;

const pay = activity({
  name: 'pay',
  input: z.object({ sum: z.number() }),
  output: z.object({ paid: z.string().transform(Number) }),
  retry: { attempts: 3, backoffMs: hourMs, jitter: false },
});

const patient = defineSaga({
  name: 'patient',
  events: { Agreed: z.object({}) },
  input: z.object({ sum: z.number() }),
  activities: { pay },
  initialState: { sum: 0, isLate: false },
  evolve: (state, event) => {
    if (event.type === 'started') return { ...state, ...event.data };
    return event.type === 'wait.timed_out' ? { ...state, isLate: true } : state;
  },
  next: ({ sum, isLate }, { isDone, resultOf }): readonly Effect[] => {
    if (!isDone('pause')) return [sleep('pause', { ms: 24 * hourMs })];
    if (isLate) return [fail('nobody agreed')];
    if (!isDone('agreed')) return [waitFor('agreed', 'Agreed', { timeoutMs: hourMs })];
    return isDone('pay') ? [complete(resultOf('pay'))] : [pay('pay', { sum })];
  },
});

describe('with a test clock, time passes when it is told to:', () => {
  test('sleeps end, and another attempt is made when its backoff is over', async () => {
    const clock = new TestClock();
    const fake = fakeActivity(pay).fails(new Error('down'), 2).succeeds({ paid: '7' });
    const engine = await engineWith({ clock, sagas: [patient], activities: [pay.implement(fake)] });
    const handle = await engine.start(patient, 'p', { sum: 7 });
    await engine.settled();
    clock.advance(24 * hourMs - 1);
    await engine.settled();
    expect((await handle.state()).effects['pause']?.status).toBe('open');
    clock.advance(1);
    await engine.settled();
    await handle.signal('Agreed', {});
    await engine.settled();
    expect(fake.calls).toHaveLength(1);
    clock.advance(hourMs);
    await fake.called(2);
    await engine.settled();
    clock.advance(2 * hourMs);
    expect(await handle.result()).toEqual({ kind: 'completed', result: { paid: 7 } });
    expect(fake.calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect((await handle.state()).changedAt).toBe(clock.now());
  });

  test('deadlines pass', async () => {
    const clock = new TestClock();
    const engine = await engineWith({ clock, sagas: [patient], activities: [pay.implement(fakeActivity(pay))] });
    const handle = await engine.start(patient, 'p', { sum: 7 });
    await engine.settled();
    clock.advance(24 * hourMs);
    await engine.settled();
    clock.advance(hourMs);
    expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { message: 'nobody agreed' } });
  });

  test('schedules are due', async () => {
    const clock = new TestClock();
    const engine = await engineWith({ clock, schedules: true });
    await engine.schedule(account.commands.deposit('1', { amount: 1 }), { every: hourMs }, { id: 's' });
    for (let runs = 1; runs <= 3; runs++) {
      await engine.settled();
      clock.advance(hourMs);
      await engine.settled();
      expect((await engine.load(account, '1')).state.balance).toBe(runs);
    }
  });
});
