import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AllOf, AnyOf, Every, take } from '../../src/sqlite/postings.ts';
import type { Postings } from '../../src/sqlite/postings.ts';

/** What is asked for never goes back, as the interface promises. */
class Listed implements Postings {
  readonly #numbers: readonly number[];
  #asked = -Infinity;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  seek(from: number): number {
    if (from < this.#asked) throw new Error(`asked for ${from} after ${this.#asked}`);
    this.#asked = from;
    return this.#numbers.find((number) => number >= from) ?? Infinity;
  }
}

const ascending = fc
  .uniqueArray(fc.integer({ min: -30, max: 30 }), { maxLength: 30 })
  .map((numbers) => numbers.sort((a, b) => a - b));

test('any of and all of sets are their union and their intersection', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(ascending, { minLength: 1, maxLength: 4 }), { maxLength: 4 }),
      fc.integer({ min: -35, max: 35 }),
      fc.integer({ min: -35, max: 35 }),
      fc.nat({ max: 20 }),
      (query, first, last, limit) => {
        const postings = new AnyOf(query.map((sets) => new AllOf(sets.map((set) => new Listed(set)))));
        const naive = query
          .flatMap(([set = [], ...others]) => set.filter((number) => others.every((other) => other.includes(number))))
          .filter((number) => number >= first && number <= last);
        const expected = [...new Set(naive)].sort((a, b) => a - b).slice(0, limit);
        expect(take(postings, first, last, limit)).toEqual(expected);
      },
    ),
    { numRuns: 500 },
  );
});

test('every position is one after another', () => {
  expect(take(new Every(3, 6), 1, 5, 10)).toEqual([3, 4, 5]);
  expect(take(new AllOf([new Every(-Infinity, Infinity), new Listed([2, 9])]), 1, 8, 10)).toEqual([2]);
});
