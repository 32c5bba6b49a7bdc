import { DatabaseSync } from 'node:sqlite';

/** Waits until the index has so many runs: it is written in the background. */
export async function untilIndexed(file: string, runs: number): Promise<void> {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const select = db.prepare('select count(*) as count from index_runs');
    while (select.get()?.['count'] !== runs) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    db.close();
  }
}
