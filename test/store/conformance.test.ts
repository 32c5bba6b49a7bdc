import { join } from 'node:path';
import { describe, test } from 'vitest';
import { memory } from 'eventsrc';
import type { Capabilities } from 'eventsrc';
import { sqlite } from 'eventsrc/sqlite';
import { eventStoreConformance } from 'eventsrc/testing';
import type { ConformanceTarget } from 'eventsrc/testing';
import { postgresStores } from '../support/postgres-schemas.ts';
import type { PostgresVersion } from '../support/postgres-server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const capabilities: Capabilities = {
  sharedTransaction: true,
  gapless: true,
  conditions: 'matched',
  multiStream: true,
  appendMax: 1_000,
  groupsInFlight: 1,
};
const nothing = async (): Promise<void> => {};

const targets: Readonly<Record<string, ConformanceTarget>> = {
  memory: { capabilities, shared: false, place: async () => ({ backend: memory(), remove: nothing }) },
  sqlite: {
    capabilities,
    shared: true,
    place: async () => ({ backend: sqlite(join(await temporaryFolder(), 'store.db')), remove: nothing }),
  },
  'postgres 14': postgresTarget(14),
  'postgres 18': postgresTarget(18),
};

function postgresTarget(version: PostgresVersion): ConformanceTarget {
  const newStore = postgresStores(version);
  return { capabilities, shared: true, place: async () => ({ backend: newStore(), remove: nothing }) };
}

describe.each(Object.entries(targets))('%s', (_name, target) => {
  for (const { name, skip, run } of eventStoreConformance(target)) {
    test.skipIf(skip !== undefined)(skip === undefined ? name : `${name} (skipped: ${skip})`, run);
  }
});
