import { type } from 'arktype';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { shapeOf } from '../../src/event/json-schema.ts';
import type { JsonSchema } from '../../src/event/json-schema.ts';
import type { StandardSchemaV1 } from '../../src/event/standard-schema.ts';
import { schemaFields } from '../../src/schema/schema-fields.ts';

/** `path: type`, with a question mark where it is optional. */
function fieldsOf(schema: JsonSchema): readonly string[] {
  return schemaFields(schema).map(({ path, type: words, required }) => `${path}${required ? '' : '?'}: ${words}`);
}

function outputOf(schema: StandardSchemaV1): JsonSchema {
  const shape = shapeOf(schema);
  if (shape === undefined) throw new Error('This schema exports none.');
  return shape.output;
}

describe('the fields of', () => {
  test('zod: nested, optional, nullable, in lists, in maps', () => {
    const schema = z.object({
      id: z.string(),
      when: z.iso.datetime().optional(),
      count: z.int().min(1).max(9),
      any: z.int(),
      state: z.enum(['new', 'old']).nullable(),
      lines: z.array(z.object({ sku: z.string(), tags: z.array(z.string().nullable()) })),
      prices: z.record(z.string(), z.object({ amount: z.number() })),
      pair: z.tuple([z.string(), z.number()]),
    });
    expect(fieldsOf(outputOf(schema))).toEqual([
      'any: integer',
      'count: integer >= 1, <= 9',
      'id: string',
      'lines: object[]',
      'lines[].sku: string',
      'lines[].tags: (string | null)[]',
      'pair: [string, number]',
      'prices: object of object',
      'prices.*.amount: number',
      'state: "new" | "old" | null',
      'when?: string (date-time)',
    ]);
  });

  test('arktype: a union, whose fields are required if all of its alternatives do', () => {
    const schema = type({ kind: "'card'", number: 'string' }).or({ kind: "'cash'" });
    expect(fieldsOf(outputOf(schema))).toEqual(['kind: "card" | "cash"', 'number?: string']);
  });

  test('what refers to itself, once', () => {
    const node = z.object({
      name: z.string(),
      get children() {
        return z.array(node);
      },
    });
    expect(fieldsOf(outputOf(node))).toEqual(['children: recursive[]', 'name: string']);
  });

  test.each<[string, JsonSchema, readonly string[]]>([
    ['anything', true, [': any']],
    ['nothing', false, [': never']],
    ['an object without fields', { type: 'object' }, [': object']],
    ['a text', { type: 'string' }, [': string']],
    ['a list of objects', { type: 'array', items: { properties: { a: true } } }, [': object[]', '[].a?: any']],
    [
      'what holds altogether',
      { allOf: [{ properties: { a: { type: 'string' } } }, { properties: { a: { const: 'x' } }, required: ['a'] }] },
      ['a: string & "x"'],
    ],
  ])('%s', (_, schema, expected) => {
    expect(fieldsOf(schema)).toEqual(expected);
  });

  test('schemas that spell out to any number, up to 200', () => {
    const letters = [...'abcdefgh'];
    const defs = letters.map((letter, index) => {
      const next = letters[index + 1];
      const within = next === undefined ? true : { $ref: `#/$defs/${next}` };
      return [letter, { type: 'object', properties: Object.fromEntries(letters.map((name) => [name, within])) }];
    });
    expect(schemaFields({ $ref: '#/$defs/a', $defs: Object.fromEntries(defs) })).toHaveLength(200);
  });
});
