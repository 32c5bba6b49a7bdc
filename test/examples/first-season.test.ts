/** What the ticket shop recorded in its first season, by its first schemas, is read by today's code. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { board } from '../../examples/order-fulfilment/board.ts';
import { order } from '../../examples/order-fulfilment/order.ts';
import { openShop } from '../../examples/order-fulfilment/shop.ts';
import { cli } from '../cli/cli-process.ts';
import { temporaryFolder } from '../support/temporary.ts';

const season = fileURLToPath(new URL('../../examples/order-fulfilment/first-season.ndjson', import.meta.url));

test('the first season of the ticket shop is imported as it was, and read as what today’s code knows', async () => {
  const shop = join(await temporaryFolder(), 'shop.db');
  const imported = await cli(['import', season, '--store', `sqlite:${shop}`]);
  expect(imported.code).toBe(0);
  await using engine = await openShop(shop);
  expect((await engine.load(order, '101')).state).toEqual({
    status: 'shipped',
    customer: 'Ada',
    tickets: 1,
    total: 30,
    clerk: 'Ann',
  });
  const types: string[] = [];
  for await (const page of engine.history(order, '103'))
    for (const { type, schemaVersion, data } of page) types.push(`${type} ${schemaVersion} ${JSON.stringify(data)}`);
  expect(types).toEqual([
    'OrderPlaced 2 {"customer":"Cid","tickets":3,"total":90,"price":30}',
    'OrderPaid 1 {"amount":90}',
    'OrderCancelled 2 {"clerk":"Ann","reason":"not recorded"}',
  ]);
  const { position: atLeast } = await engine.log.head();
  const shipped = await engine.view(board).findMany({ where: { status: 'shipped' } }, { atLeast });
  expect(shipped.map(({ customer }) => customer).sort()).toEqual(['Ada', 'Bob', 'Eve', 'Fay', 'Ivy', 'Jon']);
  // Ids are those of the first season, and it goes on from there.
  const [first] = await Array.fromAsync(engine.log.read({ limit: 1 }));
  expect(first?.[0]?.id).toBe('f717f93d04551f07c7884ebd8d0b200671b82b97dda589dcca2d6f8280e95295');
  expect((await engine.execute(order.commands.pay('104', { amount: 30 }))).kind).toBe('accepted');
});
