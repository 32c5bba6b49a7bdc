/** Reacts to what is stored at PLACE (three arguments) by a line in FILE for each event, until it is killed. */
import { appendFileSync } from 'node:fs';
import { defineReactor, openEngine } from 'eventsrc';
import { crate } from '../projection/shelves.ts';
import { backendAt } from '../support/place.ts';

const [kind = '', address = '', schema = '', file = ''] = process.argv.slice(2);
const sends = defineReactor({
  name: 'sends',
  from: [crate],
  startAt: 'first_event',
  slots: 4,
  on: {
    Stored: async ({ stream, version }, { idempotencyKey: key }) => {
      // What takes a while is interrupted more often.
      await new Promise((resolve) => setImmediate(resolve));
      appendFileSync(file, `${JSON.stringify({ stream, version, key })}\n`);
    },
    Cleared: 'ignore',
    Noted: 'ignore',
  },
});
await openEngine({
  store: backendAt([kind, address, schema]),
  reactors: [sends],
  leaseMs: 300,
  hooks: { consumer: () => {} },
});
console.log('ready');
