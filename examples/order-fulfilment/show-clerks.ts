import type { Engine } from 'eventsrc';
import { chapter, line } from '../narrator.ts';
import { order } from './order.ts';
import { openShop } from './shop.ts';
import { tell } from './tell.ts';

/** Two clerks at machines of their own want different things for one order, at the same moment. */
export async function showClerks(engine: Engine, place: string): Promise<void> {
  chapter(
    'Two clerks, one order',
    'Ann ships order 1001 while Ben cancels it, each at a machine of their own. Both have seen a paid order, both are\nallowed to. Whoever comes second decides again, upon what the first has done.',
  );
  await using ann = await openShop(place);
  await using ben = await openShop(place);
  const { ship, cancel } = order.commands;
  await Promise.all([ann.load(order, '1001'), ben.load(order, '1001')]);
  const [shipped, cancelled] = await Promise.all([
    ann.execute(ship('1001', { clerk: 'Ann' }), { metadata: { actor: 'Ann' } }),
    ben.execute(cancel('1001', { clerk: 'Ben', reason: 'out of paper' }), { metadata: { actor: 'Ben' } }),
  ]);
  tell('Ann ships it', shipped);
  tell('Ben cancels it', cancelled);
  const { state } = await engine.load(order, '1001');
  line(`The order is ${state.status}, and the loser was told by whom: no update is ever lost.`);
}
