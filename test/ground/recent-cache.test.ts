import { expect, test } from 'vitest';
import { RecentCache } from '../../src/ground/recent-cache.ts';

test('a cache keeps what was used lately, and at most twice its size', () => {
  const cache = new RecentCache<number, string>(10);
  cache.set(0, 'asked for');
  for (let key = 1; key <= 1_000; key++) {
    cache.set(key, `${key}`);
    expect(cache.get(0)).toBe('asked for');
  }
  const kept = Array.from({ length: 1_000 }, (_, index) => index + 1).filter((key) => cache.get(key) !== undefined);
  expect(kept.length).toBeLessThan(20);
  expect(kept.length).toBeGreaterThanOrEqual(9);
  expect(kept.at(-1)).toBe(1_000);
  expect(kept[0]).toBe(1_001 - kept.length);
  cache.clear();
  expect(cache.get(0)).toBeUndefined();
});
