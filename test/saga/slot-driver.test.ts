import { expect, test } from 'vitest';
import { complete, defineSaga } from '../../src/index.ts';
import { Permits } from '../../src/saga/permits.ts';
import type { SagaRuntime } from '../../src/saga/runtime.ts';
import { SlotDriver } from '../../src/saga/slot-driver.ts';

const saga = defineSaga({
  name: 'any',
  events: {},
  initialState: 0,
  evolve: (state) => state,
  next: () => [complete()],
});

/** A store that answers nobody until it is closed. */
function silent(signal: AbortSignal): SagaRuntime {
  const closed = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  closed.catch(() => undefined);
  const recorded = async function* () {
    yield await closed;
  };
  return { log: { recorded }, permits: new Permits() } as unknown as SagaRuntime;
}

test('who brings more than can be worked on is held up, but not beyond the end of the work', async () => {
  const working = new AbortController();
  const driver = new SlotDriver(silent(working.signal), saga, 0, working.signal);
  for (let n = 0; n < 600; n += 1) driver.drive(`i${n}`);
  let isHeld = true;
  const held = driver.room().then(() => (isHeld = false));
  await Promise.resolve();
  expect(isHeld).toBe(true);
  working.abort(new Error('closed'));
  await driver.end();
  await held;
});

test('nobody is held up by work that has ended', async () => {
  const working = new AbortController();
  const driver = new SlotDriver(silent(working.signal), saga, 0, working.signal);
  for (let n = 0; n < 600; n += 1) driver.drive(`i${n}`);
  working.abort(new Error('closed'));
  await driver.end();
  await driver.room();
  expect(driver.hasStopped).toBe(true);
});
