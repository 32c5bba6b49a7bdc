import type { MigrationRecord } from '../../migration/migrate-log.ts';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { writeFile } from './output-file.ts';

/** Takes in what is to be recorded, as fast as it can be written. */
type Record = (entries: readonly MigrationRecord[]) => Promise<void>;

/**
 * Writes what some work records into a file, as lines of JSON. It has its name only once the work is done.
 * @param force whether a file of that name is replaced; what a work that was killed has left beside it is in any case.
 * @throws {EngineError} `file_exists`, before the work begins.
 */
export async function recordInto<Result>(
  file: string,
  { force, signal }: { readonly force: boolean; readonly signal: AbortSignal },
  work: (record: Record) => Promise<Result>,
): Promise<Result> {
  const lines = new PassThrough({ encoding: 'utf8' });
  // Whoever writes to it after it has failed hears why from `written`.
  lines.on('error', () => {});
  const opened = Promise.withResolvers<void>();
  async function* texts(): AsyncGenerator<string> {
    opened.resolve();
    for await (const text of lines) yield String(text);
  }
  const written = writeFile(file, texts(), { force, signal, replacesPartial: true });
  try {
    await Promise.race([opened.promise, written]);
    const result = await work(async (entries) => {
      if (lines.destroyed) await written;
      const isRoomy = lines.write(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      if (!isRoomy) await Promise.race([once(lines, 'drain'), written]);
    });
    lines.end();
    await written;
    return result;
  } catch (error) {
    // Where it was the writing that failed, that is why.
    if (lines.destroyed) await written;
    lines.destroy(error as Error);
    await written.catch(() => {});
    throw error;
  }
}
