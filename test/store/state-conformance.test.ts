import { join } from 'node:path';
import { describe, test } from 'vitest';
import { memory } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { stateStoreConformance } from 'eventsrc/testing';
import type { ConformancePlace } from 'eventsrc/testing';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

const nothing = async (): Promise<void> => {};
const [on14, on18] = [postgresStores(14), postgresStores(18)];

const places: Readonly<Record<string, () => Promise<ConformancePlace>>> = {
  memory: async () => ({ backend: memory(), remove: nothing }),
  sqlite: async () => ({ backend: sqlite(join(await temporaryFolder(), 'store.db')), remove: nothing }),
  'postgres 14': async () => ({ backend: on14(), remove: nothing }),
  'postgres 18': async () => ({ backend: on18(), remove: nothing }),
};

const capabilities = {
  sharedTransaction: true,
  gapless: true,
  conditions: 'matched',
  multiStream: true,
  appendMax: 1_000,
  groupsInFlight: 1,
} as const;

describe.each(Object.entries(places))('%s', (name, place) => {
  const target = { capabilities, shared: name !== 'memory', state: true, place };
  for (const { name: what, skip, run } of stateStoreConformance(target))
    test.skipIf(skip !== undefined)(skip === undefined ? what : `${what} (skipped: ${skip})`, run);
});
