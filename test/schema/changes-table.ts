/** Changes of schemas, with what is wrong about each of them, for readers of what was written before, and for those that were there before. */
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { shapeOf } from '../../src/event/json-schema.ts';
import type { JsonSchema, SchemaShape } from '../../src/event/json-schema.ts';
import type { StandardSchemaV1 } from '../../src/event/standard-schema.ts';

type Side = StandardSchemaV1 | JsonSchema;

/** Problems as `path: reason`; none: compatible. */
export type Row = readonly [
  name: string,
  before: Side,
  after: Side,
  backward: readonly string[],
  forward: readonly string[],
];

export function shapeOfSide(side: Side): SchemaShape {
  const isSchema = (typeof side === 'object' || typeof side === 'function') && '~standard' in side;
  if (!isSchema) return { input: side, output: side };
  const shape = shapeOf(side as StandardSchemaV1);
  if (shape === undefined) throw new Error('A schema in the table has no shape.');
  return shape;
}

/** Made of its parts, so that it does not look like a promise. */
export function conditional(condition: JsonSchema, holds: JsonSchema, holdsNot: JsonSchema): JsonSchema {
  const schemas = [condition, holds, holdsNot];
  return Object.fromEntries(['if', 'then', 'else'].map((keyword, at) => [keyword, schemas[at] as JsonSchema]));
}

const s = z.string();
const n = z.number();
const valibot = toStandardJsonSchema;

const tree = z.object({
  value: n,
  get children() {
    return z.array(tree);
  },
});
const widerTree = z.object({
  value: n,
  note: s.optional(),
  get children() {
    return z.array(widerTree);
  },
});
const otherTree = z.object({
  value: s,
  get children() {
    return z.array(otherTree);
  },
});

const card = z.object({ kind: z.literal('card'), digits: s });
const cash = z.object({ kind: z.literal('cash') });
const invoice = z.object({ kind: z.literal('invoice'), days: n });

const objects: readonly Row[] = [
  ['nothing', z.object({ a: s }), z.object({ a: s }), [], []],
  ['the order of fields', z.object({ a: s, b: n }), z.object({ b: n, a: s }), [], []],
  ['a description', z.object({ a: s }), z.object({ a: s.describe('the first letter') }), [], []],
  ['an optional field added', z.object({ a: s }), z.object({ a: s, b: s.optional() }), [], []],
  [
    'a required field added',
    z.object({ a: s }),
    z.object({ a: s, b: s }),
    ['data.b: it may be missing, and is required'],
    [],
  ],
  ['a field with a default added', z.object({ a: s }), z.object({ a: s, b: s.default('') }), [], []],
  [
    'a required field removed',
    z.object({ a: s, b: s }),
    z.object({ a: s }),
    [],
    ['data.b: it may be missing, and is required'],
  ],
  ['an optional field removed', z.object({ a: s, b: s.optional() }), z.object({ a: s }), [], []],
  [
    'a field renamed',
    z.object({ name: s }),
    z.object({ fullName: s }),
    ['data.fullName: it may be missing, and is required'],
    ['data.name: it may be missing, and is required'],
  ],
  [
    'a field made optional',
    z.object({ a: s }),
    z.object({ a: s.optional() }),
    [],
    ['data.a: it may be missing, and is required'],
  ],
  [
    'a field made required',
    z.object({ a: s.optional() }),
    z.object({ a: s }),
    ['data.a: it may be missing, and is required'],
    [],
  ],
  ['a default for a field that was optional', z.object({ a: s.optional() }), z.object({ a: s.default('') }), [], []],
  ['another default', z.object({ a: s.default('x') }), z.object({ a: s.default('y') }), [], []],
  ['an object closed', z.object({ a: s }), z.strictObject({ a: s }), [], []],
  ['an object opened', z.strictObject({ a: s }), z.object({ a: s }), [], []],
  ['an object that keeps what it does not know', z.object({ a: s }), z.looseObject({ a: s }), [], []],
  [
    'a strict object that gets a field',
    z.strictObject({ a: s }),
    z.strictObject({ a: s, b: n.optional() }),
    [],
    ['data.b: it may come, and is not taken'],
  ],
  [
    'a strict object that loses a field',
    z.strictObject({ a: s, b: n }),
    z.strictObject({ a: s }),
    ['data.b: it may come, and is not taken'],
    ['data.b: it may be missing, and is required'],
  ],
  [
    'a loose object that gets a field',
    z.looseObject({ a: s }),
    z.looseObject({ a: s, b: n.optional() }),
    ['data.b: any further property may come, also one of this name with another value, only a number is taken'],
    [],
  ],
  [
    'a field deep down',
    z.object({ a: z.object({ b: z.object({ c: s }) }) }),
    z.object({ a: z.object({ b: z.object({ c: n }) }) }),
    ['data.a.b.c: a string may come, only a number is taken'],
    ['data.a.b.c: a number may come, only a string is taken'],
  ],
  [
    'a field of an odd name',
    z.object({ 'a b': s }),
    z.object({ 'a b': n }),
    ['data["a b"]: a string may come, only a number is taken'],
    ['data["a b"]: a number may come, only a string is taken'],
  ],
  [
    'an object in place of a text',
    z.object({ customer: s }),
    z.object({ customer: z.object({ name: s }) }),
    ['data.customer: a string may come, only an object is taken'],
    ['data.customer: an object may come, only a string is taken'],
  ],
  [
    'a map of numbers',
    z.record(s, n),
    z.record(s, s),
    ['data.*: a number may come, only a string is taken'],
    ['data.*: a string may come, only a number is taken'],
  ],
  [
    'a map in place of an object',
    z.object({ a: n, b: n }),
    z.record(s, n),
    [],
    ['data.a: it may be missing, and is required', 'data.b: it may be missing, and is required'],
  ],
  [
    'names of a map',
    z.record(s, n),
    z.record(z.string().regex(/^[a-z]+$/), n),
    ['data.*: of its name: any text may come, only one that matches "^[a-z]+$" is taken'],
    [],
  ],
  [
    'a map of fewer names',
    z.partialRecord(z.enum(['a', 'b', 'c']), n),
    z.partialRecord(z.enum(['a', 'b']), n),
    ['data.c: it may come, and its name is not taken'],
    [],
  ],
  [
    'a map that needs all its names',
    z.partialRecord(z.enum(['a', 'b']), n),
    z.record(z.enum(['a', 'b']), n),
    ['data.a: it may be missing, and is required', 'data.b: it may be missing, and is required'],
    [],
  ],
  [
    'a field that must never be there',
    z.object({ a: s.optional() }),
    z.object({ a: z.never().optional() }),
    ['data.a: it may come, and is not taken'],
    [],
  ],
  [
    'values of a pattern',
    { patternProperties: { '^x-': { type: 'string' } } },
    { patternProperties: { '^x-': { type: ['string', 'null'] } } },
    [],
    ['data.*: null may come, only a string is taken'],
  ],
  [
    'another pattern for names',
    { type: 'object', patternProperties: { '^x-': { type: 'string' } } },
    { type: 'object', patternProperties: { '^y-': { type: 'number' } } },
    ['data.*: cannot be told: whether names that match "^y-" come with other values'],
    ['data.*: cannot be told: whether names that match "^x-" come with other values'],
  ],
  [
    'more properties',
    { type: 'object', maxProperties: 2 },
    { type: 'object', maxProperties: 3 },
    [],
    ['data: an object of 3 properties may come, only one of at most 2 is taken'],
  ],
  [
    'fewer properties',
    { type: 'object' },
    { type: 'object', minProperties: 1 },
    ['data: an object of 0 properties may come, only one of at least 1 is taken'],
    [],
  ],
  [
    'a field that needs another one',
    z.object({ a: s.optional(), b: s.optional() }),
    { type: 'object', dependentRequired: { a: ['b'] } },
    ['data.b: it may be missing, and is required where "a" is there'],
    [
      'data.a: any further property may come, also one of this name with another value, only a string is taken',
      'data.b: any further property may come, also one of this name with another value, only a string is taken',
    ],
  ],
  [
    'a rule for where a field is there',
    { type: 'object' },
    { type: 'object', dependentSchemas: { a: { required: ['b'] } } },
    ['data.b: it may be missing, and is required'],
    [],
  ],
];

const scalars: readonly Row[] = [
  [
    'a number in place of a text',
    z.object({ a: s }),
    z.object({ a: n }),
    ['data.a: a string may come, only a number is taken'],
    ['data.a: a number may come, only a string is taken'],
  ],
  [
    'an integer in place of a number',
    z.object({ a: n }),
    z.object({ a: z.int() }),
    ['data.a: a number may come, only an integer is taken'],
    [],
  ],
  [
    'a text or a number in place of a text',
    z.object({ a: s }),
    z.object({ a: z.union([s, n]) }),
    [],
    ['data.a: a number may come, only a string is taken'],
  ],
  [
    'null added',
    z.object({ a: s }),
    z.object({ a: s.nullable() }),
    [],
    ['data.a: null may come, only a string is taken'],
  ],
  [
    'null added to an object',
    z.object({ a: z.object({ b: s }) }),
    z.object({ a: z.object({ b: s }).nullable() }),
    [],
    ['data.a: null may come, and is not taken: an object is'],
  ],
  [
    'anything in place of something',
    z.object({ a: s }),
    z.object({ a: z.unknown() }),
    [],
    ['data.a: any value may come, only a string is taken'],
  ],
  [
    'a value added',
    z.enum(['a', 'b']),
    z.enum(['a', 'b', 'c']),
    [],
    ['data: "c" may come, and is not taken: "a" or "b" is'],
  ],
  [
    'a value renamed',
    z.enum(['a', 'b']),
    z.enum(['a', 'c']),
    ['data: "b" may come, and is not taken: "a" or "c" is'],
    ['data: "c" may come, and is not taken: "a" or "b" is'],
  ],
  ['values in another order', z.enum(['a', 'b']), z.enum(['b', 'a']), [], []],
  [
    'values in place of a text',
    z.object({ a: s }),
    z.object({ a: z.enum(['x', 'y']) }),
    ['data.a: a string may come, only "x" or "y" is taken'],
    [],
  ],
  [
    'one value in place of several',
    z.object({ a: z.literal(['x', 1, null]) }),
    z.object({ a: z.literal('x') }),
    ['data.a: 1 or null may come, and is not taken: "x" is'],
    [],
  ],
  ['a boolean in place of its values', z.object({ a: z.boolean() }), z.object({ a: z.literal([true, false]) }), [], []],
  [
    'a boolean that is always true',
    z.object({ a: z.boolean() }),
    z.object({ a: z.literal(true) }),
    ['data.a: false may come, and is not taken: true is'],
    [],
  ],
  [
    'a lower bound',
    z.object({ a: n }),
    z.object({ a: n.min(0) }),
    ['data.a: any number may come, only a number from 0 is taken'],
    [],
  ],
  [
    'a bound that excludes its number',
    z.object({ a: n.min(0) }),
    z.object({ a: n.positive() }),
    ['data.a: a number from 0 may come, only a number above 0 is taken'],
    [],
  ],
  ['a bound of integers in other words', z.object({ a: z.int().min(1) }), z.object({ a: z.int().gt(0) }), [], []],
  [
    'an upper bound raised',
    z.object({ a: n.max(10) }),
    z.object({ a: n.max(20) }),
    [],
    ['data.a: a number up to 20 may come, only a number up to 10 is taken'],
  ],
  [
    'multiples',
    z.object({ a: n.multipleOf(4) }),
    z.object({ a: n.multipleOf(2) }),
    [],
    ['data.a: a number may come, only a multiple of 4 is taken'],
  ],
  [
    'multiples of a fraction',
    { type: 'number', multipleOf: 0.3 },
    { type: 'number', multipleOf: 0.1 },
    [],
    ['data: a number may come, only a multiple of 0.3 is taken'],
  ],
  [
    'a text that may be longer',
    z.object({ a: s.max(10) }),
    z.object({ a: s.max(20) }),
    [],
    ['data.a: a text of 20 characters may come, only one of at most 10 characters is taken'],
  ],
  [
    'a text that must not be empty',
    z.object({ a: s }),
    z.object({ a: s.min(1) }),
    ['data.a: a text of any length may come, only one of at least 1 characters is taken'],
    [],
  ],
  [
    'a pattern added',
    z.object({ a: s }),
    z.object({ a: s.regex(/^[a-z]+$/) }),
    ['data.a: any text may come, only one that matches "^[a-z]+$" is taken'],
    [],
  ],
  [
    'another pattern',
    z.object({ a: s.regex(/^a/) }),
    z.object({ a: s.regex(/^ab/) }),
    ['data.a: cannot be told: a text that matches "^a" comes, only one that matches "^ab" is taken'],
    ['data.a: cannot be told: a text that matches "^ab" comes, only one that matches "^a" is taken'],
  ],
  [
    'a second pattern',
    z.object({ a: s.regex(/^a/) }),
    z.object({ a: s.regex(/^a/).regex(/z$/) }),
    ['data.a: cannot be told: a text that matches "^a" comes, only one that matches "z$" is taken'],
    [],
  ],
  [
    'a format added',
    z.object({ a: s }),
    z.object({ a: z.url() }),
    ['data.a: any text may come, only one of format uri is taken'],
    [],
  ],
  [
    'another format',
    { format: 'email' },
    { format: 'uri' },
    ['data: cannot be told: a text of format email comes, only one of format uri is taken'],
    ['data: cannot be told: a text of format uri comes, only one of format email is taken'],
  ],
  [
    'a value in place of a format',
    z.object({ a: z.literal('https://a.example') }),
    z.object({ a: z.url() }),
    ['data.a: cannot be told: whether "https://a.example" is taken'],
    ['data.a: a string may come, only "https://a.example" is taken'],
  ],
  [
    'values that a pattern takes',
    z.object({ a: z.enum(['ab', 'ac']) }),
    z.object({ a: s.regex(/^a/) }),
    [],
    ['data.a: a string may come, only "ab" or "ac" is taken'],
  ],
];

const lists: readonly Row[] = [
  [
    'items of another kind',
    z.object({ lines: z.array(s) }),
    z.object({ lines: z.array(n) }),
    ['data.lines[]: a string may come, only a number is taken'],
    ['data.lines[]: a number may come, only a string is taken'],
  ],
  [
    'a field of items',
    z.object({ lines: z.array(z.object({ sku: s })) }),
    z.object({ lines: z.array(z.object({ sku: s, count: n })) }),
    ['data.lines[].count: it may be missing, and is required'],
    [],
  ],
  [
    'a list in place of one',
    z.object({ tags: s }),
    z.object({ tags: z.array(s) }),
    ['data.tags: a string may come, only a list is taken'],
    ['data.tags: a list may come, only a string is taken'],
  ],
  [
    'a list that must not be empty',
    z.array(s),
    z.array(s).min(1),
    ['data: a list of 0 items may come, only one of at least 1 is taken'],
    [],
  ],
  [
    'a list that may be longer',
    z.array(s).max(2),
    z.array(s).max(3),
    [],
    ['data: a list of 3 items may come, only one of at most 2 is taken'],
  ],
  [
    'a place added',
    z.tuple([s]),
    z.tuple([s, n]),
    ['data: a list of 1 item may come, only one of at least 2 is taken'],
    ['data[1]: an item may come, and is not taken', 'data: a list of 2 items may come, only one of at most 1 is taken'],
  ],
  [
    'a tuple in place of a list',
    z.array(s),
    z.tuple([s, s]),
    [
      'data[]: an item may come, and is not taken',
      'data: a list of 0 items may come, only one of at least 2 is taken',
      'data: a list of any length may come, only one of at most 2 is taken',
    ],
    [],
  ],
  [
    'a rest added to a tuple',
    z.tuple([s]),
    z.tuple([s]).rest(n),
    [],
    [
      'data[]: an item may come, and is not taken',
      'data: a list of any length may come, only one of at most 1 is taken',
    ],
  ],
  [
    'items that must differ',
    { type: 'array' },
    { type: 'array', uniqueItems: true },
    ['data: a list with equal items may come, and is not taken'],
    [],
  ],
  [
    'what must be contained',
    { type: 'array', items: { type: 'integer' }, minItems: 1 },
    { type: 'array', contains: { type: 'number' } },
    [],
    ['data[]: any value may come, only an integer is taken'],
  ],
];

const unions: readonly Row[] = [
  [
    'an alternative added',
    z.discriminatedUnion('kind', [card, cash]),
    z.discriminatedUnion('kind', [card, cash, invoice]),
    [],
    ['data.kind: "invoice" may come, only "card" or "cash" is taken'],
  ],
  [
    'alternatives in another order',
    z.discriminatedUnion('kind', [card, cash]),
    z.discriminatedUnion('kind', [cash, card]),
    [],
    [],
  ],
  [
    'a field of an alternative',
    z.discriminatedUnion('kind', [card, cash]),
    z.discriminatedUnion('kind', [card.extend({ digits: n }), cash]),
    ['data.digits: where kind is "card", a string may come, only a number is taken'],
    ['data.digits: where kind is "card", a number may come, only a string is taken'],
  ],
  [
    'a field added to one alternative',
    z.object({ by: z.discriminatedUnion('kind', [card, cash]) }),
    z.object({ by: z.discriminatedUnion('kind', [card, cash.extend({ till: s })]) }),
    ['data.by.till: where kind is "cash", it may be missing, and is required'],
    [],
  ],
  [
    'alternatives in place of one object',
    z.object({ kind: z.literal('cash') }),
    z.discriminatedUnion('kind', [card, cash]),
    [],
    ['data.kind: "card" may come, and is not taken: "cash" is'],
  ],
  [
    'alternatives in place of an object with few kinds',
    z.object({ kind: z.enum(['card', 'cash']), digits: s }),
    z.discriminatedUnion('kind', [card, cash]),
    [],
    ['data.digits: it may be missing, and is required'],
  ],
  [
    'a kind among alternatives',
    z.union([s, n]),
    z.union([s, n, z.boolean()]),
    [],
    ['data: true or false may come, only a string or a number is taken'],
  ],
  [
    'alternatives that overlap, in place of one',
    z.object({ a: n }),
    { oneOf: [{ required: ['a'] }, { type: 'object' }] },
    ['data: cannot be told: more than one of the alternatives may take it, and only one must'],
    [
      'data: a list, a string, a number, true or false or null may come, only an object is taken',
      'data.a: it may be missing, and is required',
      'data.a: any further property may come, also one of this name with another value, only a number is taken',
    ],
  ],
  [
    'alternatives where none takes all',
    { type: 'number' },
    {
      anyOf: [
        { type: 'number', minimum: 0 },
        { type: 'number', maximum: 0 },
      ],
    },
    ['data: none of 2 alternatives takes it all, of the next one: any number may come, only a number from 0 is taken'],
    [],
  ],
  ['two objects as one', z.object({ a: s }).and(z.object({ b: s })), z.object({ a: s, b: s }), [], []],
  [
    'what must not be',
    { type: ['string', 'number'] },
    { not: { type: 'number' } },
    ['data: cannot be told: whether what comes is never a number, which is not taken'],
    ['data: an object, a list, true or false or null may come, only a string or a number is taken'],
  ],
  [
    'what must not be, and cannot',
    { type: 'string' },
    { not: { type: 'number' } },
    [],
    ['data: an object, a list, a number, true or false or null may come, only a string is taken'],
  ],
  [
    'a condition',
    { type: 'object', properties: { a: { type: 'number' } } },
    conditional({ required: ['b'] }, { required: ['a'] }, true),
    ['data: cannot be told: whether what is required on a condition (`if`) holds'],
    ['data: a list, a string, a number, true or false or null may come, only an object is taken'],
  ],
  [
    'a condition that is told',
    { type: 'object', properties: { a: { const: 1 } }, required: ['a'] },
    conditional({ properties: { a: { const: 1 } } }, { type: 'object' }, false),
    [],
    ['data.a: it may be missing, and is required'],
  ],
];

const references: readonly Row[] = [
  ['a field of a tree', tree, widerTree, [], []],
  [
    'the kind of a field of a tree',
    tree,
    otherTree,
    [
      'data.value: a number may come, only a string is taken',
      'data.children[].value: a number may come, only a string is taken',
    ],
    [
      'data.value: a string may come, only a number is taken',
      'data.children[].value: a string may come, only a number is taken',
    ],
  ],
  ['a definition written out', { $ref: '#/$defs/a', $defs: { a: { type: 'string' } } }, { type: 'string' }, [], []],
  [
    'a definition renamed',
    { items: { $ref: '#/$defs/a' }, $defs: { a: { type: 'string' } } },
    { items: { $ref: '#/$defs/b' }, $defs: { b: { type: 'string' } } },
    [],
    [],
  ],
  [
    'a definition of another document',
    { $ref: 'https://a.example/s' },
    { $ref: 'https://a.example/t' },
    ['data: cannot be told: the reference "https://a.example/t" is not understood'],
    ['data: cannot be told: the reference "https://a.example/s" is not understood'],
  ],
  ['nothing taken any more', { type: 'string' }, false, ['data: a string may come, and nothing is taken'], []],
  [
    'rules for properties that no other rule is for',
    { type: 'object' },
    { type: 'object', unevaluatedProperties: false },
    ['data: cannot be told: unevaluatedProperties is not understood'],
    [],
  ],
];

const libraries: readonly Row[] = [
  [
    'an optional field, of arktype, which keeps others',
    type({ a: 'string' }),
    type({ a: 'string', 'b?': 'string' }),
    ['data.b: any further property may come, also one of this name with another value, only a string is taken'],
    [],
  ],
  [
    'an optional field, of arktype that deletes others',
    type({ '+': 'delete', a: 'string' }),
    type({ '+': 'delete', a: 'string', 'b?': 'string' }),
    [],
    [],
  ],
  [
    'an optional field, of arktype that rejects others',
    type({ '+': 'reject', a: 'string' }),
    type({ '+': 'reject', a: 'string', 'b?': 'string' }),
    [],
    ['data.b: it may come, and is not taken'],
  ],
  [
    'a range of arktype',
    type({ a: 'number >= 0' }),
    type({ a: '0 <= number <= 9' }),
    ['data.a: any number may come, only a number up to 9 is taken'],
    [],
  ],
  [
    'a literal of arktype',
    type({ a: "'x' | 'y'" }),
    type({ a: "'x'" }),
    ['data.a: "y" may come, and is not taken: "x" is'],
    [],
  ],
  [
    'a key of arktype',
    type({ a: 'string' }),
    type({ a: 'string | null' }),
    [],
    ['data.a: null may come, and is not taken: a string is'],
  ],
  [
    'a required field, of valibot',
    valibot(v.strictObject({ a: v.string() })),
    valibot(v.strictObject({ a: v.string(), b: v.number() })),
    ['data.b: it may be missing, and is required'],
    ['data.b: it may come, and is not taken'],
  ],
  [
    'an optional field, of valibot',
    valibot(v.strictObject({ a: v.string() })),
    valibot(v.strictObject({ a: v.string(), b: v.optional(v.number()) })),
    [],
    ['data.b: it may come, and is not taken'],
  ],
  [
    'a variant, of valibot',
    valibot(v.variant('t', [v.strictObject({ t: v.literal('x') })])),
    valibot(v.variant('t', [v.strictObject({ t: v.literal('x') }), v.strictObject({ t: v.literal('y') })])),
    [],
    ['data.t: "y" may come, only "x" is taken'],
  ],
  [
    'a picklist, of valibot',
    valibot(v.object({ a: v.picklist(['x', 'y']) })),
    valibot(v.object({ a: v.picklist(['x']) })),
    ['data.a: "y" may come, and is not taken: "x" is'],
    [],
  ],
  [
    'from valibot to zod',
    valibot(v.strictObject({ a: v.pipe(v.string(), v.minLength(1)) })),
    z.strictObject({ a: s.min(1) }),
    [],
    [],
  ],
  ['from zod to arktype', z.object({ a: s, b: n.optional() }), type({ a: 'string', 'b?': 'number' }), [], []],
];

export const table: readonly Row[] = [...objects, ...scalars, ...lists, ...unions, ...references, ...libraries];
