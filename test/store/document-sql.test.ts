import { expect, test } from 'vitest';
import { planFind } from '../../src/store/find-documents.ts';
import type { Condition } from '../../src/store/state-port.ts';

const collection = { name: 'orders', indexes: [['total']] };

function sqlOf(...of: readonly Condition[]): string {
  const query = { where: { kind: 'all', of }, orderBy: [], limit: 10 } as const;
  return planFind(collection, query, (index) => `?${index}`).sql;
}

const from = { kind: 'gte', path: 'total', value: 5 } as const;
const below = { kind: 'lt', path: 'total', value: 9 } as const;

// SQLite enters an index by the first lower bound that it is given, and leaves it by the first upper one.
test.each([
  ['the lower bound first', sqlOf(from, below), '(v1 >= ?1 and v1 < ?2)'],
  ['the upper bound first', sqlOf(below, from), '(v1 < ?1 and v1 >= ?2)'],
])('a range with two ends has no others: %s', (_, sql, expected) => {
  expect(sql).toContain(expected);
  expect(sql).not.toContain("'");
});

test('a range with one end ends where the values of its kind do', () => {
  expect(sqlOf(from)).toContain("(v1 >= ?1 and v1 < '5')");
  expect(sqlOf(below)).toContain("(v1 < ?1 and v1 >= '4')");
});

test('an end of another kind, or of another field, is none', () => {
  expect(sqlOf(from, { kind: 'lt', path: 'total', value: 'z' })).toContain("v1 < '5'");
  expect(sqlOf(from, { kind: 'lt', path: 'other', value: 9 })).toContain("v1 < '5'");
});

test('one document more is looked for only where there may be a next page', () => {
  const query = { where: from, orderBy: [{ path: 'total', direction: 'asc' }], limit: 10 } as const;
  const limitOf = (paged?: boolean) => planFind(collection, { ...query, paged }, (index) => `?${index}`).params.at(-1);
  expect(limitOf()).toBe(11);
  expect(limitOf(false)).toBe(10);
});
