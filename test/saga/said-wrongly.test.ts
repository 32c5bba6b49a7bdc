/** What is said to an instance and cannot be meant, or cannot be kept, is refused: and is nobody else's trouble. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { activity, complete, defineSaga, memory } from '../../src/index.ts';
import type { SagaHandle } from '../../src/index.ts';
import { fakeActivity } from '../../src/testing/index.ts';
import { closeAll, open, stepsOf } from './opened.ts';

afterEach(closeAll);

const charge = activity({ name: 'charge', input: z.object({}), output: z.object({}) });
const paying = defineSaga({
  name: 'paying',
  input: z.object({}),
  events: { Called: z.unknown() },
  activities: { charge },
  initialState: {},
  evolve: (state) => state,
  next: (_state, { isDone }) => [isDone('charge') ? complete() : charge('charge', {})],
});

/** One whose attempt is under way. */
async function charging() {
  const world = fakeActivity(charge).hangs();
  const { engine } = await open(memory(), { sagas: [paying], activities: [charge.implement(world)] });
  const handle: SagaHandle = await engine.start(paying, '1', {});
  await vi.waitFor(() => expect(world.calls).toHaveLength(1));
  return { engine, world, handle };
}

const odd = '\ud800';
const unkept: [string, (handle: SagaHandle) => Promise<unknown>][] = [
  ['a reason', (handle) => handle.cancel(odd)],
  ['an actor', (handle) => handle.cancel('no longer wanted', { actor: odd })],
  ['the key of a signal', (handle) => handle.signal('Called', 1, { key: odd })],
  ['metadata', (handle) => handle.signal('Called', 1, { metadata: { note: odd } })],
];

test.each(unkept)('%s that cannot be kept is refused, and the attempt under way goes on', async (_, say) => {
  const { engine, world, handle } = await charging();
  const before = await stepsOf(engine, 'paying-1');
  await expect(say(handle)).rejects.toMatchObject({ code: 'data_unfaithful' });
  await engine.saga(paying, '1').signal('Called', 2);
  await engine.settled({ timeoutMs: 0 }).catch(() => undefined);
  const after = await stepsOf(engine, 'paying-1');
  expect(after.slice(before.length).map(({ on }) => on.kind)).toEqual(['signal']);
  expect(world.calls).toHaveLength(1);
});

const never: [string, string, (handle: SagaHandle) => Promise<unknown>][] = [
  ['a signal with a type that all objects have', 'event_type_unknown', (handle) => handle.signal('constructor', 1)],
  ['an actor that is a number', 'option_invalid', (handle) => handle.cancel('why', { actor: 5 as never })],
  ['metadata that are a text', 'option_invalid', (handle) => handle.signal('Called', 1, { metadata: 'x' as never })],
  ['a wait of no length', 'option_invalid', (handle) => handle.result({ timeoutMs: Number.NaN })],
  ['a wait of less than none', 'option_invalid', (handle) => handle.result({ timeoutMs: -1 })],
  ['no options', 'option_invalid', (handle) => handle.resolve({}, null as never)],
  ['a reason that is a number', 'option_invalid', (handle) => handle.resolve({}, { reason: 5 as never })],
];

describe('refused is', () => {
  test.each(never)('%s', async (_, code, say) => {
    const { handle } = await charging();
    await expect(say(handle)).rejects.toMatchObject({ code });
  });
});
