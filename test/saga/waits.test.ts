/** Which wait an event is for. */
import { complete, defineSaga, memory, openEngine, waitFor } from 'eventsrc';
import type { SagaNotice } from 'eventsrc';
import { expect, test } from 'vitest';
import { z } from 'zod';

const timeoutMs = 60_000;

test('an event is for the wait that is open, although it has led to a state in which another one is asked for', async () => {
  const poll = defineSaga({
    name: 'poll',
    events: { Voted: z.object({ by: z.string() }) },
    input: z.object({}),
    initialState: { votes: 0 },
    evolve: ({ votes }, event) => ({ votes: event.type === 'Voted' ? votes + 1 : votes }),
    next: ({ votes }, { resultOf }) =>
      votes < 3
        ? [waitFor(`vote ${votes}`, 'Voted', { timeoutMs })]
        : [complete([0, 1, 2].map((vote) => resultOf(`vote ${vote}`)))],
  });
  const told: SagaNotice[] = [];
  await using engine = await openEngine({ store: memory(), sagas: [poll], hooks: { saga: (one) => told.push(one) } });
  const handle = await engine.start(poll, '1', {});
  for (const by of ['Ada', 'Bob', 'Cid']) {
    await engine.settled();
    await handle.signal('Voted', { by });
  }
  expect(await handle.result()).toEqual({ kind: 'completed', result: [{ by: 'Ada' }, { by: 'Bob' }, { by: 'Cid' }] });
  expect(told.map(({ kind }) => kind)).toEqual(['started', 'ended']);
});
