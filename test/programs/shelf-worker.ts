/**
 * Works on the shelves at PLACE (three arguments) until it is killed: all that CONSUMERS, a list of names separated by commas, says. Documents
 * say BY whom they were folded. Prints when it is ready, and what it notices.
 */
import { openEngine } from 'eventsrc';
import { defineShelves, defineTrail } from '../projection/shelves.ts';
import { backendAt } from '../support/place.ts';

const [kind = '', address = '', schema = '', leaseMs = '300', version = '1', by = ''] = process.argv.slice(2);
const engine = await openEngine({
  store: backendAt([kind, address, schema]),
  projections: [
    defineShelves({ version: Number(version), by }),
    defineShelves({ name: 'spread', version: Number(version), slots: 8, by }),
    defineTrail({ slots: 3, by }),
  ],
  leaseMs: Number(leaseMs),
  limits: { streams: Infinity },
  hooks: { consumer: (notice) => notice.kind !== 'lag' && console.log(notice.kind, notice.consumer) },
});
process.once('SIGTERM', () => void engine.close().then(() => process.exit(0)));
console.log('ready');
