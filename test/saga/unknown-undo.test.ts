/** A `compensate` that fails: what it should have said how to undo is not forgotten. */
import { activity, defineSaga, FinalError, memory, openEngine, steps } from 'eventsrc';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';

const book = activity({ name: 'book', input: z.object({}), output: z.object({}) });
const pay = activity({ name: 'pay', input: z.object({}), output: z.object({}) });

const trip = defineSaga({
  name: 'trip',
  events: { Reminded: z.object({}) },
  input: z.object({}),
  activities: { book, pay },
  initialState: {},
  evolve: (state) => state,
  next: steps([
    () =>
      book(
        'book',
        {},
        {
          compensate: () => {
            throw new Error('a bug');
          },
        },
      ),
    () => pay('pay', {}),
  ]),
});

afterEach(() => {
  vi.restoreAllMocks();
});

test.each(['an operator', 'an event'] as const)(
  'where %s has it go on, it is stuck there again when all is undone, until somebody says what became of it',
  async (who) => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const declined = () => {
      throw new FinalError('declined');
    };
    const activities = [book.implement(() => ({})), pay.implement(declined)];
    await using engine = await openEngine({ store: memory(), sagas: [trip], activities });
    for (const act of ['skip', 'resolve'] as const) {
      const handle = await engine.start(trip, act, {});
      expect(await handle.result()).toMatchObject({ kind: 'stuck', failure: { code: 'compensate_failed' } });
      await (who === 'an event' ? handle.signal('Reminded', {}) : handle.retry());
      const stuck = { kind: 'stuck', key: '~book', failure: { code: 'compensate_failed' } };
      await expect.poll(() => handle.result()).toMatchObject(stuck);
      // Trying again does not tell how.
      await handle.retry();
      await expect.poll(() => handle.result()).toMatchObject(stuck);
      await (act === 'skip' ? handle.skip('cancelled by phone') : handle.resolve({ by: 'phone' }));
      await expect.poll(() => handle.result()).toMatchObject({ kind: 'compensated', failure: { code: 'declined' } });
    }
  },
);
