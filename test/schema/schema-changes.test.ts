import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JsonSchema } from '../../src/event/json-schema.ts';
import { schemaChanges } from '../../src/schema/schema-changes.ts';
import { conditional, shapeOfSide } from './changes-row.ts';

type Side = Parameters<typeof shapeOfSide>[0];

function texts(before: Side, after: Side): readonly string[] {
  return schemaChanges(shapeOfSide(before).output, shapeOfSide(after).output).map(({ text }) => text);
}

const s = z.string();
const n = z.number();

const tree = z.object({
  value: n,
  get children() {
    return z.array(tree);
  },
});
const otherTree = z.object({
  value: s,
  get children() {
    return z.array(otherTree);
  },
});

describe('what has changed is told field by field:', () => {
  test.each<[string, Side, Side, readonly string[]]>([
    ['nothing', z.object({ a: s }), z.object({ a: s.describe('a letter') }), []],
    [
      'fields that come, go and change',
      z.object({ customer: z.object({ name: s }), old: n.optional() }),
      z.object({ customer: s, note: s.optional(), total: z.int() }),
      [
        'data.customer: string, was an object',
        'data.old: removed, was optional: a number',
        'data.note: added, optional: a string',
        'data.total: added, required: an integer',
      ],
    ],
    [
      'whether a field is required',
      z.object({ a: s }),
      z.object({ a: s.optional() }),
      ['data.a: optional, was required'],
    ],
    [
      'whether a field is required that is not described',
      { required: ['a'] },
      { required: ['b'] },
      ['data.a: optional, was required', 'data.b: required, was optional'],
    ],
    [
      'values',
      z.object({ a: z.enum(['x', 'y']), b: z.literal('x'), c: s }),
      z.object({ a: z.enum(['y', 'z']), b: z.literal('y'), c: z.enum(['x']) }),
      ['data.a: "z" added', 'data.a: "x" removed', 'data.b: "y", was "x"', 'data.c: "x", was a string'],
    ],
    ['null', z.object({ a: s }), z.object({ a: s.nullable() }), ['data.a: string or null, was a string']],
    [
      'what is in an object that may be null',
      z.object({ a: z.object({ b: s }).nullable() }),
      z.object({ a: z.object({ b: n }).nullable() }),
      ['data.a.b: number, was a string'],
    ],
    [
      'bounds, lengths, patterns and formats',
      z.object({ a: n.min(1), b: s.max(5), c: s, d: s.regex(/^a/) }),
      z.object({ a: n.min(2), b: s, c: z.url(), d: s.regex(/^a/).regex(/z$/) }),
      [
        'data.a: minimum 2, was 1',
        'data.b: maxLength none, was 5',
        'data.c: format uri, was none',
        'data.d: pattern ^a and z$, was ^a',
      ],
    ],
    [
      'what is in lists and maps',
      z.object({ lines: z.array(z.object({ sku: s })), prices: z.record(s, n), pair: z.tuple([s, n]) }),
      z.object({ lines: z.array(z.object({ sku: n })), prices: z.record(s, s), pair: z.tuple([s, s]) }),
      [
        'data.lines[].sku: number, was a string',
        'data.prices.*: string, was a number',
        'data.pair[1]: string, was a number',
      ],
    ],
    ['names that are odd', z.object({ 'a b': s }), z.object({ 'a b': n }), ['data["a b"]: number, was a string']],
    [
      'whether there may be more fields',
      z.strictObject({ a: s }),
      z.looseObject({ a: s }),
      ['data: further properties are taken, were refused'],
    ],
    [
      'alternatives',
      z.discriminatedUnion('t', [z.object({ t: z.literal('a'), x: n }), z.object({ t: z.literal('b') })]),
      z.discriminatedUnion('t', [z.object({ t: z.literal('a'), x: s }), z.object({ t: z.literal('c') })]),
      [
        'data.x: string, was a number (where t is "a")',
        'data: alternative removed: where t is "b"',
        'data: alternative added: where t is "c"',
      ],
    ],
    ['kinds', z.union([s, n]), z.union([s, z.boolean()]), ['data: string or boolean, was a string or a number']],
    [
      'one kind and several',
      z.object({ a: s }),
      z.object({ a: z.union([s, n]) }),
      ['data.a: string or number, was a string'],
    ],
    [
      'alternatives of the same kind',
      z.union([s, z.object({ a: s }), z.object({ b: s })]),
      z.union([s, z.object({ a: s }), z.object({ b: n })]).nullable(),
      ['data.b: number, was a string', 'data: null taken, was none'],
    ],
    ['anything', z.object({ a: s }), z.object({ a: z.unknown() }), ['data.a: any value, was a string']],
    ['a tree', tree, otherTree, ['data.value: string, was a number', 'data.children[].value: string, was a number']],
    [
      'every field that refers to a definition',
      { properties: { a: { $ref: '#/$defs/d' }, b: { $ref: '#/$defs/d' } }, $defs: { d: { type: 'string' } } },
      { properties: { a: { $ref: '#/$defs/d' }, b: { $ref: '#/$defs/d' } }, $defs: { d: { type: 'null' } } },
      ['data.a: null, was a string', 'data.b: null, was a string'],
    ],
    ['rules that are schemas', { not: { type: 'string' } }, { not: { type: 'null' } }, ['data: changed in not']],
    [
      'conditions, names and what depends',
      { type: 'object', propertyNames: { maxLength: 1 } },
      {
        type: 'object',
        ...(conditional({ required: ['a'] }, { required: ['b'] }, true) as object),
        dependentRequired: { a: ['b'] },
        patternProperties: { '^x': true },
      },
      ['data: changed in propertyNames, if, then, else, patternProperties ^x, dependentRequired a'],
    ],
    ['other words for the same', { anyOf: [{ type: 'string' }] }, { type: 'string' }, ['data: said in other words']],
    [
      'what cannot be read',
      { type: 'text' },
      { type: 'string' },
      ['data: changed, and not both are JSON Schemas that can be read'],
    ],
    ['all or nothing', true, false, ['data: nothing, was any value']],
    [
      'fields of arktype',
      type({ a: 'string', 'b?': 'number' }),
      type({ a: 'string | null', b: 'number' }),
      ['data.a: string or null, was a string', 'data.b: required, was optional'],
    ],
    [
      'fields of valibot, of two objects together',
      toStandardJsonSchema(v.intersect([v.object({ a: v.string() }), v.object({ b: v.string() })])),
      toStandardJsonSchema(v.intersect([v.object({ a: v.number() }), v.object({ b: v.string() })])),
      ['data.a: number, was a string'],
    ],
  ])('%s', (_, before, after, expected) => {
    expect(texts(before, after)).toEqual(expected);
  });

  test('with the schemas of the field', () => {
    const before: JsonSchema = { properties: { a: { type: 'string' }, b: { type: 'null' } } };
    const after: JsonSchema = { properties: { a: { type: 'number' }, c: { type: 'null' } } };
    expect(schemaChanges(before, after)).toEqual([
      {
        path: 'data.a',
        change: 'changed',
        before: { type: 'string' },
        after: { type: 'number' },
        text: 'data.a: number, was a string',
      },
      { path: 'data.b', change: 'removed', before: { type: 'null' }, text: 'data.b: removed, was optional: null' },
      { path: 'data.c', change: 'added', after: { type: 'null' }, text: 'data.c: added, optional: null' },
    ]);
  });
});
