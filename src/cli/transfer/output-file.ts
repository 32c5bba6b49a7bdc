import { existsSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import { EngineError } from '../../ground/errors.ts';
import type { Output } from '../terminal.ts';

/** By the file's ending: gzip, zstd, or as it is. */
function compressorFor(file: string): readonly Transform[] {
  if (/\.(gz|gzip)$/i.test(file)) return [createGzip()];
  if (/\.(zst|zstd)$/i.test(file)) return [createZstdCompress()];
  return [];
}

/**
 * Writes text into a file, which has its name only once it is complete and on disk.
 * @param force whether a file of that name is replaced.
 * @throws {EngineError} `file_exists`
 */
export async function writeFile(
  file: string,
  texts: AsyncIterable<string>,
  { force, signal }: { readonly force: boolean; readonly signal: AbortSignal },
): Promise<void> {
  if (!force && existsSync(file)) throw new EngineError('file_exists', { file });
  const partial = `${file}.partial`;
  const handle = await openNew(partial);
  try {
    // Flushed: what has its name must survive the death of the machine.
    const target = handle.createWriteStream({ flush: true });
    await pipeline([Readable.from(texts), ...compressorFor(file), target], { signal });
    await rename(partial, file);
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(partial, { force: true });
    throw error;
  }
}

async function openNew(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'wx');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') throw new EngineError('file_exists', { file });
    throw error;
  }
}

/** Writes text to standard output, as fast as whoever reads it. */
export async function writeOutput(out: Output, texts: AsyncIterable<string>, signal: AbortSignal): Promise<void> {
  await pipeline(Readable.from(texts), out as NodeJS.WritableStream, { signal, end: false });
}
