import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, retryDefaults, retryPolicy } from '../../src/saga/retry.ts';

test('what is not said of a policy is the default', () => {
  expect(retryPolicy('pay')).toEqual(retryDefaults);
  expect(retryPolicy('pay', { attempts: 1, jitter: false })).toEqual({ ...retryDefaults, attempts: 1, jitter: false });
});

test.each([
  [{ backoffMs: 100, jitter: false }, [100, 200, 400, 800]],
  [{ backoffMs: 100, factor: 3, jitter: false }, [100, 300, 900, 2_700]],
  [{ backoffMs: 100, factor: 1, jitter: false }, [100, 100, 100, 100]],
  [{ backoffMs: 100, backoffMaxMs: 300, jitter: false }, [100, 200, 300, 300]],
  [{ backoffMs: 0, jitter: false }, [0, 0, 0, 0]],
  [{ backoffMs: 100.4, factor: 1, jitter: false }, [100, 100, 100, 100]],
])('of %o the waits are %j', (options, waits) => {
  const policy = retryPolicy('pay', options);
  expect([1, 2, 3, 4].map((failures) => backoffMs(policy, failures, 0))).toEqual(waits);
});

test('a wait stays a number, however many attempts have failed', () => {
  expect(backoffMs(retryPolicy('pay', { backoffMs: 0 }), 5_000, 1)).toBe(0);
  expect(backoffMs(retryPolicy('pay', { backoffMs: 1, jitter: false }), 5_000, 1)).toBe(60_000);
});

test('with jitter a wait is a share of what it would be: at least half, at most all of it, never longer than the longest', () => {
  const policy = retryPolicy('pay', { backoffMs: 100 });
  expect([0, 0.5, 1].map((random) => backoffMs(policy, 2, random))).toEqual([100, 150, 200]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.record({
        backoffMs: fc.integer({ min: 0, max: 1e6 }),
        factor: fc.double({ min: 1, max: 1e3, noNaN: true }),
        backoffMaxMs: fc.integer({ min: 0, max: 1e9 }),
      }),
      (failures, random, options) => {
        const whole = backoffMs(retryPolicy('pay', { ...options, jitter: false }), failures, random);
        const share = backoffMs(retryPolicy('pay', options), failures, random);
        expect(Number.isSafeInteger(share)).toBe(true);
        expect(share).toBeLessThanOrEqual(Math.min(whole, options.backoffMaxMs));
        expect(share).toBeGreaterThanOrEqual(Math.floor(whole / 2));
      },
    ),
  );
});
