/** What holds for whatever a model is rendered as. */
import { Parser } from '@asyncapi/parser';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type } from 'arktype';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { shapeOf } from '../../src/event/json-schema.ts';
import type { StandardSchemaV1 } from '../../src/event/standard-schema.ts';
import { asyncApiDocument } from '../../src/schema/asyncapi.ts';
import type { EventModel, ModelEvent } from '../../src/schema/event-model.ts';
import { jsonSchemaBundle } from '../../src/schema/json-schema-bundle.ts';
import { markdownCatalogue } from '../../src/schema/markdown.ts';
import { mermaidFlowchart } from '../../src/schema/mermaid.ts';
import { empty, hostile, shop } from './shop-model.ts';

describe.each([
  ['AsyncAPI', asyncApiDocument],
  ['JSON Schema', jsonSchemaBundle],
  ['Markdown', markdownCatalogue],
  ['Mermaid', mermaidFlowchart],
])('%s', (_, render) => {
  test.each([
    ['a small shop', shop],
    ['names that are out to break it', hostile()],
  ])('is the same text for %s, in whatever order it is declared', (__, model) => {
    expect(render(backwards(model))).toBe(render(model));
  });

  test('does not change the model', () => {
    const model = structuredClone(shop);
    render(model);
    expect(model).toEqual(shop);
  });
});

describe('schemas as libraries export them', () => {
  const tree = z.object({
    name: z.string().describe('Of a node.'),
    get children() {
      return z.array(tree).optional();
    },
  });
  const address = z.object({ street: z.string() }).meta({ id: 'Address', title: 'An address' });
  const model: EventModel = {
    ...empty,
    aggregates: [{ name: 'thing', commands: [] }],
    events: [
      declared('Grown', tree),
      declared('Moved', z.object({ from: address.optional(), to: address, pair: z.tuple([z.string(), z.int()]) })),
      declared(
        'Paid',
        z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.strictObject({ kind: z.literal('b') })]),
      ),
      declared('Kept', z.record(z.string(), z.iso.datetime().nullable())),
      declared('Sent', type({ to: 'string.email', 'more?': 'number[] | null' })),
    ],
  };

  test('are taken by the parser of AsyncAPI', async () => {
    const { diagnostics } = await new Parser().parse(asyncApiDocument(model));
    expect(diagnostics.filter(({ code }) => code !== 'asyncapi-latest-version')).toEqual([]);
  });

  test.each([
    ['Grown', { name: 'a', children: [{ name: 'b', children: [] }] }, { name: 'a', children: [{ name: 1 }] }],
    ['Moved', { to: { street: 's' }, pair: ['a', 1] }, { to: { street: 's' }, from: {}, pair: ['a', 1] }],
    ['Paid', { kind: 'b' }, { kind: 'c' }],
    ['Kept', { a: null, b: '2026-01-05T00:00:00Z' }, { a: 1 }],
    ['Sent', { to: 'a@b.example', more: [1] }, { to: 'a@b.example', more: ['1'] }],
  ])('judge %s as part of the bundle', (typeName, right, wrong) => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const validate = ajv.compile(JSON.parse(jsonSchemaBundle(model)) as object);
    const event = { aggregate: 'thing', type: typeName, schemaVersion: 1 };
    expect(validate({ ...event, data: right })).toBe(true);
    expect(validate({ ...event, data: wrong })).toBe(false);
  });

  function declared(name: string, schema: StandardSchemaV1): ModelEvent {
    const output = shapeOf(schema)?.output;
    if (output === undefined) throw new Error(`${name} exports none.`);
    const only = { version: 1, schema: output, up: false, down: false };
    return { owner: 'thing', type: name, newest: 1, retired: false, versions: [only] };
  }
});

function backwards(model: EventModel): EventModel {
  return {
    ...model,
    aggregates: model.aggregates
      .map((one) => ({
        ...one,
        commands: one.commands
          .map(({ emits, ...command }) => ({ ...command, ...(emits && { emits: emits.toReversed() }) }))
          .toReversed(),
      }))
      .toReversed(),
    decisions: model.decisions
      .map((one) => ({ ...one, reads: one.reads.toReversed(), events: one.events.toReversed() }))
      .toReversed(),
    events: model.events.map((one) => ({ ...one, versions: one.versions.toReversed() })).toReversed(),
    views: model.views
      .map((one) => ({ ...one, handles: one.handles.toReversed(), from: one.from.toReversed() }))
      .toReversed(),
    sagas: model.sagas
      .map((one) => ({ ...one, handles: one.handles.toReversed(), activities: one.activities.toReversed() }))
      .toReversed(),
  };
}
