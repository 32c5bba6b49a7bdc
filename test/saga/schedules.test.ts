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

test('what cannot be meant as a time, an option or an id is refused, as is an id for which those who take over have no room', async () => {
  await using engine = await openEngine({ store: memory(), aggregates: [report], schedules: true });
  const command = report.commands.write('1', {});
  const at = Date.UTC(2030, 0, 1);
  for (const [time, options, code] of [
    [{ at: null }, {}, 'option_invalid'],
    [{ at: '' }, {}, 'option_invalid'],
    [{ every: hourMs, from: true }, {}, 'option_invalid'],
    [{ at }, { actr: 'ada' }, 'option_invalid'],
    [{ at }, { id: 'nightly~1' }, 'option_invalid'],
    [{ at }, { id: 'n'.repeat(1_000) }, 'name_invalid'],
  ] as const)
    await expect(engine.schedule(command, time as never, options as never)).rejects.toMatchObject({ code });
  await engine.schedule(command, { at }, { id: 'nightly~x', actor: 'ada' });
});
