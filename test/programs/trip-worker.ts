/** Works on the sagas of the campaign at PLACE (three arguments), in the world at a URL, until it is killed; an attempt may take TIMEOUT ms. Prints when it is ready. */
import { openEngine } from 'eventsrc';
import { defineTrips, implementations } from '../saga/campaign/trips.ts';
import { RemoteWorld } from '../saga/campaign/world-server.ts';
import { backendAt } from '../support/place.ts';

const [kind = '', address = '', schema = '', url = '', leaseMs = '300', timeoutMs] = process.argv.slice(2);
const { sagas, aggregates } = defineTrips(timeoutMs === undefined ? {} : { timeoutMs: Number(timeoutMs) });
await openEngine({
  store: backendAt([kind, address, schema]),
  sagas,
  aggregates,
  activities: implementations(new RemoteWorld(url)),
  leaseMs: Number(leaseMs),
  hooks: { consumer: () => {}, saga: () => {}, snapshot: () => {} },
});
console.log('ready');
