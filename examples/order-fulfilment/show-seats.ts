import type { Engine } from 'eventsrc';
import { chapter, line } from '../narrator.ts';
import { order } from './order.ts';
import { bookSeat, show } from './seats.ts';
import { tell } from './tell.ts';

export async function showSeats(engine: Engine): Promise<void> {
  chapter(
    'One seat, three orders',
    'A seat goes to one order, and only to one that is paid: a rule about shows and orders at once. A decision looks at\nthe events of both, and is recorded only if no further one has appeared meanwhile.',
  );
  const { place, pay } = order.commands;
  await engine.execute(show.commands.schedule('hamlet', { title: 'Hamlet', seats: 40 }));
  await engine.executeAll([
    place('1003', { customer: 'Cid', tickets: 1, price: 30 }),
    pay('1003', { amount: 30 }),
    place('1004', { customer: 'Dot', tickets: 1, price: 30 }),
    pay('1004', { amount: 30 }),
    place('1005', { customer: 'Eve', tickets: 1, price: 30 }),
  ]);
  const book = (orderId: string) => engine.execute(bookSeat({ showId: 'hamlet', seat: 12, orderId }));
  const [cid, dot, eve] = await Promise.all([book('1003'), book('1004'), book('1005')]);
  tell('Cid books seat 12', cid);
  tell('Dot books seat 12', dot);
  tell('Eve, who has not paid, books seat 12', eve);
  const { state } = await engine.load(show, 'hamlet');
  line(`${state.title} has ${state.booked} seat booked of ${state.seats}.`);
}
