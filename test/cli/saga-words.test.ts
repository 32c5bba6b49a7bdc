import { describe, expect, test } from 'vitest';
import { dataText, failureText, StepTeller, stepOf, timerText } from '../../src/cli/saga-words.ts';
import type { RecordedEvent } from '../../src/event/codec.ts';
import type { Consequence, Occurrence, Step } from '../../src/saga/step.ts';

const at = 1_000;
const failure = { code: 'card_declined', message: 'no money', details: { left: 3 } };
const declined = 'no money (card_declined) {"left":3}';
const trigger = { position: 3, id: 'e', stream: 'order-1', type: 'OrderPlaced', data: {}, recordedAt: 1 };
const parent = { saga: 'trip', id: 't-1', key: 'hotel' };

function told(on: Occurrence, ...follows: readonly Consequence[]) {
  return new StepTeller((ms) => `@${ms}`).tell({ on, at, follows });
}

describe('what has happened', () => {
  test.each<[Occurrence, string]>([
    [{ kind: 'started', version: 1, trigger }, 'started by OrderPlaced of order-1'],
    [{ kind: 'started', version: 2, input: { a: 1 } }, 'started, on version 2 of its definition {"a":1}'],
    [{ kind: 'started', version: 1, input: null, parent }, 'started by trip-t-1 as hotel'],
    [{ kind: 'event', trigger }, 'OrderPlaced of order-1 has come'],
    [{ kind: 'signal', type: 'Packed', data: { parcel: 7 }, id: 'k' }, 'signal Packed {"parcel":7}'],
    [{ kind: 'completed', key: 'charge', result: null }, 'charge is done'],
    [{ kind: 'completed', key: 'charge', result: { id: 7 } }, 'charge is done {"id":7}'],
    [{ kind: 'completed', key: 'ship', result: { eventCount: 2, version: 4 } }, 'ship is done (2 events)'],
    [{ kind: 'completed', key: '~charge', result: null }, 'charge is undone'],
    [{ kind: 'failed', key: 'charge', failure, final: true }, `charge failed: ${declined}`],
    [
      { kind: 'failed', key: '~charge', failure, final: true, unknown: true },
      `undoing charge failed: ${declined}; it may have happened all the same`,
    ],
    [{ kind: 'lost', key: 'charge' }, 'nobody knows what became of charge: who attempted it is gone'],
    [{ kind: 'timer', key: 'charge' }, 'the time of charge has come'],
    [{ kind: 'child', key: 'hotel', trigger }, 'order-1, started as hotel, has ended'],
    [{ kind: 'operator', key: '~charge', act: { kind: 'retry' } }, 'has undoing charge tried again'],
    [{ kind: 'operator', act: { kind: 'retry' } }, 'has what it is stuck at tried again'],
    [{ kind: 'operator', key: 'a', act: { kind: 'skip', reason: 'by hand' } }, 'has a passed over: by hand'],
    [{ kind: 'operator', key: 'a', act: { kind: 'resolve', result: 7 } }, 'says that a is done 7'],
    [
      { kind: 'operator', key: 'a', act: { kind: 'resolve', result: null, reason: 'by phone' } },
      'says that a is done: by phone',
    ],
    [{ kind: 'cancel', reason: 'they called' }, 'cancelled: they called'],
    [{ kind: 'migrated', from: 1, to: 2, state: {} }, 'goes on with version 2 of its definition, after version 1'],
    [{ kind: 'taken_up' }, 'looked at what is due'],
  ])('%j', (on, text) => {
    expect(told(on)).toEqual({ what: text, followed: [] });
  });
});

describe('what has followed', () => {
  test.each<[Consequence, string]>([
    [{ kind: 'attempt', key: 'charge', activity: 'charge', attempt: 2 }, 'attempt 2 of charge'],
    [
      { kind: 'attempt', key: '~charge', activity: 'refund', attempt: 1, input: { id: 7 } },
      'attempt 1 of undoing charge by refund {"id":7}',
    ],
    [{ kind: 'timer', key: 'packed', at: 7, for: 'wait', type: 'Packed' }, 'waits for Packed until @7'],
    [{ kind: 'timer', key: 'pause', at: 7, for: 'sleep' }, 'pause is to be over at @7'],
    [{ kind: 'timer', key: '~charge', at: 7, for: 'retry' }, 'undoing charge will be tried again at @7'],
    [{ kind: 'timer_cancelled', key: 'packed' }, 'packed is no longer waited for'],
    [{ kind: 'received', key: 'packed', type: 'Packed' }, 'packed: Packed has come'],
    [{ kind: 'child', key: 'hotel', saga: 'booking', id: 'b-1' }, 'starts booking-b-1 as hotel'],
    [
      { kind: 'child', key: 'mail', saga: 'mailing', id: 'm-1', detached: true },
      'starts mailing-m-1 as mail, without waiting for it',
    ],
    [{ kind: 'abandoned', key: 'charge' }, 'gives up charge'],
    [
      { kind: 'abandoned', key: 'charge', undo: { kind: 'activity', activity: 'refund', input: {} } },
      'gives up charge, which may have happened: it is undone',
    ],
    [{ kind: 'compensating', failure }, `compensating: ${declined}`],
    [{ kind: 'stuck', key: '~charge', failure }, `stuck at undoing charge: ${declined}`],
    [{ kind: 'stuck', failure }, `stuck: ${declined}`],
    [{ kind: 'ended', outcome: 'completed', result: { a: 1 } }, 'completed {"a":1}'],
    [{ kind: 'ended', outcome: 'completed' }, 'completed'],
    [{ kind: 'ended', outcome: 'compensated', failure }, `compensated: ${declined}`],
  ])('%j', (consequence, text) => {
    expect(told({ kind: 'taken_up' }, consequence).followed).toEqual([text]);
  });
});

test('when a failure is tried again is said with it', () => {
  const on = { kind: 'failed', key: 'charge', failure, final: false } as const;
  expect(told(on, { kind: 'timer', key: 'charge', at: 7, for: 'retry' })).toEqual({
    what: `charge failed: ${declined} (will be tried again at @7)`,
    followed: [],
  });
});

test.each<[Extract<Consequence, { kind: 'timer' }>, string, string]>([
  [
    { kind: 'timer', key: 'a', at: 7, for: 'wait', type: 'Packed' },
    'until then it waits for Packed',
    'Packed has not come in time',
  ],
  [{ kind: 'timer', key: 'a', at: 7, for: 'sleep' }, 'a is over', 'a is over'],
  [{ kind: 'timer', key: '~a', at: 7, for: 'retry' }, 'undoing a is tried again', 'undoing a is tried again'],
])('a timer is told by what it was set for: %j', (timer, before, after) => {
  expect(timerText(timer.key, timer)).toBe(before);
  const teller = new StepTeller(String);
  teller.tell({ on: { kind: 'taken_up' }, at, follows: [timer] });
  expect(teller.tell({ on: { kind: 'timer', key: timer.key }, at }).what).toBe(after);
});

test('a failure is said once, with its code where that says more', () => {
  expect(failureText({ code: 'error', message: 'the line is busy' })).toBe('the line is busy');
  expect(failureText({ code: 'busy', message: 'the line is busy' })).toBe('the line is busy');
  expect(failureText({ code: 'cancelled', message: 'they called' })).toBe('cancelled: they called');
});

test('what this version does not know is shown as it is', () => {
  const step = { on: { kind: 'dreamt', of: 'sheep' }, at, follows: [{ kind: 'woke' }] } as unknown as Step;
  expect(new StepTeller(String).tell(step)).toEqual({
    what: '{"kind":"dreamt","of":"sheep"}',
    followed: ['{"kind":"woke"}'],
  });
  const event = (type: string, data: unknown) => ({ type, data }) as RecordedEvent;
  expect(stepOf(event('OrderPlaced', step))).toBeUndefined();
  for (const data of [null, 7, {}, { on: null }]) expect(stepOf(event('$saga_step', data))).toBeUndefined();
  expect(dataText(event('$saga_step', { on: 7 }))).toBe('{"on":7}');
  expect(dataText(event('$saga_step', { on: { kind: 'taken_up' } }))).toBe('looked at what is due');
});
