import vm from 'node:vm';
import { describe, expect, test } from 'vitest';
import { hasCode } from '../../src/ground/errors.ts';
import { toCondition, toOrders } from '../../src/projection/where.ts';
import type { Condition } from '../../src/store/state-port.ts';

describe('a where', () => {
  const [a, b]: readonly Condition[] = [
    { kind: 'eq', path: 'a', value: 1 },
    { kind: 'eq', path: 'b', value: 2 },
  ];
  test.each<[string, unknown, unknown]>([
    ['of nothing is all documents', {}, { kind: 'all', of: [] }],
    ['of a value is equality', { a: 1 }, a],
    ['of null, too', { a: null }, { kind: 'eq', path: 'a', value: null }],
    ['of several fields is all of them', { a: 1, b: 2 }, { kind: 'all', of: [a, b] }],
    [
      'of several operators is all of them',
      { a: { gte: 1, lt: 'x' }, b: 2 },
      { kind: 'all', of: [{ kind: 'gte', path: 'a', value: 1 }, { kind: 'lt', path: 'a', value: 'x' }, b] },
    ],
    [
      'has six comparisons',
      { a: { eq: 1, ne: 1, gt: 1, gte: 1, lt: 1, lte: 1 } },
      { kind: 'all', of: ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'].map((kind) => ({ kind, path: 'a', value: 1 })) },
    ],
    ['has a path', { 'a.b c.0': { eq: true } }, { kind: 'eq', path: 'a.b c.0', value: true }],
    ['asks for none of no values', { a: { in: [] } }, { kind: 'in', path: 'a', values: [] }],
    ['asks for one of several', { a: { in: [1, 'x', null] } }, { kind: 'in', path: 'a', values: [1, 'x', null] }],
    ['asks for a beginning', { a: { startsWith: '' } }, { kind: 'startsWith', path: 'a', value: '' }],
    ['asks for a part', { a: { contains: 5 } }, { kind: 'contains', path: 'a', value: 5 }],
    ['asks for existence', { a: { exists: false } }, { kind: 'exists', path: 'a', value: false }],
    [
      'asks for an element',
      { c: { some: { a: 1, or: [{ b: 2 }] } } },
      { kind: 'some', path: 'c', of: { kind: 'all', of: [a, { kind: 'any', of: [b] }] } },
    ],
    ['has and', { and: [{ a: 1 }, { b: 2 }, {}] }, { kind: 'all', of: [a, b] }],
    [
      'has or beside fields',
      { a: 1, or: [{}, { b: 2 }] },
      { kind: 'all', of: [a, { kind: 'any', of: [{ kind: 'all', of: [] }, b] }] },
    ],
    ['has not', { not: { a: 1, b: 2 } }, { kind: 'not', of: { kind: 'all', of: [a, b] } }],
    ['asks for a field that is called as an operator', { in: 1 }, { kind: 'eq', path: 'in', value: 1 }],
    ['asks for and, or, not inside a field', { 'x.not': 1 }, { kind: 'eq', path: 'x.not', value: 1 }],
    ['has no prototype', Object.assign(Object.create(null), { a: 1 }), a],
    ['is of another realm', vm.runInNewContext('({ a: { eq: 1 } })'), a],
    ['asks for __proto__', JSON.parse('{ "__proto__": 1 }'), { kind: 'eq', path: '__proto__', value: 1 }],
  ])('%s', (_name, where, condition) => {
    expect(toCondition(where)).toEqual(condition);
  });

  test.each<[place: string, reason: string, where: unknown]>([
    ['where', 'found undefined', undefined],
    ['where', 'found null', null],
    ['where', 'found "a = 1"', 'a = 1'],
    ['where', 'found a list', [{ a: 1 }]],
    ['where', 'found an instance of Map', new Map()],
    ['where', 'a symbol', { [Symbol('and')]: [] }],
    ['where.a', 'found undefined; leave the condition out, or ask for { exists: false }', { a: undefined }],
    ['where.a', 'found NaN', { a: Number.NaN }],
    ['where.a', 'found a bigint', { a: 1n }],
    ['where.a', 'found a function', { a: () => 1 }],
    ['where.a', 'found an instance of Date', { a: new Date(0) }],
    ['where.a', 'found a list; ask for { in: [...] }', { a: ['x'] }],
    ['where.a', 'expected an operator: eq, ne, gt, gte, lt, lte, in, contains, startsWith, exists, some', { a: {} }],
    ['where.a', 'a symbol', { a: { [Symbol('gt')]: 1 } }],
    ['where.a', 'a hidden property', { a: Object.defineProperty({ gt: 1 }, 'lt', { value: 5, enumerable: false }) }],
    ['where.a.gt3', 'there is no such operator', { a: { gt3: 1 } }],
    ['where.a.toString', 'there is no such operator', { a: { toString: 1 } }],
    ['where.address.city', 'by its path, "address.city"', { address: { city: 'Paris' } }],
    ['where.balance.gte', 'found Infinity', { balance: { gte: Infinity } }],
    ['where.balance.gte', 'expected a number or a string, found null', { balance: { lt: 5, gte: null } }],
    ['where.balance.gte', 'expected a number or a string, found true', { balance: { gte: true } }],
    ['where.balance.eq', 'found an object', { balance: { eq: {} } }],
    ['where.a.in', 'expected a list, found "x"', { a: { in: 'x' } }],
    ['where.a.in[1]', 'found an object', { a: { in: ['x', {}] } }],
    // eslint-disable-next-line no-sparse-arrays
    ['where.a.in[0]', 'found undefined', { a: { in: [, 1] } }],
    ['where.a.startsWith', 'expected a string, found 1', { a: { startsWith: 1 } }],
    ['where.a.exists', 'expected true or false, found "yes"', { a: { exists: 'yes' } }],
    ['where.a.contains', 'found a list', { a: { contains: ['x'] } }],
    ['where.a.some', 'found "x"', { a: { some: 'x' } }],
    ['where.a.some.b.gt', 'found an object', { a: { some: { b: { gt: {} } } } }],
    ['where.and', 'expected a list, found an object', { and: { a: 1 } }],
    ['where.or[1].a', 'found undefined', { or: [{ a: 1 }, { a: undefined }] }],
    ['where.not', 'found a list', { not: [] }],
    ['where.not.a.eq', 'found undefined', { not: { a: { eq: undefined } } }],
    ['where[""]', 'is empty', { '': 1 }],
    ['where["a..b"]', 'is empty', { 'a..b': 1 }],
    ['where["a."]', 'is empty', { 'a.': { gt: 1 } }],
    ['where["a\\u0000"]', 'NUL', { 'a\0': 1 }],
    ['where["\\ud800"]', 'lone surrogate', { '\ud800': 1 }],
    ['where.a', 'NUL', { a: 'x\0' }],
    ['where.a.startsWith', 'lone surrogate', { a: { startsWith: '\udc00' } }],
    ['where.a.in[0]', 'lone surrogate', { a: { in: ['\ud800'] } }],
  ])('is refused at %s: %s', (place, reason, where) => {
    const error = errorOf(() => toCondition(where));
    expect(error.details.path).toBe(place);
    expect(error.details.reason).toContain(reason);
    expect(error.message).toContain(`query_invalid: ${place}: `);
  });

  test('is 32 levels deep, and no more', () => {
    const nested = (levels: number) => {
      let where: unknown = { a: 1 };
      for (let level = 1; level < levels; level++)
        where = [{ not: where }, { and: [where] }, { or: [where] }, { list: { some: where } }][level % 4];
      return where;
    };
    expect(() => toCondition(nested(32))).not.toThrow();
    expect(errorOf(() => toCondition(nested(33))).details.reason).toContain('more than 32 levels');
    const cycle: Record<string, unknown> = {};
    cycle['not'] = cycle;
    expect(errorOf(() => toCondition(cycle)).details.reason).toContain('more than 32 levels');
  });

  test.each<[string, (count: number) => unknown]>([
    ['fields', (count) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, 1]))],
    ['values', (count) => ({ a: { in: Array.from({ length: count }, () => 1) } })],
    [
      'values in two lists',
      (count) => ({
        a: { in: Array.from({ length: 600 }, () => 1) },
        b: { in: Array.from({ length: count - 600 }, () => 1) },
      }),
    ],
    ['alternatives', (count) => ({ or: Array.from({ length: count - 1 }, () => ({})) })],
    [
      'empty lists',
      (count) => ({ and: Array.from({ length: (count - 1) / 3 }, () => ({ a: { in: [], exists: true } })) }),
    ],
  ])('has 1,000 parts, and no more: %s', (_name, make) => {
    expect(() => toCondition(make(1_000))).not.toThrow();
    expect(errorOf(() => toCondition(make(1_003))).details.reason).toContain('more than 1000 parts');
  });

  test('is refused without being looked through if it is far too long', () => {
    expect(errorOf(() => toCondition({ a: { in: Object.assign([], { length: 4_000_000_000 }) } })).details.path).toBe(
      'where.a.in',
    );
  });
});

describe('an orderBy', () => {
  const [a, b] = [
    { path: 'a', direction: 'asc' },
    { path: 'b.c', direction: 'desc' },
  ];
  test.each<[unknown, unknown]>([
    [{}, []],
    [[], []],
    [{ a: 'asc', 'b.c': 'desc' }, [a, b]],
    [{ 'b.c': 'desc', a: 'asc' }, [b, a]],
    [
      [{ a: 'asc' }, { 'b.c': 'desc' }],
      [a, b],
    ],
    [
      [{ 'b.c': 'desc' }, { 7: 'asc' }],
      [b, { path: '7', direction: 'asc' }],
    ],
  ])('%j', (orderBy, orders) => {
    expect(toOrders(orderBy)).toEqual(orders);
  });

  test.each<[place: string, reason: string, orderBy: unknown]>([
    ['orderBy', 'found undefined', undefined],
    ['orderBy', 'found "a"', 'a'],
    ['orderBy.a', `expected 'asc' or 'desc', found "down"`, { a: 'down' }],
    ['orderBy.a', 'found undefined', { a: undefined }],
    ['orderBy[1]', 'found "b"', [{ a: 'asc' }, 'b']],
    ['orderBy[0]["a."]', 'is empty', [{ 'a.': 'asc' }]],
    ['orderBy', '"a" is named twice', [{ a: 'asc' }, { a: 'desc' }]],
    ['orderBy["7"]', 'a list of objects', { a: 'asc', 7: 'asc' }],
    ['orderBy', 'more than 32 parts', Array.from({ length: 33 }, (_, index) => ({ [`f${index}`]: 'asc' }))],
  ])('is refused at %s: %s', (place, reason, orderBy) => {
    const { details } = errorOf(() => toOrders(orderBy));
    expect(details.path).toBe(place);
    expect(details.reason).toContain(reason);
  });
});

function errorOf(attempt: () => unknown) {
  try {
    attempt();
  } catch (error) {
    if (hasCode(error, 'query_invalid')) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
