import { createReadStream, statSync } from 'node:fs';
import { addAbortSignal, pipeline, Readable } from 'node:stream';
import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { CliError, usageError } from '../failure.ts';

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
  const { value: first } = await chunks.next();
  if (first === undefined) return;
  const decompressor = decompressorFor(first);
  if (decompressor === undefined) {
    yield first;
    yield* chunks;
    return;
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield first as Uint8Array;
    yield* chunks;
  }
  const result = pipeline(Readable.from(all()), decompressor, () => {});
  try {
    for await (const chunk of result) yield chunk as Uint8Array;
  } catch (cause) {
    throw new CliError(
      `${name} is damaged or cut off (${(cause as Error).message})`,
      'Fetch it again, and import it again: what is there already is skipped.',
      { cause },
    );
  }
}

/** RFC 1952 (gzip) and RFC 8878 (zstd) begin with these. */
function decompressorFor(bytes: Uint8Array): Transform | undefined {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return createGunzip();
  if (bytes[0] === 0x28 && bytes[1] === 0xb5 && bytes[2] === 0x2f && bytes[3] === 0xfd) return createZstdDecompress();
  return undefined;
}
