/** Attempts whose schemas do not answer. */
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { activity, complete, defineSaga, memory } from '../../src/index.ts';
import type { StandardSchemaV1 } from '../../src/index.ts';
import { closeAll, open } from './opened.ts';

afterEach(closeAll);

const silent: StandardSchemaV1<object, object> = {
  '~standard': { version: 1, vendor: 'test', validate: () => new Promise(() => {}) },
};
const any = z.object({});

test.each([
  ['input', activity({ name: 'ask', input: silent, output: any, timeoutMs: 20, retry: { attempts: 1 } })],
  ['output', activity({ name: 'ask', input: any, output: silent, timeoutMs: 20, retry: { attempts: 1 } })],
])('an attempt ends in its time also where the schema of its %s does not answer', async (_, ask) => {
  const asking = defineSaga({
    name: 'asking',
    input: any,
    events: {},
    activities: { ask },
    initialState: {},
    evolve: (state) => state,
    next: (_state, { isDone }) => [isDone('ask') ? complete() : ask('ask', {})],
  });
  const { engine } = await open(memory(), { sagas: [asking], activities: [ask.implement(() => ({}))] });
  const handle = await engine.start(asking, '1', {});
  expect(await handle.result()).toMatchObject({ kind: 'compensated', failure: { code: 'timed_out' } });
});
