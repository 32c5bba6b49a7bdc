import type { Backend } from '../store/port.ts';
import { checkKeys } from '../ground/check-options.ts';
import { EngineError } from '../ground/errors.ts';
import { checkDefinitions } from './check-options.ts';
import type { EngineOptions } from './engine.ts';

/** What `eventsrc.config.ts` exports: the store and the definitions of a project, for its command line. */
export interface Config extends Omit<EngineOptions, 'store'> {
  /**
   * Where, unless `--store` or `EVENTSRC_STORE` says otherwise: a URL, as `sqlite:data/bank.db` (relative to the config's
   * folder), or a backend, as `sqlite(file)`.
   */
  readonly store?: string | Backend;
}

/** Checks the types of a config, and returns it as it is: `export default defineConfig({ … })`. */
export function defineConfig(config: Config): Config {
  return config;
}

const keys = [
  'store',
  'aggregates',
  'decisions',
  'projections',
  'tables',
  'reactors',
  'sagas',
  'activities',
  'schedules',
  'schemas',
  'run',
  'leaseMs',
  'stallMs',
  'limits',
  'clock',
  'newId',
  'commandTimeoutMs',
  'idempotencyWindowMs',
  'conflictRetries',
  'cachedStates',
  'freezeStates',
  'snapshots',
  'snapshotSampleMs',
  'hooks',
  'onWarning',
] satisfies (keyof Config)[];

/** @internal Refuses what is no config, wherever its types were not looked at. @throws {EngineError} `option_invalid` */
export function checkConfig(config: Config): void {
  checkKeys('the config', config, keys);
  const { store } = config;
  if (store !== undefined && typeof store !== 'string' && typeof store?.openEvents !== 'function')
    throw new EngineError('option_invalid', {
      option: 'store',
      value: store,
      expected: 'a URL, or a backend such as sqlite(file)',
    });
  checkDefinitions(config);
}
