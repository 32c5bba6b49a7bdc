import type { Backend } from '../store/port.ts';
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
