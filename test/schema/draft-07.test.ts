import { describe, expect, test } from 'vitest';
import type { JsonSchema } from '../../src/event/json-schema.ts';
import { toDraft07 } from '../../src/schema/draft-07.ts';

describe('in draft 07', () => {
  const text = { type: 'string' } as const;
  test.each<[string, JsonSchema, object]>([
    ['anything is a schema without words', true, {}],
    ['nothing is what is not anything', false, { not: {} }],
    ['further properties may still be forbidden', { additionalProperties: false }, { additionalProperties: false }],
    ['a tuple is a list of items', { prefixItems: [text, true] }, { items: [text, {}] }],
    [
      'its rest are further items',
      { prefixItems: [text], items: false },
      { items: [text], additionalItems: { not: {} } },
    ],
    ['a list is as it was', { items: text }, { items: text }],
    [
      'what depends upon a property is in one place',
      { dependentRequired: { a: ['b'], c: ['d'] }, dependentSchemas: { a: text, e: text } },
      { dependencies: { a: { allOf: [{ required: ['b'] }, text] }, c: ['d'], e: text } },
    ],
    ['a reference stands alone', { $ref: '#/x' }, { $ref: '#/x' }],
    [
      'what stands beside a reference counts',
      { $ref: '#/x', description: 'y', allOf: [text] },
      { description: 'y', allOf: [{ $ref: '#/x' }, text] },
    ],
    ['what it cannot say is left out', { type: 'array', unevaluatedItems: false }, { type: 'array' }],
    ['a list that need not contain something may not', { contains: text, minContains: 0 }, {}],
    [
      'schemas within schemas are changed as well',
      { anyOf: [{ not: { items: true } }] },
      { anyOf: [{ not: { items: {} } }] },
    ],
    [
      'a field may be called like a keyword',
      { properties: { prefixItems: text } },
      { properties: { prefixItems: text } },
    ],
  ])('%s', (_, schema, expected) => {
    expect(toDraft07(schema)).toEqual(expected);
  });
});
