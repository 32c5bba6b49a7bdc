import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonSchema } from '../../src/event/json-schema.ts';
import { embeddedSchemas } from '../../src/schema/embedded-schemas.ts';

function embedded(schema: JsonSchema): object {
  return Object.fromEntries(embeddedSchemas(new Map([['A', schema]]), '#/$defs/'));
}

describe('a reference', () => {
  const text = { type: 'string' } as const;
  test.each<[string, JsonSchema, object]>([
    ['to the whole', { items: { $ref: '#' } }, { A: { items: { $ref: '#/$defs/A' } } }],
    [
      'to a definition',
      { $ref: '#/$defs/T', $defs: { T: text, unused: true } },
      { A: { $ref: '#/$defs/A.T' }, 'A.T': text },
    ],
    [
      'to a definition of an older draft',
      { $ref: '#/definitions/T', definitions: { T: text } },
      { A: { $ref: '#/$defs/A.T' }, 'A.T': text },
    ],
    [
      'to a field',
      { properties: { a: text, b: { $ref: '#/properties/a' } } },
      { A: { properties: { a: text, b: { $ref: '#/$defs/A.a' } } }, 'A.a': text },
    ],
    [
      'to an anchor',
      { $ref: '#t', $defs: { T: { $anchor: 't', ...text } } },
      { A: { $ref: '#/$defs/A.t' }, 'A.t': text },
    ],
    [
      'that is dynamic',
      { $dynamicAnchor: 'node', items: { $dynamicRef: '#node' } },
      { A: { items: { $ref: '#/$defs/A' } } },
    ],
    [
      'to an id',
      { $id: 'https://a.example/s', properties: { a: { $ref: 'https://a.example/s#/$defs/T' } }, $defs: { T: text } },
      { A: { properties: { a: { $ref: '#/$defs/A.T' } } }, 'A.T': text },
    ],
    [
      'within a schema that has an id of its own',
      { $ref: 'in', $defs: { I: { $id: 'in', $ref: '#/$defs/T', $defs: { T: text } }, T: true } },
      { A: { $ref: '#/$defs/A.in' }, 'A.in': { $ref: '#/$defs/A.T' }, 'A.T': text },
    ],
    [
      'to one of two definitions whose names become the same',
      { allOf: [{ $ref: '#/$defs/T' }, { $ref: '#/$defs/U/$defs/T' }], $defs: { T: true, U: { $defs: { T: text } } } },
      { A: { allOf: [{ $ref: '#/$defs/A.T' }, { $ref: '#/$defs/A.T-2' }] }, 'A.T': true, 'A.T-2': text },
    ],
    [
      'that leads nowhere',
      { type: 'object', $ref: '#/$defs/none' },
      { A: { type: 'object', $comment: 'Refers to #/$defs/none, which is not part of this schema.' } },
    ],
    [
      'that leads out of the schema',
      { items: { $ref: 'https://b.example/s' }, $comment: 'Mine.' },
      {
        A: {
          items: { $comment: 'Refers to https://b.example/s, which is not part of this schema.' },
          $comment: 'Mine.',
        },
      },
    ],
    ['in what is no schema', { const: { $ref: '#/x' } }, { A: { const: { $ref: '#/x' } } }],
    [
      'is no field of that name',
      { properties: { $ref: text, id: text, $id: text, $defs: text } },
      { A: { properties: { $ref: text, id: text, $id: text, $defs: text } } },
    ],
  ])('%s', (_, schema, expected) => {
    expect(embedded(schema)).toEqual(expected);
  });
});

test('a schema that is embedded judges as it did', () => {
  const ajv = new Ajv2020({ strict: false, validateSchema: false });
  const json = fc.jsonValue({ maxDepth: 3 });
  const { schema: schemaOf } = fc.letrec<{ schema: JsonSchema }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.constantFrom<JsonSchema>(
        true,
        { type: 'string' },
        { type: 'number' },
        { $ref: '#/$defs/a' },
        { $ref: '#/$defs/b~1%25' },
      ),
      fc.record({ items: tie('schema'), type: fc.constant('array') }),
      fc.record({ properties: fc.dictionary(fc.constantFrom('a', '$ref', 'b'), tie('schema')) }),
      fc.record({ anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ not: tie('schema') }),
    ),
  }));
  // What is defined is an object around what may refer to it, so that no schema is about nothing but itself.
  const around = schemaOf.map((inner): JsonSchema => ({ properties: { a: inner } }));
  fc.assert(
    fc.property(schemaOf, around, around, fc.array(json, { maxLength: 20 }), (root, a, b, values) => {
      const before = ajv.compile({ allOf: [root], $defs: { a, 'b/%': b } });
      const parts = embeddedSchemas(new Map([['A', { allOf: [root], $defs: { a, 'b/%': b } }]]), '#/$defs/');
      const after = ajv.compile({ $ref: '#/$defs/A', $defs: Object.fromEntries(parts) });
      for (const value of values) expect(after(value)).toBe(before(value));
    }),
    { numRuns: 60 },
  );
});
