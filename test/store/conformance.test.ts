import { join } from 'node:path';
import { describe, test } from 'vitest';
import { sqlite } from '../../src/sqlite/index.ts';
import { memory } from '../../src/store/memory.ts';
import type { Capabilities } from '../../src/store/port.ts';
import { eventStoreConformance } from '../../src/testing/index.ts';
import type { ConformanceTarget } from '../../src/testing/index.ts';
import { temporaryFolder } from '../support/temporary.ts';

const capabilities: Capabilities = {
  sharedTransaction: true,
  gapless: true,
  conditions: 'matched',
  multiStream: true,
  appendMax: 1_000,
};
const nothing = async (): Promise<void> => {};

const targets: Readonly<Record<string, ConformanceTarget>> = {
  memory: { capabilities, shared: false, place: async () => ({ backend: memory(), remove: nothing }) },
  sqlite: {
    capabilities,
    shared: true,
    place: async () => ({ backend: sqlite(join(await temporaryFolder(), 'store.db')), remove: nothing }),
  },
};

describe.each(Object.entries(targets))('%s', (_name, target) => {
  for (const { name, skip, run } of eventStoreConformance(target)) {
    test.skipIf(skip !== undefined)(skip === undefined ? name : `${name} (skipped: ${skip})`, run);
  }
});
