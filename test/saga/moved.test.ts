/** Instances are events: they move with their store, and go on where they are taken. */
import {
  command,
  copyLog,
  defineAggregate,
  defineSaga,
  memory,
  openEngine,
  openLog,
  sleep,
  steps,
  waitFor,
} from 'eventsrc';
import type { Engine, EventLog } from 'eventsrc';
import { TestClock } from 'eventsrc/testing';
import { expect, test } from 'vitest';
import { z } from 'zod';

const box = defineAggregate({
  name: 'box',
  events: { Packed: z.object({}) },
  initialState: {},
  evolve: { Packed: (state) => state },
  commands: { pack: { input: z.object({}), decide: () => [{ type: 'Packed', data: {} }] } },
});

const hourMs = 3_600_000;

const packing = defineSaga({
  name: 'packing',
  events: { Approved: z.object({}) },
  input: z.object({ id: z.string() }),
  initialState: { id: '' },
  evolve: (state, event) => (event.type === 'started' ? event.data : state),
  next: steps([
    () => sleep('overnight', { ms: hourMs }),
    () => waitFor('approval', 'Approved', { timeoutMs: hourMs }),
    ({ id }) => command('pack', box.commands.pack(id, {})),
  ]),
});

test('an instance goes on in a copy of its store, with its timers and what it waits for', async () => {
  const clock = new TestClock();
  const openOn = (store: EventLog): Promise<Engine> =>
    openEngine({ store, aggregates: [box], sagas: [packing], clock });
  await using original = await openLog({ store: memory(), clock });
  await using first = await openOn(original);
  await first.start(packing, 'sleeps', { id: '1' });
  await first.settled();

  await using copy = await openLog({ store: memory(), clock });
  await copyLog(original, copy);
  await using second = await openOn(copy);
  const moved = second.saga(packing, 'sleeps');
  await second.settled();
  clock.advance(hourMs);
  await expect.poll(async () => (await moved.state()).effects['approval']?.status).toBe('open');
  await moved.signal('Approved', {});
  expect(await moved.result()).toEqual({ kind: 'completed', result: undefined });
  expect((await second.load(box, '1')).version).toBe(1);
  expect((await first.load(box, '1')).version, 'nothing of that happens in the original').toBe(0);
});
