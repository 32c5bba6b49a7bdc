/**
 * Appends an event to FILE, or to URL and SCHEMA, and stages another one with a document, which it prints and never finishes.
 */
import { sqlite } from 'eventsrc/sqlite';
import { postgres } from 'eventsrc/postgres';
import { systemClock } from '../../src/ground/clock.ts';
import { defaultLimits } from '../../src/ground/limits.ts';
import { appendTypes, draft, write } from '../../src/testing/drafts.ts';

const [where = '', schema] = process.argv.slice(2);
const backend = schema === undefined ? sqlite(where) : postgres(where, { schema });
const options = { clock: systemClock, limits: defaultLimits };
const store = await backend.openEvents(options);
const state = await backend.openState?.(store, options);
await state?.define({ name: 'counts', indexes: [] });
await appendTypes(store, 'a-1', 'A');
const receipt = { key: 'key', commandDigest: new Uint8Array(32), outcome: new Uint8Array(1), expiresAt: null };
await store.append([write('a-1', 1, [draft('B')], { receipts: [receipt] })], async () => {
  console.log('staged');
  await new Promise((resolve) => setTimeout(resolve, 3_600_000));
  return undefined;
});
