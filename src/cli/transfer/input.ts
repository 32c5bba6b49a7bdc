import { createReadStream, statSync } from 'node:fs';
import { addAbortSignal, pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { CliError, usageError } from '../failure.ts';
import { ZstdFrames } from './zstd-frames.ts';

export interface Input {
  /** For people. */
  readonly name: string;
  /** As it came, decompressed. @throws {CliError} where it is damaged or cut off. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Of the file; undefined for standard input. */
  readonly size: number | undefined;
  /** Bytes taken from the file so far. */
  readonly taken: () => number;
}

const chunkBytes = 256 * 1024;

/** A file, or standard input; compressed or not: its first bytes tell. */
export function openInput(file: string | undefined, signal: AbortSignal): Input {
  if (file === undefined || file === '-') {
    if (process.stdin.isTTY)
      throw usageError('Nothing is piped in', 'Name a file, or pipe one in: eventsrc import < FILE');
    return inputOf('standard input', addAbortSignal(signal, process.stdin), undefined);
  }
  const stats = statSync(file);
  if (stats.isDirectory()) throw usageError(`${file} is a folder`, 'Name a file.');
  const stream = createReadStream(file, { highWaterMark: chunkBytes, signal });
  return inputOf(file, stream, stats.isFile() ? stats.size : undefined);
}

function inputOf(name: string, source: Readable, size: number | undefined): Input {
  let taken = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      taken += (chunk as Uint8Array).length;
      yield chunk as Uint8Array;
    }
  }
  return { name, bytes: decompressed(name, counted()), size, taken: () => taken };
}

async function* decompressed(name: string, chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const first = await firstBytes(chunks);
  const compression = compressionOf(first);
  if (compression === undefined) {
    yield first;
    yield* chunks;
    return;
  }
  const frames = new ZstdFrames();
  async function* all(): AsyncGenerator<Uint8Array> {
    for (let chunk: Uint8Array | undefined = first; chunk !== undefined; chunk = (await chunks.next()).value) {
      if (compression === 'zstd') frames.add(chunk);
      yield chunk;
    }
  }
  const decompressor = compression === 'gzip' ? createGunzip() : createZstdDecompress();
  try {
    for await (const chunk of pipeline(Readable.from(all()), decompressor, () => {})) yield chunk as Uint8Array;
  } catch (cause) {
    throw damaged(name, (cause as Error).message, cause);
  }
  if (!frames.isComplete) throw damaged(name, 'unexpected end of file');
}

function damaged(name: string, reason: string, cause?: unknown): CliError {
  return new CliError(
    `${name} is damaged or cut off (${reason})`,
    'Fetch it again, and import it again: what is there already is skipped.',
    { cause },
  );
}

/** Enough of them to tell what they are; fewer only where there are no more. */
async function firstBytes(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < magicBytes) {
    const { value } = await chunks.next();
    if (value === undefined) break;
    bytes = Buffer.concat([bytes, value]);
  }
  return bytes;
}

const magicBytes = 4;

/** RFC 1952 (gzip) and RFC 8878 (zstd) begin with these. */
function compressionOf(bytes: Uint8Array): 'gzip' | 'zstd' | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return 'gzip';
  const isZstd = bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd;
  return isZstd ? 'zstd' : undefined;
}
