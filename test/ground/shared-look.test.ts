import { expect, test, vi } from 'vitest';
import { SharedLook } from '../../src/ground/shared-look.ts';

test('however many ask at once, there is one look; who asks later gets a later answer', async () => {
  let count = 0;
  const shared = new SharedLook(async () => ++count);
  await expect(Promise.all([shared.ask(), shared.ask()])).resolves.toEqual([1, 1]);
  await expect(shared.ask()).resolves.toBe(2);
});

test('nobody is answered by a look that began before they asked', async () => {
  const looks: PromiseWithResolvers<number>[] = [];
  const shared = new SharedLook(() => {
    const look = Promise.withResolvers<number>();
    looks.push(look);
    return look.promise;
  });
  const first = shared.ask();
  await vi.waitUntil(() => looks.length === 1);
  const second = shared.ask();
  looks[0]?.resolve(1);
  await expect(first).resolves.toBe(1);
  await vi.waitUntil(() => looks.length === 2);
  looks[1]?.resolve(2);
  await expect(second).resolves.toBe(2);
});
