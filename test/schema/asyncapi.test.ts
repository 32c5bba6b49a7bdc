import { Parser } from '@asyncapi/parser';
import { describe, expect, test } from 'vitest';
import { asyncApiDocument } from '../../src/schema/asyncapi.ts';
import { empty, hostile, hostileNames, shop } from './shop-model.ts';

test('a small shop is described as it was', async () => {
  await expect(asyncApiDocument(shop)).toMatchFileSnapshot('golden/shop.asyncapi.json');
});

describe('the official parser', () => {
  test.each([
    ['a small shop', shop],
    ['a model with nothing in it', empty],
    // Upon a field of that name the parser trips itself.
    ['names that are out to break it', hostile((type) => (type === '__proto__' ? 'proto' : type))],
  ])('finds no fault with %s', async (_, model) => {
    expect(await faultsOf(asyncApiDocument(model))).toEqual([]);
  });

  test('finds fault with a reference that leads nowhere', async () => {
    const broken = asyncApiDocument(shop).replace('#/components/schemas/order.OrderPlaced.v2.Money', '#/components/no');
    expect(await faultsOf(broken)).not.toEqual([]);
  });

  test('sees what is sent, what is received, and payloads down to what they refer to', async () => {
    const { document } = await new Parser().parse(asyncApiDocument(shop));
    const sent = document?.operations().filterBySend() ?? [];
    const received = document?.operations().filterByReceive() ?? [];
    const names = (operations: typeof sent) =>
      operations.map(
        (operation) =>
          `${operation.id()}: ${operation
            .messages()
            .all()
            .map((one) => one.id())
            .join(' ')}`,
      );
    expect(names(sent)).toEqual([
      'send.account: account.AccountCharged.v1',
      'send.order: order.OrderCancelled.v1 order.OrderPlaced.v2',
      'send.streams: StockCounted.v1',
    ]);
    expect(names(received)).toEqual([
      'receive.account.commands: account.charge',
      'receive.order.commands: order.cancel order.place',
      'receive.decisions: decision.reserve',
    ]);
    const order = document?.channels().get('order');
    expect(order?.address()).toBe('order-{id}');
    const placed = order?.messages().get('order.OrderPlaced.v2');
    expect(placed?.payload()?.property('total')?.property('currency')?.enum()).toEqual(['EUR', 'USD']);
    const charged = document?.channels().get('account')?.messages().get('account.AccountCharged.v1');
    expect(charged?.payload()?.property('cause')?.property('cause')?.type()).toBe('object');
  });
});

test('names that differ have messages of their own', () => {
  const { components, channels } = JSON.parse(asyncApiDocument(hostile())) as {
    components: { messages: object };
    channels: object;
  };
  const { length } = hostileNames;
  expect(Object.keys(components.messages)).toHaveLength(length * 4);
  expect(Object.keys(channels)).toHaveLength(length * 2 + 2);
});

/** But for its advice to use the newest version of AsyncAPI, which few tools know. */
async function faultsOf(document: string): Promise<readonly string[]> {
  const { diagnostics } = await new Parser().parse(document);
  return diagnostics
    .filter(({ code }) => code !== 'asyncapi-latest-version')
    .map(({ severity, message, path }) => `${severity} ${path.join('/')}: ${message}`);
}
