import { expect, test, vi } from 'vitest';
import { SharedFetch } from '../../src/ground/shared-fetch.ts';

/** Fetches that are answered by hand: each key with its length, but for the empty one. */
function byHand() {
  const fetches: { readonly keys: readonly string[]; readonly answer: PromiseWithResolvers<void> }[] = [];
  const shared = new SharedFetch(async (keys: readonly string[]) => {
    const answer = Promise.withResolvers<void>();
    fetches.push({ keys, answer });
    await answer.promise;
    return new Map(keys.filter((key) => key !== '').map((key) => [key, key.length]));
  });
  return { fetches, shared };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('those who ask at once are served by one fetch, each with what it asked for', async () => {
  const { fetches, shared } = byHand();
  const asked = Promise.all(['a', 'bb', '', 'bb'].map((key) => shared.ask(key)));
  await turn();
  expect(fetches.map(({ keys }) => keys)).toEqual([['a', 'bb', '']]);
  fetches[0]?.answer.resolve();
  await expect(asked).resolves.toEqual([1, 2, undefined, 2]);
});

test('who asks while two fetches are under way is served by the next, whichever of them ends first', async () => {
  const { fetches, shared } = byHand();
  const asked: Promise<number | undefined>[] = [];
  for (const [index, key] of ['a', 'bb'].entries()) {
    asked.push(shared.ask(key));
    await vi.waitUntil(() => fetches.length === index + 1);
  }
  for (const key of ['ccc', 'dddd']) {
    asked.push(shared.ask(key));
    await turn();
  }
  expect(fetches.map(({ keys }) => keys)).toEqual([['a'], ['bb']]);
  fetches[1]?.answer.resolve();
  await vi.waitUntil(() => fetches.length === 3);
  expect(fetches[2]?.keys).toEqual(['ccc', 'dddd']);
  fetches[2]?.answer.resolve();
  fetches[0]?.answer.resolve();
  await expect(Promise.all(asked)).resolves.toEqual([1, 2, 3, 4]);
});

test('a fetch that fails fails for those who asked for it, and not for the next', async () => {
  const { fetches, shared } = byHand();
  const first = shared.ask('a').catch((error: unknown) => error);
  await turn();
  fetches[0]?.answer.reject(new Error('gone'));
  await expect(first).resolves.toMatchObject({ message: 'gone' });
  const next = shared.ask('a');
  await turn();
  fetches[1]?.answer.resolve();
  await expect(next).resolves.toBe(1);
});
