import { AssertionError } from 'node:assert';
import { z } from 'zod';
import { defineAggregate, defineDecision, reject } from '../../src/index.ts';
import { TestClock, given } from '../../src/testing/index.ts';
import { describe, expect, test } from 'vitest';
import { account } from '../command/account.ts';

const { open, deposit, withdraw, touch } = account.commands;
const opened = [{ type: 'AccountOpened', data: { owner: 'Ada' } }] as const;

/** What a scenario that fails says. */
async function complaint(trial: Promise<void>): Promise<string> {
  try {
    await trial;
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError);
    return (error as AssertionError).message;
  }
  throw new Error('The scenario passed');
}

describe('a scenario', () => {
  test('passes for what happens', async () => {
    await given(account, [])
      .when(open('1', { owner: 'Ada' }))
      .thenEvents(opened);
    await given(account, opened)
      .when(open('1', { owner: 'Bob' }))
      .thenRejected('already_open');
    await given(account, opened)
      .when(withdraw('1', { amount: 1 }))
      .thenRejected('insufficient_funds', { balance: 0 });
    await given(account, opened)
      .when(deposit('1', { amount: 0 }))
      .thenInvalid('amount');
    await given(account, opened).when(touch('1', {})).thenNothing();
    await given(account, opened)
      .when(deposit('1', { amount: 5 }))
      .thenState({ open: true, balance: 5 });
  });

  test.each<[string, () => Promise<void>, RegExp]>([
    [
      'another event',
      () =>
        given(account, [])
          .when(open('1', { owner: 'Ada' }))
          .thenEvents([{ type: 'AccountOpened', data: { owner: 'Bob' } }]),
      /-.*'Bob'|\+.*'Ada'/,
    ],
    [
      'an event too few',
      () =>
        given(account, [])
          .when(open('1', { owner: 'Ada' }))
          .thenNothing(),
      /AccountOpened/,
    ],
    [
      'an event too many',
      () =>
        given(account, [])
          .when(open('1', { owner: 'Ada' }))
          .thenEvents([...opened, ...opened]),
      /AccountOpened/,
    ],
    [
      'a rejection',
      () =>
        given(account, opened)
          .when(open('1', { owner: 'Ada' }))
          .thenEvents(opened),
      /Expected the command to be accepted.*\n?.*but it was rejected.*already_open/s,
    ],
    [
      'another rejection',
      () =>
        given(account, opened)
          .when(open('1', { owner: 'Ada' }))
          .thenRejected('closed'),
      /already_open/,
    ],
    [
      'other details',
      () =>
        given(account, [])
          .when(withdraw('1', { amount: 1 }))
          .thenRejected('insufficient_funds', { balance: 1 }),
      /balance: [01]/,
    ],
    [
      'no rejection',
      () =>
        given(account, [])
          .when(open('1', { owner: 'Ada' }))
          .thenRejected('already_open'),
      /to be rejected.*but it was accepted/s,
    ],
    [
      'a valid input',
      () =>
        given(account, [])
          .when(open('1', { owner: 'Ada' }))
          .thenInvalid(),
      /to be invalid.*but it was accepted/s,
    ],
    [
      'another invalid field',
      () =>
        given(account, [])
          .when(deposit('1', { amount: 0 }))
          .thenInvalid('owner'),
      /invalid at owner.*amount/s,
    ],
    [
      'another state',
      () =>
        given(account, opened)
          .when(deposit('1', { amount: 5 }))
          .thenState({ open: true, balance: 6 }),
      /balance: [56]/,
    ],
  ])('fails for %s, and shows both', async (_, scenario, text) => {
    expect(await complaint(scenario())).toMatch(text);
  });

  test('takes only history that production would take', async () => {
    const wrong = [{ type: 'AccountOpened', data: { owner: 7 as never } }] as const;
    await expect(given(account, wrong).when(touch('1', {})).thenNothing()).rejects.toMatchObject({
      code: 'event_invalid',
    });
    const unknown = [{ type: 'AccountRenamed' as 'AccountOpened', data: { owner: 'x' } }] as const;
    await expect(given(account, unknown).when(touch('1', {})).thenNothing()).rejects.toMatchObject({
      code: 'event_type_unknown',
    });
    await expect(given(account, []).when(touch('1', {})).thenEvents(wrong)).rejects.toMatchObject({
      code: 'event_invalid',
    });
  });

  test('compares tags where they are given, and the streams of a decision’s events', async () => {
    const claim = defineDecision({
      name: 'claim',
      events: { Claimed: z.object({ size: z.number().default(1) }) },
      input: z.object({ name: z.string() }),
      query: ({ name }) => [{ tags: [`name:${name}`] }],
      initialState: false,
      evolve: { Claimed: () => true },
      decide: (taken, { name }) =>
        taken ? reject('taken') : [{ stream: `claim-${name}`, type: 'Claimed', data: {}, tags: [`name:${name}`] }],
    });
    const event = { stream: 'claim-x', type: 'Claimed', data: {} } as const;
    await given(claim, [])
      .when(claim({ name: 'x' }))
      .thenEvents([event]);
    await given(claim, [])
      .when(claim({ name: 'x' }))
      .thenEvents([{ ...event, tags: ['name:x'] }]);
    await given(claim, [{ ...event, tags: ['name:x'] }])
      .when(claim({ name: 'x' }))
      .thenRejected('taken');
    expect(
      await complaint(
        given(claim, [])
          .when(claim({ name: 'x' }))
          .thenEvents([{ ...event, tags: ['name:y'] }]),
      ),
    ).toMatch(/name:[xy]/);
    expect(
      await complaint(
        given(claim, [])
          .when(claim({ name: 'x' }))
          .thenEvents([{ ...event, stream: 'claim-y' }]),
      ),
    ).toMatch(/claim-[xy]/);
  });

  test('happens when it says', async () => {
    const timer = defineAggregate({
      name: 'timer',
      events: { Started: z.object({}), Stopped: z.object({ afterMs: z.number(), id: z.string() }) },
      initialState: 0,
      evolve: { Started: (_at, { recordedAt }) => recordedAt, Stopped: () => 0 },
      commands: {
        stop: {
          input: z.object({}),
          decide: (at, _input, { now, newId }) => [{ type: 'Stopped', data: { afterMs: now - at, id: newId() } }],
        },
      },
    });
    const stopped = (afterMs: number) => [{ type: 'Stopped', data: { afterMs, id: 'id-2' } }] as const;
    const started = [{ type: 'Started', data: {}, recordedAt: Date.UTC(2026, 5, 1) }] as const;
    const stop = timer.commands.stop('1', {});
    await given(timer, started).when(stop).thenEvents(stopped(0));
    await given(timer, started)
      .when(stop, { now: Date.UTC(2026, 5, 1, 0, 0, 7) })
      .thenEvents(stopped(7_000));
    const clock = new TestClock(500);
    await given(timer, [{ type: 'Started', data: {} }], { clock })
      .when(stop, { now: 600 })
      .thenEvents(stopped(100));
  });
});
