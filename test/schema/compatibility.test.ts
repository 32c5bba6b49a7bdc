import { type } from 'arktype';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JsonSchema } from '../../src/event/json-schema.ts';
import { checkCompatibility, incompatibilities } from '../../src/schema/compatibility.ts';
import type { Compatibility, Verdict } from '../../src/schema/compatibility.ts';
import { conditional, shapeOfSide } from './changes-row.ts';
import { table } from './changes-table.ts';

function versions(...sides: readonly Parameters<typeof shapeOfSide>[0][]) {
  return sides.map((side, index) => ({ version: index + 1, shape: shapeOfSide(side) }));
}

/** Of the last version, by those before it. */
function verdict(mode: Compatibility, ...sides: readonly Parameters<typeof shapeOfSide>[0][]): Verdict {
  const all = versions(...sides);
  const next = all.pop();
  if (next === undefined) throw new Error('There is no version.');
  return checkCompatibility(mode, next, all);
}

function told({ problems }: Verdict): readonly string[] {
  return problems.map(({ path, reason }) => `${path}: ${reason}`);
}

describe('a change of a schema:', () => {
  test.each(table)('%s', (_, before, after, backward, forward) => {
    expect(told(verdict('BACKWARD', before, after))).toEqual(backward);
    expect(told(verdict('FORWARD', before, after))).toEqual(forward);
    const full = verdict('FULL', before, after);
    expect(full.compatible).toBe(backward.length + forward.length === 0);
    expect(told(full)).toEqual([...backward, ...forward]);
    expect(verdict('NONE', before, after)).toEqual({ compatible: true, problems: [] });
  });
});

describe('versions before the last one', () => {
  const [one, two, three] = [
    z.object({ a: z.string() }),
    z.object({ a: z.string(), b: z.string() }),
    z.object({ a: z.string(), b: z.string(), c: z.string().optional() }),
  ];

  test('do not matter, unless it is transitive', () => {
    expect(verdict('BACKWARD', one, two, three).compatible).toBe(true);
    expect(verdict('BACKWARD_TRANSITIVE', one, two, three)).toEqual({
      compatible: false,
      problems: [{ path: 'data.b', reason: 'it may be missing, and is required', direction: 'backward', against: 1 }],
    });
    expect(verdict('FORWARD', three, two, one).compatible).toBe(false);
    expect(verdict('FORWARD_TRANSITIVE', one, two, three).compatible).toBe(true);
  });

  test('are all named that are not understood', () => {
    const found = verdict('FULL_TRANSITIVE', two, two, one).problems;
    expect(found.map(({ direction, against, path }) => `${direction} ${against} ${path}`)).toEqual([
      'forward 2 data.b',
      'forward 1 data.b',
    ]);
    expect(verdict('FULL', two, two, one).problems.map(({ against }) => against)).toEqual([2]);
    expect(verdict('FORWARD_TRANSITIVE', z.object({ a: z.number() }), one, one).problems[0]?.against).toBe(1);
    expect(verdict('FULL_TRANSITIVE', one, one, one).compatible).toBe(true);
  });

  test('may come in any order, and later ones are left alone', () => {
    const [first, second, third] = versions(one, two, three);
    if (!first || !second || !third) throw new Error('Versions are missing.');
    expect(checkCompatibility('BACKWARD', third, [second, first]).compatible).toBe(true);
    expect(checkCompatibility('BACKWARD', third, [first, second]).compatible).toBe(true);
    expect(checkCompatibility('BACKWARD', second, [third, first]).problems.map(({ against }) => against)).toEqual([1]);
    expect(checkCompatibility('FULL_TRANSITIVE', first, [])).toEqual({ compatible: true, problems: [] });
  });
});

describe('schemas that do not close their objects', () => {
  const before = shapeOfSide(type({ a: 'string', in: { b: 'string' } })).output;
  const after = shapeOfSide(type({ a: 'string', in: { b: 'string', 'c?': 'number' } })).input;

  test('may be trusted to have only what they declare', () => {
    expect(incompatibilities(before, after)).toHaveLength(1);
    expect(incompatibilities(before, after, { isOnlyDeclared: true })).toEqual([]);
    const shapes = [before, after].map((schema, index) => ({
      version: index + 1,
      shape: { input: schema, output: schema },
    }));
    const [first, second] = shapes;
    if (!first || !second) throw new Error('Versions are missing.');
    expect(checkCompatibility('FULL', second, [first], { isOnlyDeclared: true }).compatible).toBe(true);
  });

  test.each<[string, JsonSchema, JsonSchema]>([
    ['where they declare nothing', { type: 'object' }, { type: 'object', properties: { a: { type: 'string' } } }],
    [
      'where they say what others are',
      { type: 'object', properties: { a: true }, additionalProperties: { type: 'number' } },
      { type: 'object', properties: { b: { type: 'string' } } },
    ],
    [
      'where they require more',
      { properties: { a: true }, required: ['b'] },
      { properties: { b: { type: 'string' } } },
    ],
    ['where what they declare is not taken', { properties: { a: true } }, { properties: { a: { type: 'string' } } }],
  ])('but not %s', (_, writer, reader) => {
    expect(incompatibilities(writer, reader, { isOnlyDeclared: true })).not.toEqual([]);
  });
});

describe('what cannot be told is said to be so:', () => {
  test.each<[string, unknown, string]>([
    ['a type that there is not', { type: 'text' }, 'at #/type, it is one of null, boolean, number'],
    ['properties that are a list', { properties: [] }, 'at #/properties, it is an object, not []'],
    ['required that is a text', { items: { required: 'a' } }, 'at #/items/required, it is a list of names, not "a"'],
    ['a schema that is null', { properties: { 'a/b': null } }, 'at #/properties/a~1b, a schema is an object'],
    ['a bound that is a text', { minimum: '1' }, 'at #/minimum, it is a number, not "1"'],
    ['a length below zero', { minLength: -1 }, 'at #/minLength, it is an integer from 0, not -1'],
    ['multiples of zero', { multipleOf: 0 }, 'at #/multipleOf, it is more than 0, not 0'],
    ['a pattern that is none', { pattern: '(' }, 'at #/pattern, it is a regular expression, not "("'],
    ['names by a pattern that is none', { patternProperties: { '(': true } }, 'its names are regular expressions'],
    ['no alternatives', { anyOf: [] }, 'at #/anyOf, it is not empty, not []'],
    ['alternatives that are none', { oneOf: {} }, 'at #/oneOf, it is a list, not {}'],
    ['values that are none', { enum: 'a' }, 'at #/enum, it is a list, not "a"'],
    ['a list of schemas for items, as drafts before had it', { items: [true] }, 'at #/items, a schema is an object'],
    ['a reference to nothing', { $ref: '#/$defs/a' }, 'at #/$ref, it leads to a schema, not "#/$defs/a"'],
    ['a reference that is none', { $ref: 1 }, 'at #/$ref, it is a text, not 1'],
    ['a format that is none', { format: 1 }, 'at #/format, it is a text, not 1'],
    ['a schema with an address inside of it', { items: { $id: 'https://a.example' } }, 'only the whole may have one'],
    ['a schema that is itself', { $ref: '#' }, 'a schema in it says only that a value is under itself'],
    [
      'a schema that is itself in a roundabout way',
      { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } } },
      'a schema in it says only that a value is under itself',
    ],
    ['what is no JSON', { default: undefined }, 'it is no JSON: undefined at #.default'],
    ['what has no end', endless(), 'it is no JSON: a cycle at #.not'],
    ['a text', 'string', 'at #, a schema is an object, true or false, not "string"'],
    ['null', null, 'at #, a schema is an object, true or false, not null'],
    ['a list', [], 'at #, a schema is an object, true or false, not []'],
    ['nothing at all', undefined, 'it is no JSON: undefined at #'],
    ['a number that is none', { minimum: Number.NaN }, 'it is no JSON: NaN at #.minimum'],
    ['what is made of a class', { const: new Date(0) }, 'it is no JSON: an instance of Date at #.const'],
  ])('%s', (_, garbage, words) => {
    const schema = garbage as JsonSchema;
    for (const [writer, reader, side] of [
      [schema, { type: 'string' }, 'of what comes'],
      [{ type: 'string' }, schema, 'of what is taken'],
    ] as const) {
      const [problem, ...others] = incompatibilities(writer, reader);
      expect(others).toEqual([]);
      expect(problem?.path).toBe('data');
      expect(problem?.reason).toContain(`cannot be told: the schema ${side} is none: `);
      expect(problem?.reason).toContain(words);
    }
  });

  test.each<[string, JsonSchema]>([
    ['what must not be', { not: { type: 'object', required: ['a'] } }],
    ['a condition', conditional({ minLength: 2 }, { pattern: 'a' }, true)],
    ['an address of its own', { $ref: 'https://a.example/b' }],
    ['what is left', { properties: { a: true }, unevaluatedProperties: { type: 'string' } }],
    ['where it is called from', { $dynamicRef: '#node' }],
  ])('but not where both sides are equal: %s', (_, schema) => {
    expect(incompatibilities(schema, schema)).toEqual([]);
    expect(incompatibilities({ title: 'other', ...(schema as object) }, true)).toEqual([]);
    expect(incompatibilities(true, schema)).not.toEqual([]);
  });

  test('parts that are equal are told in spite of what is around them', () => {
    const odd = { not: { required: ['a'] } };
    const writer = { type: 'object', properties: { a: odd, b: { type: 'string' } }, additionalProperties: false };
    expect(incompatibilities(writer, { properties: { a: odd } })).toEqual([]);
  });
});

describe('large schemas', () => {
  test('that refer back to themselves in several ways come to an end', () => {
    const graph = (extra: JsonSchema): JsonSchema => ({
      $ref: '#/$defs/a',
      $defs: {
        a: { type: 'object', properties: { b: { $ref: '#/$defs/b' }, c: { $ref: '#/$defs/c' } } },
        b: { anyOf: [{ $ref: '#/$defs/a' }, { type: 'array', items: { $ref: '#/$defs/c' } }, { type: 'null' }] },
        c: { oneOf: [{ type: 'array', items: { $ref: '#/$defs/b' } }, extra] },
      },
    });
    expect(incompatibilities(graph({ type: 'string', minLength: 1 }), graph({ type: 'string' }))).toEqual([]);
    const paths = incompatibilities(graph({ type: 'string' }), graph({ type: 'number' })).map(({ path }) => path);
    expect(paths).toContain('data.c');
  });

  test('that are nested deep are compared to the bottom', () => {
    const deep = (bottom: JsonSchema): JsonSchema => {
      let schema = bottom;
      for (let depth = 0; depth < 200; depth++)
        schema = { type: 'object', properties: { a: schema, b: { type: 'string' } }, required: ['a'] };
      return schema;
    };
    expect(incompatibilities(deep({ const: 1 }), deep({ type: 'number' }))).toEqual([]);
    expect(incompatibilities(deep({ type: 'number' }), deep({ const: 1 }))).toEqual([
      { path: `data${'.a'.repeat(200)}`, reason: 'a number may come, only 1 is taken' },
    ]);
  });

  test('that refer from one to the next a thousand times do not overflow', () => {
    const chain = (end: JsonSchema): JsonSchema => ({
      $ref: '#/$defs/0',
      $defs: Object.fromEntries(
        Array.from({ length: 3_000 }, (_, at) => [at, at === 2_999 ? end : { items: { $ref: `#/$defs/${at + 1}` } }]),
      ),
    });
    expect(incompatibilities(chain({ type: 'string' }), chain({ type: 'number' }))).toEqual([
      { path: 'data', reason: 'cannot be told: the schemas are too large to be told, or nested too deep' },
    ]);
  });

  test('of many alternatives are told apart by their kinds', () => {
    const union = (field: z.ZodType) =>
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('first') }),
        ...Array.from({ length: 80 }, (_, at) => z.object({ kind: z.literal(`kind ${at}`), field })),
      ]);
    expect(verdict('BACKWARD', union(z.string()), union(z.string().optional())).compatible).toBe(true);
    expect(verdict('BACKWARD', union(z.string()), union(z.number())).problems).toHaveLength(80);
  });

  test('with too many combinations are given up', () => {
    const choices = (name: string): JsonSchema => ({
      anyOf: Array.from({ length: 6 }, (_, at) => ({ properties: { [name]: { const: at } }, required: [name] })),
    });
    const writer = { allOf: Array.from({ length: 12 }, (_, at) => choices(`field ${at}`)) } as unknown as JsonSchema;
    expect(incompatibilities(writer, { minProperties: 3 })).toEqual([
      { path: 'data', reason: 'cannot be told: the schemas are too large to be told, or nested too deep' },
    ]);
  });
});

function endless(): unknown {
  const schema: Record<string, unknown> = {};
  schema['not'] = schema;
  return schema;
}
