import { statSync } from 'node:fs';
import { sqlite } from 'eventsrc/sqlite';
import { openHistory } from '../events.ts';
import type { HistorySource } from '../history-source.ts';
import { importHistory } from '../import-history.ts';
import { chapter, count, good } from '../../narrator.ts';

/** Imports the history into `file`. Returns the position of its last event. */
export async function showImport(source: HistorySource, file: string): Promise<number> {
  chapter(
    'Import',
    'Every commit becomes one atomic append: an event in the stream of each file that it changed,\nand one in a stream of its own. All of it is on disk when the append is confirmed, or none.',
  );
  await using log = await openHistory(sqlite(file));
  const startedMs = performance.now();
  const { commits, events } = await importHistory(log, source);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { position, streamCount } = await log.head();
  const rate = Math.round(events / seconds).toLocaleString('en');
  good(
    `${count(commits, 'commit')}, ${count(events, 'event')} in ${count(streamCount, 'stream')}: ${seconds.toFixed(2)} s, ${rate} events/s`,
  );
  await log.close();
  good(
    `kept in one file of ${count(Math.ceil(statSync(file).size / 1_024), 'kilobyte')}; no server, nothing installed`,
  );
  return position;
}
