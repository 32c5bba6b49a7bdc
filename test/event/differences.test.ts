import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changesBetween, concerns, isAlike, partAt, stepsOf } from '../../src/event/differences.ts';

class Money {
  readonly amount: number;

  constructor(amount: number) {
    this.amount = amount;
  }
}

describe('changes', () => {
  test.each<[string, unknown, unknown, readonly [path: string, before: unknown, after: unknown][]]>([
    ['of nothing', { a: 1 }, { a: 1 }, []],
    ['of a field', { a: 1, b: 2 }, { a: 1, b: 3 }, [['b', 2, 3]]],
    [
      'of a field that comes or goes',
      { a: 1 },
      { b: 1 },
      [
        ['a', 1, undefined],
        ['b', undefined, 1],
      ],
    ],
    ['deep down', { a: { b: [1, { c: 1 }] } }, { a: { b: [1, { c: 2 }] } }, [['a.b[1].c', 1, 2]]],
    ['of a list that grows', { a: [1] }, { a: [1, 2] }, [['a[1]', undefined, 2]]],
    ['of kind', { a: [1] }, { a: { 0: 1 } }, [['a', [1], { 0: 1 }]]],
    ['to null', { a: { b: 1 } }, { a: null }, [['a', { b: 1 }, null]]],
    ['of odd names', { 'a b': { '"': 1 } }, { 'a b': { '"': 2 } }, [['["a b"]["\\""]', 1, 2]]],
    ['of a name that every object inherits', {}, { constructor: 1 }, [['constructor', undefined, 1]]],
    ['of a name that leads to what it inherits', JSON.parse('{"__proto__":{}}'), {}, [['__proto__', {}, undefined]]],
    ['of the whole', 1, 2, [['', 1, 2]]],
    ['of a whole that comes', undefined, { a: 1 }, [['', undefined, { a: 1 }]]],
    ['of signs of zero', { a: 0 }, { a: -0 }, [['a', 0, -0]]],
    ['of no number', { a: Number.NaN }, { a: Number.NaN }, []],
    ['of times', { at: new Date(1) }, { at: new Date(1) }, []],
    ['of other times', { at: new Date(1) }, { at: new Date(2) }, [['at', new Date(1), new Date(2)]]],
    ['of no time', { at: new Date(Number.NaN) }, { at: new Date(Number.NaN) }, []],
    ['of an instance of a class', { of: new Money(1) }, { of: new Money(1) }, []],
    ['in an instance', { of: new Money(1) }, { of: new Money(2) }, [['of', new Money(1), new Money(2)]]],
    ['of class', { of: new Money(1) }, { of: { amount: 1 } }, [['of', new Money(1), { amount: 1 }]]],
    [
      'of what shows no fields',
      { of: new URL('a:b') },
      { of: new URL('a:c') },
      [['of', new URL('a:b'), new URL('a:c')]],
    ],
    ['of bytes', { of: new Uint8Array([1]) }, { of: new Uint8Array([1]) }, []],
    ['of sets', { of: new Set([1]) }, { of: new Set([2]) }, [['of', new Set([1]), new Set([2])]]],
    ['within a map', new Map([['a', { b: 1 }]]), new Map([['a', { b: 1 }]]), []],
  ])('%s', (_, before, after, expected) => {
    expect(changesBetween(before, after)).toEqual(
      expected.map(([path, was, is]) => ({ path, before: was, after: is })),
    );
    expect(isAlike(before, after)).toBe(expected.length === 0);
  });
});

describe('a path', () => {
  test.each<[string, readonly (string | number)[] | undefined]>([
    ['', []],
    ['a', ['a']],
    ['a.b[3].c', ['a', 'b', 3, 'c']],
    ['[0][1]', [0, 1]],
    ['a["odd name"].b', ['a', 'odd name', 'b']],
    ['["\\"]"]', ['"]']],
    ['.a', ['a']],
    ['a.', undefined],
    ['a..b', undefined],
    ['a b', undefined],
    ['a[x]', undefined],
    ['a[1', undefined],
  ])('%s has its steps', (path, steps) => {
    expect(stepsOf(path)).toEqual(steps);
  });

  test('that a change names leads to what it says', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const law = fc.property(json, json, (before, after) => {
      for (const { path, before: was, after: is } of changesBetween(before, after)) {
        const steps = stepsOf(path);
        expect(steps).toBeDefined();
        expect(partAt(before, steps ?? [])).toEqual(was);
        expect(partAt(after, steps ?? [])).toEqual(is);
      }
    });
    fc.assert(law);
  });

  test.each([
    ['a', 'a', true],
    ['a.b', 'a', true],
    ['a', 'a.b', true],
    ['a[1]', 'a', true],
    ['', 'a', true],
    ['a', '', true],
    ['ab', 'a', false],
    ['a.b', 'a.c', false],
    ['a[1]', 'a[10]', false],
    ['a.b', '["a"]["b"]', true],
    ['a["1"]', 'a[1]', true],
    ['["a.b"]', 'a.b', false],
  ])('%s concerns %s: %s', (path, asked, expected) => {
    expect(concerns(path, stepsOf(asked) ?? [])).toBe(expected);
  });

  test('does not lead into what a value inherits', () => {
    expect(partAt({}, ['constructor'])).toBeUndefined();
    expect(partAt('text', ['length'])).toBeUndefined();
    expect(partAt(undefined, ['a', 'b'])).toBeUndefined();
  });
});
