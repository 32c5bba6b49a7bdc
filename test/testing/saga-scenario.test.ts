import { AssertionError } from 'node:assert';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { activity, child, command, complete, defineSaga, fail, sleep, waitFor } from '../../src/index.ts';
import type { Effect } from '../../src/index.ts';
import { sagaScenario } from '../../src/testing/index.ts';
import { charge, fulfilment, order, packingMs, refund, release, reserve } from '../saga/fulfilment.ts';

const scenario = sagaScenario(fulfilment);
const { accepted, cancelled, completed, failed, given, lost, passed, rejected, signal, timedOut, woke } = scenario;
const { resolved, retried, skipped } = scenario;

const placed = { type: 'OrderPlaced', data: { orderId: 'o-1', total: 10 } } as const;
const packed = { type: 'Packed', data: { orderId: 'o-1', by: 'Ada' } } as const;
const created = given(placed, accepted('create'));
const charged = created.given(completed('charge', { chargeId: 'c-1' }));
const prepared = charged.given(completed('reserve', { shelf: 'upper' }));

const create = command('create', order.commands.create('o-1', { total: 10 }));
const ship = command('ship', order.commands.ship('o-1', {}));
const undoCreate = command('~create', order.commands.cancel('o-1', { reason: 'failed' }));
const undoCharge = refund('~charge', { chargeId: 'c-1', key: 'fulfilment-o-1/charge' });
const undoUnknownCharge = refund('~charge', { key: 'fulfilment-o-1/charge' });
const undoReserve = release('~reserve', { orderId: 'o-1' });

/** What a scenario that fails says. */
function complaint(trial: () => unknown): string {
  try {
    trial();
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError);
    return (error as AssertionError).message;
  }
  throw new Error('The scenario passed');
}

describe('a scenario of a saga', () => {
  test('goes through it from its first event to its end', () => {
    scenario.when(placed).thenEffects([create]);
    created.thenEffects([charge('charge', { total: 10 }), reserve('reserve', { orderId: 'o-1' })]);
    created
      .when(completed('charge', { chargeId: 'c-1' }))
      .thenEffects([reserve('reserve', { orderId: 'o-1' })])
      .when(completed('reserve', { shelf: 'lower' }))
      .thenEffects([waitFor('packed', 'Packed', { timeoutMs: packingMs })])
      .thenState({
        orderId: 'o-1',
        total: 10,
        chargeId: 'c-1',
        shelf: 'lower',
        packedBy: undefined,
        isLate: false,
      })
      .when(packed)
      .thenEffects([ship])
      .when(accepted('ship'))
      .thenEffects([complete({ chargeId: 'c-1' })])
      .thenCompleted()
      .thenCompleted({ chargeId: 'c-1' });
  });

  test('leaves each moment as it is, whatever is made of it', () => {
    const declined = charged.when(failed('reserve', { code: 'sold_out' }));
    declined.thenCompensating(['charge', 'create']);
    charged.thenEffects([{ key: 'reserve' }]);
    charged.when(completed('reserve', { shelf: 'upper' })).thenEffects([{ key: 'packed', kind: 'wait' }]);
    declined.thenCompensating(['charge', 'create']);
  });

  test('takes events, signals and what came before it was waited for alike', () => {
    for (const early of [packed, signal('Packed', { orderId: 'o-1', by: 'Ada' })])
      created
        .given(early, completed('charge', { chargeId: 'c-1' }))
        .when(completed('reserve', { shelf: 'upper' }))
        .thenEffects([ship]);
  });

  test('compensates in reverse order, one after the other, what undoes an effect with what it came to', () => {
    prepared
      .when(timedOut('packed'))
      .thenEffects([fail('not packed in time', { orderId: 'o-1' }), undoReserve, undoCharge, undoCreate])
      .thenCompensating(['reserve', 'charge', 'create'])
      .when(completed('release', null))
      .thenEffects([undoCharge, undoCreate])
      .when(completed('refund', {}))
      .thenCompensating(['create'])
      .when(accepted('~create'))
      .thenEffects([])
      .thenCompensated()
      .thenCompensated({ code: 'failed', message: 'not packed in time' });
  });

  test('breaks off what is under way, and undoes it where it may have happened', () => {
    created
      .when(failed('reserve', { code: 'sold_out', details: { left: 0 } }))
      .thenEffects([undoUnknownCharge, undoCreate])
      .given(completed('refund', {}), accepted('~create'))
      .thenCompensated({ code: 'sold_out', details: { left: 0 } });
    scenario.given(placed).when(rejected('create', 'order_exists')).thenCompensated({ code: 'order_exists' });
    created.when(cancelled('changed her mind')).thenEffects([undoUnknownCharge, undoCreate]);
  });

  test('tries again what was thrown, after its backoff, as often as its policy says', () => {
    const down = new Error('down');
    const twice = created.given(failed('charge', down), woke('charge'), failed('charge', down));
    created.when(failed('charge', down)).thenEffects([{ key: 'charge', attempt: 1, inMs: 100 }, { key: 'reserve' }]);
    twice.thenEffects([{ ...charge('charge', { total: 10 }), attempt: 2, inMs: 200 }, { key: 'reserve' }]);
    twice.given(passed(199)).thenEffects([{ key: 'charge', attempt: 2, inMs: 1 }, { key: 'reserve' }]);
    twice.given(passed(200)).thenEffects([{ key: 'charge', attempt: 3 }, { key: 'reserve' }]);
    twice.given(woke('charge')).when(failed('charge', down)).thenCompensating(['charge', 'create']);
    created
      .when(failed('charge', new RangeError('its policy calls that final')))
      .thenCompensating(['charge', 'create']);
    created.when(timedOut('charge')).thenEffects([{ key: 'charge', attempt: 1, inMs: 100 }, { key: 'reserve' }]);
  });

  test('an attempt of which nobody knows the end is made again at once, and was perhaps done', () => {
    const again = created.given(lost('charge'));
    again.thenEffects([{ key: 'charge', attempt: 2 }, { key: 'reserve' }]);
    again.when(failed('charge', { code: 'declined' })).thenEffects([undoUnknownCharge, undoCreate]);
    created.when(failed('charge', { code: 'declined' })).thenEffects([undoCreate]);
  });

  test('asks what became of it before it is undone, where an implementation can be asked', () => {
    const asks = sagaScenario(fulfilment, { reconciles: ['charge'] }).given(placed, accepted('create'), lost('charge'));
    const asked = asks.given(failed('charge', new Error('down')), failed('reserve', { code: 'sold_out' }));
    asked.thenEffects([{ key: 'charge', inMs: 100 }, undoCreate]);
    asked.given(woke('charge')).thenEffects([{ key: 'charge', attempt: 3 }, undoCreate]);
    asked
      .given(woke('charge'))
      .when(completed('charge', { chargeId: 'c-1' }))
      .thenEffects([undoCharge, undoCreate]);
  });

  test('is stuck where what undoes something fails for good, until an operator acts', () => {
    const stuck = prepared.given(timedOut('packed'), failed('release', new Error('jammed')));
    stuck.thenStuck().thenStuck('~reserve').thenEffects([]);
    stuck.when(retried()).thenEffects([{ ...undoReserve, attempt: 2 }, undoCharge, undoCreate]);
    stuck.when(skipped('by hand')).thenEffects([undoCharge, undoCreate]);
    stuck.when(resolved(null)).thenCompensating(['charge', 'create']);
  });

  test('its clock moves only when it is told, and deadlines are counted from there', () => {
    prepared
      .given(passed(packingMs - 400))
      .thenEffects([waitFor('packed', 'Packed', { timeoutMs: 400 })])
      .thenEffects([{ key: 'packed', inMs: 400 }])
      .when(passed(400))
      .thenCompensating(['reserve', 'charge', 'create']);
  });

  test('an input that its schema does not take fails as it would in an engine', () => {
    const free = { type: 'OrderPlaced', data: { orderId: 'o-1', total: 0 } } as const;
    given(free, accepted('create')).thenEffects([undoCreate]);
  });
});

const nap = defineSaga({
  name: 'nap',
  events: {},
  input: z.object({ until: z.number() }),
  children: [{ name: 'fulfilment' }],
  initialState: { until: 0 },
  evolve: (state, event) => (event.type === 'started' ? event.data : state),
  next: ({ until }, { isDone, resultOf }): readonly Effect[] => {
    if (until < 0) throw new Error('no time');
    if (!isDone('rest')) return [sleep('rest', { ms: 500 }), sleep('date', { until })];
    if (!isDone('child')) return [child('child', fulfilment, 'o-9', { total: 1 })];
    return [complete(resultOf('child'))];
  },
});

describe('a scenario', () => {
  const begun = sagaScenario(nap);
  const start = Date.UTC(2026, 0, 1);

  test('of one that is started, that sleeps and has a child', () => {
    const { started, woke: wokeUp, childCompleted, childFailed } = begun;
    const asleep = begun.given(started({ until: start + 900 }));
    asleep.thenEffects([sleep('date', { until: start + 900 }), sleep('rest', { ms: 500 })]);
    const awake = asleep.given(wokeUp('rest'));
    awake.thenEffects([child('child', fulfilment, 'o-9', { total: 1 })]).thenEffects([{ key: 'child', kind: 'child' }]);
    awake.when(childCompleted('child', { sum: 3 })).thenCompleted({ sum: 3 });
    awake
      .when(childFailed('child', 'sold_out', { left: 0 }))
      .thenCompensated({ code: 'sold_out', details: { left: 0 } });
    sagaScenario(nap, { now: 5_000, id: 'n' })
      .given(started({ until: 5_001 }))
      .thenEffects([
        { key: 'rest', inMs: 500 },
        { key: 'date', inMs: 1 },
      ]);
  });

  test('of one whose children are undone, and one that lets them go their own way', () => {
    const parent = defineSaga({
      name: 'parent',
      events: { Stopped: z.object({}) },
      input: z.null(),
      activities: { refund },
      children: [{ name: 'nap' }],
      initialState: { isStopped: false },
      evolve: (state, event) => (event.type === 'Stopped' ? { isStopped: true } : state),
      next: ({ isStopped }, { isDone }): readonly Effect[] => {
        if (isStopped) return [fail('stopped')];
        const undone = {
          compensate: (result: unknown) => (result === undefined ? undefined : refund('', { key: String(result) })),
        };
        if (!isDone('one')) return [child('one', nap, 'n-1', {}, undone)];
        return isDone('two') ? [sleep('rest', { ms: 1 })] : [child('two', nap, 'n-2', {}, { detached: true })];
      },
    });
    const { given: after, started, childCompleted, childFailed, signal: signals } = sagaScenario(parent);
    const both = after(started(null)).when(childCompleted('one', 'c-1'));
    both.thenEffects([child('two', nap, 'n-2', {}, { detached: true }), sleep('rest', { ms: 1 })]);
    both.given(passed(0)).thenEffects([sleep('rest', { ms: 1 })]);
    both.when(signals('Stopped', {})).thenEffects([fail('stopped'), refund('~one', { key: 'c-1' })]);
    after(started(null), signals('Stopped', {}))
      .thenEffects([fail('stopped'), child('one', nap, 'n-1', {})])
      .when(childFailed('one', 'cancelled'))
      .thenCompensated({ message: 'stopped' });
  });

  test('is stuck at no effect where `next` fails, and says why', () => {
    const broken = begun.given(begun.started({ until: -1 }));
    broken.thenStuck(null).thenEffects([]);
    expect(complaint(() => broken.thenCompleted())).toContain('nap 1 is stuck (next_failed: no time)');
    expect(complaint(() => broken.thenStuck('rest'))).toContain('rest');
  });

  test('is stuck where what it asks for cannot be kept, and refuses what could not have happened', () => {
    const dated = defineSaga({
      name: 'dated',
      events: { Day: z.unknown() },
      startsOn: 'Day',
      id: () => '1',
      initialState: {},
      evolve: (state) => state,
      next: () => [complete({ at: new Date(0) })],
    });
    const day = sagaScenario(dated).given({ type: 'Day', data: 1 });
    expect(complaint(() => day.thenStuck(null).thenCompleted())).toMatch(/next_failed: .*JSON cannot carry/);
    expect(() => sagaScenario(dated).given({ type: 'Day', data: new Date(0) })).toThrow(/JSON cannot carry/);
  });

  test('never hangs over a saga that never rests', () => {
    const restless = defineSaga({
      name: 'restless',
      events: {},
      input: z.null(),
      initialState: 0,
      evolve: (count) => count + 1,
      next: (count) => [sleep(`nap-${count}`, { ms: 0 })],
    });
    const trial = sagaScenario(restless);
    expect(complaint(() => trial.given(trial.started(null)))).toContain('does not wait for anything');
  });
});

describe('a scenario fails, and shows both,', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['for another key', () => created.thenEffects([{ key: 'charge' }, { key: 'reverse' }]), /\+.*reserve.*-.*reverse/s],
    ['for an effect too few', () => created.thenEffects([{ key: 'charge' }]), /\+.*reserve/s],
    ['for an effect too many', () => charged.thenEffects([{ key: 'charge' }, { key: 'reserve' }]), /-.*charge/s],
    ['for another input', () => charged.thenEffects([reserve('reserve', { orderId: 'o-2' })]), /\+.*o-1.*-.*o-2/s],
    ['for another kind', () => charged.thenEffects([{ key: 'reserve', kind: 'wait' }]), /\+.*activity.*-.*wait/s],
    [
      'for another activity',
      () => charged.thenEffects([release('reserve', { orderId: 'o-1' })]),
      /\+.*'reserve'.*-.*'release'/s,
    ],
    ['for another attempt', () => charged.thenEffects([{ key: 'reserve', attempt: 2 }]), /\+.*1,\n-.*2/],
    [
      'for another command',
      () => prepared.given(packed).thenEffects([command('ship', order.commands.ship('o-2', {}))]),
      /\+.*o-1.*-.*o-2/s,
    ],
    [
      'for another type',
      () => prepared.thenEffects([waitFor('packed', 'Noted', { timeoutMs: packingMs })]),
      /\+.*Packed.*-.*Noted/s,
    ],
    [
      'for another deadline',
      () => prepared.thenEffects([waitFor('packed', 'Packed', { timeoutMs: 1 })]),
      /\+.*3600000.*-.*1/s,
    ],
    [
      'for another result',
      () => prepared.given(packed, accepted('ship')).thenCompleted({ chargeId: 'c-2' }),
      /\+.*c-1.*-.*c-2/s,
    ],
    [
      'for another end',
      () => prepared.given(packed, accepted('ship')).thenEffects([complete({ chargeId: 'c-2' })]),
      /\+.*c-1.*-.*c-2/s,
    ],
    [
      'for another reason',
      () => prepared.when(timedOut('packed')).thenEffects([fail('too late'), undoReserve, undoCharge, undoCreate]),
      /\+.*not packed.*-.*too late/s,
    ],
    [
      'for another order of compensations',
      () => prepared.when(timedOut('packed')).thenCompensating(['charge', 'reserve', 'create']),
      /reserve/,
    ],
    [
      'for what is undone in another order',
      () => charged.when(failed('reserve', { code: 'x' })).thenEffects([undoCreate, undoCharge]),
      /~charge/,
    ],
    ['for another state', () => scenario.given(placed).thenState({ ...nothingElse, total: 11 }), /\+.*10.*-.*11/s],
    [
      'for one that has not completed',
      () => created.thenCompleted(),
      /Expected it to be completed, but fulfilment o-1 is running/,
    ],
    ['for one that is not compensated', () => created.thenCompensated(), /but fulfilment o-1 is running/],
    [
      'for another failure',
      () => given(placed).when(rejected('create', 'x')).thenCompensated({ code: 'y' }),
      /\+.*'x'.*-.*'y'/s,
    ],
    ['for one that is not stuck', () => created.thenStuck(), /but fulfilment o-1 is running/],
  ])('%s', (_, trial, text) => {
    expect(complaint(trial)).toMatch(text);
  });
});

const nothingElse = {
  orderId: 'o-1',
  total: 10,
  chargeId: undefined,
  shelf: undefined,
  packedBy: undefined,
  isLate: false,
};

describe('a scenario takes nothing that could not happen:', () => {
  test.each<[string, () => unknown, RegExp]>([
    ['something before the start', () => given(completed('charge', { chargeId: '1' })), /has not been started/],
    ['an event that does not start it', () => given(packed), /Packed does not start fulfilment: OrderPlaced does/],
    ['a second start', () => given(placed, { kind: 'started', input: undefined }), /cannot be started again/],
    [
      'an event of another instance',
      () => given(placed, { type: 'Noted', data: { orderId: 'o-2' } }),
      /concerns fulfilment o-2, not o-1/,
    ],
    [
      'an end of what is not under way',
      () => charged.given(completed('charge', { chargeId: '2' })),
      /no attempt at charge is under way, but reserve \(reserve\)/,
    ],
    [
      'an output that its schema refuses',
      () => created.given(completed('charge', { chargeId: 7 as never })),
      /what charge returns does not match/,
    ],
    [
      'a signal that its schema refuses',
      () => created.given(signal('Packed', { orderId: 'o-1' } as never)),
      /the signal Packed does not match/,
    ],
    ['a command that is not due', () => created.given(accepted('ship')), /the command ship is not due, but no command/],
    [
      'a deadline of what does not wait',
      () => created.given(timedOut('packed')),
      /packed neither waits nor is under way/,
    ],
    ['the end of a sleep of what does not sleep', () => prepared.given(woke('packed')), /packed neither sleeps/],
    ['an operator where it is not stuck', () => created.given(retried()), /it is not stuck/],
    [
      'a cancellation of what is compensated',
      () => created.given(cancelled('a'), cancelled('b')),
      /cannot be cancelled any more/,
    ],
    [
      'anything after the end',
      () => prepared.given(packed, accepted('ship'), { type: 'Noted', data: { orderId: 'o-1' } }),
      /there is no Noted any more/,
    ],
  ])('%s', (_, trial, text) => {
    expect(complaint(trial)).toMatch(text);
  });

  test('one of several attempts at an activity, unless it is said which', () => {
    const twice = defineSaga({
      name: 'twice',
      events: {},
      input: z.null(),
      activities: { charge },
      initialState: {},
      evolve: (state) => state,
      next: (_, { isDone }) => [
        ...(isDone('a') && isDone('b') ? [complete()] : [charge('a', { total: 1 }), charge('b', { total: 2 })]),
      ],
    });
    const both = sagaScenario(twice);
    const begun = both.given(both.started(null));
    expect(complaint(() => begun.given(both.completed('charge', { chargeId: '1' })))).toMatch(/say which by \{ key \}/);
    begun.when(both.completed('charge', { chargeId: '1' }, { key: 'b' })).thenEffects([charge('a', { total: 1 })]);
  });

  test('a schema that is asynchronous is refused: a scenario is not', () => {
    const slow = activity({ name: 'slow', input: z.null(), output: z.string().refine(async () => true) });
    const waits = defineSaga({
      name: 'waits',
      events: {},
      input: z.null(),
      activities: { slow },
      initialState: {},
      evolve: (state) => state,
      next: () => [slow('slow', null)],
    });
    const trial = sagaScenario(waits);
    expect(() => trial.given(trial.started(null), trial.completed('slow', 'x'))).toThrow(/asynchronous/);
  });
});

describe('what a scenario takes is typed by the definition', () => {
  // Not called.
  const misspelt = () => {
    // @ts-expect-error no such event
    given({ type: 'OrderPlacd', data: { orderId: 'o-1', total: 1 } });
    // @ts-expect-error no such field
    given({ type: 'OrderPlaced', data: { orderId: 'o-1', totl: 1 } });
    // @ts-expect-error no such activity
    completed('chrge', { chargeId: 'c' });
    // @ts-expect-error no such field
    completed('charge', { chargId: 'c' });
    // @ts-expect-error what another one returns
    completed('charge', { shelf: 'upper' });
    // @ts-expect-error no such value
    completed('reserve', { shelf: 'middle' });
    // @ts-expect-error no such activity
    failed('chrge', { code: 'x' });
    // @ts-expect-error no such activity
    lost('chrge');
    // @ts-expect-error no such signal
    signal('Paked', {});
    // @ts-expect-error no such field
    signal('Packed', { order: 'o-1' });
    // @ts-expect-error it takes no input
    scenario.started({ total: 1 });
    // @ts-expect-error no such field
    sagaScenario(nap).started({ till: 1 });
    // @ts-expect-error no such state
    created.thenState({ orderId: 'o-1' });
    // @ts-expect-error no such activity
    sagaScenario(fulfilment, { reconciles: ['chrge'] });
  };

  test('so that what is misspelt does not compile', () => {
    expectTypeOf(misspelt).toBeFunction();
    expectTypeOf<Parameters<typeof completed<'reserve'>>[1]>().toEqualTypeOf<{
      shelf: 'upper' | 'lower';
      lots?: number[] | undefined;
    }>();
  });
});
