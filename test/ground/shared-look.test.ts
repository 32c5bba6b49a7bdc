import { expect, test } from 'vitest';
import { SharedLook } from '../../src/ground/shared-look.ts';

/** A look whose answers are given by hand. */
function byHand() {
  const looks: PromiseWithResolvers<number>[] = [];
  const shared = new SharedLook(() => {
    const look = Promise.withResolvers<number>();
    looks.push(look);
    return look.promise;
  });
  return { looks, shared };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('who asks while an answer is under way gets the next one, with all others who do', async () => {
  const { looks, shared } = byHand();
  const first = shared.ask();
  await turn();
  const [second, third] = [shared.ask(), shared.ask()];
  await turn();
  expect(looks).toHaveLength(1);
  looks[0]?.resolve(1);
  await expect(first).resolves.toBe(1);
  await turn();
  expect(looks).toHaveLength(2);
  looks[1]?.resolve(2);
  await expect(Promise.all([second, third])).resolves.toEqual([2, 2]);
});

test('who asks after an answer does not get that one', async () => {
  let count = 0;
  const shared = new SharedLook(async () => ++count);
  await expect(shared.ask()).resolves.toBe(1);
  await expect(shared.ask()).resolves.toBe(2);
});

test('a look that fails fails for those who asked for it, and not for the next', async () => {
  const { looks, shared } = byHand();
  const first = shared.ask();
  await turn();
  const second = shared.ask();
  looks[0]?.reject(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  await turn();
  looks[1]?.resolve(2);
  await expect(second).resolves.toBe(2);
});
