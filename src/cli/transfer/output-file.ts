import { createWriteStream, realpathSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import { EngineError } from '../../ground/errors.ts';
import { usageError } from '../failure.ts';
import type { Output } from '../terminal.ts';

/** By the file's ending: gzip, zstd, or as it is. */
function compressorFor(file: string): readonly Transform[] {
  if (/\.(gz|gzip)$/i.test(file)) return [createGzip()];
  if (/\.(zst|zstd)$/i.test(file)) return [createZstdCompress()];
  return [];
}

/**
 * Writes text into a file, which has its name only once it is complete and on disk. What is no file but a pipe or a device
 * is written to as it is.
 * @param force whether a file of that name is replaced.
 * @param replacesPartial whether what a writing that was killed has left is replaced. Default: as `force`.
 * @throws {EngineError} `file_exists`
 */
export async function writeFile(
  file: string,
  texts: AsyncIterable<string>,
  {
    force,
    signal,
    replacesPartial = force,
  }: { readonly force: boolean; readonly signal: AbortSignal; readonly replacesPartial?: boolean },
): Promise<void> {
  if (file === '')
    throw usageError('The name of the file is empty', 'Name a file, or leave it out for standard output.');
  const stats = statSync(file, { throwIfNoEntry: false });
  const parts = [Readable.from(texts), ...compressorFor(file)] as const;
  if (stats?.isDirectory() === true) throw usageError(`${file} is a folder`, 'Name a file.');
  if (stats !== undefined && !stats.isFile()) return pipeline([...parts, createWriteStream(file)], { signal });
  if (stats !== undefined && !force) throw new EngineError('file_exists', { file });
  // Behind a symbolic link, which is to stay one.
  const target = stats === undefined ? file : realpathSync(file);
  const partial = `${target}.partial`;
  const handle = await openNew(partial, replacesPartial);
  try {
    // Flushed: what has its name must survive the death of the machine.
    await pipeline([...parts, handle.createWriteStream({ flush: true })], { signal });
    await rename(partial, target);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  }
}

async function openNew(file: string, force: boolean): Promise<FileHandle> {
  try {
    return await open(file, force ? 'w' : 'wx');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') throw new EngineError('file_exists', { file });
    throw error;
  }
}

/** Writes text to standard output, as fast as whoever reads it. */
export async function writeOutput(out: Output, texts: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  await pipeline(Readable.from(texts), out as NodeJS.WritableStream, { signal, end: false });
}
