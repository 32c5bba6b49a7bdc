import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { memory, openEngine } from '../../src/index.ts';
import type { Engine } from '../../src/index.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import { TestClock } from '../../src/testing/index.ts';
import { postgresStores } from '../support/postgres-schemas.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** An engine on each backend, as long as the tests of the file run. */
export interface Opened {
  readonly backend: string;
  readonly engine: Engine;
  readonly clock: TestClock;
}

/** To be called within tests. */
export function enginesOnAll(): (backend: string) => Opened {
  const newStore = postgresStores();
  const opened = new Map<string, Opened>();
  beforeAll(async () => {
    const stores = {
      memory: memory(),
      sqlite: sqlite(join(await temporaryFolder(), 'store.db')),
      postgres: newStore(),
    };
    for (const [backend, store] of Object.entries(stores)) {
      const clock = new TestClock();
      opened.set(backend, { backend, clock, engine: await openEngine({ store, clock }) });
    }
  });
  afterAll(async () => {
    for (const { engine } of opened.values()) await engine.close();
  });
  return (backend) => {
    const found = opened.get(backend);
    if (found === undefined) throw new Error(`${backend} is opened before the tests, not while they are collected`);
    return found;
  };
}

export const backends = ['memory', 'sqlite', 'postgres'] as const;
