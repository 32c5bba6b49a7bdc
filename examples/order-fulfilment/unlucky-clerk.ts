/**
 * A process of its own that ships an order and dies between doing so and saying so: it kills itself, as a power cut would,
 * at the moment in which the store has confirmed the append.
 */
import { order } from './order.ts';
import { openShop } from './shop.ts';

const [place = '', orderId = '', idempotencyKey = ''] = process.argv.slice(2);
const engine = await openShop(place, {
  append: () => () => {
    process.kill(process.pid, 'SIGKILL');
  },
});
await engine.execute(order.commands.ship(orderId, { clerk: 'Cleo' }), { idempotencyKey });
console.log('This line is never printed.');
