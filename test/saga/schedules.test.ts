/** Commands at a time, and again and again. */
import { defineAggregate, memory, openEngine, openLog } from 'eventsrc';
import { TestClock } from 'eventsrc/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';

const report = defineAggregate({
  name: 'report',
  events: { Written: z.object({}) },
  initialState: {},
  evolve: { Written: (state) => state },
  commands: { write: { input: z.object({}), decide: () => [{ type: 'Written', data: {} }] } },
});
const hourMs = 3_600_000;

test('a program may schedule the same under the same id whenever it starts', async () => {
  const clock = new TestClock();
  const store = await openLog({ store: memory(), clock });
  await using _ = store;
  const command = report.commands.write('hourly', {});
  for (const isAgain of [false, true]) {
    await using engine = await openEngine({ store, aggregates: [report], schedules: true, clock });
    for (const [time, id] of [
      [{ every: hourMs }, 'every'],
      [{ every: hourMs, from: Date.UTC(2030, 0, 1) }, 'from'],
      [{ at: new Date(Date.UTC(2030, 0, 1)) }, 'at'],
    ] as const)
      expect(await engine.schedule(command, time, { id })).toEqual({ id, duplicate: isAgain });
    await expect(engine.schedule(command, { every: 2 * hourMs }, { id: 'every' })).rejects.toMatchObject({
      code: 'saga_exists',
    });
    clock.advance(hourMs / 2);
  }
  await using engine = await openEngine({ store, aggregates: [report], schedules: true, clock });
  await engine.settled();
  expect((await engine.load(report, 'hourly')).version, 'an hour after it was first asked for').toBe(1);
});
