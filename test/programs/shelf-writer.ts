/** Appends COUNT random events of SEED at PLACE (three arguments), a few at a time. */
import { openLog } from 'eventsrc';
import { randomAppends } from '../projection/shelves.ts';
import { backendAt } from '../support/place.ts';

const [kind = '', address = '', schema = '', seed = '0', count = '0'] = process.argv.slice(2);
await using log = await openLog({ store: backendAt([kind, address, schema]), limits: { eventsPerStream: Infinity } });
const append = randomAppends(log, Number(seed));
for (let left = Number(count); left > 0;) {
  const some = Math.min(left, 1 + Math.floor(Math.random() * 8));
  await append(some);
  left -= some;
}
