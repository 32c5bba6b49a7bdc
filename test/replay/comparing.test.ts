/** Comparisons of histories that are out of the ordinary: names, folds that throw, events that are added. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineAggregate, defineProjection, memory, openEngine } from '../../src/index.ts';
import type { EventSchemas, Moment, NewEvent } from '../../src/index.ts';
import { TestClock } from '../../src/testing/index.ts';

/** Folds that refuse values below a least one. */
function domainFrom(least: number) {
  const check = (value: number) => {
    if (value < least) throw new Error('less than nothing');
  };
  const form = defineAggregate({
    name: 'form',
    events: { Filled: z.object({ field: z.string(), value: z.number() }) },
    initialState: (): Readonly<Record<string, number>> => ({}),
    evolve: {
      Filled: (state, { data: { field, value } }) => {
        check(value);
        return { ...state, [field]: value };
      },
    },
    commands: {},
  });
  const sums = defineProjection({
    name: 'sums',
    from: [form],
    key: ({ aggregateId }) => aggregateId,
    initial: { sum: 0, at: 0 },
    on: {
      Filled: ({ sum }, { data: { value }, recordedAt }) => {
        check(value);
        return { sum: sum + value, at: recordedAt };
      },
    },
  });
  return { form, sums };
}

const { form, sums } = domainFrom(0);
const mended = domainFrom(-Infinity);
const subject = { aggregate: form, id: '1' } as const;

const filled = (field: string, value: number): NewEvent<EventSchemas> => ({ type: 'Filled', data: { field, value } });

/** One event a second: of a stream of its own, where the field is `other`. */
async function engineWith(...filling: readonly (readonly [field: string, value: number])[]) {
  const clock = new TestClock(0);
  const engine = await openEngine({ store: memory(), clock });
  for (const [field, value] of filling) {
    clock.advance(1_000);
    const stream = field === 'other' ? 'other-1' : form.stream('1');
    await engine.log.append([{ stream, events: [filled(field, value)] }]);
  }
  return engine;
}

test.each([
  ['["total"]', 'total'],
  ['.total', 'total'],
  ['["a.b"]', 'a.b'],
  ['[0]', '0'],
  ['["constructor"]', 'constructor'],
])('why %s names what the event changed, however the path is written', async (path, field) => {
  await using engine = await engineWith(['x', 1], [field, 2], ['x', 3]);
  const cause = await engine.past.why(subject, path);
  expect(cause).toMatchObject({ event: { version: 2 }, before: undefined, after: 2 });
  expect(cause?.changes).toMatchObject([{ before: undefined, after: 2 }]);
});

test('what if the event had not happened that todays fold cannot take: what is ends before it, and says why', async () => {
  await using engine = await engineWith(['a', 1], ['b', -1], ['c', 3]);
  const { firstDifference, actualFailure, ...result } = await engine.past.whatIf(subject, {
    without: [{ version: 2 }],
  });
  expect(actualFailure).toMatchObject({ code: 'evolve_failed', details: { version: 2, reason: 'less than nothing' } });
  expect(firstDifference?.event.position).toBe(3);
  expect(result).toEqual({
    actual: { a: 1 },
    hypothetical: { a: 1, c: 3 },
    changes: [{ path: 'c', before: undefined, after: 3 }],
    events: { actual: 1, hypothetical: 2 },
  });
});

test('what if a fold were mended: it is compared with what todays fold can take', async () => {
  await using engine = await engineWith(['a', 1], ['b', -1], ['c', 3]);
  const instance = await engine.past.whatIf(subject, { aggregate: mended.form });
  expect(instance).toMatchObject({ actual: { a: 1 }, hypothetical: { a: 1, b: -1, c: 3 } });
  expect(instance.firstDifference?.event.version).toBe(2);
  expect(instance.actualFailure?.code).toBe('evolve_failed');

  const documents = await engine.past.whatIf({ projection: sums }, { projection: mended.sums });
  const failure = { code: 'fold_failed', details: { fold: 'sums', position: 2 } };
  expect(documents.actualFailure).toMatchObject(failure);
  expect(documents).toMatchObject({
    compared: 1,
    differences: [{ key: '1', actual: { sum: 1 }, hypothetical: { sum: 3 } }],
    firstDifference: { key: '1', event: { position: 2 } },
    events: { actual: 1, hypothetical: 3 },
  });
  const document = await engine.past.whatIf({ projection: sums, key: '1' }, { projection: mended.sums });
  expect(document.actualFailure).toMatchObject(failure);
  expect(document).toMatchObject({ actual: { sum: 1 }, hypothetical: { sum: 3 } });

  // Without what would be there is nothing to show.
  const broken = engine.past.whatIf({ aggregate: mended.form, id: '1' }, { aggregate: form });
  await expect(broken).rejects.toMatchObject({ code: 'evolve_failed', details: { version: 2 } });
  await expect(engine.past.whatIf({ projection: sums }, {})).rejects.toMatchObject(failure);
});

test('an event that is added to a view has the time of what it follows, also of what is of no interest to the view', async () => {
  await using engine = await engineWith(['a', 1], ['other', 0], ['other', 0], ['a', 2]);
  const data = { field: 'a', value: 4 };
  const at = async (after?: Moment) => {
    const add = [{ stream: form.stream('9'), type: 'Filled', data, ...(after && { after }) } as const];
    const { hypothetical } = await engine.past.whatIf({ projection: sums, key: '9' }, { add });
    return hypothetical?.at;
  };
  expect(await at({ position: 2 })).toBe(2_000);
  expect(await at({ time: 3_500 })).toBe(3_000);
  expect(await at()).toBe(4_000);
});

test('an event that would have followed what is later than the moment is refused', async () => {
  await using engine = await engineWith(['a', 1], ['other', 0], ['a', 2], ['a', 3]);
  const data = { field: 'b', value: 4 };
  const at = { position: 2 };
  const late = { code: 'option_invalid', details: { option: 'after' } };
  const added = (after: Moment) => engine.past.whatIf(subject, { at, add: [{ type: 'Filled', data, after }] });
  for (const after of [{ version: 2 }, { position: 3 }, { time: 9_000 }])
    await expect(added(after)).rejects.toMatchObject(late);
  for (const after of [{ version: 1 }, { position: 2 }, { time: 2_500 }])
    expect((await added(after)).hypothetical).toEqual({ a: 1, b: 4 });
  const add = [{ stream: form.stream('1'), type: 'Filled', data, after: { time: 3_000 } }] as const;
  await expect(engine.past.whatIf({ projection: sums }, { at, add })).rejects.toMatchObject(late);
  // As of a moment that is still to come nothing is later.
  const whole = await engine.past.whatIf({ projection: sums }, { at: { time: 9_000 }, add });
  expect(whole).toMatchObject({ differing: 1, events: { actual: 3, hypothetical: 4 } });
});
