import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { shapeOf } from '../../src/event/json-schema.ts';
import type { JsonSchema } from '../../src/event/json-schema.ts';
import { fingerprintOf, fingerprintOfSchema } from '../../src/event/schema-fingerprint.ts';
import type { StandardSchemaV1 } from '../../src/event/standard-schema.ts';

describe('the shape of a schema', () => {
  test('is what it takes and what it gives, of zod', () => {
    expect(shapeOf(z.object({ name: z.string().default('') }))).toEqual({
      input: { type: 'object', properties: { name: { type: 'string', default: '' } } },
      output: {
        type: 'object',
        properties: { name: { type: 'string', default: '' } },
        required: ['name'],
        additionalProperties: false,
      },
    });
  });

  test('is had of arktype, and of valibot by its converter', () => {
    const shape = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
    expect(shapeOf(type({ name: 'string' }))).toEqual({ input: shape, output: shape });
    expect(shapeOf(toStandardJsonSchema(v.object({ name: v.string() })))).toEqual({ input: shape, output: shape });
  });

  test.each<[string, StandardSchemaV1]>([
    ['of a library that exports none', v.object({ name: v.string() })],
    ['of a schema that transforms', z.string().transform((text) => text.length)],
    ['of what JSON cannot say', z.object({ at: z.date() })],
    ['of an export that is none', exporting(() => null)],
    ['of an export that is a list', exporting(() => [])],
    ['of an export without end', exporting(endless)],
  ])('is unknown %s', (_, schema) => {
    expect(shapeOf(schema)).toBeUndefined();
  });

  test('may be true or false', () => {
    expect(shapeOf(exporting(() => true))).toEqual({ input: true, output: true });
  });
});

describe('a fingerprint', () => {
  const user = {
    type: 'object',
    properties: { id: { type: 'integer' }, of: { enum: ['a', 'b'] } },
    required: ['id', 'of'],
  };
  test.each<[string, JsonSchema, JsonSchema]>([
    [
      'the order of keys and of lists that are sets',
      user,
      { required: ['of', 'id'], properties: { of: { enum: ['b', 'a'] }, id: { type: 'integer' } }, type: 'object' },
    ],
    [
      'what is said for people',
      user,
      {
        ...user,
        title: 'User',
        description: 'of the shop',
        $comment: '',
        examples: [1],
        deprecated: true,
        default: {},
      },
    ],
    ['other annotations, also below', { items: { type: 'string' } }, { items: { type: 'string', 'x-column': 'name' } }],
    ['definitions that nothing refers to', user, { ...user, $defs: { unused: { type: 'string' } } }],
    ['true, written as no keyword', { items: true }, { items: {} }],
    [
      'the order of alternatives',
      { anyOf: [{ type: 'string' }, { type: 'null' }] },
      { anyOf: [{ type: 'null' }, { type: 'string' }] },
    ],
    [
      'whether a definition is written out',
      { prefixItems: [user, user] },
      { prefixItems: [{ $ref: '#/$defs/u' }, user], $defs: { u: { $ref: '#/$defs/v' }, v: user } },
    ],
    [
      'what definitions are called, also of recursive ones',
      tree('intersection281', 'intersection279'),
      tree('intersection7', 'a/b~'),
    ],
  ])('is the same whatever %s', (_, one, other) => {
    expect(fingerprintOfSchema(other)).toBe(fingerprintOfSchema(one));
  });

  test.each<[string, JsonSchema, JsonSchema]>([
    ['properties that are called like annotations', { properties: { title: true } }, { properties: {} }],
    ['what is required', user, { ...user, required: ['id'] }],
    ['the order of places', { prefixItems: [{ type: 'string' }, true] }, { prefixItems: [true, { type: 'string' }] }],
    ['the order of a value', { const: [1, 2] }, { const: [2, 1] }],
    ['true and false', true, false],
    ['a number and its text', { const: 1 }, { const: '1' }],
    ['definitions that differ behind references', chain('string'), chain('number')],
    ['recursion through another place', { items: { $ref: '#' } }, { prefixItems: [{ $ref: '#' }] }],
    ['references out of the document', { $ref: 'https://a.example/a' }, { $ref: 'https://a.example/b' }],
  ])('tells apart %s', (_, one, other) => {
    expect(fingerprintOfSchema(other)).not.toBe(fingerprintOfSchema(one));
  });

  test('is of what is taken as well as of what is given', () => {
    const shape = { input: { type: 'string' }, output: { type: 'number' } };
    expect(fingerprintOf(shape)).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprintOf({ ...shape, input: true })).not.toBe(fingerprintOf(shape));
    expect(fingerprintOf({ ...shape, output: true })).not.toBe(fingerprintOf(shape));
  });

  test('of a recursive type of arktype does not depend on how many types were made before', () => {
    const make = (): string => {
      const { node } = type.module({ node: { v: 'number', kids: 'node[]' } });
      const shape = shapeOf(node);
      return shape === undefined ? '' : fingerprintOf(shape);
    };
    expect(make()).toMatch(/./);
    expect(make()).toBe(make());
  });
});

function exporting(schema: () => unknown): StandardSchemaV1 {
  const jsonSchema = { input: schema, output: schema };
  return { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }), ...{ jsonSchema } } };
}

function endless(): unknown {
  const schema: Record<string, unknown> = {};
  schema['not'] = schema;
  return schema;
}

function tree(node: string, list: string): JsonSchema {
  const reference = (name: string): JsonSchema => ({
    $ref: `#/$defs/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
  });
  return {
    ...(reference(node) as object),
    $defs: {
      [node]: { type: 'object', properties: { kids: reference(list), n: { type: 'number' } } },
      [list]: { type: 'array', items: reference(node) },
    },
  };
}

/** A document in which what differs is three references away. */
function chain(end: string): JsonSchema {
  const $defs = { a: { items: { $ref: '#/$defs/b' } }, b: { items: { $ref: '#/$defs/c' } }, c: { type: end } };
  return { properties: { x: { $ref: '#/$defs/a' } }, $defs };
}
