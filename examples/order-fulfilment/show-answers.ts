import { hasCode } from 'eventsrc';
import type { Engine } from 'eventsrc';
import { bad, chapter } from '../narrator.ts';
import { order } from './order.ts';
import { tell } from './tell.ts';

export async function showAnswers(engine: Engine): Promise<void> {
  chapter(
    'Said twice, or wrongly',
    'A double click, a retry, a message that is delivered again: with an idempotency key the second time is answered\nfrom the receipt of the first. What the rules or the schema refuse is an answer too, not an exception.',
  );
  const { place, pay } = order.commands;
  const options = { idempotencyKey: 'basket-77' };
  const basket = { customer: 'Bob', tickets: 1, price: 30 };
  const twice = await Promise.all([1, 2].map(() => engine.execute(place('1002', basket), options)));
  for (const receipt of twice) tell('Bob clicks “Order”', receipt);
  try {
    await engine.execute(place('1002', { ...basket, tickets: 9 }), options);
  } catch (error) {
    if (!hasCode(error, 'idempotency_key_reused')) throw error;
    bad('The same key with nine tickets: an error, idempotency_key_reused');
  }
  tell('Bob pays 3 instead of 30', await engine.execute(pay('1002', { amount: 3 })));
  tell('Bob pays -30', await engine.execute(pay('1002', { amount: -30 })));
  tell('Bob pays 30', await engine.execute(pay('1002', { amount: 30 })));
}
