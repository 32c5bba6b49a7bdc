/** The thread for searches, whose length nobody knows beforehand. It answers with positions. */
import type { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';
import type { EventQuery } from '../event/query.ts';
import { openForReading, refuseDamaged } from './connection.ts';
import type { FileOptions } from './connection.ts';
import { EventIndex } from './event-index.ts';
import { IdIndex, IdReader } from './id-index.ts';
import { NameReader } from './name-reader.ts';
import { retryWhileBusy } from './retry-while-busy.ts';
import { Search } from './search.ts';
import type { SearchRange } from './search.ts';
import { serve } from './thread-server.ts';

export interface SearchCall {
  readonly query: EventQuery;
  readonly range: SearchRange;
}

interface Opened {
  readonly db: DatabaseSync;
  readonly search: Search;
  readonly index: EventIndex;
  readonly ids: IdIndex;
}

const { file, lockTimeoutMs } = workerData as FileOptions;
let opened: Opened | undefined;

serve(file, { handle: (kind, argument) => retryWhileBusy(file, lockTimeoutMs, () => handle(kind, argument)) });

/** With the first call, and again with the next one if it fails. */
function open(): Opened {
  const db = openForReading(file);
  try {
    const names = new NameReader(db, file);
    const index = new EventIndex(db, file);
    return { db, index, search: new Search(db, index), ids: new IdIndex(new IdReader(db, names), index) };
  } catch (error) {
    db.close();
    throw error;
  }
}

function handle(kind: string, argument: unknown): unknown {
  if (kind === 'close') return opened?.db.close();
  const { db, index, search, ids } = (opened ??= open());
  switch (kind) {
    case 'search': {
      const { query, range } = argument as SearchCall;
      return index.look(() => search.positions(query, range));
    }
    case 'find':
      return index.look((head) => ids.find(argument as Uint8Array, head));
    case 'check':
      return refuseDamaged(db, file);
    default:
      throw new Error(`unknown call ${kind}`);
  }
}
