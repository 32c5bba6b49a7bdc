/** The thread for searches, whose length nobody knows beforehand. It answers with positions. */
import { workerData } from 'node:worker_threads';
import type { EventQuery } from '../event/query.ts';
import { openForReading } from './connection.ts';
import type { FileOptions } from './connection.ts';
import { HeadRow } from './head-row.ts';
import { IdReader } from './id-index.ts';
import { NameReader } from './name-reader.ts';
import { retryWhileBusy } from './retry-while-busy.ts';
import { Search } from './search.ts';
import type { SearchRange } from './search.ts';
import { serve } from './thread-server.ts';

export interface SearchCall {
  readonly query: EventQuery;
  readonly range: SearchRange;
}

const { file, lockTimeoutMs } = workerData as FileOptions;
const db = openForReading(file);
const search = new Search(db);
const head = new HeadRow(db, file);
const ids = new IdReader(db, new NameReader(db, file));

serve(file, (kind, argument) => retryWhileBusy(file, lockTimeoutMs, () => handle(kind, argument)));

function handle(kind: string, argument: unknown): unknown {
  switch (kind) {
    case 'search': {
      const { query, range } = argument as SearchCall;
      return search.positions(query, range);
    }
    case 'find':
      return ids.find(argument as Uint8Array, head.read());
    case 'close':
      return db.close();
    default:
      throw new Error(`unknown call ${kind}`);
  }
}
