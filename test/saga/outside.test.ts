import { expect, test } from 'vitest';
import { z } from 'zod';
import { complete, defineSaga, memory, openEngine, waitFor } from '../../src/index.ts';
import type { Backend } from '../../src/index.ts';

const tally = defineSaga({
  name: 'tally',
  events: { Counted: z.object({}) },
  input: z.object({}),
  initialState: 0,
  evolve: (count, event) => (event.type === 'Counted' ? count + 1 : count),
  next: (count) => (count < 1_000 ? [waitFor('more', 'Counted', { timeoutMs: 60_000 })] : [complete()]),
});

/** Counts what is sent to it, also what is refused. */
function counting(backend: Backend): { readonly backend: Backend; readonly sent: () => number } {
  let sent = 0;
  const counted: Backend = {
    ...backend,
    openEvents: async (options) => {
      const store = await backend.openEvents(options);
      const append = store.append.bind(store);
      store.append = (group, inline) => {
        sent += group.length;
        return append(group, inline);
      };
      return store;
    },
  };
  return { backend: counted, sent: () => sent };
}

test('a process that sends many signals at once to an instance that others work on is not in its own way', async () => {
  const { backend, sent } = counting(memory());
  await using engine = await openEngine({ store: backend, sagas: [tally], run: 'none' });
  const instance = await engine.start(tally, '1', {});
  await Promise.all(Array.from({ length: 50 }, () => instance.signal('Counted', {})));
  expect((await instance.state()).state).toBe(50);
  expect(sent()).toBe(51);
});
