import { resolve } from 'node:path';
import type { Backend } from '../store/port.ts';
import { EngineError } from '../ground/errors.ts';
import { SqliteEventStore } from './store.ts';

export { backup } from './backup.ts';
export { verify } from './verify.ts';
export type { FileProgress, FileWork } from './verify.ts';

export interface SqliteOptions {
  /** Whether a file that does not exist is made. Default true; else opening it is `store_unavailable`. */
  readonly create?: boolean;
  /**
   * Whether nothing is to be written, not even beside the file: for looking into a backup, also on a disk that is
   * read-only. A store that is in use is refused. Default false.
   */
  readonly readOnly?: boolean;
  /** How long to wait for another program's transaction before `store_locked`, in ms. Default 30,000; also Infinity. */
  readonly lockTimeoutMs?: number;
}

/**
 * A store in one file on disk, by Node's own SQLite: nothing to install, no server. The file is made if it does
 * not exist (its folder is not); beside it lie `<file>-wal` and `<file>-shm` while it is open. Several processes may
 * open it, also through symbolic links; under two names by a hard link it is refused. Not for network file systems.
 * @throws {EngineError} `option_invalid` for an empty name or one that SQLite would take for something else.
 */
export function sqlite(file: string, options: SqliteOptions = {}): Backend {
  if (typeof file !== 'string' || file === '' || file === ':memory:' || file.includes('\0')) {
    throw new EngineError('option_invalid', {
      option: 'file',
      value: file,
      expected: 'the path of a file; for a store in memory use memory()',
    });
  }
  const { create = true, readOnly = false, lockTimeoutMs = 30_000 } = options;
  for (const [option, value] of Object.entries({ create, readOnly })) {
    if (typeof value !== 'boolean')
      throw new EngineError('option_invalid', { option, value, expected: 'true or false' });
  }
  if (typeof lockTimeoutMs !== 'number' || !(lockTimeoutMs >= 0)) {
    throw new EngineError('option_invalid', {
      option: 'lockTimeoutMs',
      value: lockTimeoutMs,
      expected: 'a number of at least 0',
    });
  }
  const path = resolve(file);
  return {
    name: `sqlite:${file}`,
    openEvents: (given) => SqliteEventStore.open({ file: path, create, readOnly, lockTimeoutMs }, given),
    openState: async (events, { clock }) => {
      if (events instanceof SqliteEventStore) return events.openState(clock);
      throw new EngineError('request_invalid', { reason: 'The state of this file is opened beside its events only' });
    },
  };
}
