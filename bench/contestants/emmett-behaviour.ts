/** What a reader must know of emmett-sqlite before comparing with it: asked of it in each run, not taken on trust. */
import { openEmmett, silently } from './emmett-sqlite.ts';
import type { Connecting, EmmettSqlite } from './emmett-sqlite.ts';
import { SampleFeed } from './sample-events.ts';

/** How it treats the disk, as its own connection says while it appends. */
export async function emmettDurability(emmett: EmmettSqlite, connecting: Connecting, file: string): Promise<string> {
  let found: readonly unknown[] = [];
  using open = openEmmett(emmett, connecting, {
    fileName: file,
    hooks: {
      async onBeforeCommit(_messages, { connection }) {
        const rows = [];
        for (const sql of ['pragma journal_mode', 'pragma synchronous', 'select sqlite_version()']) {
          rows.push(...(await connection.query(sql)));
        }
        found = rows.map((row) => Object.values(row)[0]);
      },
    },
  });
  await open.store.appendToStream('order-1', new SampleFeed().take(1));
  const [journalMode, synchronous, version] = found;
  const level = ['OFF', 'NORMAL', 'FULL', 'EXTRA'][Number(synchronous)] ?? String(synchronous);
  return `journal_mode=${String(journalMode)}, synchronous=${level}, SQLite ${String(version)}`;
}

/**
 * What becomes of so many appends made at once, to as many streams: some may fail, and some may be answered while
 * another connection does not see them yet, which means that they are not committed. That connection is one of the
 * peer's own library: emmett-sqlite.ts tells why.
 */
export async function emmettConcurrency(
  emmett: EmmettSqlite,
  connecting: Connecting,
  file: string,
  inFlight: number,
): Promise<string> {
  using open = openEmmett(emmett, connecting, { fileName: file });
  const feed = new SampleFeed();
  await open.store.appendToStream('order-0', feed.take(1));
  const witness = emmett.sqliteConnection({ fileName: file });
  const append = async (stream: string) => {
    await open.store.appendToStream(stream, feed.take(1));
    const seen = await witness.query('select 1 from emt_messages where stream_id = ?', [stream]);
    return seen.length > 0;
  };
  try {
    const results = await silently(() =>
      Promise.allSettled(Array.from({ length: inFlight }, (_, index) => append(`order-${index + 1}`))),
    );
    const failed = results.filter(({ status }) => status === 'rejected').length;
    const early = results.filter((result) => result.status === 'fulfilled' && !result.value).length;
    return `of ${inFlight} appends made at once, ${failed} failed and ${early} were answered before they were committed`;
  } finally {
    witness.close();
  }
}
