/**
 * Works on the shelves at PLACE (three arguments) until it is killed or, by SIGTERM, told to close. Its documents say BY whom they were put there; RUN
 * names what it works on, separated by commas. Prints when it is ready, and what it notices.
 */
import { openEngine } from 'eventsrc';
import type { StateCommit } from 'eventsrc';
import { defineShelves, defineTrail } from '../projection/shelves.ts';
import { guarded } from '../support/guarded-state.ts';
import { backendAt } from '../support/place.ts';

const [kind = '', address = '', schema = '', leaseMs = '300', version = '1', by = '', run = ''] = process.argv.slice(2);
const store = guarded(backendAt([kind, address, schema]), (call, name, args) => {
  const { puts = [] } = name === 'commit' ? (args[0] as StateCommit) : {};
  for (const { collection, value } of puts)
    if (collection.startsWith('view/') && by !== '') Object.assign(value as object, { by });
  return call();
});
const engine = await openEngine({
  store,
  freezeStates: false,
  projections: [
    defineShelves({ version: Number(version) }),
    defineShelves({ name: 'spread', version: Number(version), slots: 8 }),
    defineTrail({ slots: 3 }),
  ],
  run: run === '' ? 'all' : run.split(','),
  leaseMs: Number(leaseMs),
  limits: { streams: Infinity },
  hooks: { consumer: (notice) => notice.kind !== 'lag' && console.log(notice.kind, notice.consumer) },
});
process.once('SIGTERM', () => void engine.close().then(() => process.exit(0)));
console.log('ready');
