import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { jsonSchemaBundle } from '../../src/schema/json-schema-bundle.ts';
import { empty, hostile, hostileNames, shop } from './shop-model.ts';

const money = { amount: 2, currency: 'EUR' };
const placed = { customer: 'c', total: money, lines: [{ sku: 's', price: money, count: 1 }] };

test('a small shop is described as it was', async () => {
  await expect(jsonSchemaBundle(shop)).toMatchFileSnapshot('golden/shop.schema.json');
});

describe('the bundle of a small shop', () => {
  const validate = compiled(jsonSchemaBundle(shop));

  test.each([
    ['an event of the newest version', 'order', 'OrderPlaced', 2, placed, true],
    ['an event whose schema says nothing', 'order', 'OrderCancelled', 1, { any: 1 }, true],
    ['data that refer to themselves', 'account', 'AccountCharged', 1, { cause: { cause: {} } }, true],
    ['an event of no aggregate', 'whatever', 'StockCounted', 1, {}, true],
    ['an older version', 'order', 'OrderPlaced', 1, { total: 1 }, false],
    ['data that are wrong where they are referred to', 'order', 'OrderPlaced', 2, { ...placed, total: 2 }, false],
    ['data that are wrong in their own midst', 'account', 'AccountCharged', 1, { cause: { cause: 1 } }, false],
    ['an event of another aggregate', 'account', 'OrderPlaced', 2, placed, false],
    ['a retired type', 'order', 'OrderDone', 1, {}, false],
    ['a type that is not declared', 'order', 'OrderLost', 1, {}, false],
  ])('judges %s', (_, aggregate, type, schemaVersion, data, expected) => {
    expect(validate({ aggregate, type, schemaVersion, data, position: 7 })).toBe(expected);
  });
});

test('names that are out to break it still lead to their schemas', () => {
  const validate = compiled(jsonSchemaBundle(hostile()));
  for (const name of hostileNames) {
    const data = Object.fromEntries([
      [name, 'text'],
      ['again', name],
    ]);
    expect(validate({ aggregate: name, type: name, schemaVersion: 1, data }), name).toBe(true);
    expect(validate({ aggregate: 'other', type: name, schemaVersion: 1, data }), name).toBe(true);
    expect(validate({ aggregate: name, type: name, schemaVersion: 1, data: { ...data, again: 'x' } }), name).toBe(
      false,
    );
  }
});

test('where there are no events, nothing is one', () => {
  expect(compiled(jsonSchemaBundle(empty))({})).toBe(false);
});

function compiled(bundle: string): (value: unknown) => boolean {
  const validate = new Ajv2020({ strict: true, validateFormats: false }).compile(JSON.parse(bundle) as object);
  return (value) => validate(value);
}
