import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Json } from '../../src/event/json.ts';
import { toCondition } from '../../src/projection/where.ts';
import { fulfils } from '../../src/store/document-filter.ts';

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', 'a', 'ab', 'b', 'B', 'é', '～', '🎉') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }).map((given) => given.replaceAll('\0', '')) },
);
/** Of few values, so that many are equal. */
const bound = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0, 1, 'a', 'ab') },
  { weight: 1, arbitrary: fc.constantFrom(-0, 2, 0.5, -1e300) },
  { weight: 1, arbitrary: text },
);
const scalar = fc.oneof({ weight: 4, arbitrary: bound }, { weight: 1, arbitrary: fc.constantFrom(null, true, false) });
const name = fc.constantFrom('a', 'b', 'c');
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
  ),
}));
const document = fc.oneof(
  { weight: 9, arbitrary: fc.dictionary(name, fc.oneof(scalar, fc.array(scalar), value), { minKeys: 1, maxKeys: 3 }) },
  { weight: 1, arbitrary: value },
);

const path = fc.oneof(
  { weight: 6, arbitrary: name },
  { weight: 3, arbitrary: fc.array(name, { minLength: 2, maxLength: 3 }).map((names) => names.join('.')) },
  { weight: 1, arbitrary: fc.constantFrom('toString', 'length', '0', '__proto__', 'a.length', 'a.0') },
);
const operator = fc.oneof(
  fc.record({ eq: scalar }),
  fc.record({ ne: scalar }),
  fc.record({ gt: bound }),
  fc.record({ gte: bound }),
  fc.record({ lt: bound }),
  fc.record({ lte: bound }),
  fc.record({ in: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ contains: scalar }),
  fc.record({ startsWith: text }),
  fc.record({ exists: fc.boolean() }),
);
const operators = fc
  .array(operator, { minLength: 1, maxLength: 2 })
  .map(([first, second]): object => ({ ...first, ...second }));
const fields = fc.dictionary(path, fc.oneof({ weight: 1, arbitrary: scalar }, { weight: 4, arbitrary: operators }), {
  maxKeys: 2,
});

const { where } = fc.letrec<{ where: object }>((tie) => ({
  where: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fields,
    fc.dictionary(path, fc.record({ some: tie('where') }), { minKeys: 1, maxKeys: 1 }),
    fc
      .tuple(
        fields,
        fc.record(
          {
            and: fc.array(tie('where'), { maxLength: 2 }),
            or: fc.array(tie('where'), { maxLength: 2 }),
            not: tie('where'),
          },
          { requiredKeys: [] },
        ),
      )
      .map(([asked, combinations]) => ({ ...asked, ...combinations })),
  ),
}));

/** The language as its description reads, without a condition in between. */
function holds(asked: unknown, of: unknown): boolean {
  return Object.entries(asked as object).every(([key, condition]: [string, unknown]) => {
    if (key === 'and') return (condition as unknown[]).every((part) => holds(part, of));
    if (key === 'or') return (condition as unknown[]).some((part) => holds(part, of));
    if (key === 'not') return !holds(condition, of);
    const field = key.split('.').reduce(below, of);
    if (typeof condition !== 'object' || condition === null) return field === condition;
    return Object.entries(condition).every(([does, operand]: [string, unknown]) => applies(does, field, operand));
  });
}

function below(outer: unknown, step: string): unknown {
  if (typeof outer !== 'object' || outer === null || Array.isArray(outer)) return undefined;
  return new Map<string, unknown>(Object.entries(outer)).get(step);
}

function applies(does: string, field: unknown, operand: unknown): boolean {
  const order = orderOf(field, operand);
  switch (does) {
    case 'eq':
      return field === operand;
    case 'ne':
      return field !== operand;
    case 'gt':
      return order === 1;
    case 'gte':
      return order === 1 || order === 0;
    case 'lt':
      return order === -1;
    case 'lte':
      return order === -1 || order === 0;
    case 'in':
      return (operand as unknown[]).some((one) => one === field);
    case 'contains':
      if (Array.isArray(field)) return field.some((one) => one === operand);
      return typeof field === 'string' && typeof operand === 'string' && field.indexOf(operand) !== -1;
    case 'startsWith':
      return typeof field === 'string' && field.slice(0, String(operand).length) === operand;
    case 'exists':
      return (field !== undefined) === operand;
    default:
      expect(does).toBe('some');
      return Array.isArray(field) && field.some((element) => holds(operand, element));
  }
}

function orderOf(field: unknown, operand: unknown): number | undefined {
  if (typeof field === 'number' && typeof operand === 'number') return Math.sign(field - operand);
  if (typeof field !== 'string' || typeof operand !== 'string') return undefined;
  return Buffer.compare(Buffer.from(field), Buffer.from(operand));
}

test('a where finds the documents that it says', () => {
  const found = { true: 0, false: 0 };
  fc.assert(
    fc.property(where, fc.array(document, { minLength: 1, maxLength: 5 }), (asked, documents) => {
      const condition = toCondition(asked);
      for (const one of documents) {
        const isFound = fulfils(condition, one);
        expect(isFound).toBe(holds(asked, one));
        found[`${isFound}`]++;
        // As the command line passes it on.
        expect(fulfils(toCondition(JSON.parse(JSON.stringify(asked))), one)).toBe(isFound);
      }
    }),
    { numRuns: process.env['SOAK'] === '1' ? 100_000 : 5_000 },
  );
  expect(Math.min(found.true, found.false)).toBeGreaterThan(500);
});

test('whatever is given is a condition or is refused at a place', () => {
  const junk = fc.anything({ withNullPrototype: true, withDate: true, withBigInt: true, withSparseArray: true });
  const given = fc.oneof(junk, fc.dictionary(path, junk), fc.dictionary(path, fc.dictionary(fc.string(), junk)));
  fc.assert(
    fc.property(given, (asked) => {
      try {
        expect(typeof fulfils(toCondition(asked), { a: 1 })).toBe('boolean');
      } catch (error) {
        expect(error).toMatchObject({ code: 'query_invalid', details: { path: expect.stringMatching(/^where/) } });
      }
    }),
    { numRuns: 1_000 },
  );
});
