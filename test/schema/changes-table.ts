/** Changes of schemas, with what is wrong about each of them, for readers of what was written before, and for those that were there before. */
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { lists, objects, scalars } from './changes-of-values.ts';
import { conditional } from './changes-row.ts';
import type { Row } from './changes-row.ts';

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
