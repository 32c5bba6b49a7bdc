/** Makes a request to FILE that cannot be handed to a thread, prints the error's code, and leaves the store open. */
import { defaultLimits, EngineError, systemClock } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';

const store = await sqlite(process.argv[2] ?? '').openEvents({ clock: systemClock, limits: defaultLimits });
const item = { types: ['A'], note: () => {} };
const request = { writes: [], checks: [], conditions: [{ failIfMatch: [item], after: 0 }], receipts: [] };
await store
  .append([request])
  .catch((error: unknown) => console.log(error instanceof EngineError ? error.code : String(error)));
