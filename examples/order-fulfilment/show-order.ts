import type { Engine } from 'eventsrc';
import { chapter, good, line } from '../narrator.ts';
import { order } from './order.ts';
import { tell } from './tell.ts';

export async function showOrder(engine: Engine): Promise<void> {
  chapter(
    'An order',
    'A command asks for something. If the rules allow it, it becomes an event: a fact that is added to the order’s\nstream and never changed. There is no table of orders: an order is what its events add up to.',
  );
  const placed = await engine.execute(order.commands.place('1001', { customer: 'Ada', tickets: 2, price: 30 }));
  tell('Ada orders two tickets at 30', placed);
  tell('Ada pays 60', await engine.execute(order.commands.pay('1001', { amount: 60 })));
  const { state, version } = await engine.load(order, '1001');
  line(`Its ${version} events add up to: ${JSON.stringify(state)}`);
  good('on disk before it was answered: it would survive the death of this machine');
}
