import fc from 'fast-check';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { depthMax, toFaithfulJson } from '../../src/event/json.ts';
import { EngineError } from '../../src/ground/errors.ts';

function refusal(value: unknown): { path: string; found: string } {
  try {
    toFaithfulJson(value, 'data');
  } catch (error) {
    if (error instanceof EngineError && error.code === 'data_unfaithful') return error.details as never;
    throw error;
  }
  throw new Error(`${String(value)} was taken`);
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const inner: { self?: unknown } = {};
const cyclic = { list: [inner] };
inner.self = cyclic;

class Money {
  amount = 1;
}

describe('refuses what JSON would drop or change, with the path to it', () => {
  test('what an object says of itself, or says differently the second time, is not asked for', () => {
    class List extends Array<unknown> {
      toJSON(): string {
        return 'another';
      }
    }
    expect(() => toFaithfulJson({ list: List.from([1, 2]) }, 'data')).toThrow(/instance of List at data\.list/);
    expect(() => toFaithfulJson({ toJSON: () => 'another' }, 'data')).toThrow(/a function at data\.toJSON/);
    let asked = 0;
    const changing = {
      get value() {
        asked += 1;
        return asked === 1 ? 1 : undefined;
      },
    };
    expect(toFaithfulJson(changing, 'data')).toBe('{"value":1}');
    const prototype = Object.assign(Object.create(null), { hasOwnProperty: true, toJSON: () => 'another' }) as object;
    expect(toFaithfulJson(Object.assign(Object.create(prototype), { value: 1 }), 'data')).toBe('{"value":1}');
  });

  test.each<[name: string, value: unknown, path: string, found: RegExp]>([
    ['undefined', undefined, 'data', /undefined/],
    ['undefined in an object', { a: { b: undefined } }, 'data.a.b', /undefined/],
    ['undefined in an array', [1, [undefined]], 'data[1][0]', /undefined/],
    ['NaN', { a: Number.NaN }, 'data.a', /NaN/],
    ['Infinity', [Number.POSITIVE_INFINITY], 'data[0]', /Infinity/],
    ['a BigInt', { 'odd key': 1n }, 'data["odd key"]', /bigint/],
    ['a Date', { at: new Date(0) }, 'data.at', /Date/],
    ['an invalid Date', { at: new Date(Number.NaN) }, 'data.at', /Date/],
    ['a Map', { map: new Map() }, 'data.map', /Map/],
    ['a class instance', [new Money()], 'data[0]', /Money/],
    ['a boxed number', { a: Object(1) }, 'data.a', /Number/],
    ['bytes', { a: new Uint8Array(2) }, 'data.a', /Uint8Array/],
    ['a function', { a: () => 1 }, 'data.a', /function/],
    ['a toJSON function', { toJSON: () => 1 }, 'data.toJSON', /function/],
    ['a symbol', { a: Symbol('s') }, 'data.a', /symbol/],
    ['a symbol as key', { a: { [Symbol('s')]: 1 } }, 'data.a', /symbol/],
    ['a hidden property', Object.defineProperty({}, 'a', { value: 1 }), 'data', /hidden/],
    ['a hole', { a: [1, , 3] }, 'data.a[1]', /hole/], // oxlint-disable-line no-sparse-arrays
    ['an array with a name', Object.assign([1], { extra: 1 }), 'data', /further/],
    ['a lone surrogate', { a: ['x\ud800'] }, 'data.a[0]', /surrogate/],
    ['a lone surrogate in a key', { a: { '\udfff': 1 } }, 'data.a["\\udfff"]', /surrogate/],
    ['a cycle', cyclic, 'data.list[0].self', /cycle/],
  ])('%s', (_name, value, path, found) => {
    const refused = refusal(value);
    expect(refused.path).toBe(path);
    expect(refused.found).toMatch(found);
  });

  test('10,000 levels', () => {
    expect(refusal(nested(10_000)).found).toMatch(/levels/);
    expect(refusal(nested(depthMax + 1)).found).toMatch(/levels/);
  });
});

describe('carries everything else unchanged', () => {
  test('any JSON value, negative zero included', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const read: unknown = JSON.parse(toFaithfulJson(value, 'data'));
        expect(Object.is(read, value) || typeof value === 'object').toBe(true);
        expect(read).toStrictEqual(value);
      }),
    );
  });

  test('__proto__ as a key of its own', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":1}');
    const text = toFaithfulJson(value, 'data');
    expect(text).toBe('{"__proto__":{"polluted":true},"constructor":1}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test('objects without a prototype, objects of another realm, shared objects that are no cycle', () => {
    const shared = { x: 1 };
    expect(toFaithfulJson(Object.assign(Object.create(null), { a: 1 }), 'data')).toBe('{"a":1}');
    expect(toFaithfulJson(runInNewContext('({ a: [1, { b: null }] })'), 'data')).toBe('{"a":[1,{"b":null}]}');
    expect(toFaithfulJson([shared, shared], 'data')).toBe('[{"x":1},{"x":1}]');
  });

  test(`${depthMax} levels, numbers at their limits, -0`, () => {
    expect(JSON.parse(toFaithfulJson(nested(depthMax), 'data'))).toEqual(nested(depthMax));
    const numbers = [-0, 5e-324, 1.7976931348623157e308, 9007199254740992, 0.1];
    expect(JSON.parse(toFaithfulJson(numbers, 'data'))).toStrictEqual(numbers);
  });
});
