/** What must compile and what must not: checked by the type checker, which runs before the tests. */
import { expect, expectTypeOf, test } from 'vitest';
import type { Json } from '../../src/event/json.ts';
import type { OrderBy, PathOf, ValueAt, Where } from '../../src/projection/where-types.ts';
import { instantiations, quotedPath } from '../support/instantiations.ts';

interface Order {
  readonly owner: string;
  readonly balance: number;
  readonly status: 'open' | 'paid';
  readonly isOpen: boolean;
  readonly closedAt?: string;
  readonly note: string | null;
  readonly address?: { readonly city: string; readonly geo: { readonly lat: number } } | null;
  readonly tags: readonly string[];
  readonly lines: readonly { readonly sku: string; readonly qty: number }[];
  readonly totals: Readonly<Record<string, number>>;
  readonly rooms: Record<string, { beds: number }>;
  readonly extra: unknown;
}
interface Tree {
  name: string;
  left?: Tree;
  right: Tree | null;
  children: Tree[];
}
type Shape = { kind: 'round'; size: number } | { kind: 'named'; size: string; name: string };

test('paths and what is at them follow from the document', () => {
  expectTypeOf<PathOf<Order>>().toEqualTypeOf<
    | 'owner'
    | 'balance'
    | 'status'
    | 'isOpen'
    | 'closedAt'
    | 'note'
    | 'address.city'
    | 'address.geo.lat'
    | 'tags'
    | 'lines'
    | `totals.${string}`
    | `rooms.${string}`
    | 'extra'
    | `extra.${string}`
  >();
  expectTypeOf<PathOf<{ a: { b: { c: { d: number; e: { f: 1 } } } } }>>().toEqualTypeOf<'a.b.c.d'>();
  expectTypeOf<PathOf<Shape>>().toEqualTypeOf<'kind' | 'size' | 'name'>();
  expectTypeOf<PathOf<{ closedAt: null; 'a.b': 1 }>>().toEqualTypeOf<'closedAt'>();
  expectTypeOf<PathOf<unknown>>().toEqualTypeOf<string>();
  expectTypeOf<ValueAt<Order, 'address.geo.lat'>>().toEqualTypeOf<number>();
  expectTypeOf<ValueAt<Order, 'closedAt'>>().toEqualTypeOf<string>();
  expectTypeOf<ValueAt<Order, 'note'>>().toEqualTypeOf<string | null>();
  expectTypeOf<ValueAt<Order, 'totals.any'>>().toEqualTypeOf<number>();
  expectTypeOf<ValueAt<Order, 'rooms.any.beds'>>().toEqualTypeOf<number>();
  expectTypeOf<ValueAt<Order, 'extra.any'>>().toEqualTypeOf<Json>();
  expectTypeOf<ValueAt<Shape, 'size'>>().toEqualTypeOf<number | string>();
  expectTypeOf<ValueAt<Order, 'owner.length'>>().toBeNever();
});

test('what can be meant compiles', () => {
  const wheres: readonly Where<Order>[] = [
    {},
    { owner: 'Ada', balance: { gte: 10, lt: 100 }, status: { in: ['open', 'paid'] }, isOpen: true },
    { owner: { ne: 'x', startsWith: 'A', contains: 'd', gt: 'a' }, status: { gt: 'o', startsWith: 'pa' } },
    { note: null, closedAt: { exists: false }, isOpen: { in: [true] } },
    { note: { eq: null }, address: null, lines: { exists: true } },
    {
      address: { exists: true },
      'address.geo': { exists: true },
      'address.city': 'Paris',
      'address.geo.lat': { lt: 3 },
    },
    { tags: { contains: 'vip' }, lines: { some: { sku: 'a', qty: { gt: 1 }, not: { or: [{ qty: 5 }] } } } },
    { and: [{ owner: 'Ada' }, { owner: { ne: 'Bob' } }], or: [], not: { 'address.city': { contains: 'a' } } },
    { totals: { exists: true }, 'totals.may': 5, 'totals.june.7': { gte: 5 }, 'rooms.a.beds': { lt: 2 } },
    { extra: 5, 'extra.a.b': { startsWith: 'x' }, 'extra.list': { some: { a: { gt: 1 } }, contains: null } },
  ];
  const shapes: readonly Where<Shape>[] = [{ kind: 'round', size: { gt: 4 }, name: 'x' }, { size: { in: ['x', 4] } }];
  const trees: readonly Where<Tree>[] = [
    { 'left.right.name': 'x', right: null, 'left.right.left.name': { startsWith: 'x' } },
    { children: { some: { children: { some: { children: { some: { name: 'x' } } } } } } },
  ];
  const records: readonly Where<Record<string, number>>[] = [
    { a: 5, 'b.c': { gt: 1 }, and: [{ a: 6 }], not: { b: 4 } },
  ];
  const opens: readonly Where<unknown>[] = [{ a: { gt: 1 }, 'a.b': null, or: [{ c: { some: { d: 4 } } }] }];
  const json: readonly Where<Json>[] = opens;
  const orders: readonly OrderBy<Order>[] = [
    { balance: 'desc', 'address.city': 'asc' },
    [{ balance: 'desc' }, { 'totals.may': 'asc' }],
    {},
    [],
  ];
  expectTypeOf(askAs).toBeFunction();
  expect([wheres, shapes, trees, records, opens, json, orders].every((list) => list.length > 0)).toBe(true);
});

/** As a view does, of whose documents the type is not known there. */
function askAs<Doc extends { id: string }>(ask: (where: Where<Doc>) => readonly Doc[], where: Where<Doc>): number {
  return ask(where).length;
}

test('the document is inferred where it is declared', () => {
  interface View<Doc> {
    readonly where: (where: Where<Doc>, orderBy?: OrderBy<Doc>) => string;
  }
  const declare = <Doc>(definition: {
    readonly initial: Doc;
    readonly indexes?: readonly PathOf<Doc>[];
    readonly on: (doc: NoInfer<Doc>) => NoInfer<Doc>;
  }): View<Doc> => ({ where: () => JSON.stringify(definition.initial) });
  const initial = { owner: '', balance: 0 };
  const view = declare({ initial, indexes: ['balance'], on: (doc) => ({ ...doc, balance: doc.balance + 1 }) });
  expect(view.where({ balance: { gte: 10 } }, { balance: 'desc' })).toBe('{"owner":"","balance":0}');
  // @ts-expect-error a misspelt index
  declare({ initial, indexes: ['balnce'], on: (doc) => doc });
  // @ts-expect-error a misspelt field
  view.where({ balnce: { gte: 10 } });
  // @ts-expect-error a misspelt order
  view.where({}, { balnce: 'desc' });
});

test('what cannot be meant does not compile', () => {
  const never = (ask: (where: Where<Order>, orderBy?: OrderBy<Order>) => void): void => {
    // @ts-expect-error a misspelt field
    ask({ ownr: 'Ada' });
    // @ts-expect-error a misspelt field inside another
    ask({ 'address.cty': 'Paris' });
    // @ts-expect-error a misspelt field of an element
    ask({ lines: { some: { sk: 'a' } } });
    // @ts-expect-error a misspelt field in an alternative
    ask({ or: [{ ownr: 'Ada' }] });
    // @ts-expect-error a misspelt field in a negation
    ask({ not: { ownr: 'Ada' } });
    // @ts-expect-error a misspelt operator
    ask({ balance: { gtt: 5 } });
    // @ts-expect-error a value of another type
    ask({ balance: '5' });
    // @ts-expect-error a value that the field does not have
    ask({ status: 'opn' });
    // @ts-expect-error one among several
    ask({ status: { in: ['open', 'pad'] } });
    // @ts-expect-error a field that is never null
    ask({ owner: null });
    // @ts-expect-error a field that may be missing is no field that may be null
    ask({ closedAt: { eq: null } });
    // @ts-expect-error undefined
    ask({ owner: undefined });
    // @ts-expect-error a bound of another type
    ask({ balance: { gte: 'a' } });
    // @ts-expect-error no order between true and false
    ask({ isOpen: { gt: false } });
    // @ts-expect-error nothing is above null
    ask({ note: { gt: null } });
    // @ts-expect-error a number has no beginning
    ask({ balance: { startsWith: 'a' } });
    // @ts-expect-error nor does a list
    ask({ tags: { startsWith: 'a' } });
    // @ts-expect-error a scalar has no elements
    ask({ owner: { some: {} } });
    // @ts-expect-error nor do scalars in a list have fields
    ask({ tags: { some: {} } });
    // @ts-expect-error an element of another type
    ask({ tags: { contains: 5 } });
    // @ts-expect-error objects are asked for by some
    ask({ lines: { contains: 'a' } });
    // @ts-expect-error a list is not compared
    ask({ tags: ['vip'] });
    // @ts-expect-error fields inside have paths
    ask({ address: { city: 'Paris' } });
    // @ts-expect-error a value of another type in a record
    ask({ 'totals.may': 'x' });
    // @ts-expect-error alternatives are a list
    ask({ or: { owner: 'Ada' } });
    // @ts-expect-error a direction that does not exist
    ask({}, { owner: 'up' });
    // @ts-expect-error a misspelt field to order by
    ask({}, [{ ownr: 'asc' }]);
    // @ts-expect-error objects have no order
    ask({}, { address: 'asc' });

    const askShapes = (where: Where<Shape>) => where;
    // @ts-expect-error a value of none of the members
    askShapes({ size: true });
    // @ts-expect-error a field of none of the members
    askShapes({ nme: 'x' });
    const askTrees = (where: Where<Tree>) => where;
    // @ts-expect-error a misspelt field inside another
    askTrees({ 'left.nme': 'x' });
    const askRecords = (where: Where<Record<string, number>>) => where;
    // @ts-expect-error a value of another type
    askRecords({ a: 'x' });
    const askDeep = (where: Where<{ a: { b: { c: { d: { e: number } } } } }>) => where;
    // @ts-expect-error five names deep
    askDeep({ 'a.b.c.d.e': 5 });
    const askLists = (where: Where<{ lists: number[][] }>) => where;
    // @ts-expect-error lists in a list are neither scalars nor objects
    askLists({ lists: { contains: 5 } });
  };
  expectTypeOf(never).toBeFunction();
});

test('a type that comes back to itself in many fields costs the type checker little', async () => {
  // Four names deep, twenty fields make 168,420 paths.
  const fields = Array.from({ length: 20 }, (_, index) => `readonly of${index}?: Tree | null;`).join(' ');
  const cost = await instantiations(`
import type { OrderBy, PathOf, Where } from ${quotedPath('src/projection/where-types.ts')};
interface Tree { readonly name: string; ${fields} readonly all: readonly Tree[] }
export const where: Where<Tree> = { 'of1.of2.name': 'x', 'of1.of2.of3.name': 'x', all: { some: { 'of4.name': 'x' } } };
export const orderBy: OrderBy<Tree> = { 'of1.of2.name': 'asc' };
export const path: PathOf<Tree> = 'of1.of2.of3.name';
`);
  expect(cost).toBeLessThan(200_000);
});
