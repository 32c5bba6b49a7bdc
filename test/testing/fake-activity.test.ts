import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { activity, FinalError } from '../../src/index.ts';
import type { ActivityContext } from '../../src/index.ts';
import { fakeActivity } from '../../src/testing/index.ts';

const pay = activity({
  name: 'pay',
  input: z.object({ sum: z.number().default(1) }),
  output: z.object({ paid: z.string().transform(Number) }),
});

const context: ActivityContext = {
  idempotencyKey: 'k',
  attempt: 1,
  signal: new AbortController().signal,
  saga: 'order',
  instance: '1',
};

describe('the fake of an activity', () => {
  test('keeps what it was asked, and fails until it is told what to answer', async () => {
    const fake = fakeActivity(pay);
    await expect(fake({ sum: 3 }, context)).rejects.toThrow('The fake of pay was not told what to answer');
    await expect(fake({ sum: 4 }, { ...context, attempt: 2 })).rejects.toThrow('not told');
    expect(fake.calls).toEqual([
      { input: { sum: 3 }, ...context },
      { input: { sum: 4 }, ...context, attempt: 2 },
    ]);
  });

  test('answers what it was told so many times first, then what it was told last', async () => {
    const fake = fakeActivity(pay)
      .succeeds({ paid: '1' })
      .fails(new FinalError('declined'), 2)
      .succeeds(({ sum }, { attempt }) => ({ paid: `${sum * attempt}` }), 1);
    await expect(fake({ sum: 3 }, context)).rejects.toThrow('declined');
    await expect(fake({ sum: 3 }, context)).rejects.toThrow('declined');
    expect(await fake({ sum: 3 }, { ...context, attempt: 3 })).toEqual({ paid: '9' });
    expect(await fake({ sum: 3 }, context)).toEqual({ paid: '1' });
    fake.fails(new Error('down'));
    await expect(fake({ sum: 3 }, context)).rejects.toThrow('down');
  });

  test('hangs until its signal fires', async () => {
    const controller = new AbortController();
    const fake = fakeActivity(pay).hangs(1).succeeds({ paid: '1' });
    const hanging = fake({ sum: 1 }, { ...context, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(hanging).rejects.toThrow('enough');
    expect(await fake({ sum: 1 }, context)).toEqual({ paid: '1' });
    await expect(fakeActivity(pay).hangs()({ sum: 1 }, { ...context, signal: controller.signal })).rejects.toThrow(
      'enough',
    );
  });

  test('tells when it has been called so often, or the signal of who waits fires', async () => {
    const fake = fakeActivity(pay).succeeds({ paid: '1' });
    let told = 0;
    const twice = fake.called(2).then(() => (told += 1));
    await fake({ sum: 1 }, context);
    await fake.called();
    expect(told).toBe(0);
    await fake({ sum: 1 }, context);
    await twice;
    expect(told).toBe(1);
    const controller = new AbortController();
    const never = fake.called(3, controller.signal);
    controller.abort(new Error('enough'));
    await expect(never).rejects.toThrow('enough');
    await expect(fake.called(3, controller.signal)).rejects.toThrow('enough');
  });

  test.each([0, -1, 1.5, Number.NaN])('answers a whole number of times, not %d', (times) => {
    expect(() => fakeActivity(pay).hangs(times)).toThrow(TypeError);
  });

  test('is typed by the activity', () => {
    const fake = fakeActivity(pay);
    expectTypeOf<Parameters<typeof fake>[0]>().toEqualTypeOf<{ sum: number }>();
    expectTypeOf<Awaited<ReturnType<typeof fake>>>().toEqualTypeOf<{ paid: string }>();
    // Not called.
    const misspelt = () => {
      // @ts-expect-error no such field
      fake.succeeds({ payed: '1' });
      // @ts-expect-error what its schema makes of it is not what it returns
      fake.succeeds({ paid: 1 });
      activity({ name: 'other', input: z.object({ id: z.string() }), output: z.null() }).implement(
        // @ts-expect-error it fakes another activity
        fake,
      );
    };
    expectTypeOf(misspelt).toBeFunction();
    pay.implement(fake);
  });
});
