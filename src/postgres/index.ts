import { EngineError } from '../ground/errors.ts';
import type { Backend } from '../store/port.ts';
import { resolveOptions } from './options.ts';
import type { PostgresConnection, PostgresOptions } from './options.ts';
import { PostgresEventStore } from './store.ts';

export type { PostgresConnection, PostgresOptions } from './options.ts';

/**
 * A store in a schema of a PostgreSQL database, 14 or later, by node-postgres (`npm install pg`): for many processes on many
 * machines. The schema is made when it is first opened.
 * @param where a URL such as `postgres://user:password@host:5432/database`, or what node-postgres takes for a pool.
 * @throws {EngineError} `option_invalid`
 */
export function postgres(where: string | PostgresConnection, options: PostgresOptions = {}): Backend {
  const resolved = resolveOptions(where, options);
  return {
    name: resolved.name,
    openEvents: (given) => PostgresEventStore.open(resolved, given),
    openState: async (events) => {
      if (events instanceof PostgresEventStore) return events.openState();
      throw new EngineError('request_invalid', { reason: 'The state of this schema is opened beside its events only' });
    },
  };
}
